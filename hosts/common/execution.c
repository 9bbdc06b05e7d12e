/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Execution hooks on POSIX threads. A lock sleeps; the number of the CPU is the one that the caller ran on a moment
 * ago, folded into what the host reports.
 */
#include "execution.h"

#include <pthread.h>
#include <sched.h>

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct dma_lock), "a mutex fits into a dma_lock");

static pthread_mutex_t *mutex_of(struct dma_lock *lock)
{
	return (pthread_mutex_t *)(void *)lock->opaque;
}

static void hook_lock_init(struct dma_host *host, struct dma_lock *lock)
{
	(void)host;
	pthread_mutex_init(mutex_of(lock), NULL);
}

static void hook_lock_fini(struct dma_host *host, struct dma_lock *lock)
{
	(void)host;
	pthread_mutex_destroy(mutex_of(lock));
}

static void hook_lock(struct dma_host *host, struct dma_lock *lock)
{
	(void)host;
	pthread_mutex_lock(mutex_of(lock));
}

static void hook_unlock(struct dma_host *host, struct dma_lock *lock)
{
	(void)host;
	pthread_mutex_unlock(mutex_of(lock));
}

static unsigned int hook_cpu_id(struct dma_host *host)
{
	int cpu = host->cpu_count > 1 ? sched_getcpu() : 0;

	return cpu > 0 ? (unsigned int)cpu % host->cpu_count : 0;
}

static bool hook_may_block(struct dma_host *host)
{
	(void)host;
	return true;
}

void host_execution_hooks(struct dma_host *host, unsigned int cpus)
{
	host->lock_init = hook_lock_init;
	host->lock_fini = hook_lock_fini;
	host->lock = hook_lock;
	host->unlock = hook_unlock;
	host->cpu_id = hook_cpu_id;
	host->cpu_count = cpus ? cpus : 1;
	host->may_block = hook_may_block;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine as a whole: made, started, ended; its clock, and what the library tells it.
 */
#include "machine.h"

#include "common/execution.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- execution hooks */

static uint64_t hook_time(struct dma_host *host)
{
	return sim_time(sim_machine_of(host));
}

/* --- messages */

static void remember(struct sim_machine *m, uint64_t *counter, const char *text)
{
	sim_count(counter);
	pthread_mutex_lock(&m->lists);
	snprintf(m->message, sizeof(m->message), "%s", text);
	pthread_mutex_unlock(&m->lists);
}

static void hook_log(struct dma_host *host, enum dma_log_level level, const char *text)
{
	struct sim_machine *m = sim_machine_of(host);

	(void)level;
	remember(m, &m->counters.logs, text);
}

static void hook_warn(struct dma_host *host, const char *text)
{
	struct sim_machine *m = sim_machine_of(host);

	remember(m, &m->counters.warnings, text);
}

static void hook_fatal(struct dma_host *host, const char *text)
{
	struct sim_machine *m = sim_machine_of(host);

	remember(m, &m->counters.fatals, text);
}

static void hook_sanitize(struct dma_host *host, enum dma_sanitize_event event, phys_addr_t phys,
			  uint64_t size, enum dma_data_direction dir)
{
	(void)event;
	(void)phys;
	(void)size;
	(void)dir;
	sim_count(&sim_machine_of(host)->counters.sanitized);
}

void sim_complain(struct sim_machine *m, const char *text)
{
	m->host.warn(&m->host, text);
}

const char *sim_last_message(struct sim_machine *m)
{
	return m->message;
}

static uint64_t count_of(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void sim_get_counters(struct sim_machine *m, struct sim_counters *counters)
{
	const struct sim_counters *c = &m->counters;

	*counters = (struct sim_counters){
		.cache_for_device = count_of(&c->cache_for_device),
		.cache_for_cpu = count_of(&c->cache_for_cpu),
		.cache_for_cpu_all = count_of(&c->cache_for_cpu_all),
		.cache_flush = count_of(&c->cache_flush),
		.sanitized = count_of(&c->sanitized),
		.warnings = count_of(&c->warnings),
		.fatals = count_of(&c->fatals),
		.logs = count_of(&c->logs),
		.allocs = count_of(&c->allocs),
		.frees = count_of(&c->frees),
	};
}

/* --- life */

static void fill_host(struct sim_machine *m, unsigned int cpus)
{
	struct dma_host *host = &m->host;

	host->size = sizeof(*host);
	host->priv = m;
	host->page_size = m->page_size;
	host->time_ns = hook_time;
	host->sanitize = hook_sanitize;
	host->log = hook_log;
	host->warn = hook_warn;
	host->fatal = hook_fatal;
	host_execution_hooks(host, cpus);
	sim_memory_hooks(host);
	sim_alloc_hooks(host);
	if (m->noncoherent)
		sim_cache_hooks(host);
}

static bool is_page_size(uint64_t size)
{
	return !size || size == SIM_PAGE || size == SIM_PAGE << 2 || size == SIM_PAGE << 4;
}

int sim_machine_create(const struct sim_config *config, struct sim_machine **machine)
{
	struct sim_machine *m;

	if (!config || !machine || config->size != sizeof(*config) ||
	    !is_page_size(config->page_size))
		return -DMAMAP_EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -DMAMAP_ENOMEM;
	m->page_size = config->page_size ? config->page_size : SIM_PAGE;
	m->noncoherent = config->noncoherent;
	m->adversarial = config->noncoherent && config->adversarial;
	m->random = config->seed ? config->seed : 1;
	pthread_mutex_init(&m->memory, NULL);
	pthread_mutex_init(&m->cache, NULL);
	pthread_mutex_init(&m->lists, NULL);
	fill_host(m, config->cpus);
	*machine = m;
	return 0;
}

int sim_start(struct sim_machine *m)
{
	int err;

	if (m->started)
		return -DMAMAP_EBUSY;
	dmamap_accel_init(&m->host);
	err = dmamap_host_init(&m->host);
	m->started = !err;
	return err;
}

int sim_machine_destroy(struct sim_machine *m)
{
	int err;

	if (!m)
		return 0;
	if (m->devices || m->nr_iommus)
		return -DMAMAP_EBUSY;
	err = m->started ? dmamap_host_fini(&m->host) : 0;
	if (err)
		return err;
	host_zones_release(&m->zones);
	sim_memory_release(m);
	pthread_mutex_destroy(&m->memory);
	pthread_mutex_destroy(&m->cache);
	pthread_mutex_destroy(&m->lists);
	free(m);
	return 0;
}

struct dma_host *sim_host(struct sim_machine *m)
{
	return &m->host;
}

/* --- time */

uint64_t sim_time(struct sim_machine *m)
{
	return __atomic_load_n(&m->time, __ATOMIC_RELAXED);
}

void sim_advance(struct sim_machine *m, uint64_t ns)
{
	__atomic_fetch_add(&m->time, ns, __ATOMIC_RELAXED);
}

void sim_set_time(struct sim_machine *m, uint64_t ns)
{
	__atomic_store_n(&m->time, ns, __ATOMIC_RELAXED);
}

/* --- arch-direct: everything that ends at or below a limit goes directly */

static bool below_limit(const struct dma_host *host, uint64_t end)
{
	return end <= sim_machine_of(host)->arch_limit;
}

static bool arch_map(struct dma_host *host, struct dma_device *dev, phys_addr_t end)
{
	(void)dev;
	return below_limit(host, end);
}

static bool arch_unmap(struct dma_host *host, struct dma_device *dev, dma_addr_t end)
{
	(void)dev;
	return below_limit(host, end);
}

static bool arch_map_sg(struct dma_host *host, struct dma_device *dev, struct scatterlist *sg,
			int nents)
{
	(void)dev;
	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg))
		if (!below_limit(host, sg_phys(sg) + sg->length))
			return false;
	return true;
}

static bool arch_unmap_sg(struct dma_host *host, struct dma_device *dev, struct scatterlist *sg,
			  int nents)
{
	(void)dev;
	for (int i = 0; i < nents && sg; i++, sg = sg_next(sg))
		if (!below_limit(host, sg_dma_address(sg) + sg_dma_len(sg)))
			return false;
	return true;
}

void sim_set_arch_direct(struct sim_machine *m, uint64_t limit, bool mmio)
{
	struct dma_host *host = &m->host;

	m->arch_limit = limit;
	host->arch_map_direct = limit ? arch_map : NULL;
	host->arch_unmap_direct = limit ? arch_unmap : NULL;
	host->arch_map_sg_direct = limit ? arch_map_sg : NULL;
	host->arch_unmap_sg_direct = limit ? arch_unmap_sg : NULL;
	host->arch_direct_mmio = limit && mmio;
}

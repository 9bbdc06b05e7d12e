/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine that benchmarks run on: flat RAM in the process, and a unit whose invalidations do nothing.
 *
 * Blocks of pages that come back are kept by size and handed out again, so that a benchmark in a steady state pays for
 * no more than a lock. Locks are the library's own spinlocks.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"

#include <dmamap/accel.h>

#define RAM_BASE 0x100000000u
#define PAGE	 4096u
#define LARGE	 ((uint64_t)2 << 20)
#define CPUS	 4
#define SIZES	 24 /* of blocks: 1 to 2^23 pages */

struct bench_machine {
	struct dma_host host; /* first: machine_of() */
	unsigned char *ram;
	uint64_t bytes;
	pthread_mutex_t lock; /* guards what follows */
	uint64_t next;	      /* offset of what was never handed out */
	uint64_t taken;
	void *free[SIZES];
	uint64_t buffers; /* offset of the first byte kept for buffers */
};

static struct bench_machine *machine_of(struct dma_host *host)
{
	return (struct bench_machine *)(void *)host;
}

static bool ram_range(struct dma_host *host, unsigned int index, phys_addr_t *start, uint64_t *size)
{
	*start = RAM_BASE;
	*size = machine_of(host)->bytes;
	return index == 0;
}

static void *phys_to_virt(struct dma_host *host, phys_addr_t phys)
{
	struct bench_machine *m = machine_of(host);

	return phys - RAM_BASE < m->bytes ? m->ram + (phys - RAM_BASE) : NULL;
}

static phys_addr_t virt_to_phys(struct dma_host *host, const void *ptr)
{
	struct bench_machine *m = machine_of(host);
	uint64_t offset = (uint64_t)(uintptr_t)ptr - (uint64_t)(uintptr_t)m->ram;

	return offset < m->bytes ? RAM_BASE + offset : DMAMAP_PHYS_NONE;
}

/* log2 of the pages of the block that serves a request. */
static unsigned int order_of(uint64_t size)
{
	unsigned int order = 0;

	while (((uint64_t)PAGE << order) < size)
		order++;
	return order;
}

/* Blocks are aligned to their size, which is a power of two. */
static phys_addr_t alloc_pages(struct dma_host *host, const struct dma_page_request *request)
{
	struct bench_machine *m = machine_of(host);
	uint64_t need = request->size > request->align ? request->size : request->align;
	unsigned int order = order_of(need);
	uint64_t block = (uint64_t)PAGE << order;
	phys_addr_t phys = DMAMAP_PHYS_NONE;

	if (order >= SIZES)
		return phys;
	pthread_mutex_lock(&m->lock);
	if (m->free[order]) {
		void **head = m->free[order];

		m->free[order] = *head;
		phys = virt_to_phys(host, head);
	} else {
		uint64_t at = (m->next + block - 1) & ~(block - 1);

		if (at + block <= m->buffers) {
			m->next = at + block;
			phys = RAM_BASE + at;
		}
	}
	if (phys != DMAMAP_PHYS_NONE && phys + request->size - 1 > request->ceiling)
		phys = DMAMAP_PHYS_NONE;
	if (phys != DMAMAP_PHYS_NONE)
		m->taken += request->size;
	pthread_mutex_unlock(&m->lock);
	return phys;
}

/* A block whose alignment was larger than its size comes back to the list of its size: nothing is lost but room. */
static void free_pages(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	struct bench_machine *m = machine_of(host);
	void **block = phys_to_virt(host, phys);
	unsigned int order = order_of(size);

	pthread_mutex_lock(&m->lock);
	*block = m->free[order];
	m->free[order] = block;
	m->taken -= size;
	pthread_mutex_unlock(&m->lock);
}

/* A CPU for each thread, up to CPUS: what a kernel's per-CPU number costs, a load. */
static unsigned int cpu_id(struct dma_host *host)
{
	static unsigned int threads;
	static _Thread_local unsigned int number;

	(void)host;
	if (!number)
		number = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
	return number % CPUS;
}

struct bench_machine *bench_machine_create(uint64_t bytes)
{
	struct bench_machine *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->ram == MAP_FAILED) {
		free(m);
		return NULL;
	}
	m->bytes = m->buffers = bytes;
	pthread_mutex_init(&m->lock, NULL);
	m->host = (struct dma_host){
		.size = sizeof(m->host),
		.page_size = PAGE,
		.ram_range = ram_range,
		.phys_to_virt = phys_to_virt,
		.virt_to_phys = virt_to_phys,
		.alloc_pages = alloc_pages,
		.free_pages = free_pages,
		.cpu_id = cpu_id,
		.cpu_count = CPUS,
	};
	dmamap_accel_init(&m->host);
	if (dmamap_host_init(&m->host)) {
		bench_machine_destroy(m);
		return NULL;
	}
	return m;
}

void bench_machine_destroy(struct bench_machine *machine)
{
	if (!machine)
		return;
	dmamap_host_fini(&machine->host);
	munmap(machine->ram, machine->bytes);
	pthread_mutex_destroy(&machine->lock);
	free(machine);
}

struct dma_host *bench_host(struct bench_machine *machine)
{
	return &machine->host;
}

phys_addr_t bench_buffers(struct bench_machine *machine, uint64_t bytes)
{
	machine->buffers -= bytes;
	return RAM_BASE + machine->buffers;
}

uint64_t bench_library_bytes(struct bench_machine *machine)
{
	uint64_t taken;

	pthread_mutex_lock(&machine->lock);
	taken = machine->taken;
	pthread_mutex_unlock(&machine->lock);
	return taken;
}

/* --- the unit */

static void invalidate_nothing(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			       uint64_t len, bool leaf_only)
{
	(void)unit;
	(void)domain_id;
	(void)iova;
	(void)len;
	(void)leaf_only;
}

static void wait_for_nothing(struct dma_iommu_unit *unit)
{
	(void)unit;
}

static const struct dma_iommu_unit_ops null_ops = {
	.size = sizeof(null_ops),
	.invalidate = invalidate_nothing,
	.wait = wait_for_nothing,
};

static struct dma_iommu_unit null_unit = { &null_ops };

struct dma_domain *bench_domain_create(struct bench_machine *machine,
				       enum dma_invalidation invalidation)
{
	struct dma_pt_config pt = {
		.size = sizeof(pt),
		.format = DMA_PT_VTD_SECOND_STAGE,
		.levels = 4,
		.output_bits = 48,
		.page_sizes = (uint64_t)1 << 21 | (uint64_t)1 << 30,
		.coherent_walk = true,
		.unit = &null_unit,
		.domain_id = 1,
	};
	struct dma_domain_config config = { .size = sizeof(config), .invalidation = invalidation };
	struct dma_backend *backend;
	struct dma_domain *domain;

	if (dmamap_pt_backend_create(&machine->host, &pt, &backend))
		return NULL;
	if (dmamap_domain_create(&machine->host, backend, &config, &domain)) {
		backend->ops->destroy(backend);
		return NULL;
	}
	return domain;
}

bool bench_behind_open(struct bench_behind *b, enum dma_invalidation invalidation, uint64_t bytes)
{
	*b = (struct bench_behind){ .machine = bench_machine_create((uint64_t)256 << 20) };
	if (!b->machine || dmamap_device_init(&b->dev, sizeof(b->dev), bench_host(b->machine)) ||
	    dmamap_set_mask_and_coherent(&b->dev, DMA_BIT_MASK(64)))
		return false;
	b->domain = bench_domain_create(b->machine, invalidation);
	b->buffer = bench_buffers(b->machine, (bytes + LARGE - 1) & ~(LARGE - 1));
	return b->domain && !dmamap_device_set_domain(&b->dev, b->domain);
}

void bench_behind_close(struct bench_behind *b)
{
	if (b->machine)
		dmamap_device_fini(&b->dev);
	if (b->domain)
		dmamap_domain_destroy(b->domain);
	bench_machine_destroy(b->machine);
}

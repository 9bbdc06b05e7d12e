/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical address space: regions of RAM and BARs with holes between them, backed by mappings that cost nothing
 * until they are touched, and the two views of RAM.
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* --- regions */

struct sim_region *sim_region_above(const struct sim_machine *m, phys_addr_t phys)
{
	unsigned int low = 0;
	unsigned int high = m->nr_regions;

	while (low < high) {
		unsigned int middle = (low + high) / 2;
		const struct sim_region *r = &m->regions[middle];

		if (phys > r->base + (r->size - 1))
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->nr_regions ? &m->regions[low] : NULL;
}

struct sim_region *sim_region_at(const struct sim_machine *m, phys_addr_t phys)
{
	struct sim_region *r = sim_region_above(m, phys);

	return r && phys >= r->base ? r : NULL;
}

/** Address space that takes memory page by page when it is written, aligned to @page, the machine's. */
static unsigned char *reserve(uint64_t size, uint64_t page)
{
	uint64_t slack = page - SIM_PAGE, ahead;
	unsigned char *ptr;

	if (size > ~(uint64_t)0 - slack)
		return NULL;
	ptr = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ptr == MAP_FAILED)
		return NULL;
	ahead = -(uint64_t)(uintptr_t)ptr & (page - 1);
	if (ahead)
		munmap(ptr, ahead);
	ptr += ahead;
	if (slack != ahead)
		munmap(ptr + size, slack - ahead);
	/* Huge pages would make a page that is used cost 2 MiB. */
	madvise(ptr, size, MADV_NOHUGEPAGE);
	madvise(ptr, size, MADV_DONTDUMP);
	return ptr;
}

static void unmap_views(const struct sim_region *r)
{
	if (r->synced)
		munmap(r->synced, r->size);
	if (r->device && r->device != r->cpu)
		munmap(r->device, r->size);
	if (r->cpu)
		munmap(r->cpu, r->size);
}

static bool map_views(struct sim_region *r, uint64_t page, bool two_views)
{
	r->cpu = reserve(r->size, page);
	r->device = two_views ? reserve(r->size, page) : r->cpu;
	r->synced = two_views ? reserve(r->size, page) : NULL;
	if (r->cpu && r->device && (r->synced || !two_views))
		return true;
	unmap_views(r);
	return false;
}

static void insert_region(struct sim_machine *m, const struct sim_region *new)
{
	unsigned int at = m->nr_regions;

	for (; at && m->regions[at - 1].base > new->base; at--)
		m->regions[at] = m->regions[at - 1];
	m->regions[at] = *new;
	m->nr_regions++;
}

static int add_region(struct sim_machine *m, phys_addr_t base, uint64_t size, bool ram)
{
	struct sim_region new = { .base = base, .size = size, .ram = ram };
	const struct sim_region *above = sim_region_above(m, base);
	struct sim_region *regions;
	int err;

	if (!size || (base | size) % m->page_size || base + (size - 1) < base)
		return -DMAMAP_EINVAL;
	if (m->started)
		return -DMAMAP_EBUSY;
	if (above && above->base <= base + (size - 1))
		return -DMAMAP_EEXIST;
	regions = realloc(m->regions, (m->nr_regions + 1) * sizeof(*regions));
	if (!regions)
		return -DMAMAP_ENOMEM;
	m->regions = regions;
	if (!map_views(&new, m->page_size, ram && m->noncoherent))
		return -DMAMAP_ENOMEM;
	err = host_zones_add(&m->zones, base, size, ram);
	if (err)
		unmap_views(&new);
	else
		insert_region(m, &new);
	return err;
}

int sim_add_ram(struct sim_machine *m, phys_addr_t base, uint64_t size)
{
	return add_region(m, base, size, true);
}

int sim_add_bar(struct sim_machine *m, phys_addr_t base, uint64_t size)
{
	return add_region(m, base, size, false);
}

void sim_memory_release(struct sim_machine *m)
{
	for (unsigned int i = 0; i < m->nr_regions; i++)
		unmap_views(&m->regions[i]);
	free(m->regions);
}

/* --- the CPU's loads and stores */

static struct sim_region *whole_region(const struct sim_machine *m, phys_addr_t phys, uint64_t len)
{
	struct sim_region *r = sim_region_at(m, phys);

	return r && len <= r->size - (phys - r->base) ? r : NULL;
}

void *sim_cpu_ptr(struct sim_machine *m, phys_addr_t phys, uint64_t len)
{
	const struct sim_region *r = whole_region(m, phys, len);

	return r ? r->cpu + (phys - r->base) : NULL;
}

void *sim_device_ptr(struct sim_machine *m, phys_addr_t phys, uint64_t len)
{
	const struct sim_region *r = whole_region(m, phys, len);

	return r ? r->device + (phys - r->base) : NULL;
}

static bool no_hole(const struct sim_machine *m, phys_addr_t phys, uint64_t len)
{
	while (len) {
		const struct sim_region *r = sim_region_at(m, phys);

		if (!r)
			return false;
		if (len <= r->size - (phys - r->base))
			return true;
		len -= r->size - (phys - r->base);
		phys = r->base + r->size;
		if (!phys)
			return false; /* past 2^64 */
	}
	return true;
}

int sim_cpu_read(struct sim_machine *m, phys_addr_t phys, void *buf, uint64_t len)
{
	unsigned char *to = buf;

	if (!no_hole(m, phys, len))
		return -DMAMAP_EFAULT;
	sim_cache_moment(m, phys, len);
	while (len) {
		const struct sim_region *r = sim_region_at(m, phys);
		uint64_t part = sim_min(len, r->size - (phys - r->base));

		memcpy(to, r->cpu + (phys - r->base), part);
		phys += part;
		to += part;
		len -= part;
	}
	return 0;
}

int sim_cpu_write(struct sim_machine *m, phys_addr_t phys, const void *buf, uint64_t len)
{
	const unsigned char *from = buf;

	if (!no_hole(m, phys, len))
		return -DMAMAP_EFAULT;
	sim_cache_moment(m, phys, len);
	while (len) {
		struct sim_region *r = sim_region_at(m, phys);
		uint64_t part = sim_min(len, r->size - (phys - r->base));

		memcpy(r->cpu + (phys - r->base), from, part);
		if (r->synced)
			sim_cache_touch(r, phys - r->base, from, part);
		phys += part;
		from += part;
		len -= part;
	}
	return 0;
}

/* --- the library's view of it */

static bool hook_ram_range(struct dma_host *host, unsigned int index, phys_addr_t *start,
			   uint64_t *size)
{
	const struct sim_machine *m = sim_machine_of(host);

	for (unsigned int i = 0; i < m->nr_regions; i++) {
		if (!m->regions[i].ram || index--)
			continue;
		*start = m->regions[i].base;
		*size = m->regions[i].size;
		return true;
	}
	return false;
}

static void *hook_phys_to_virt(struct dma_host *host, phys_addr_t phys)
{
	const struct sim_region *r = sim_region_at(sim_machine_of(host), phys);

	return r && r->ram ? r->cpu + (phys - r->base) : NULL;
}

static bool inside(const unsigned char *view, const struct sim_region *r, const void *ptr)
{
	return view && (uintptr_t)ptr - (uintptr_t)view < r->size;
}

static phys_addr_t hook_virt_to_phys(struct dma_host *host, const void *ptr)
{
	const struct sim_machine *m = sim_machine_of(host);

	for (const struct sim_region *r = m->regions; r < m->regions + m->nr_regions; r++)
		if (r->ram && inside(r->cpu, r, ptr))
			return r->base + ((uintptr_t)ptr - (uintptr_t)r->cpu);
	return DMAMAP_PHYS_NONE;
}

static enum dma_pointer_kind hook_pointer_kind(struct dma_host *host, const void *ptr)
{
	const struct sim_machine *m = sim_machine_of(host);

	for (const struct sim_region *r = m->regions; r < m->regions + m->nr_regions; r++) {
		if (inside(r->cpu, r, ptr))
			return r->ram ? DMA_POINTER_LINEAR : DMA_POINTER_DEVICE;
		if (inside(r->device, r, ptr))
			return DMA_POINTER_VMALLOC;
	}
	return DMA_POINTER_INVALID;
}

static void hook_describe(struct dma_host *host, phys_addr_t phys, uint64_t len,
			  struct dma_memory *out)
{
	struct sim_region *r = sim_region_above(sim_machine_of(host), phys);

	(void)len;
	if (!r || phys < r->base) {
		*out = (struct dma_memory){ .kind = DMA_MEMORY_HOLE,
					    .len = r ? r->base - phys : ~(uint64_t)0 - phys };
		out->len += !out->len; /* the very last byte */
		return;
	}
	*out = (struct dma_memory){ .kind = r->ram ? DMA_MEMORY_RAM : DMA_MEMORY_MMIO,
				    .owner = r->ram ? NULL : r,
				    .offset = r->ram ? 0 : phys - r->base,
				    .len = r->size - (phys - r->base) };
}

void sim_memory_hooks(struct dma_host *host)
{
	host->ram_range = hook_ram_range;
	host->phys_to_virt = hook_phys_to_virt;
	host->virt_to_phys = hook_virt_to_phys;
	host->pointer_kind = hook_pointer_kind;
	host->describe = hook_describe;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's RAM: one shared file that QEMU and this process both map, and the pages of it that are handed out.
 */
#include "machine.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** The @index-th range, as [start, end) of offsets; false past the last. */
static bool range_at(const struct qemu_machine *m, unsigned int index, uint64_t *start,
		     uint64_t *end)
{
	const struct qemu_board *b = m->board;

	if (index >= sizeof(b->ram) / sizeof(b->ram[0]) || (index && !b->ram[index].start))
		return false;
	*start = b->ram[index].start;
	*end = b->ram[index].end ? b->ram[index].end : m->ram_size;
	return true;
}

/** The offset of [phys, phys + len) in the file, if it is RAM. */
static bool offset_of(const struct qemu_machine *m, phys_addr_t phys, uint64_t len,
		      uint64_t *offset)
{
	uint64_t start, end;

	*offset = phys - m->board->ram_base;
	for (unsigned int i = 0; range_at(m, i, &start, &end); i++)
		if (*offset >= start && *offset < end && len <= end - *offset)
			return true;
	return false;
}

int qemu_memory_create(struct qemu_machine *m, uint64_t size, int *file)
{
	uint64_t start, end;
	void *map;

	m->ram_size = size;
	*file = memfd_create("qemu-ram", MFD_CLOEXEC);
	if (*file < 0 || ftruncate(*file, (off_t)size))
		return -DMAMAP_ENOMEM;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, *file, 0);
	if (map == MAP_FAILED)
		return -DMAMAP_ENOMEM;
	m->ram = map;
	for (unsigned int i = 0; range_at(m, i, &start, &end); i++)
		if (host_zones_add(&m->zones, m->board->ram_base + start, end - start, true))
			return -DMAMAP_ENOMEM;
	return 0;
}

void qemu_memory_destroy(struct qemu_machine *m)
{
	host_zones_release(&m->zones);
	if (m->ram)
		munmap(m->ram, m->ram_size);
}

/* --- pages */

phys_addr_t qemu_alloc(struct qemu_machine *m, uint64_t size, uint64_t align, phys_addr_t floor,
		       phys_addr_t ceiling)
{
	uint64_t bytes = host_round_up(size, HOST_PAGE);
	phys_addr_t phys;

	if (align < HOST_PAGE)
		align = HOST_PAGE;
	if (!size || bytes < size || (align & (align - 1)))
		return DMAMAP_PHYS_NONE;
	pthread_mutex_lock(&m->memory);
	phys = host_zones_take(&m->zones, true, bytes, align, floor, ceiling);
	pthread_mutex_unlock(&m->memory);
	return phys;
}

void qemu_free(struct qemu_machine *m, phys_addr_t phys, uint64_t size)
{
	uint64_t bytes = host_round_up(size, HOST_PAGE);
	bool ours;

	pthread_mutex_lock(&m->memory);
	ours = host_zones_disown(&m->zones, true, phys, bytes);
	if (ours)
		host_zones_give(&m->zones, phys, bytes);
	pthread_mutex_unlock(&m->memory);
	if (!ours)
		m->host.warn(&m->host, "qemu: memory given back that is not taken");
}

void *qemu_ram_ptr(struct qemu_machine *m, phys_addr_t phys, uint64_t len)
{
	uint64_t offset;

	return offset_of(m, phys, len, &offset) ? m->ram + offset : NULL;
}

/* --- the library's view of it */

static phys_addr_t hook_alloc_pages(struct dma_host *host, const struct dma_page_request *request)
{
	return qemu_alloc(qemu_machine_of(host), request->size, request->align, 0,
			  request->ceiling);
}

static void hook_free_pages(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	qemu_free(qemu_machine_of(host), phys, size);
}

static bool hook_ram_range(struct dma_host *host, unsigned int index, phys_addr_t *start,
			   uint64_t *size)
{
	const struct qemu_machine *m = qemu_machine_of(host);
	uint64_t first, end;

	if (!range_at(m, index, &first, &end))
		return false;
	*start = m->board->ram_base + first;
	*size = end - first;
	return true;
}

static void *hook_phys_to_virt(struct dma_host *host, phys_addr_t phys)
{
	return qemu_ram_ptr(qemu_machine_of(host), phys, 1);
}

static phys_addr_t hook_virt_to_phys(struct dma_host *host, const void *ptr)
{
	const struct qemu_machine *m = qemu_machine_of(host);
	uint64_t offset = (uintptr_t)ptr - (uintptr_t)m->ram;
	phys_addr_t phys = m->board->ram_base + offset;

	return offset < m->ram_size && offset_of(m, phys, 1, &offset) ? phys : DMAMAP_PHYS_NONE;
}

/** The BAR that holds @phys. */
static const struct qemu_bar *bar_at(const struct qemu_machine *m, phys_addr_t phys)
{
	for (unsigned int i = 0; i < m->nr_devices; i++)
		for (const struct qemu_bar *bar = m->devices[i]->bars;
		     bar < m->devices[i]->bars + 6; bar++)
			if (bar->base && phys >= bar->base && phys - bar->base < bar->size)
				return bar;
	return NULL;
}

static void hook_describe(struct dma_host *host, phys_addr_t phys, uint64_t len,
			  struct dma_memory *out)
{
	const struct qemu_machine *m = qemu_machine_of(host);
	const struct qemu_bar *bar = bar_at(m, phys);
	uint64_t start, end;

	(void)len;
	*out = (struct dma_memory){ .kind = DMA_MEMORY_HOLE, .len = 1 };
	if (bar)
		*out = (struct dma_memory){ .kind = DMA_MEMORY_MMIO,
					    .owner = (void *)(uintptr_t)bar,
					    .offset = phys - bar->base,
					    .len = bar->size - (phys - bar->base) };
	for (unsigned int i = 0; range_at(m, i, &start, &end); i++) {
		uint64_t offset = phys - m->board->ram_base;

		if (offset >= start && offset < end)
			*out = (struct dma_memory){ .kind = DMA_MEMORY_RAM, .len = end - offset };
	}
	/* A hole lasts to the end of its page at the least: nothing of ours begins inside of one. */
	if (out->kind == DMA_MEMORY_HOLE)
		out->len = HOST_PAGE - phys % HOST_PAGE;
}

void qemu_memory_hooks(struct dma_host *host)
{
	host->alloc_pages = hook_alloc_pages;
	host->free_pages = hook_free_pages;
	host->ram_range = hook_ram_range;
	host->phys_to_virt = hook_phys_to_virt;
	host->virt_to_phys = hook_virt_to_phys;
	host->describe = hook_describe;
}

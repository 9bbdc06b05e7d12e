/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board: see board.h.
 */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/mman.h>

#define RAM_SIZE ((uint64_t)BOARD_PAGES * BOARD_PAGE)

static struct board *board_of(struct dma_host *host)
{
	return host->priv;
}

/* --- memory */

static bool ram_range(struct dma_host *host, unsigned int index, phys_addr_t *start, uint64_t *size)
{
	(void)host;
	*start = BOARD_RAM;
	*size = RAM_SIZE;
	return !index;
}

static bool in_ram(uint64_t phys, uint64_t size)
{
	return phys >= BOARD_RAM && size <= RAM_SIZE && phys - BOARD_RAM <= RAM_SIZE - size;
}

static void *phys_to_virt(struct dma_host *host, phys_addr_t phys)
{
	return in_ram(phys, 1) ? board_of(host)->ram + (phys - BOARD_RAM) : NULL;
}

static phys_addr_t virt_to_phys(struct dma_host *host, const void *ptr)
{
	return BOARD_RAM + (phys_addr_t)((const unsigned char *)ptr - board_of(host)->ram);
}

void *board_ptr(struct board *board, uint64_t phys, uint64_t size)
{
	assert_true(in_ram(phys, size));
	return board->device + (phys - BOARD_RAM);
}

static bool all_free(const struct board *board, uint64_t page, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (board->taken[page + i])
			return false;
	return true;
}

static phys_addr_t alloc_pages(struct dma_host *host, const struct dma_page_request *request)
{
	struct board *board = board_of(host);
	uint64_t n = request->size / BOARD_PAGE;
	uint64_t step = request->align / BOARD_PAGE;

	if (++board->allocs == board->fail_at)
		return DMAMAP_PHYS_NONE;
	for (uint64_t page = 0; page + n <= BOARD_PAGES; page += step) {
		phys_addr_t phys = BOARD_RAM + page * BOARD_PAGE;

		if (!all_free(board, page, n) || phys + request->size - 1 > request->ceiling)
			continue;
		memset(board->taken + page, 1, n);
		board->live += n;
		memset(board->ram + page * BOARD_PAGE, 0xa5, n * BOARD_PAGE);
		return phys;
	}
	return DMAMAP_PHYS_NONE;
}

static void free_pages(struct dma_host *host, phys_addr_t phys, uint64_t size)
{
	struct board *board = board_of(host);
	uint64_t first = (phys - BOARD_RAM) / BOARD_PAGE;

	assert_true(in_ram(phys, size) && phys % BOARD_PAGE == 0 && size % BOARD_PAGE == 0);
	for (uint64_t i = 0; i < size / BOARD_PAGE; i++) {
		assert_int_equal(board->taken[first + i], 1);
		board->taken[first + i] = 0;
		board->live--;
	}
	memset(board->ram + first * BOARD_PAGE, 0x5a, size);
}

/* --- caches: lines of 64 bytes */

static void move_lines(unsigned char *to, const unsigned char *from, phys_addr_t phys,
		       uint64_t size)
{
	uint64_t first = (phys - BOARD_RAM) & ~(uint64_t)63;
	uint64_t end = (phys - BOARD_RAM + size + 63) & ~(uint64_t)63;

	if (in_ram(phys, size))
		memcpy(to + first, from + first, end - first);
}

static void cache_for_device(struct dma_host *host, phys_addr_t phys, uint64_t size,
			     enum dma_data_direction dir)
{
	(void)dir;
	move_lines(board_of(host)->device, board_of(host)->ram, phys, size);
}

static void cache_for_cpu(struct dma_host *host, phys_addr_t phys, uint64_t size,
			  enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		move_lines(board_of(host)->ram, board_of(host)->device, phys, size);
}

/* --- registers */

static uint64_t read_reg(struct dma_host *host, phys_addr_t reg, unsigned int width)
{
	struct board *board = board_of(host);

	assert_true(reg >= BOARD_MMIO && reg - BOARD_MMIO <= BOARD_SIZE - width);
	assert_int_equal(reg % width, 0);
	return board->read(board->model, reg - BOARD_MMIO, width);
}

static void write_reg(struct dma_host *host, phys_addr_t reg, unsigned int width, uint64_t value)
{
	struct board *board = board_of(host);

	assert_true(reg >= BOARD_MMIO && reg - BOARD_MMIO <= BOARD_SIZE - width);
	assert_int_equal(reg % width, 0);
	board->write(board->model, reg - BOARD_MMIO, width, value);
}

static uint8_t read8(struct dma_host *host, phys_addr_t reg)
{
	return (uint8_t)read_reg(host, reg, 1);
}

static uint16_t read16(struct dma_host *host, phys_addr_t reg)
{
	return (uint16_t)read_reg(host, reg, 2);
}

static uint32_t read32(struct dma_host *host, phys_addr_t reg)
{
	return (uint32_t)read_reg(host, reg, 4);
}

static uint64_t read64(struct dma_host *host, phys_addr_t reg)
{
	return read_reg(host, reg, 8);
}

static void write8(struct dma_host *host, phys_addr_t reg, uint8_t value)
{
	write_reg(host, reg, 1, value);
}

static void write16(struct dma_host *host, phys_addr_t reg, uint16_t value)
{
	write_reg(host, reg, 2, value);
}

static void write32(struct dma_host *host, phys_addr_t reg, uint32_t value)
{
	write_reg(host, reg, 4, value);
}

static void write64(struct dma_host *host, phys_addr_t reg, uint64_t value)
{
	write_reg(host, reg, 8, value);
}

/* --- time, log, faults */

static uint64_t time_ns(struct dma_host *host)
{
	struct board *board = board_of(host);

	if (!board->frozen)
		board->now += BOARD_LOOK;
	return board->now;
}

static void log_line(struct dma_host *host, enum dma_log_level level, const char *text)
{
	struct board *board = board_of(host);

	(void)level;
	snprintf(board->log, sizeof(board->log), "%s", text);
	board->logged++;
}

static void seen(struct dma_observer *observer, const struct dma_event *event)
{
	struct board *board =
		(void *)((unsigned char *)observer - offsetof(struct board, observer));

	if (event->type != DMA_EVENT_IOMMU_FAULT)
		return;
	board->faults[board->n_faults % BOARD_FAULTS] = *event->fault;
	board->n_faults++;
}

/* --- life */

static unsigned char *arena(void)
{
	/* pages that nobody touches cost nothing */
	void *p = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static void init(struct board *board, bool caches)
{
	*board = (struct board){
		.host = {
			.size = sizeof(struct dma_host),
			.priv = board,
			.page_size = BOARD_PAGE,
			.ram_range = ram_range,
			.phys_to_virt = phys_to_virt,
			.virt_to_phys = virt_to_phys,
			.alloc_pages = alloc_pages,
			.free_pages = free_pages,
			.read8 = read8,
			.read16 = read16,
			.read32 = read32,
			.read64 = read64,
			.write8 = write8,
			.write16 = write16,
			.write32 = write32,
			.write64 = write64,
			.time_ns = time_ns,
			.log = log_line,
		},
	};
	board->ram = arena();
	board->device = caches ? arena() : board->ram;
	if (caches) {
		board->host.cache_for_device = cache_for_device;
		board->host.cache_for_cpu = cache_for_cpu;
	}
	board->taken = calloc(BOARD_PAGES, 1);
	assert_non_null(board->taken);
	assert_int_equal(dmamap_host_init(&board->host), 0);
	board->observer.event = seen;
	assert_int_equal(dmamap_observer_attach(&board->host, &board->observer), 0);
}

void board_init(struct board *board)
{
	init(board, false);
}

void board_init_caches(struct board *board)
{
	init(board, true);
}

void board_fini(struct board *board)
{
	assert_int_equal(dmamap_observer_detach(&board->host, &board->observer), 0);
	assert_int_equal(dmamap_host_fini(&board->host), 0);
	assert_int_equal(board->live, 0);
	if (board->device != board->ram)
		munmap(board->device, RAM_SIZE);
	munmap(board->ram, RAM_SIZE);
	free(board->taken);
}

void board_device_init(struct board *board, struct board_device *device, uint32_t id)
{
	*device = (struct board_device){ .id = id };
	assert_int_equal(dma_device_init(&device->dma, sizeof(device->dma), &board->host), 0);
	assert_int_equal(dma_set_mask_and_coherent(&device->dma, DMA_BIT_MASK(64)), 0);
}

unsigned int board_ids(void *arg, struct dma_device *dev, uint32_t *ids, unsigned int max)
{
	(void)arg;
	assert_true(max >= 1);
	ids[0] = ((struct board_device *)(void *)dev)->id;
	return 1;
}

uint64_t board_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t board_seed(void)
{
	const char *text = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);

	printf("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

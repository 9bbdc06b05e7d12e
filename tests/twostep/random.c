/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-step mapping against a slow model: random ranges, links in any order, wrong calls among the right ones, on
 * simulated machines of every kind that has an IOMMU. The device moves the bytes. The model remembers each piece and what
 * each byte of the arenas must be; it says which calls are refused, and why. Beside what was linked an untrusted device
 * finds nothing but zeros, and leaves no trace.
 */
#include "tests/vec/route.h"

#undef PAGE
#define PAGE granule /* of the route at hand; its host's page too */

#define SMALL	4096u
#define LARGE	65536u
#define RANGES	4u
#define PIECES	24u
#define PAGES	24u
#define MORE	64u /* pages that a range may have beyond: with them it is not a small one */
#define STEPS	600u
#define BIT(r)	(1ull << DMA_REASON_##r)
#define MMIO	DMA_ATTR_MMIO
#define NOWHERE (~0ull)

static uint64_t granule;

struct piece {
	uint64_t offset;
	phys_addr_t phys;
	uint64_t size;
	bool mmio;
};

struct range {
	struct dma_iova_state s;
	enum dma_data_direction dir;
	uint64_t pad;
	uint64_t size;
	struct piece piece[PIECES];
	unsigned int n;
};

struct model {
	struct world *w;
	struct range range[RANGES];
	/** The arenas, as the CPU must see them once the device has given them back. */
	unsigned char *want;
	/** Pages of both arenas that a piece touches. */
	bool busy[2][ARENA / SMALL];
};

static bool may_read(const struct range *r)
{
	return r->dir != DMA_FROM_DEVICE;
}

static bool may_write(const struct range *r)
{
	return r->dir != DMA_TO_DEVICE;
}

/* --- what the model knows of pages */

static uint64_t first_page(const struct range *r, uint64_t offset)
{
	return (r->pad + offset) / PAGE;
}

static uint64_t end_page(const struct range *r, uint64_t offset, uint64_t size)
{
	return (r->pad + offset + size + PAGE - 1) / PAGE;
}

static const struct piece *piece_at(const struct range *r, uint64_t page)
{
	for (unsigned int i = 0; i < r->n; i++) {
		const struct piece *p = &r->piece[i];

		if (page >= first_page(r, p->offset) && page < end_page(r, p->offset, p->size))
			return p;
	}
	return NULL;
}

/** How many of the pages of [offset, offset + size) are linked. */
static uint64_t linked_pages(const struct range *r, uint64_t offset, uint64_t size)
{
	uint64_t n = 0;

	for (uint64_t p = first_page(r, offset); p < end_page(r, offset, size); p++)
		n += piece_at(r, p) != NULL;
	return n;
}

static uint64_t all_linked(const struct range *r)
{
	return linked_pages(r, 0, r->size);
}

/* --- the arenas */

static void mark(struct model *m, const struct piece *p, bool busy)
{
	uint64_t at = p->phys - (p->mmio ? m->w->mmio : m->w->ram);

	for (uint64_t page = at / PAGE; page <= (at + p->size - 1) / PAGE; page++) {
		assert_true(m->busy[p->mmio][page] != busy);
		m->busy[p->mmio][page] = busy;
	}
}

/** Memory for a piece, in pages that no other piece touches; false if a few tries found none. */
static bool any_memory(struct model *m, struct piece *p, uint64_t pad)
{
	uint64_t pages = (pad + p->size + PAGE - 1) / PAGE;

	for (int tries = 0; tries < 20; tries++) {
		uint64_t page = below(m->w, ARENA / PAGE - pages);
		bool is_free = true;

		for (uint64_t i = 0; i < pages; i++)
			is_free = is_free && !m->busy[p->mmio][page + i];
		if (!is_free)
			continue;
		p->phys = (p->mmio ? m->w->mmio : m->w->ram) + page * PAGE + pad;
		return true;
	}
	return false;
}

/** Random bytes. */
static void noise(struct world *w, unsigned char *buf, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		buf[i] = below(w, 256);
}

/** The CPU writes the piece's memory, before it gives it away. */
static void cpu_fills(struct model *m, const struct piece *p)
{
	unsigned char *bytes = in_copy(m->w, m->want, p->phys);

	noise(m->w, bytes, p->size);
	assert_int_equal(sim_cpu_write(m->w->m, p->phys, bytes, p->size), 0);
}

/** The CPU sees what it must in all pages that the piece touched. */
static void cpu_checks(struct model *m, const struct piece *p)
{
	phys_addr_t begin = p->phys / PAGE * PAGE;
	uint64_t len = (p->phys + p->size + PAGE - 1) / PAGE * PAGE - begin;
	unsigned char *got = malloc(len);

	assert_non_null(got);
	assert_int_equal(sim_cpu_read(m->w->m, begin, got, len), 0);
	assert_memory_equal(got, in_copy(m->w, m->want, begin), len);
	free(got);
}

/* --- the device */

static void device_moves(struct model *m, struct range *r, const struct piece *p)
{
	uint64_t at = below(m->w, p->size);
	uint64_t len = 1 + below(m->w, p->size - at);
	unsigned char *bytes = in_copy(m->w, m->want, p->phys + at);
	dma_addr_t addr = r->s.addr + p->offset + at;
	unsigned char *buf = malloc(len);

	assert_non_null(buf);
	if (may_read(r) || !m->w->route->reads)
		assert_int_equal(sim_dma_read(m->w->device, addr, buf, len, NULL),
				 may_read(r) ? 0 : -DMAMAP_EFAULT);
	if (may_read(r))
		assert_memory_equal(buf, bytes, len);
	noise(m->w, buf, len);
	assert_int_equal(sim_dma_write(m->w->device, addr, buf, len, NULL),
			 may_write(r) ? 0 : -DMAMAP_EFAULT);
	if (may_write(r))
		memcpy(bytes, buf, len);
	free(buf);
}

/** In the piece's pages, but beside it: zeros for a device that is not trusted, and writes go nowhere. */
static void device_pries(struct model *m, struct range *r, const struct piece *p)
{
	dma_addr_t addr = r->s.addr + p->offset;
	const dma_addr_t sides[][2] = {
		{ addr / PAGE * PAGE, addr },
		{ addr + p->size, (addr + p->size + PAGE - 1) / PAGE * PAGE },
	};
	unsigned char buf[LARGE];
	unsigned char none[LARGE];

	memset(none, 0, sizeof(none));
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t len = sides[i][1] - sides[i][0];

		if (!len)
			continue;
		if (may_read(r)) {
			assert_int_equal(sim_dma_read(m->w->device, sides[i][0], buf, len, NULL),
					 0);
			/* what it wrote itself it may find again */
			if (!may_write(r))
				assert_memory_equal(buf, none, len);
			for (uint64_t b = 0; b < len; b++)
				assert_true(buf[b] == 0 || buf[b] == 0xd5);
		}
		memset(buf, 0xd5, len);
		assert_int_equal(sim_dma_write(m->w->device, sides[i][0], buf, len, NULL),
				 may_write(r) ? 0 : -DMAMAP_EFAULT);
	}
}

/** The device has lost [offset, offset + size): neither direction moves a byte. */
static void device_is_out(struct model *m, const struct range *r, dma_addr_t addr, uint64_t offset,
			  uint64_t size)
{
	char byte = 0;

	for (uint64_t p = first_page(r, offset); p < end_page(r, offset, size); p++) {
		dma_addr_t at = addr - r->pad + p * PAGE;

		assert_int_equal(sim_dma_read(m->w->device, at, &byte, 1, NULL), -DMAMAP_EFAULT);
		assert_int_equal(sim_dma_write(m->w->device, at, &byte, 1, NULL), -DMAMAP_EFAULT);
	}
}

/* --- calls */

/** The latest refusal was one of those. */
static void refused(struct model *m, uint64_t reasons)
{
	struct dma_error why;

	assert_int_equal(dma_last_error(m->w->dev, &why), 0);
	if (!(reasons >> why.reason & 1))
		fail_msg("refused for %s", dma_reason_name(why.reason));
}

static void do_alloc(struct model *m, struct range *r)
{
	uint64_t pad = below(m->w, 2) * below(m->w, PAGE);
	uint64_t size = 1 + below(m->w, PAGES * PAGE) + below(m->w, 2) * MORE * PAGE;

	memset(r, 0, sizeof(*r));
	r->dir = (enum dma_data_direction)below(m->w, 3);
	if (m->w->route->reads && m->w->route->untrusted && r->dir == DMA_FROM_DEVICE)
		r->dir = DMA_BIDIRECTIONAL; /* it is refused the other */
	r->pad = pad;
	r->size = size;
	assert_true(dma_iova_try_alloc(m->w->dev, &r->s, below(m->w, 1 << 20) * PAGE + pad, size));
	assert_int_equal(r->s.addr % PAGE, pad);
	assert_int_equal(dma_iova_size(&r->s), size);
}

/** The page behind the last that is linked. */
static uint64_t top(const struct range *r)
{
	uint64_t page = PAGES + MORE + 2;

	while (page && !piece_at(r, page - 1))
		page--;
	return page;
}

/** Does the last piece end inside of a page? */
static bool has_tail(const struct range *r)
{
	for (unsigned int i = 0; i < r->n; i++)
		if ((r->pad + r->piece[i].offset + r->piece[i].size) % PAGE)
			return true;
	return false;
}

/** Why the model refuses a link; 0: it does not. */
static uint64_t judge_link(const struct model *m, const struct range *r, const struct piece *p)
{
	uint64_t place = (r->pad + p->offset) % PAGE;

	if (p->offset >= r->size || p->size > r->size - p->offset)
		return BIT(IOVA_RANGE);
	if (p->phys % PAGE != place || (place && p->offset) ||
	    ((p->phys + p->size) % PAGE && end_page(r, p->offset, p->size) < top(r)) ||
	    (has_tail(r) && end_page(r, p->offset, p->size) > top(r)))
		return BIT(LINK_ALIGNMENT);
	if (linked_pages(r, p->offset, p->size))
		return BIT(ALREADY_MAPPED);
	if (m->w->route->untrusted && p->mmio && (p->phys | p->size) % PAGE)
		return BIT(MMIO_ALIGNMENT);
	return 0;
}

/** A piece that often fits: behind the last one, or at any page, and now and then anywhere. */
static struct piece any_piece(struct model *m, const struct range *r)
{
	struct piece p = { .mmio = below(m->w, 4) == 0 };
	uint64_t page = below(m->w, PAGES);
	uint64_t left;

	if (below(m->w, 2)) /* the first page that is not linked */
		for (page = 0; piece_at(r, page);)
			page++;
	p.offset = page ? page * PAGE - r->pad : 0;
	if (below(m->w, 10) == 0)
		p.offset += below(m->w, 2 * PAGE);
	left = p.offset < r->size ? r->size - p.offset : 1;
	p.size = 1 + below(m->w, left);
	if (below(m->w, 3))
		p.size = (p.size + PAGE - 1) / PAGE * PAGE - (p.offset ? 0 : r->pad % PAGE);
	if (p.size > left && below(m->w, 10))
		p.size = left;
	if (!p.size)
		p.size = 1;
	return p;
}

static void do_link(struct model *m, struct range *r)
{
	struct piece p = any_piece(m, r);
	uint64_t pad = p.offset && below(m->w, 10) ? 0 : r->pad;
	struct dma_iova_state before = r->s;
	uint64_t why;
	int err;

	if (p.size > ARENA / 4 || r->n == PIECES || !any_memory(m, &p, pad))
		return;
	why = judge_link(m, r, &p);
	if (!why)
		cpu_fills(m, &p);
	err = dma_iova_link(m->w->dev, &r->s, p.phys, p.offset, p.size, r->dir, p.mmio ? MMIO : 0);
	if (why) {
		assert_true(err < 0);
		refused(m, why);
		assert_memory_equal(&before, &r->s, sizeof(before));
		return;
	}
	assert_int_equal(err, 0);
	mark(m, &p, true);
	r->piece[r->n++] = p;
}

static void do_traffic(struct model *m, struct range *r)
{
	assert_int_equal(dma_iova_sync(m->w->dev, &r->s, 0, r->size), 0);
	for (unsigned int i = 0; i < r->n; i++) {
		device_moves(m, r, &r->piece[i]);
		if (m->w->route->untrusted)
			device_pries(m, r, &r->piece[i]);
	}
}

/** The piece is the CPU's again. */
static void back(struct model *m, struct range *r, unsigned int i)
{
	mark(m, &r->piece[i], false);
	cpu_checks(m, &r->piece[i]);
	r->piece[i] = r->piece[--r->n];
}

static void do_unlink(struct model *m, struct range *r)
{
	struct dma_iova_state before = r->s;
	unsigned int i;
	struct piece p;

	if (!r->n)
		return;
	i = below(m->w, r->n);
	p = r->piece[i];
	if (below(m->w, 4) == 0) {
		/* a page more than there is, or one that is not linked */
		p.size += PAGE;
		if (p.offset + p.size > r->size ||
		    linked_pages(r, p.offset, p.size) ==
			    end_page(r, p.offset, p.size) - first_page(r, p.offset))
			return;
		dma_iova_unlink(m->w->dev, &r->s, p.offset, p.size, r->dir, p.mmio ? MMIO : 0);
		refused(m, BIT(NOT_MAPPED));
		assert_memory_equal(&before, &r->s, sizeof(before));
		return;
	}
	dma_iova_unlink(m->w->dev, &r->s, p.offset, p.size, r->dir, p.mmio ? MMIO : 0);
	device_is_out(m, r, r->s.addr, p.offset, p.size);
	back(m, r, i);
}

/** RAM and MMIO of a device that does not snoop have to be unlinked apart. */
static bool must_part(const struct model *m, const struct range *r)
{
	bool kinds[2] = { false, false };

	for (unsigned int i = 0; i < r->n; i++)
		kinds[r->piece[i].mmio] = true;
	return m->w->route->noncoherent && kinds[0] && kinds[1];
}

/** The bytes up to the end of the last piece. */
static uint64_t linked_end(const struct range *r)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < r->n; i++)
		if (r->piece[i].offset + r->piece[i].size > end)
			end = r->piece[i].offset + r->piece[i].size;
	return end;
}

static void do_destroy(struct model *m, struct range *r)
{
	uint64_t len = linked_end(r);
	struct dma_iova_state before = r->s;
	bool whole = !len || linked_pages(r, 0, len) == end_page(r, 0, len);
	dma_addr_t addr = r->s.addr;

	if (must_part(m, r))
		return;
	if (below(m->w, 8) == 0 && all_linked(r)) {
		dma_iova_free(m->w->dev, &r->s);
		refused(m, BIT(LIVE_MAPPINGS));
		assert_memory_equal(&before, &r->s, sizeof(before));
	}
	dma_iova_destroy(m->w->dev, &r->s, len, r->dir, r->n && r->piece[0].mmio ? MMIO : 0);
	if (!whole) {
		refused(m, BIT(NOT_MAPPED));
		assert_memory_equal(&before, &r->s, sizeof(before));
		return;
	}
	assert_false(dma_use_iova(&r->s));
	if (len && !m->w->route->lazy)
		device_is_out(m, r, addr, 0, len);
	while (r->n)
		back(m, r, 0);
	dma_iova_free(m->w->dev, &r->s);
	refused(m, BIT(IOVA_STATE));
}

/** Whatever it takes. */
static void end_range(struct model *m, struct range *r)
{
	if (!dma_use_iova(&r->s))
		return;
	while (r->n) {
		const struct piece *p = &r->piece[r->n - 1];

		dma_iova_unlink(m->w->dev, &r->s, p->offset, p->size, r->dir, p->mmio ? MMIO : 0);
		back(m, r, r->n - 1);
	}
	dma_iova_free(m->w->dev, &r->s);
	assert_false(dma_use_iova(&r->s));
}

static void step(struct model *m)
{
	struct range *r = &m->range[below(m->w, RANGES)];

	if (!dma_use_iova(&r->s)) {
		do_alloc(m, r);
		return;
	}
	switch (below(m->w, 8)) {
	case 0:
		do_destroy(m, r);
		break;
	case 1:
		do_unlink(m, r);
		break;
	case 2:
	case 3:
		do_traffic(m, r);
		break;
	default:
		do_link(m, r);
	}
}

static void random_steps(void **state)
{
	struct model *m = calloc(1, sizeof(*m));
	unsigned char *got;

	assert_non_null(m);
	m->w = world_new(*state, route_seed());
	granule = m->w->route->granule_bits ? 1ull << m->w->route->granule_bits : SMALL;
	fill_arenas(m->w);
	m->want = copy_arenas(m->w);
	for (unsigned int i = 0; i < STEPS; i++)
		step(m);
	for (unsigned int i = 0; i < RANGES; i++)
		end_range(m, &m->range[i]);
	got = copy_arenas(m->w);
	assert_memory_equal(got, m->want, 2 * ARENA);
	free(got);
	free(m->want);
	world_end(m->w);
	free(m);
}

/* --- each request for memory fails in turn */

/** Two ranges, with pieces of both kinds, data moved, all taken back. Returns the first error, everything undone. */
static int scenario(struct world *w, uint64_t room)
{
	const uint64_t sizes[] = { 3 * PAGE - 0x10, 2 * PAGE, 5 * PAGE, 0x123 };
	uint64_t total = 10 * PAGE - 0x10 + 0x123;
	struct dma_iova_state s;
	struct dma_error why;
	uint64_t offset = 0;
	unsigned char byte = 1;
	int err = 0;

	if (!dma_iova_try_alloc(w->dev, &s, w->ram + 0x10, total + room)) {
		assert_int_equal(dma_last_error(w->dev, &why), 0);
		return why.err;
	}
	for (unsigned int i = 0; !err && i < 4; i++) {
		err = dma_iova_link(w->dev, &s, w->ram + i * 6 * PAGE + (i ? 0 : 0x10), offset,
				    sizes[i], DMA_BIDIRECTIONAL, 0);
		offset += err ? 0 : sizes[i];
	}
	if (!err)
		err = dma_iova_sync(w->dev, &s, 0, total);
	if (!err)
		assert_int_equal(sim_dma_write(w->device, s.addr + total - 1, &byte, 1, NULL), 0);
	dma_iova_destroy(w->dev, &s, offset, DMA_BIDIRECTIONAL, 0);
	assert_false(dma_use_iova(&s));
	return err;
}

static void fail_each(struct world *w, uint64_t room)
{
	struct dma_error why;
	bool done = false;

	for (uint64_t nth = 1; !done; nth++) {
		int err;

		sim_fail_alloc(w->m, nth);
		err = scenario(w, room);
		sim_fail_alloc(w->m, 0);
		done = !err;
		world_idle(w);
		if (err) {
			assert_int_equal(err, -DMAMAP_ENOMEM);
			assert_int_equal(dma_last_error(w->dev, &why), 0);
			assert_int_equal(why.reason, DMA_REASON_NO_MEMORY);
		}
		assert_true(nth < 100);
	}
}

static void each_allocation_fails(void **state)
{
	struct world *w = world_new(*state, 1);

	granule = w->route->granule_bits ? 1ull << w->route->granule_bits : SMALL;
	fail_each(w, 0);
	fail_each(w, MORE * PAGE);
	world_end(w);
}

/* --- beside single mappings */

/** Whatever a slot held before, the device finds zeros beside what it was given, and the caller's own syncs are enough. */
static void single_maps_show_nothing(void **state)
{
	struct world *w = world_new(*state, route_seed());
	static unsigned char page[LARGE];
	static const unsigned char none[LARGE];

	granule = w->route->granule_bits ? 1ull << w->route->granule_bits : SMALL;
	fill_arenas(w);
	for (unsigned int i = 0; i < 200; i++) {
		unsigned long attrs = below(w, 2) ? DMA_ATTR_SKIP_CPU_SYNC : 0;
		phys_addr_t phys = w->ram + below(w, ARENA / PAGE - 2) * PAGE + below(w, PAGE - 64);
		uint64_t size = 1 + below(w, PAGE - 1 - phys % PAGE);
		dma_addr_t addr = dma_map_phys(w->dev, phys, size, DMA_BIDIRECTIONAL, attrs);
		uint64_t lead = addr % PAGE;

		assert_int_equal(dma_mapping_error(w->dev, addr), 0);
		if (attrs)
			dma_sync_single_for_device(w->dev, addr, size, DMA_BIDIRECTIONAL);
		assert_int_equal(sim_dma_read(w->device, addr - lead, page, PAGE, NULL), 0);
		assert_memory_equal(page, none, lead);
		assert_memory_equal(page + lead + size, none, PAGE - lead - size);
		/* what the next one must not find */
		memset(page, 0xd5, PAGE);
		assert_int_equal(sim_dma_write(w->device, addr - lead, page, PAGE, NULL), 0);
		dma_unmap_phys(w->dev, addr, size, DMA_BIDIRECTIONAL, attrs);
	}
	world_end(w);
}

/** Tables of the other formats. */
static const struct route formats[] = {
	{ .name = "vtd-fs", .format = DMA_PT_VTD_FIRST_STAGE, .reads = true },
	{ .name = "untrusted-noncoherent", .untrusted = true, .noncoherent = true, .calm = true },
	{ .name = "amdv1", .format = DMA_PT_AMD_V1 },
	{ .name = "amdv1-untrusted", .format = DMA_PT_AMD_V1, .untrusted = true },
	{ .name = "lpae-s1", .format = DMA_PT_LPAE_STAGE1, .reads = true, .lazy = true },
	{ .name = "lpae-s1-16k",
	  .format = DMA_PT_LPAE_STAGE1,
	  .granule_bits = 14,
	  .reads = true,
	  .noncoherent = true },
	{ .name = "lpae-s1-untrusted",
	  .format = DMA_PT_LPAE_STAGE1,
	  .reads = true,
	  .untrusted = true },
	{ .name = "lpae-s2-64k", .format = DMA_PT_LPAE_STAGE2, .granule_bits = 16 },
	{ .name = "lpae-s2-16k-untrusted",
	  .format = DMA_PT_LPAE_STAGE2,
	  .granule_bits = 14,
	  .untrusted = true },
	{ .name = "riscv", .format = DMA_PT_RISCV, .reads = true },
};

#define TESTS 64u

static struct CMUnitTest tests[TESTS];
static char names[TESTS][80];
static size_t nr_tests;

static void add(const struct route *route, const char *what, CMUnitTestFunction function)
{
	assert_true(nr_tests < TESTS);
	snprintf(names[nr_tests], sizeof(names[0]), "%s: %s", route->name, what);
	tests[nr_tests] = (struct CMUnitTest){ names[nr_tests], function, NULL, NULL,
					       (void *)(uintptr_t)route };
	nr_tests++;
}

static void add_route(const struct route *route)
{
	if (route->route != DMA_ROUTE_IOMMU)
		return;
	add(route, "random calls, data moved", random_steps);
	add(route, "each allocation failing in turn", each_allocation_fails);
	if (route->untrusted)
		add(route, "nothing beside single mappings", single_maps_show_nothing);
}

int main(void)
{
	static struct route each[sizeof(formats) / sizeof(formats[0])];

	for (unsigned int i = 0; i < nr_routes; i++)
		add_route(&routes[i]);
	for (unsigned int i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		each[i] = formats[i];
		each[i].route = DMA_ROUTE_IOMMU;
		add_route(&each[i]);
	}
	return _cmocka_run_group_tests("two-step mapping", tests, nr_tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small two-step ranges: they come from the windows of single maps, but are nobody's mapping. Every size, what by its
 * address is refused, no reuse before the flush, the last address, what holds a domain, copies of states that have ended.
 * (All formats and wrong orders: tests/twostep.)
 */
#include "world.h"

#define PAGES 80u
#define TO    DMA_TO_DEVICE

static struct dma_iova_state take(struct world *w, uint64_t pages)
{
	struct dma_iova_state s;

	assert_true(dma_iova_try_alloc(w->dev, &s, 0, pages * PAGE));
	return s;
}

/** Take a range, and link @pages pages of the buffer into it. */
static struct dma_iova_state take_linked(struct world *w, uint64_t pages)
{
	struct dma_iova_state s = take(w, pages);

	assert_int_equal(dma_iova_link(w->dev, &s, w->buf, 0, pages * PAGE, TO, 0), 0);
	assert_int_equal(dma_iova_sync(w->dev, &s, 0, pages * PAGE), 0);
	return s;
}

static void refused(struct world *w, enum dma_reason reason)
{
	struct dma_error why;

	assert_int_equal(dma_last_error(w->dev, &why), 0);
	assert_string_equal(dma_reason_name(why.reason), dma_reason_name(reason));
}

/** The buffer's pages from the last to the first, so that none follows another in memory. */
static void link_backwards(struct world *w, struct dma_iova_state *s, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		assert_int_equal(dma_iova_link(w->dev, s, w->buf + (pages - 1 - i) * PAGE, i * PAGE,
					       PAGE, TO, 0),
				 0);
	assert_int_equal(dma_iova_sync(w->dev, s, 0, pages * PAGE), 0);
}

static void one_size(enum dma_invalidation invalidation, uint64_t pages)
{
	uint64_t power = 1;
	struct dma_iova_state s;
	dma_addr_t addr;
	struct world w;

	while (power < pages)
		power *= 2;
	world_begin(&w, invalidation, PAGES);
	s = take(&w, pages);
	addr = s.addr;
	assert_int_equal(addr % (power * PAGE), 0);
	assert_int_equal(dma_device_live(w.dev), 1);
	assert_int_equal(world_stats(&w).iova_bytes, pages * PAGE);
	if (pages <= 64)
		assert_int_equal(world_stats(&w).iova_peak_bytes, pages * PAGE);
	assert_true(world_faults(&w, addr));
	link_backwards(&w, &s, pages);
	for (uint64_t i = 0; i < pages; i++)
		assert_true(world_reads(&w, addr + i * PAGE, pages - 1 - i));
	assert_true(world_faults(&w, addr - 1) && world_faults(&w, addr + pages * PAGE));
	dma_iova_unlink(w.dev, &s, (pages - 1) * PAGE, PAGE, TO, 0);
	assert_true(world_faults(&w, addr + (pages - 1) * PAGE));
	dma_iova_destroy(w.dev, &s, (pages - 1) * PAGE, TO, 0);
	assert_false(dma_use_iova(&s));
	assert_int_equal(dma_device_live(w.dev), 0);
	if (invalidation == DMA_INVALIDATION_STRICT || pages == 1)
		assert_int_equal(world_stats(&w).iova_bytes, 0);
	else
		assert_int_equal(world_stats(&w).iova_bytes, pages * PAGE);
	for (uint64_t i = 0; i < pages && invalidation == DMA_INVALIDATION_STRICT; i++)
		assert_true(world_faults(&w, addr + i * PAGE));
	world_end(&w);
}

static void every_size(void **state)
{
	(void)state;
	for (uint64_t pages = 1; pages <= 66; pages += pages < 9 || pages >= 61 ? 1 : 5) {
		one_size(DMA_INVALIDATION_STRICT, pages);
		one_size(DMA_INVALIDATION_LAZY, pages);
	}
}

/** What single maps and lists unmap by their address, a range is not. */
static void unmap_by_address(void **state)
{
	struct dma_iova_state s, empty;
	struct scatterlist sg;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	s = take_linked(&w, 4);
	empty = take(&w, 4);
	for (uint64_t pages = 1; pages <= 4; pages++) {
		dma_unmap_phys(w.dev, s.addr, pages * PAGE, TO, 0);
		refused(&w, DMA_REASON_NOT_MAPPED);
		dma_unmap_phys(w.dev, s.addr + PAGE, pages * PAGE, TO, 0);
		refused(&w, DMA_REASON_NOT_MAPPED);
		dma_unmap_phys(w.dev, empty.addr, pages * PAGE, TO, 0);
		refused(&w, DMA_REASON_NOT_MAPPED);
	}
	sg_init_table(&sg, 1);
	sg_set_page(&sg, dmamap_phys_to_page(w.buf), 4 * PAGE, 0);
	sg.dma_address = s.addr;
	sg.dma_length = 4 * PAGE;
	dma_unmap_sg(w.dev, &sg, 1, TO);
	assert_int_equal(dma_device_live(w.dev), 2);
	assert_int_equal(world_stats(&w).iova_bytes, 8 * PAGE);
	for (uint64_t i = 0; i < 4; i++)
		assert_true(world_reads(&w, s.addr + i * PAGE, i));
	dma_iova_destroy(w.dev, &s, 4 * PAGE, TO, 0);
	dma_iova_free(w.dev, &empty);
	world_end(&w);
}

/** Beside single maps: neither gets what the other has, and an unmap that reaches into a range is refused. */
static void beside_single_maps(void **state)
{
	struct dma_iova_state s[32];
	dma_addr_t addr[32];
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	for (unsigned int i = 0; i < 32; i++) {
		s[i] = take_linked(&w, 1 + i % 3);
		addr[i] = dma_map_phys(w.dev, w.buf + 7 * PAGE, PAGE, TO, 0);
		assert_true(addr[i] != DMA_MAPPING_ERROR);
	}
	for (unsigned int i = 0; i < 32; i++) {
		dma_unmap_phys(w.dev, addr[i], 2 * PAGE, TO, 0);
		refused(&w, DMA_REASON_MAPPED_OTHERWISE);
		assert_true(world_reads(&w, addr[i], 7));
		dma_unmap_phys(w.dev, addr[i], PAGE, TO, 0);
		for (unsigned int k = 0; k <= i % 3; k++)
			assert_true(world_reads(&w, s[i].addr + k * PAGE, k));
	}
	for (unsigned int i = 0; i < 32; i++)
		dma_iova_destroy(w.dev, &s[i], (1 + i % 3) * PAGE, TO, 0);
	world_end(&w);
}

static bool overlaps(const struct dma_iova_state *s, dma_addr_t addr, uint64_t pages)
{
	return s->addr < addr + pages * PAGE && addr < s->addr + dma_iova_size(s);
}

/** On a lazy domain all of a range waits, linked or not; one that never was linked does not. */
static void not_before_the_flush(void **state)
{
	struct dma_iova_state s[40], once;
	dma_addr_t gone;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, PAGES);
	once = take(&w, 16);
	gone = once.addr;
	assert_int_equal(dma_iova_link(w.dev, &once, w.buf, 0, 3 * PAGE, TO, 0), 0);
	dma_iova_destroy(w.dev, &once, 3 * PAGE, TO, 0);
	assert_int_equal(world_stats(&w).queued, 1);
	assert_int_equal(world_stats(&w).iova_bytes, 16 * PAGE);
	for (unsigned int i = 0; i < 40; i++) {
		s[i] = take(&w, 1 + i % 16);
		assert_false(overlaps(&s[i], gone, 16));
	}
	for (unsigned int i = 0; i < 40; i++)
		dma_iova_free(w.dev, &s[i]);
	assert_int_equal(world_stats(&w).queued, 1);
	assert_int_equal(world_stats(&w).iova_bytes, 16 * PAGE);
	dma_domain_flush(w.domain);
	assert_true(world_faults(&w, gone));
	once = take(&w, 16);
	assert_true(once.addr == gone);
	dma_iova_free(w.dev, &once);
	world_end(&w);
}

/** A range that was a copy, or on a domain that has turned strict, does not wait. An unlink never does. */
static void strict_on_request(void **state)
{
	struct dma_iova_state s;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, PAGES);
	s = take_linked(&w, 4);
	dma_iova_unlink(w.dev, &s, 0, 4 * PAGE, TO, 0);
	assert_true(world_faults(&w, s.addr));
	assert_int_equal(world_stats(&w).queued, 0);
	dma_iova_free(w.dev, &s);
	assert_int_equal(world_stats(&w).iova_bytes, 0);
	s = take_linked(&w, 4);
	assert_int_equal(dma_domain_set_invalidation(w.domain, DMA_INVALIDATION_STRICT), 0);
	dma_iova_destroy(w.dev, &s, 4 * PAGE, TO, 0);
	assert_int_equal(world_stats(&w).queued, 0);
	assert_int_equal(world_stats(&w).iova_bytes, 0);
	world_end(&w);
}

/** More than the queue holds: the flush comes by itself. */
static void full_queue(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_LAZY, PAGES);
	for (unsigned int i = 0; i < 3000; i++) {
		struct dma_iova_state s = take_linked(&w, 1 + i % 2);

		dma_iova_destroy(w.dev, &s, (1 + i % 2) * PAGE, TO, 0);
		assert_true(world_stats(&w).queued < 256);
	}
	assert_true(world_stats(&w).flushes >= 3000 / 256);
	world_end(&w);
}

/** Every address once, then none; what comes back is found, whoever had it and whoever wants it. */
static void last_address(void **state)
{
	static struct dma_iova_state s[1024];
	static bool seen[1024];
	struct dma_iova_state more;
	struct world w;
	dma_addr_t addr;

	(void)state;
	memset(seen, 0, sizeof(seen));
	world_begin(&w, DMA_INVALIDATION_LAZY, 1);
	assert_int_equal(dma_device_set_bus_limit(w.dev, 1024 * PAGE - 1), 0);
	for (unsigned int i = 1; i < 1024; i++) {
		s[i] = take_linked(&w, 1);
		assert_true(s[i].addr >= PAGE && s[i].addr < 1024 * PAGE);
		assert_false(seen[s[i].addr / PAGE]);
		seen[s[i].addr / PAGE] = true;
	}
	assert_false(dma_iova_try_alloc(w.dev, &more, 0, PAGE));
	refused(&w, DMA_REASON_NO_IOVA);
	addr = s[77].addr;
	dma_iova_destroy(w.dev, &s[77], PAGE, TO, 0);
	assert_true(dma_map_phys(w.dev, w.buf, PAGE, TO, 0) == addr);
	assert_true(dma_map_phys(w.dev, w.buf, PAGE, TO, 0) == DMA_MAPPING_ERROR);
	dma_unmap_phys(w.dev, addr, PAGE, TO, 0);
	s[77] = take_linked(&w, 1);
	assert_true(s[77].addr == addr);
	for (unsigned int i = 1; i < 1024; i++)
		dma_iova_destroy(w.dev, &s[i], PAGE, TO, 0);
	world_end(&w);
}

/** A live range keeps its device, its domain and its table, whatever else goes. */
static void holds(void **state)
{
	static dma_addr_t addr[3000];
	struct dma_iova_state s;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	for (unsigned int i = 0; i < 1000; i++)
		addr[i] = dma_map_phys(w.dev, w.buf, PAGE, TO, 0);
	s = take(&w, 2);
	for (unsigned int i = 1000; i < 3000; i++)
		addr[i] = dma_map_phys(w.dev, w.buf, PAGE, TO, 0);
	for (unsigned int i = 0; i < 3000; i++)
		dma_unmap_phys(w.dev, addr[i], PAGE, TO, 0);
	assert_int_equal(dma_device_set_domain(w.dev, NULL), -DMAMAP_EBUSY);
	assert_int_equal(dma_domain_destroy(w.domain), -DMAMAP_EBUSY);
	assert_int_equal(dma_domain_reserve(w.domain, s.addr, PAGE), -DMAMAP_EBUSY);
	dma_domain_flush(w.domain);
	dma_poll(sim_host(w.m));
	assert_int_equal(world_stats(&w).iova_bytes, 2 * PAGE);
	assert_true(world_stats(&w).table_bytes > w.empty_tables);
	assert_int_equal(dma_iova_link(w.dev, &s, w.buf, 0, 2 * PAGE, TO, 0), 0);
	assert_int_equal(dma_iova_sync(w.dev, &s, 0, 2 * PAGE), 0);
	assert_true(world_reads(&w, s.addr, 0) && world_reads(&w, s.addr + PAGE, 1));
	dma_iova_destroy(w.dev, &s, 2 * PAGE, TO, 0);
	world_end(&w);
}

/** What stands in a copy of a state that has ended is refused, and whoever has the addresses now keeps them. */
static void copies_of_states(void **state)
{
	struct dma_iova_state s, other, copy, first, second;
	dma_addr_t addr;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	copy = s = take(&w, 1);
	dma_iova_free(w.dev, &s);
	dma_iova_free(w.dev, &copy);
	refused(&w, DMA_REASON_IOVA_STATE);
	assert_int_equal(world_stats(&w).iova_bytes, 0);
	addr = dma_map_phys(w.dev, w.buf, PAGE, TO, 0);
	assert_true(addr == copy.addr);
	dma_iova_free(w.dev, &copy);
	assert_true(world_reads(&w, addr, 0));
	dma_unmap_phys(w.dev, addr, PAGE, TO, 0);
	/* one of two that came back together is taken: the other is still on its way back, or as free as any */
	for (unsigned int looked = 0; looked < 2; looked++) {
		first = s = take(&w, 1);
		second = other = take(&w, 1);
		dma_iova_free(w.dev, &s);
		dma_iova_free(w.dev, &other);
		if (looked) { /* who takes several looks at all that came back */
			addr = dma_map_phys(w.dev, w.buf, 3 * PAGE, TO, 0);
			dma_unmap_phys(w.dev, addr, 3 * PAGE, TO, 0);
		}
		s = take(&w, 1);
		copy = s.addr == first.addr ? second : first;
		dma_iova_free(w.dev, &copy);
		refused(&w, DMA_REASON_IOVA_STATE);
		assert_int_equal(world_stats(&w).iova_bytes, PAGE);
		assert_int_equal(dma_device_live(w.dev), 1);
		dma_iova_free(w.dev, &s);
	}
	copy = s = take_linked(&w, 5);
	dma_iova_destroy(w.dev, &s, 5 * PAGE, TO, 0);
	dma_iova_destroy(w.dev, &copy, 5 * PAGE, TO, 0);
	refused(&w, DMA_REASON_NOT_MAPPED);
	dma_iova_unlink(w.dev, &copy, 0, PAGE, TO, 0);
	refused(&w, DMA_REASON_NOT_MAPPED);
	assert_int_equal(dma_device_live(w.dev), 0);
	assert_int_equal(world_stats(&w).iova_bytes, 0);
	world_end(&w);
}

static void link_fails(struct world *w, struct dma_iova_state *s, phys_addr_t phys, uint64_t offset,
		       uint64_t size, int err, enum dma_reason reason)
{
	struct dma_iova_state before = *s;

	assert_int_equal(dma_iova_link(w->dev, s, phys, offset, size, TO, 0), err);
	refused(w, reason);
	assert_memory_equal(&before, s, sizeof(before));
}

/** What is refused elsewhere is refused on the short way, and leaves the range as it was. */
static void wrong_links(void **state)
{
	struct dma_iova_state s;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, PAGES);
	assert_true(dma_iova_try_alloc(w.dev, &s, 0x800, 8 * PAGE));
	link_fails(&w, &s, w.buf, 0, PAGE, -DMAMAP_EINVAL, DMA_REASON_LINK_ALIGNMENT);
	link_fails(&w, &s, w.buf + 0x800, 0, 0, -DMAMAP_EINVAL, DMA_REASON_ZERO_SIZE);
	link_fails(&w, &s, w.buf + 0x800, 0, 8 * PAGE + 1, -DMAMAP_EINVAL, DMA_REASON_IOVA_RANGE);
	link_fails(&w, &s, w.buf + 0x800, 8 * PAGE, 1, -DMAMAP_EINVAL, DMA_REASON_IOVA_RANGE);
	link_fails(&w, &s, w.buf + 0x800, 0, ~(uint64_t)0, -DMAMAP_EINVAL, DMA_REASON_IOVA_RANGE);
	link_fails(&w, &s, 0xfee00800, 0, 0x800, -DMAMAP_ERANGE, DMA_REASON_OUTPUT_WIDTH);
	link_fails(&w, &s, (uint64_t)1 << 52 | 0x800, 0, 0x800, -DMAMAP_ERANGE,
		   DMA_REASON_OUTPUT_WIDTH);
	assert_int_equal(dma_iova_link(w.dev, &s, w.buf + 0x800, 0, 0x800, TO, 0), 0);
	link_fails(&w, &s, w.buf + 0x800, 0, 0x800, -DMAMAP_EADDRINUSE, DMA_REASON_ALREADY_MAPPED);
	link_fails(&w, &s, w.buf + 0x800, 0x1000, 0x800, -DMAMAP_EIO, DMA_REASON_LINK_ALIGNMENT);
	/* over a hole and back, and what is there is not linked over */
	assert_int_equal(dma_iova_link(w.dev, &s, w.buf + 2 * PAGE, 0x1800, 2 * PAGE, TO, 0), 0);
	link_fails(&w, &s, w.buf, 0x1800, PAGE, -DMAMAP_EADDRINUSE, DMA_REASON_ALREADY_MAPPED);
	link_fails(&w, &s, w.buf, 0x800, 2 * PAGE, -DMAMAP_EADDRINUSE, DMA_REASON_ALREADY_MAPPED);
	assert_int_equal(dma_iova_link(w.dev, &s, w.buf + PAGE, 0x800, PAGE, TO, 0), 0);
	assert_int_equal(dma_iova_link(w.dev, &s, w.buf + 4 * PAGE, 0x3800, 0x123, TO, 0), 0);
	link_fails(&w, &s, w.buf, 0x4800, PAGE, -DMAMAP_EINVAL, DMA_REASON_LINK_ALIGNMENT);
	for (uint64_t i = 1; i < 5; i++)
		assert_true(world_reads(&w, s.addr + 0x800 + (i - 1) * PAGE, i));
	assert_true(world_faults(&w, s.addr + 0x4800));
	dma_iova_free(w.dev, &s);
	refused(&w, DMA_REASON_LIVE_MAPPINGS);
	dma_iova_destroy(w.dev, &s, 0x3800, TO, 0);
	refused(&w, DMA_REASON_LIVE_MAPPINGS);
	dma_iova_destroy(w.dev, &s, 0x5800, TO, 0);
	refused(&w, DMA_REASON_NOT_MAPPED);
	assert_int_equal(dma_iova_sync(w.dev, &s, 0, 9 * PAGE), -DMAMAP_EINVAL);
	refused(&w, DMA_REASON_IOVA_RANGE);
	assert_int_equal(dma_iova_sync(w.dev, &s, 0, 0), -DMAMAP_EINVAL);
	refused(&w, DMA_REASON_ZERO_SIZE);
	assert_true(world_reads(&w, s.addr + 0x800, 1));
	dma_iova_destroy(w.dev, &s, 0x3923, TO, 0);
	assert_false(dma_use_iova(&s));
	assert_int_equal(dma_iova_link(w.dev, &s, w.buf, 0, PAGE, TO, 0), -DMAMAP_EINVAL);
	refused(&w, DMA_REASON_IOVA_STATE);
	world_end(&w);
}

/** Where only I/O addresses have a hole, its physical addresses can be linked, as on the long way. */
static void hole_is_no_target(void **state)
{
	const struct sim_iommu_config amd = { .size = sizeof(amd), .format = DMA_PT_AMD_V1 };
	const struct sim_device_config other = { .size = sizeof(other), .name = "0000:00:02.0" };
	const struct dma_domain_config config = { .size = sizeof(config) };
	struct sim_device *device;
	struct dma_domain *domain;
	struct sim_iommu *iommu;
	struct dma_iova_state s;
	phys_addr_t phys;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, 1);
	assert_int_equal(sim_iommu_create(w.m, &amd, &iommu), 0);
	assert_int_equal(sim_device_create(w.m, &other, &device), 0);
	assert_int_equal(sim_device_put_behind(device, iommu), 0);
	assert_int_equal(sim_domain_create(iommu, &config, &domain), 0);
	assert_int_equal(dma_device_set_domain(sim_dma(device), domain), 0);
	assert_int_equal(dma_set_mask_and_coherent(sim_dma(device), DMA_BIT_MASK(64)), 0);
	assert_true(dma_iova_try_alloc(sim_dma(device), &s, 0, 2 * PAGE));
	for (uint64_t i = 0; i < 2; i++)
		assert_int_equal(dma_iova_link(sim_dma(device), &s, 0xfee00000 + i * PAGE, i * PAGE,
					       PAGE, TO, i ? DMA_ATTR_MMIO : 0),
				 0);
	assert_int_equal(dma_domain_iova_to_phys(domain, s.addr + PAGE, &phys), 0);
	assert_int_equal(phys, 0xfee01000);
	dma_iova_destroy(sim_dma(device), &s, 2 * PAGE, TO, DMA_ATTR_MMIO);
	assert_int_equal(dma_device_set_domain(sim_dma(device), NULL), 0);
	assert_int_equal(sim_device_destroy(device), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	assert_int_equal(sim_iommu_destroy(iommu), 0);
	world_end(&w);
}

/** A device that is asked for something else than what it was: the short way is forgotten. */
static void new_limits(void **state)
{
	struct dma_parms parms = { 0 };
	struct dma_iova_state s;
	dma_addr_t addr;
	struct world w;

	(void)state;
	world_begin(&w, DMA_INVALIDATION_STRICT, 1);
	dma_device_set_parms(w.dev, &parms);
	s = take(&w, 1);
	assert_true(s.addr > DMA_BIT_MASK(32));
	dma_iova_free(w.dev, &s);
	assert_int_equal(dma_set_mask(w.dev, DMA_BIT_MASK(32)), 0);
	s = take(&w, 1);
	assert_true(s.addr <= DMA_BIT_MASK(32));
	dma_iova_free(w.dev, &s);
	assert_int_equal(dma_set_mask(w.dev, DMA_BIT_MASK(64)), 0);
	assert_int_equal(dma_device_set_pci(w.dev, true, false), 0);
	s = take(&w, 1);
	assert_true(s.addr <= DMA_BIT_MASK(32));
	dma_iova_free(w.dev, &s);
	assert_int_equal(dma_set_min_align_mask(w.dev, 2 * PAGE - 1), 0);
	assert_false(dma_iova_try_alloc(w.dev, &s, 0, PAGE));
	refused(&w, DMA_REASON_ALIGNMENT);
	/* the same by parameters that say so from the start */
	dma_device_set_parms(w.dev, NULL);
	s = take(&w, 1);
	dma_iova_free(w.dev, &s);
	addr = dma_map_phys(w.dev, w.buf, PAGE, TO, 0);
	dma_unmap_phys(w.dev, addr, PAGE, TO, 0);
	dma_device_set_parms(w.dev, &parms);
	assert_false(dma_iova_try_alloc(w.dev, &s, 0, PAGE));
	refused(&w, DMA_REASON_ALIGNMENT);
	assert_true(dma_map_phys(w.dev, w.buf, PAGE, TO, 0) == DMA_MAPPING_ERROR);
	refused(&w, DMA_REASON_ALIGNMENT);
	dma_device_set_parms(w.dev, NULL);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size),	      cmocka_unit_test(unmap_by_address),
		cmocka_unit_test(beside_single_maps), cmocka_unit_test(not_before_the_flush),
		cmocka_unit_test(strict_on_request),  cmocka_unit_test(full_queue),
		cmocka_unit_test(last_address),	      cmocka_unit_test(holds),
		cmocka_unit_test(copies_of_states),   cmocka_unit_test(wrong_links),
		cmocka_unit_test(hole_is_no_target),  cmocka_unit_test(new_limits),
	};

	return cmocka_run_group_tests_name("small-twostep", tests, NULL, NULL);
}

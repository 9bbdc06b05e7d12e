/* SPDX-License-Identifier: BSD-2-Clause */
/* What an untrusted device is refused, by every way to map: MMIO in part of a granule, and reading what it may write. */
#include "recorded.h"

struct ways {
	struct fx *fx;
	struct fx_backend *fb;
	struct dma_device *dev;
};

static struct ways ways_new(bool untrusted, bool write_only, bool allowed)
{
	struct ways w = { .fx = ts_host(false) };

	w.fx->host.untrusted_may_read_back = allowed;
	w.fb = fx_backend_new(w.fx);
	w.fb->backend.caps.write_only = write_only;
	w.dev = fx_behind(w.fx, fx_domain_over(w.fx, w.fb, DMA_INVALIDATION_STRICT));
	assert_int_equal(dma_device_set_bounce(w.dev, fx_pool(w.fx)), 0);
	assert_int_equal(dma_device_set_untrusted(w.dev, untrusted), 0);
	fx_clear(w.fx);
	return w;
}

/** Each way to map [phys, phys + size): 0, or the reason, which is the same for all. */
static enum dma_reason each_way(struct ways *w, phys_addr_t phys, size_t size,
				enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_phys_vec vec = { .phys = phys, .len = size, .attrs = attrs & MMIO };
	enum dma_reason reason = DMA_REASON_NONE;
	struct scatterlist sg[1];
	struct dma_iova_state s;
	struct dma_vec_map map;
	struct dma_error why;
	dma_addr_t addr;
	bool linked;

	addr = dma_map_phys(w->dev, phys, size, dir, attrs);
	if (addr != E) {
		dma_unmap_phys(w->dev, addr, size, dir, attrs);
	} else {
		assert_int_equal(dma_last_error(w->dev, &why), 0);
		assert_int_equal(why.err, -DMAMAP_EPERM);
		reason = why.reason;
	}
	sg_init_table(sg, 1);
	sg_set_phys(sg, phys, size);
	if (!(attrs & MMIO)) {
		assert_int_equal(dma_map_sg(w->dev, sg, 1, dir), addr != E);
		if (addr != E)
			dma_unmap_sg(w->dev, sg, 1, dir);
		else
			fx_reason(w->dev, reason);
	}
	assert_int_equal(dma_vec_map_start(w->dev, &map, &vec, 1, dir, 0),
			 addr != E ? 0 : -DMAMAP_EPERM);
	if (addr != E)
		assert_int_equal(dma_vec_unmap(&map, 0), 0);
	else
		fx_reason(w->dev, reason);
	assert_true(dma_iova_try_alloc(w->dev, &s, phys, size));
	linked = dma_iova_link(w->dev, &s, phys, 0, size, dir, attrs) == 0;
	assert_int_equal(linked, addr != E);
	if (!linked)
		fx_reason(w->dev, reason);
	dma_iova_destroy(w->dev, &s, linked ? size : 0, dir, attrs);
	assert_int_equal(fx_iova_bytes(w->fx->domain[0]), 0);
	assert_int_equal(fx_pool_used(w->fx->pool[0]), 0);
	assert_int_equal(w->fb->violations, 0);
	return reason;
}

static void mmio_in_part_of_a_granule(void **state)
{
	static const uint64_t ranges[][2] = { { BAR + 0x100, 0x80 },
					      { BAR, 0x1004 },
					      { BAR + 4, 0x1000 } };
	struct ways w = ways_new(true, true, false);

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(each_way(&w, ranges[i][0], ranges[i][1], TO, MMIO),
				 DMA_REASON_MMIO_ALIGNMENT);
		assert_int_equal(each_way(&w, ranges[i][0], ranges[i][1], BIDI, MMIO),
				 DMA_REASON_MMIO_ALIGNMENT);
	}
	expect_count(w.fx, "B:map", 0);
	assert_int_equal(each_way(&w, BAR, 0x3000, BIDI, MMIO), DMA_REASON_NONE);
	fx_free(w.fx);
	w = ways_new(false, true, false);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(each_way(&w, ranges[i][0], ranges[i][1], TO, MMIO),
				 DMA_REASON_NONE);
	fx_free(w.fx);
}

/** C19: where entries cannot say "write only", FROM_DEVICE lets the device read. */
static void read_back(void **state)
{
	struct ways w = ways_new(true, false, false);

	(void)state;
	assert_int_equal(each_way(&w, 0x4000, 0x1000, FROM, 0), DMA_REASON_READ_BACK);
	assert_int_equal(each_way(&w, 0x4100, 0x80, FROM, 0), DMA_REASON_READ_BACK);
	expect_count(w.fx, "B:map", 0);
	expect_count(w.fx, "T:bounced", 0);
	assert_int_equal(each_way(&w, 0x4000, 0x1000, BIDI, 0), DMA_REASON_NONE);
	assert_int_equal(each_way(&w, 0x4000, 0x1000, TO, 0), DMA_REASON_NONE);
	assert_int_equal(each_way(&w, BAR, 0x1000, FROM, MMIO), DMA_REASON_NONE);
	fx_free(w.fx);
}

static void read_back_allowed(void **state)
{
	/* untrusted, write-only entries, the host's word */
	static const bool rows[][3] = { { false, false, false },
					{ true, true, false },
					{ true, false, true } };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct ways w = ways_new(rows[i][0], rows[i][1], rows[i][2]);

		assert_int_equal(each_way(&w, 0x4000, 0x1000, FROM, 0), DMA_REASON_NONE);
		assert_int_equal(each_way(&w, 0x4100, 0x80, FROM, 0), DMA_REASON_NONE);
		fx_free(w.fx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mmio_in_part_of_a_granule),
		cmocka_unit_test(read_back),
		cmocka_unit_test(read_back_allowed),
	};

	return FX_RUN(tests);
}

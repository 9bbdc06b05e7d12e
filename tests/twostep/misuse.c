/* SPDX-License-Identifier: BSD-2-Clause */
/* Two-step mapping in the wrong hands: every misuse is refused with its reason and a warning, and tears nothing. */
#include "recorded.h"

struct range {
	struct fx *fx;
	struct dma_device *dev;
	struct dma_iova_state s;
};

/** Four granules, linked to 0x8000 but for the last. */
static struct range range_new(void)
{
	struct range r = { .fx = ts_host(false) };

	r.dev = fx_io(r.fx);
	assert_true(dma_iova_try_alloc(r.dev, &r.s, 0x8000, 0x4000));
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0x8000, 0, 0x3000, TO, 0), 0);
	fx_clear(r.fx);
	return r;
}

/** A call was refused, and the range is as range_new() made it. */
static void range_intact(struct range *r, enum dma_reason reason, int err)
{
	ts_refused(r->fx, r->dev, reason, err, 1);
	expect_count(r->fx, "U:invalidate", 0);
	assert_int_equal(fx_translate(r->fx, r->s.addr), 0x8000);
	assert_int_equal(fx_translate(r->fx, r->s.addr + 0x2fff), 0xafff);
	assert_true(fx_translate(r->fx, r->s.addr + 0x3000) == NOTHING);
	assert_int_equal(dma_iova_size(&r->s), 0x4000);
	assert_int_equal(dma_device_live(r->dev), 1);
	assert_int_equal(fx_iova_bytes(r->fx->domain[0]), 0x4000);
	fx_clear(r->fx);
}

static void range_end(struct range *r)
{
	dma_iova_destroy(r->dev, &r->s, 0x3000, TO, 0);
	assert_true(ts_is_zero(&r->s));
	assert_int_equal(fx_iova_bytes(r->fx->domain[0]), 0);
	expect_count(r->fx, "warn", 0);
	fx_free(r->fx);
}

static void link_outside(void **state)
{
	static const uint64_t bad[][2] = { { 0x3000, 0x1001 },	  { 0x4000, 1 },     { 0x5000, 1 },
					   { 0, 0x4001 },	  { 0x3000, ~0ull }, { ~0ull, 1 },
					   { 0x3000, 1ull << 63 } };
	struct range r = range_new();

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(dma_iova_link(r.dev, &r.s, 0x10000, bad[i][0], bad[i][1], TO, 0),
				 -DMAMAP_EINVAL);
		range_intact(&r, DMA_REASON_IOVA_RANGE, -DMAMAP_EINVAL);
		assert_int_equal(dma_iova_sync(r.dev, &r.s, bad[i][0], bad[i][1]), -DMAMAP_EINVAL);
		range_intact(&r, DMA_REASON_IOVA_RANGE, -DMAMAP_EINVAL);
		dma_iova_unlink(r.dev, &r.s, bad[i][0], bad[i][1], TO, 0);
		range_intact(&r, DMA_REASON_IOVA_RANGE, -DMAMAP_EINVAL);
	}
	dma_iova_destroy(r.dev, &r.s, 0x4001, TO, 0);
	range_intact(&r, DMA_REASON_IOVA_RANGE, -DMAMAP_EINVAL);
	range_end(&r);
}

static void link_over_link(void **state)
{
	static const uint64_t bad[][2] = {
		{ 0, 0x1000 }, { 0x2000, 0x2000 }, { 0x2000, 1 }, { 0, 0x4000 }
	};
	struct range r = range_new();

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(dma_iova_link(r.dev, &r.s, 0x10000, bad[i][0], bad[i][1], TO, 0),
				 -DMAMAP_EADDRINUSE);
		range_intact(&r, DMA_REASON_ALREADY_MAPPED, -DMAMAP_EADDRINUSE);
	}
	range_end(&r);
}

/** Only the last piece may end inside of a granule: nothing goes behind it, and it goes before nothing. */
static void end_in_the_middle(void **state)
{
	struct range r = range_new();

	(void)state;
	dma_iova_unlink(r.dev, &r.s, 0, 0x2000, TO, 0);
	fx_clear(r.fx);
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0x8000, 0, 0x1fff, TO, 0), -DMAMAP_EINVAL);
	ts_refused(r.fx, r.dev, DMA_REASON_LINK_ALIGNMENT, -DMAMAP_EINVAL, 1);
	assert_true(fx_translate(r.fx, r.s.addr) == NOTHING);
	dma_iova_unlink(r.dev, &r.s, 0x2000, 0x1000, TO, 0);
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0x8000, 0, 0x1fff, TO, 0), 0);
	fx_clear(r.fx);
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0xa000, 0x2000, 0x1000, TO, 0), -DMAMAP_EINVAL);
	ts_refused(r.fx, r.dev, DMA_REASON_LINK_ALIGNMENT, -DMAMAP_EINVAL, 1);
	/* once it is gone others may come */
	dma_iova_unlink(r.dev, &r.s, 0, 0x1fff, TO, 0);
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0xa000, 0x2000, 0x1000, TO, 0), 0);
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0x8000, 0, 0x2000, TO, 0), 0);
	fx_clear(r.fx);
	range_end(&r);
}

/** Below a hole that was made at the top the last piece is another one. */
static void end_below_a_hole(void **state)
{
	struct range r = range_new();

	(void)state;
	dma_iova_unlink(r.dev, &r.s, 0x1000, 0x1000, TO, 0);
	dma_iova_unlink(r.dev, &r.s, 0x2000, 0x1000, TO, 0);
	fx_clear(r.fx);
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0x9000, 0x1000, 0x123, TO, 0), 0);
	expect_count(r.fx, "warn", 0);
	dma_iova_destroy(r.dev, &r.s, 0x1123, TO, 0);
	assert_true(ts_is_zero(&r.s));
	fx_free(r.fx);
}

/** With a hole between links the tables are asked. */
static void link_over_hole(void **state)
{
	struct range r = range_new();

	(void)state;
	dma_iova_unlink(r.dev, &r.s, 0x1000, 0x1000, TO, 0);
	fx_clear(r.fx);
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0x10000, 0x1000, 0x2000, TO, 0),
			 -DMAMAP_EADDRINUSE);
	ts_refused(r.fx, r.dev, DMA_REASON_ALREADY_MAPPED, -DMAMAP_EADDRINUSE, 1);
	assert_true(fx_translate(r.fx, r.s.addr + 0x1000) == NOTHING);
	fx_clear(r.fx);
	dma_iova_unlink(r.dev, &r.s, 0, 0x3000, TO, 0);
	ts_refused(r.fx, r.dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, 1);
	dma_iova_destroy(r.dev, &r.s, 0x3000, TO, 0);
	ts_refused(r.fx, r.dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, 2);
	assert_int_equal(fx_translate(r.fx, r.s.addr), 0x8000);
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0x10000, 0x1000, 0x1000, TO, 0), 0);
	fx_clear(r.fx);
	range_end(&r);
}

static void unlink_too_much(void **state)
{
	struct range r = range_new();

	(void)state;
	dma_iova_unlink(r.dev, &r.s, 0, 0x4000, TO, 0);
	range_intact(&r, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL);
	dma_iova_unlink(r.dev, &r.s, 0x3000, 1, TO, 0);
	range_intact(&r, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL);
	dma_iova_unlink(r.dev, &r.s, 0x800, 0x800, TO, 0);
	range_intact(&r, DMA_REASON_LINK_ALIGNMENT, -DMAMAP_EINVAL);
	dma_iova_destroy(r.dev, &r.s, 0x4000, TO, 0);
	range_intact(&r, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL);
	range_end(&r);
}

/** Addresses do not go back while something is linked to them. */
static void free_too_early(void **state)
{
	struct range r = range_new();

	(void)state;
	dma_iova_free(r.dev, &r.s);
	range_intact(&r, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY);
	dma_iova_destroy(r.dev, &r.s, 0, TO, 0);
	range_intact(&r, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY);
	dma_iova_destroy(r.dev, &r.s, 0x2000, TO, 0);
	range_intact(&r, DMA_REASON_LIVE_MAPPINGS, -DMAMAP_EBUSY);
	range_end(&r);
}

/** Zero sizes: refused, without the warning that only a broken range gets. */
static void nothing_to_do(void **state)
{
	struct range r = range_new();

	(void)state;
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0x10000, 0x3000, 0, TO, 0), -DMAMAP_EINVAL);
	ts_refused(r.fx, r.dev, DMA_REASON_ZERO_SIZE, -DMAMAP_EINVAL, 0);
	assert_int_equal(dma_iova_sync(r.dev, &r.s, 0, 0), -DMAMAP_EINVAL);
	dma_iova_unlink(r.dev, &r.s, 0, 0, TO, 0);
	ts_refused(r.fx, r.dev, DMA_REASON_ZERO_SIZE, -DMAMAP_EINVAL, 0);
	assert_int_equal(dma_iova_link(r.dev, &r.s, ~0xfffull, 0x3000, 0x1001, TO, 0),
			 -DMAMAP_EINVAL);
	ts_refused(r.fx, r.dev, DMA_REASON_IOVA_RANGE, -DMAMAP_EINVAL, 1);
	fx_clear(r.fx);
	range_end(&r);
}

static void address_wraps(void **state)
{
	struct fx *fx = ts_host(false);
	struct dma_device *dev = fx_io(fx);
	struct dma_iova_state s;

	(void)state;
	assert_true(dma_iova_try_alloc(dev, &s, 0, 0x4000));
	fx_clear(fx);
	assert_int_equal(dma_iova_link(dev, &s, ~0xfffull, 0, 0x2000, TO, MMIO), -DMAMAP_EINVAL);
	ts_refused(fx, dev, DMA_REASON_ADDRESS_WRAP, -DMAMAP_EINVAL, 0);
	assert_int_equal(dma_iova_link(dev, &s, ~0xfffull, 0, 0x1000, TO, MMIO), -DMAMAP_ERANGE);
	ts_refused(fx, dev, DMA_REASON_OUTPUT_WIDTH, -DMAMAP_ERANGE, 0);
	dma_iova_free(dev, &s);
	fx_free(fx);
}

/** A state of nobody's, of another device's, used again, or freed again. */
static void wrong_state(void **state)
{
	struct dma_iova_state nobody = { 0 };
	struct range r = range_new();
	struct dma_device *other = fx_behind(r.fx, r.fx->domain[0]);
	struct dma_iova_state *states[] = { &nobody, &r.s };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		fx_clear(r.fx);
		assert_int_equal(dma_iova_link(other, states[i], 0x10000, 0x3000, 0x1000, TO, 0),
				 -DMAMAP_EINVAL);
		ts_refused(r.fx, other, DMA_REASON_IOVA_STATE, -DMAMAP_EINVAL, 1);
		assert_int_equal(dma_iova_sync(other, states[i], 0, 0x1000), -DMAMAP_EINVAL);
		dma_iova_unlink(other, states[i], 0, 0x1000, TO, 0);
		dma_iova_free(other, states[i]);
		dma_iova_destroy(other, states[i], 0x1000, TO, 0);
		dma_iova_destroy(other, states[i], 0, TO, 0);
		ts_refused(r.fx, other, DMA_REASON_IOVA_STATE, -DMAMAP_EINVAL, 6);
		assert_int_equal(dma_device_live(other), 0);
	}
	assert_int_equal(fx_translate(r.fx, r.s.addr), 0x8000);
	dma_iova_destroy(r.dev, &r.s, 0x3000, TO, 0);
	fx_clear(r.fx);
	dma_iova_free(r.dev, &r.s);
	ts_refused(r.fx, r.dev, DMA_REASON_IOVA_STATE, -DMAMAP_EINVAL, 1);
	dma_iova_destroy(r.dev, &r.s, 0x3000, TO, 0);
	ts_refused(r.fx, r.dev, DMA_REASON_IOVA_STATE, -DMAMAP_EINVAL, 2);
	assert_int_equal(dma_device_live(r.dev), 0);
	fx_free(r.fx);
}

static void bad_direction(void **state)
{
	struct range r = range_new();

	(void)state;
	assert_int_equal(dma_iova_link(r.dev, &r.s, 0x10000, 0x3000, 0x1000, BAD_DIR, 0),
			 -DMAMAP_EINVAL);
	ts_refused(r.fx, r.dev, DMA_REASON_BAD_DIRECTION, -DMAMAP_EINVAL, 0);
	dma_iova_unlink(r.dev, &r.s, 0, 0x3000, BAD_DIR, 0);
	dma_iova_destroy(r.dev, &r.s, 0x3000, BAD_DIR, 0);
	expect_count(r.fx, "fatal", 3);
	fx_clear(r.fx);
	range_end(&r);
}

/** A range counts as a mapping: the device cannot leave its domain, and setters refuse. */
static void range_is_live(void **state)
{
	struct range r = range_new();

	(void)state;
	assert_int_equal(dma_device_set_domain(r.dev, NULL), -DMAMAP_EBUSY);
	fx_reason(r.dev, DMA_REASON_LIVE_MAPPINGS);
	assert_int_equal(dma_device_set_untrusted(r.dev, true), -DMAMAP_EBUSY);
	assert_int_equal(dma_device_fini(r.dev), -DMAMAP_EBUSY);
	fx_clear(r.fx);
	range_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_outside),	    cmocka_unit_test(link_over_link),
		cmocka_unit_test(link_over_hole),   cmocka_unit_test(end_in_the_middle),
		cmocka_unit_test(end_below_a_hole), cmocka_unit_test(unlink_too_much),
		cmocka_unit_test(free_too_early),   cmocka_unit_test(nothing_to_do),
		cmocka_unit_test(address_wraps),    cmocka_unit_test(wrong_state),
		cmocka_unit_test(bad_direction),    cmocka_unit_test(range_is_live),
	};

	return FX_RUN(tests);
}

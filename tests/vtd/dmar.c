/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of the DMAR table: hand-made tables, QEMU's own, and damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <dmamap/dmar.h>

struct table {
	unsigned char bytes[512];
	size_t len;
};

static void put(struct table *t, const void *bytes, size_t n)
{
	memcpy(t->bytes + t->len, bytes, n);
	t->len += n;
	t->bytes[4] = (unsigned char)t->len;
	t->bytes[5] = (unsigned char)(t->len >> 8);
}

#define PUT(t, ...) \
	put(t, (const unsigned char[]){ __VA_ARGS__ }, sizeof((unsigned char[]){ __VA_ARGS__ }))

static void begin(struct table *t, unsigned char width, unsigned char flags)
{
	unsigned char header[48] = "DMAR";

	memset(t, 0, sizeof(*t));
	header[8] = 1;
	header[36] = width;
	header[37] = flags;
	put(t, header, sizeof(header));
}

/** Two units, one for two devices (one behind a bridge) and one for the rest; two regions; structures we do not read. */
static void make(struct table *t)
{
	begin(t, 38, 5);
	PUT(t, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0,	 /* unit */
	    1, 8, 0, 0, 0, 0, 2, 0,					 /* endpoint 00:02.0 */
	    1, 8, 0, 0, 0, 0, 0x1f, 3);					 /* endpoint 00:1f.3 */
	PUT(t, 2, 0, 8, 0, 1, 0, 0, 0);					 /* ATSR */
	PUT(t, 0, 0, 32, 0, 1, 1, 0, 0, 0, 0x10, 0xd9, 0xfe, 1, 0, 0, 0, /* the rest */
	    3, 8, 0, 0, 7, 0xff, 0, 0,					 /* I/O APIC 7 at ff:00.0 */
	    9, 8, 0, 0, 0, 0, 1, 0);					 /* a kind we do not know */
	PUT(t, 1, 0, 34, 0, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0, 0, 0, 0, 0xff, 0xff, 0x0f, 0x7b, 0, 0, 0,
	    0, 1, 10, 0, 0, 0, 0, 0x1c, 1, 4, 2); /* region; 04.2 below the bridge 00:1c.1 */
	PUT(t, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0,
	    0); /* empty */
	PUT(t, 1, 0, 24, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0x1f, 0, 0, 1, 0, 0, 0);
}

static int bus_below(void *arg, uint32_t id)
{
	(void)arg;
	return id == (0x1c << 3 | 1) ? 9 : -1;
}

static void a_whole_table(void **state)
{
	struct dma_dmar_region region;
	struct dma_dmar_scope scope;
	struct dma_dmar_unit unit;
	struct dma_dmar dmar;
	struct table t;
	uint32_t id;

	(void)state;
	make(&t);
	assert_int_equal(dmamap_dmar_open(t.bytes, sizeof(t.bytes), &dmar), 0);
	assert_true(dmar.address_bits == 39 && dmar.interrupt_remapping && dmar.dma_opt_in);
	assert_false(dmar.x2apic_opt_out);
	assert_true(dmamap_dmar_unit(&dmar, 0, &unit));
	assert_true(unit.registers == 0xfed90000 && unit.register_bytes == 4096);
	assert_false(unit.all_devices);
	assert_true(dmamap_dmar_scope(&unit.scopes, 0, &scope));
	assert_int_equal(dmamap_dmar_scope_id(&scope, NULL, NULL, &id), 0);
	assert_int_equal(id, 2 << 3);
	assert_true(dmamap_dmar_scope(&unit.scopes, 1, &scope));
	assert_true(scope.kind == DMA_DMAR_ENDPOINT && scope.hops == 1 && scope.hop[0] == 0xfb);
	assert_false(dmamap_dmar_scope(&unit.scopes, 2, &scope));
	assert_true(dmamap_dmar_unit(&dmar, 1, &unit));
	assert_true(unit.registers == 0x1fed91000 && unit.all_devices);
	assert_int_equal(unit.register_bytes, 8192);
	assert_true(dmamap_dmar_scope(&unit.scopes, 0, &scope));
	assert_true(scope.kind == DMA_DMAR_IOAPIC && scope.enumeration_id == 7 &&
		    scope.bus == 0xff);
	assert_false(dmamap_dmar_scope(&unit.scopes, 1, &scope));
	assert_false(dmamap_dmar_unit(&dmar, 2, &unit));
	assert_true(dmamap_dmar_region(&dmar, 0, &region));
	assert_true(region.first == 0x7b000000 && region.last == 0x7b0fffff);
	assert_true(dmamap_dmar_scope(&region.scopes, 0, &scope));
	assert_int_equal(scope.hops, 2);
	assert_int_equal(dmamap_dmar_scope_id(&scope, NULL, NULL, &id), -DMAMAP_ENODEV);
	assert_int_equal(dmamap_dmar_scope_id(&scope, bus_below, NULL, &id), 0);
	assert_int_equal(id, 9 << 8 | 4 << 3 | 2);
	assert_true(dmamap_dmar_region(&dmar, 1, &region));
	assert_true(region.first == 0x100000000 && region.last == 0x100001fff &&
		    region.segment == 0x200);
	assert_false(dmamap_dmar_region(&dmar, 2, &region));
}

static void read_all(const struct dma_dmar *dmar)
{
	struct dma_dmar_region region;
	struct dma_dmar_scope scope;
	struct dma_dmar_unit unit;
	uint32_t id;

	for (unsigned int i = 0; dmamap_dmar_unit(dmar, i, &unit); i++)
		for (unsigned int j = 0; dmamap_dmar_scope(&unit.scopes, j, &scope); j++)
			dmamap_dmar_scope_id(&scope, bus_below, NULL, &id);
	for (unsigned int i = 0; dmamap_dmar_region(dmar, i, &region); i++)
		for (unsigned int j = 0; dmamap_dmar_scope(&region.scopes, j, &scope); j++)
			dmamap_dmar_scope_id(&scope, NULL, NULL, &id);
}

/** Cut anywhere: refused. Sanitizers watch the heap block's end. */
static void tables_cut_short(void **state)
{
	struct dma_dmar dmar;
	struct table t;

	(void)state;
	make(&t);
	for (size_t len = 0; len < t.len; len++) {
		unsigned char *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, t.bytes, len);
		assert_int_equal(dmamap_dmar_open(copy, len, &dmar), -DMAMAP_EINVAL);
		if (len >= 48) { /* a length that says so as well: every structure must still fit */
			copy[4] = (unsigned char)len;
			copy[5] = (unsigned char)(len >> 8);
			if (!dmamap_dmar_open(copy, len, &dmar))
				read_all(&dmar);
		}
		free(copy);
	}
	assert_int_equal(dmamap_dmar_open(NULL, 100, &dmar), -DMAMAP_EINVAL);
	assert_int_equal(dmamap_dmar_open(t.bytes, sizeof(t.bytes), NULL), -DMAMAP_EINVAL);
}

/** Structures whose length is none, or leads past the end. */
static void lengths_that_lie(void **state)
{
	static const unsigned int lengths[] = { 0, 1, 3, 33, 0xffff };
	struct dma_dmar dmar;
	struct table t;

	(void)state;
	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		begin(&t, 38, 0);
		PUT(&t, 0, 0, (unsigned char)lengths[i], (unsigned char)(lengths[i] >> 8), 0, 0, 0,
		    0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0, 2, 0);
		assert_int_equal(dmamap_dmar_open(t.bytes, t.len, &dmar), -DMAMAP_EINVAL);
	}
}

static void random_damage(void **state)
{
	const char *text = getenv("DMAMAP_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
	struct dma_dmar dmar;
	struct table t;

	(void)state;
	print_message("# DMAMAP_TEST_SEED=%llu\n", (unsigned long long)seed);
	srand((unsigned int)seed);
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned char *copy;

		make(&t);
		for (unsigned int n = 1 + (unsigned int)rand() % 6; n; n--)
			t.bytes[44 + (size_t)rand() % (t.len - 44)] = (unsigned char)rand();
		copy = malloc(t.len);
		assert_non_null(copy);
		memcpy(copy, t.bytes, t.len);
		if (!dmamap_dmar_open(copy, t.len, &dmar))
			read_all(&dmar);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_table),
		cmocka_unit_test(tables_cut_short),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

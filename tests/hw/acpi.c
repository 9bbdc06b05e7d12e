/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The readers of IVRS and VIOT, on tables made by hand and on garbage.
 */
#include "board.h"

#include <stdlib.h>
#include <string.h>

/** A table under construction. */
struct table {
	unsigned char bytes[1024];
	uint32_t len;
};

static void put(struct table *t, uint64_t value, unsigned int bytes)
{
	while (bytes--) {
		t->bytes[t->len++] = (unsigned char)value;
		value >>= 8;
	}
}

static void finish(struct table *t)
{
	memcpy(t->bytes + 4, &t->len, 4);
}

static void header(struct table *t, const char *signature)
{
	*t = (struct table){ .len = 36 };
	memcpy(t->bytes, signature, 4);
}

/* --- IVRS */

static void unit_head(struct table *t, unsigned int type, unsigned int len, uint64_t registers)
{
	put(t, type, 1);
	put(t, 0, 1);
	put(t, len, 2);
	put(t, 0x0010, 2); /* 00:02.0 */
	put(t, 0x40, 2);
	put(t, registers, 8);
	put(t, 0, 2); /* segment */
	put(t, 0, 2);
	put(t, 0, 4);
	if (type != 0x10) {
		put(t, 0x29d3, 8);
		put(t, 0, 8);
	}
}

static void region(struct table *t, unsigned int type, unsigned int flags, uint16_t first,
		   uint16_t last, uint64_t start, uint64_t size)
{
	put(t, type, 1);
	put(t, flags, 1);
	put(t, 32, 2);
	put(t, first, 2);
	put(t, last, 2);
	put(t, 0, 8);
	put(t, start, 8);
	put(t, size, 8);
}

static void ivrs_table(struct table *t)
{
	header(t, "IVRS");
	put(t, 48u << 8 | 64u << 15, 4);
	put(t, 0, 8);
	unit_head(t, 0x10, 24 + 4, 0xfed70000); /* an older description of the same */
	put(t, 1, 4);
	unit_head(t, 0x11, 40 + 4 + 8 + 4 + 4 + 8 + 4 + 25, 0xfed80000);
	put(t, 0x02 | 0x0018 << 8, 4); /* 00:03.0 */
	put(t, 0x42 | 0x0100 << 8, 4); /* 01:00.0, as 00:04.0 */
	put(t, 0x0020u << 8, 4);
	put(t, 0x03 | 0x0200 << 8, 4); /* 02:00.0 to 02:1f.7 */
	put(t, 0x04 | 0x02ff << 8, 4);
	put(t, 0x43 | 0x0300 << 8, 4); /* 03:…, as 00:05.0 */
	put(t, 0x0028u << 8, 4);
	put(t, 0x04 | 0x03ff << 8, 4);
	put(t, 0xf0 | 0x0400 << 8, 4); /* an ACPI device with a name of 3 bytes */
	put(t, 0, 8);
	put(t, 0, 8);
	put(t, 1, 1);
	put(t, 3, 1);
	put(t, 0x616263, 3);
	region(t, 0x21, 7, 0x18, 0, 0xbf000000, 0x100000);
	region(t, 0x22, 8, 0x10, 0x20, 0x1000, 0x1000);
	region(t, 0x20, 3, 0, 0, 0, 0); /* empty */
	region(t, 0x20, 3, 0, 0, 0xa0000, 0x20000);
	finish(t);
}

static void ivrs_names_units_devices_and_memory(void **state)
{
	static const struct {
		uint16_t id;
		bool covered;
		uint16_t alias;
	} devices[] = {
		{ 0x18, true, 0x18 },	{ 0x19, false, 0 },	{ 0x100, true, 0x20 },
		{ 0x200, true, 0x200 }, { 0x2ff, true, 0x2ff }, { 0x1ff, false, 0 },
		{ 0x300, true, 0x28 },	{ 0x3ff, true, 0x28 },	{ 0x400, false, 0 },
	};
	struct dma_ivrs_region r;
	struct dma_ivrs_unit unit;
	struct dma_ivrs ivrs;
	struct table t;

	(void)state;
	ivrs_table(&t);
	assert_int_equal(dmamap_ivrs_open(t.bytes, sizeof(t.bytes), &ivrs), 0);
	assert_int_equal(ivrs.address_bits, 48);
	assert_int_equal(ivrs.virtual_bits, 64);
	assert_true(dmamap_ivrs_unit(&ivrs, 0, &unit));
	assert_int_equal(unit.registers, 0xfed80000);
	assert_int_equal(unit.id, 0x10);
	assert_int_equal(unit.capability, 0x40);
	assert_false(dmamap_ivrs_unit(&ivrs, 1, &unit));
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		uint16_t alias;

		assert_true(dmamap_ivrs_unit(&ivrs, 0, &unit));
		assert_int_equal(dmamap_ivrs_covers(&unit, devices[i].id, &alias),
				 devices[i].covered);
		if (devices[i].covered)
			assert_int_equal(alias, devices[i].alias);
	}
	assert_true(dmamap_ivrs_region(&ivrs, 0, &r));
	assert_true(r.first == 0xbf000000 && r.last == 0xbf0fffff && r.read && r.write);
	assert_true(r.first_id == 0x18 && r.last_id == 0x18 && !r.excluded);
	assert_true(dmamap_ivrs_region(&ivrs, 1, &r));
	assert_true(r.excluded && r.first_id == 0x10 && r.last_id == 0x20);
	assert_true(dmamap_ivrs_region(&ivrs, 2, &r));
	assert_true(r.first == 0xa0000 && r.last_id == 0xffff && r.read && !r.write);
	assert_false(dmamap_ivrs_region(&ivrs, 3, &r));
}

/* --- VIOT */

static void viot_table(struct table *t)
{
	header(t, "VIOT");
	put(t, 4, 2); /* nodes */
	put(t, 48, 2);
	put(t, 0, 8);
	/* at 48: segments 0 and 1, 00:00.0 to ff:1f.7, endpoints from 0x1000 on */
	put(t, 1 | 24 << 16, 4);
	put(t, 0x1000, 4);
	put(t, 0 | 1 << 16, 4);
	put(t, 0xffff0000u, 4);
	put(t, 72, 2);
	put(t, 0, 6);
	/* at 72: 00:01.0 */
	put(t, 3 | 16 << 16, 4);
	put(t, 0x0008u << 16, 4);
	put(t, 0, 8);
	/* at 88: an endpoint that is no PCI function */
	put(t, 2 | 24 << 16, 4);
	put(t, 0, 8);
	put(t, 0, 12);
	/* at 112: registers */
	put(t, 4 | 16 << 16, 4);
	put(t, 0, 4);
	put(t, 0xa000000, 8);
	finish(t);
}

static void viot_names_units_and_endpoints(void **state)
{
	struct dma_viot_unit unit;
	struct dma_viot viot;
	uint32_t endpoint;
	uint16_t node;
	struct table t;

	(void)state;
	viot_table(&t);
	assert_int_equal(dmamap_viot_open(t.bytes, sizeof(t.bytes), &viot), 0);
	assert_true(dmamap_viot_unit(&viot, 0, &unit));
	assert_true(unit.pci && unit.id == 8 && unit.node == 72 && !unit.segment);
	assert_true(dmamap_viot_unit(&viot, 1, &unit));
	assert_true(!unit.pci && unit.registers == 0xa000000 && unit.node == 112);
	assert_false(dmamap_viot_unit(&viot, 2, &unit));
	assert_true(dmamap_viot_endpoint(&viot, 0, 0x18, &node, &endpoint));
	assert_true(node == 72 && endpoint == 0x1018);
	assert_true(dmamap_viot_endpoint(&viot, 1, 0x18, &node, &endpoint));
	assert_int_equal(endpoint, 0x11018);
	assert_false(dmamap_viot_endpoint(&viot, 2, 0x18, &node, &endpoint));
}

/* --- damage */

static void read_all_ivrs(const unsigned char *bytes, size_t len)
{
	struct dma_ivrs_region r;
	struct dma_ivrs_unit unit;
	struct dma_ivrs ivrs;
	uint16_t alias;

	if (dmamap_ivrs_open(bytes, len, &ivrs))
		return;
	for (unsigned int i = 0; dmamap_ivrs_unit(&ivrs, i, &unit); i++)
		for (unsigned int id = 0; id < 0x500; id += 7)
			dmamap_ivrs_covers(&unit, (uint16_t)id, &alias);
	for (unsigned int i = 0; dmamap_ivrs_region(&ivrs, i, &r); i++)
		assert_true(r.first <= r.last);
}

static void read_all_viot(const unsigned char *bytes, size_t len)
{
	struct dma_viot_unit unit;
	struct dma_viot viot;
	uint32_t endpoint;
	uint16_t node;

	if (dmamap_viot_open(bytes, len, &viot))
		return;
	for (unsigned int i = 0; dmamap_viot_unit(&viot, i, &unit); i++)
		assert_true(unit.node >= 48);
	dmamap_viot_endpoint(&viot, 0, 0x18, &node, &endpoint);
}

/** Every length, and random bytes changed: nothing is read behind the end, which the sanitizers watch. */
static void damage(const struct table *t, void (*read_all)(const unsigned char *, size_t))
{
	uint64_t seed = board_seed();

	if (t->len <= 36)
		return;
	for (uint32_t len = 0; len <= t->len; len++) {
		unsigned char *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, t->bytes, len);
		if (len >= 8)
			memcpy(copy + 4, &len, 4);
		read_all(copy, len);
		free(copy);
	}
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned char *copy = malloc(t->len);

		assert_non_null(copy);
		memcpy(copy, t->bytes, t->len);
		for (unsigned int k = 0; k < 4; k++)
			copy[36 + board_random(&seed) % (t->len - 36)] =
				(unsigned char)board_random(&seed);
		read_all(copy, t->len);
		free(copy);
	}
}

static void damaged_tables_are_survived(void **state)
{
	struct table t;

	(void)state;
	ivrs_table(&t);
	damage(&t, read_all_ivrs);
	viot_table(&t);
	damage(&t, read_all_viot);
}

static void what_is_no_table_is_refused(void **state)
{
	struct dma_ivrs ivrs;
	struct dma_viot viot;
	struct table t;

	(void)state;
	ivrs_table(&t);
	assert_int_equal(dmamap_ivrs_open(NULL, 100, &ivrs), -DMAMAP_EINVAL);
	assert_int_equal(dmamap_ivrs_open(t.bytes, t.len - 1, &ivrs), -DMAMAP_EINVAL);
	assert_int_equal(dmamap_viot_open(t.bytes, t.len, &viot), -DMAMAP_EINVAL);
	viot_table(&t);
	assert_int_equal(dmamap_viot_open(NULL, 100, &viot), -DMAMAP_EINVAL);
	assert_int_equal(dmamap_viot_open(t.bytes, t.len - 1, &viot), -DMAMAP_EINVAL);
	t.bytes[36] = 5; /* more nodes than there are */
	assert_int_equal(dmamap_viot_open(t.bytes, t.len, &viot), -DMAMAP_EINVAL);
	t.bytes[36] = 4;
	t.bytes[38] = 255; /* behind the end */
	assert_int_equal(dmamap_viot_open(t.bytes, t.len, &viot), -DMAMAP_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ivrs_names_units_devices_and_memory),
		cmocka_unit_test(viot_names_units_and_endpoints),
		cmocka_unit_test(damaged_tables_are_survived),
		cmocka_unit_test(what_is_no_table_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

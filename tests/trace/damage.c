/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged lines: each field of each sample taken away, doubled, renamed or spoiled; every sample cut at every byte; a
 * table of single mistakes with the words that must report them. Damage is skipped, counted and reported; it never
 * reads as another event.
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define E "nic-7 [003] d..1. 12.000001: "

/* The fields of a line: each from its key to the next key. */
struct field {
	size_t start;
	size_t value;
	size_t end;
};

static size_t split(const char *line, struct field *fields)
{
	size_t n = 0, len = strlen(line);

	for (size_t i = 0; i < len; i++) {
		size_t word = strcspn(line + i, " ");
		const char *equals = memchr(line + i, '=', word);

		if (equals && i && line[i - 1] == ' ') {
			if (n)
				fields[n - 1].end = i - 1;
			fields[n].start = i;
			fields[n++].value = (size_t)(equals - line) + 1;
		}
		i += word;
	}
	if (n)
		fields[n - 1].end = len;
	return n;
}

static void expect_damage(const char *line, const char *reason)
{
	struct one one;

	read_string(&one, line);
	if (one.result == 1)
		fail_msg("read as an event: %s", line);
	assert_int_equal(one.result, 0);
	assert_int_equal(one.stats.skipped_lines, 1);
	assert_int_equal(one.damaged_line, 2);
	if (reason && strcmp(one.reason, reason) != 0)
		fail_msg("\"%s\", not \"%s\", for: %s", one.reason, reason, line);
	drop(&one);
}

static bool loose_dir(const struct sample *sample, const char *field)
{
	return sample->want.type >= DMT_ALLOC && sample->want.type <= DMT_FREE_SGT &&
	       strncmp(field, "dir=", 4) == 0;
}

/* @line with the bytes from @from to @to replaced. */
static char *replaced(const char *line, size_t from, size_t to, const char *by)
{
	char *text;

	assert_true(asprintf(&text, "%.*s%s%s", (int)from, line, by, line + to) >= 0);
	return text;
}

static void expect_damage_of(const char *line, size_t from, size_t to, const char *by)
{
	char *text = replaced(line, from, to, by);

	expect_damage(text, NULL);
	free(text);
}

static void test_each_field_missing(void **state)
{
	struct field f[32];

	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		const char *line = samples[i].line;
		size_t n = split(line, f);

		for (size_t k = 0; k < n; k++) {
			if (!loose_dir(&samples[i], line + f[k].start))
				expect_damage_of(line, f[k].start - 1, f[k].end, "");
		}
	}
}

static void test_each_field_twice(void **state)
{
	struct field f[32];
	char again[1024];

	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		const char *line = samples[i].line;
		size_t n = split(line, f);

		for (size_t k = 0; k < n; k++) {
			snprintf(again, sizeof(again), " %.*s", (int)(f[k].end - f[k].start),
				 line + f[k].start);
			expect_damage_of(line, f[k].end, f[k].end, again);
		}
	}
}

static void test_each_key_unknown(void **state)
{
	struct field f[32];

	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		size_t n = split(samples[i].line, f);

		for (size_t k = 0; k < n; k++) {
			expect_damage_of(samples[i].line, f[k].start, f[k].start + 1, "q");
			expect_damage_of(samples[i].line, f[k].value - 1, f[k].value, "");
			expect_damage_of(samples[i].line, f[k].value - 1, f[k].value, " ");
		}
	}
}

static void test_each_value_spoiled(void **state)
{
	static const char *const spoils[] = { "~", "\x01", "\xff", "=", "{", "-" };
	struct field f[32];

	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		const char *line = samples[i].line;
		size_t n = split(line, f);

		for (size_t k = 0; k < n; k++) {
			bool text = strncmp(line + f[k].start, "device=", 7) == 0 ||
				    strncmp(line + f[k].start, "route=", 6) == 0 ||
				    strncmp(line + f[k].start, "reason=", 7) == 0;

			if (loose_dir(&samples[i], line + f[k].start))
				continue;
			for (size_t s = 0; s < 6; s++) {
				if (!text || s == 3 || s == 4)
					expect_damage_of(line, f[k].value, f[k].value, spoils[s]);
			}
		}
	}
}

static void test_numbers_too_large(void **state)
{
	struct field f[32];

	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		const char *line = samples[i].line;
		size_t n = split(line, f);

		for (size_t k = 0; k < n; k++) {
			char first = line[f[k].value];

			if (loose_dir(&samples[i], line + f[k].start) ||
			    strncmp(line + f[k].start, "device", 6) == 0)
				continue;
			if (first >= '0' && first <= '9' && line[f[k].value + 1] != 'x')
				expect_damage_of(line, f[k].value, f[k].value,
						 "11111111111111111111");
			else if (first == '0' && strncmp(line + f[k].start, "flags=0xcc0", 11) != 0)
				expect_damage_of(line, f[k].value + 2, f[k].value + 2,
						 "1111111111111111");
			else if (first == '{' && line[f[k].value + 1] == '0')
				expect_damage_of(line, f[k].value + 3, f[k].value + 3,
						 "1111111111111111");
		}
	}
}

/* The field that a cut inside the last value may change without anyone being able to tell. */
static unsigned int last_field(const char *line)
{
	const char *last = strrchr(line, '=');

	while (last > line && last[-1] != ' ')
		last--;
	if (strncmp(last, "attrs=", 6) == 0)
		return BUT_ATTRS;
	if (strncmp(last, "size=", 5) == 0)
		return BUT_SIZE;
	if (strncmp(last, "unmapped_size=", 14) == 0)
		return BUT_UNMAPPED;
	if (strncmp(last, "flags=", 6) == 0)
		return BUT_FAULT_FLAGS;
	if (strncmp(last, "reason=", 7) == 0)
		return BUT_REASON;
	if (strncmp(last, "device=", 7) == 0)
		return BUT_DEVICE;
	return 0;
}

/* A refusal that is cut before its route is an event all the same, of a call that is not known to have been refused. */
static bool cut_refusal(const struct dmt_event *want, const char *line, size_t cut)
{
	const char *route = strstr(line, " route=");

	return want->reason && route && cut <= (size_t)(route - line) + 1;
}

static void check_cut(const char *line, size_t cut, const struct dmt_event *want)
{
	size_t last = (size_t)(strrchr(line, '=') - line);
	struct dmt_event expected = *want;
	struct one one;
	unsigned int but = last_field(line);
	const char *what;

	read_one(&one, line, cut);
	if (one.result == 1) {
		if (cut_refusal(want, line, cut)) {
			expected.route = expected.reason = NULL;
			expected.failed = one.event.failed;
			but = BUT_ATTRS | BUT_SIZE | BUT_FAULT_FLAGS;
		} else if (cut <= last) {
			fail_msg("cut to %zu bytes, still an event: %.*s", cut, (int)cut, line);
		}
		what = event_difference(&one.event, &expected, but);
		if (what)
			fail_msg("cut to %zu bytes, %s changed: %.*s", cut, what, (int)cut, line);
	} else {
		assert_int_equal(one.result, 0);
		/* Nothing, or blanks, is no line. */
		if (cut)
			assert_int_equal(one.stats.skipped_lines, 1);
	}
	drop(&one);
}

static void test_each_sample_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		size_t len = strlen(samples[i].line);

		for (size_t cut = 0; cut <= len; cut++)
			check_cut(samples[i].line, cut, &samples[i].want);
	}
}

static void test_long_list_cut(void **state)
{
	char *line = truncated_sample();
	size_t len = strlen(line);
	struct one one;

	(void)state;
	for (size_t cut = 1; cut < len; cut++) {
		read_one(&one, line, cut);
		assert_int_equal(one.result, 0);
		assert_int_equal(one.stats.skipped_lines, 1);
		drop(&one);
	}
	free(line);
}

static const struct {
	const char *line;
	const char *reason;
} mistakes[] = {
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=0x1000 size=1 phys_addr=0 attrs=",
	  "dma_addr: something follows the value" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1000 size=0x10 phys_addr=0 attrs=",
	  "size: something follows the value" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=FFFF size=1 phys_addr=0 attrs=",
	  "dma_addr: not a hexadecimal number" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=11111111111111111 size=1 phys_addr=0 attrs=",
	  "dma_addr: number too large" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=18446744073709551616 phys_addr=0 attrs=",
	  "size: number too large" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=-1 phys_addr=0 attrs=",
	  "size: not a decimal number" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 phys_addr=0 attrs=", "size: missing" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0", "attrs: missing" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs= err=-1",
	  "err: does not belong to this event" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs= x",
	  "something that is not a field" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs=MIO",
	  "attrs: unknown attribute" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs=MMIO|",
	  "attrs: unknown attribute" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs=|MMIO",
	  "attrs: unknown attribute" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs=MMIO|0x400",
	  "attrs: attribute given twice" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs=0x0",
	  "attrs: unknown attribute" },
	{ E "dma_map_phys: d dir=TO_DEVICES dma_addr=1 size=1 phys_addr=0 attrs=",
	  "dir: not a direction" },
	{ E "dma_map_phys: d dir=0x7 dma_addr=1 size=1 phys_addr=0 attrs=", "not a direction" },
	{ E "dma_map_phys: d dir=0x1 dma_addr=1 size=1 phys_addr=0 attrs= route=none reason=x",
	  "dir: not a direction" },
	{ E "dma_map_phys: dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs=",
	  "not a device name" },
	{ E "dma_map_phys: ", "no device name" },
	{ E "dma_map_phys:", "no device name" },
	{ E "dma_map_ph", "the line ends in the name of the event" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs= route=direct",
	  "route and reason do not come together" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs= reason=no-mask",
	  "route and reason do not come together" },
	{ E
	  "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs= route= reason=no-mask",
	  "route: empty" },
	{ E "dma_map_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs= route=a reason=b.c",
	  "reason: not a name" },
	{ E "dma_unmap_phys: d dir=TO_DEVICE dma_addr=1 size=1 phys_addr=0 attrs=",
	  "phys_addr: does not belong to this event" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE nents=2/2 ents=1/1 dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=",
	  "the lists are not as long as the counts say" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE nents=1/1 ents=2/2 dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=",
	  "the lists are not as long as the counts say" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE nents=1/1 ents=1/1 dma_addrs={0x1} sizes={0x1,0x2} phys_addrs={0x1} attrs=",
	  "dma_addrs and sizes differ in length" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE dma_addrs={0x1,0x2} sizes={0x1,0x2} phys_addrs={0x1} attrs=",
	  "more DMA entries than CPU entries" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE nents=2/1 ents=1/1 dma_addrs={0x1} sizes={0x1} phys_addrs={0x1,0x2} attrs=",
	  "more entries are shown than there are" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE nents=1/2 ents=1/1 dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=",
	  "TRUNCATED and the counts contradict each other" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE nents=1/1 ents=1/1 [TRUNCATED] dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=",
	  "TRUNCATED and the counts contradict each other" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE [TRUNCATED] dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=",
	  "TRUNCATED without counts" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE nents=1/1 dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=",
	  "nents and ents do not come together" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE nents=1 ents=1/1 dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=",
	  "nents: not two numbers with a slash" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE nents=1/4294967296 ents=1/1 dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=",
	  "nents: number too large" },
	{ E
	  "dma_map_sg: d dir=TO_DEVICE dma_addrs={0x1} sizes={0x100000000} phys_addrs={0x1} attrs=",
	  "sizes: number too large" },
	{ E "dma_map_sg: d dir=TO_DEVICE dma_addrs={1} sizes={0x1} phys_addrs={0x1} attrs=",
	  "dma_addrs: not a hexadecimal number with 0x" },
	{ E "dma_map_sg: d dir=TO_DEVICE dma_addrs={0x1,} sizes={0x1} phys_addrs={0x1} attrs=",
	  "dma_addrs: not a hexadecimal number with 0x" },
	{ E "dma_map_sg: d dir=TO_DEVICE dma_addrs={0x1;0x2} sizes={0x1} phys_addrs={0x1} attrs=",
	  "dma_addrs: not a list of hexadecimal numbers with 0x" },
	{ E "dma_map_sg: d dir=TO_DEVICE dma_addrs=0x1 sizes={0x1} phys_addrs={0x1} attrs=",
	  "dma_addrs: not a list in braces" },
	{ E "dma_map_sg: d dir=TO_DEVICE dma_addrs={0x1", "dma_addrs: list not closed" },
	{ E "dma_map_sg: [FAILED TO PARSE] device=d full_nents=1",
	  "trace-cmd could not print this event; use the kernel's own trace file" },
	{ E "dma_map_sg_err: d dir=TO_DEVICE dma_addrs={0x1} err=12 attrs=",
	  "err: not a negative error number" },
	{ E "dma_map_sg_err: d dir=TO_DEVICE dma_addrs={0x1} err=-0 attrs=",
	  "err: not an error number" },
	{ E "dma_map_sg_err: d dir=TO_DEVICE dma_addrs={0x1} err=-4096 attrs=",
	  "err: not an error number" },
	{ E "dma_sync_sg_for_cpu: d dir=TO_DEVICE dma_addrs={0x1,0x2} sizes={0x1}",
	  "dma_addrs and sizes differ in length" },
	{ E "dma_alloc: d dir=TO_DEVICE dma_addr=1 size=1 virt_addr=(ptr flags=none attrs=",
	  "virt_addr: not an address" },
	{ E "dma_alloc: d dir=TO_DEVICE dma_addr=1 size=1 virt_addr=0 flags= attrs=",
	  "flags: not allocation flags" },
	{ E "dma_alloc: d dir=TO_DEVICE dma_addr=1 size=1 virt_addr=0 flags=A||B attrs=",
	  "flags: not allocation flags" },
	{ E "swiotlb_bounced: d dma_mask=1 dev_addr=1 size=1 FORCE", "no dev_name" },
	{ E "swiotlb_bounced: dev_name: d dma_mask=1 dev_addr=1 size=1", "FORCE: missing" },
	{ E "swiotlb_bounced: dev_name: d dma_mask=1 dev_addr=1 size=1 FORCE NORMAL",
	  "NORMAL: given twice" },
	{ E "swiotlb_bounced: dev_name: d dma_mask=1 dev_addr=1 size=1 FORC",
	  "something that is not a field" },
	{ E "swiotlb_bounced: dev_name: d dma_mask=1 dev_addr=1 size=1 FORCE=",
	  "something that is not a field" },
	{ E "map: IOMMU: iova=0x1000 - 0x2001 paddr=0x0 size=4096",
	  "the range is not as long as the size says" },
	{ E "map: IOMMU: iova=0x1000 - 0x3000 paddr=0x0 size=4096",
	  "the range is not as long as the size says" },
	{ E "map: IOMMU: iova=0xfffffffffffff000 - 0x1000 paddr=0x0 size=8192",
	  "the range passes 2^64" },
	{ E "map: IOMMU: iova=0x1000 paddr=0x0 size=4096", "iova: not a range" },
	{ E "map: IOMMU: iova=0x1000 - 2000 paddr=0x0 size=4096",
	  "iova: not a hexadecimal number with 0x" },
	{ E "map: IOMMU: iova=0x1000 - 0x2000 paddr=0 size=4096",
	  "paddr: not a hexadecimal number with 0x" },
	{ E "unmap: IOMMU: iova=0x1000 - 0x2000 size=4096", "unmapped_size: missing" },
	{ E "map:", "no IOMMU" },
	{ E "map: IOM", "no IOMMU" },
	{ E "iommu:map: iova=0x1000 - 0x2000 paddr=0x0 size=4096", "no IOMMU" },
	{ E "io_page_fault: IOMMU: d iova=0x1000 flags=0x1", "no driver name" },
	{ E "add_device_to_group: IOMMU: groupID=2147483648 device=d",
	  "groupID: number too large" },
	{ E "attach_device_to_domain: IOMMU: device=", "device: no device name" },
	{ "dma_map_phys: d dir=TO_DEVICE", "not a line of a trace" },
	{ "nic-7 [003 12.000001: dma_map_phys: d dir=TO_DEVICE",
	  "no task, CPU and time in front of the event" },
	{ "some words", "not a line of a trace" },
};

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		expect_damage(mistakes[i].line, mistakes[i].reason);
}

/* A byte 0 inside a line must not end it unseen. */
static void test_zero_bytes(void **state)
{
	struct one one;
	char line[512];

	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		size_t len = strlen(samples[i].line);

		if (len >= sizeof(line))
			continue;
		for (size_t at = 0; at < len; at++) {
			memcpy(line, samples[i].line, len);
			line[at] = '\0';
			read_one(&one, line, len);
			/* A task's name and a wild direction may hold anything. */
			if (one.result == 1 && at > strcspn(samples[i].line, "[") &&
			    !strstr(samples[i].line, ": dma_alloc") &&
			    !strstr(samples[i].line, ": dma_free"))
				fail_msg("byte %zu is 0 and it reads: %s", at, samples[i].line);
			drop(&one);
		}
	}
}

/* What reaches a terminal is the beginning of the line, and printable. */
static void test_excerpt(void **state)
{
	char line[1000];
	struct one one;

	(void)state;
	memset(line, '\x1b', sizeof(line));
	read_one(&one, line, sizeof(line));
	assert_int_equal(one.result, 0);
	assert_int_equal(strlen(one.text), 199);
	assert_int_equal(strspn(one.text, "?"), 196);
	assert_string_equal(one.text + 196, "...");
	drop(&one);
	read_string(&one, "   x\ty\r");
	assert_string_equal(one.text, "x?y?");
	drop(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_field_missing),
		cmocka_unit_test(test_each_field_twice),
		cmocka_unit_test(test_each_key_unknown),
		cmocka_unit_test(test_each_value_spoiled),
		cmocka_unit_test(test_numbers_too_large),
		cmocka_unit_test(test_each_sample_cut),
		cmocka_unit_test(test_long_list_cut),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_zero_bytes),
		cmocka_unit_test(test_excerpt),
	};

	return cmocka_run_group_tests_name("trace-damage", tests, NULL, NULL);
}

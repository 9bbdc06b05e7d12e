/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every event in every dialect reads as what it says, field by field.
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_samples(void **state)
{
	struct one one;

	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		read_string(&one, samples[i].line);
		if (one.result != 1)
			fail_msg("%s: %s", one.reason, samples[i].line);
		assert_event(&one.event, &samples[i].want, samples[i].line);
		assert_int_equal(one.event.line, 2);
		assert_int_equal(one.stats.events, 1);
		assert_int_equal(one.stats.skipped_lines, 0);
		drop(&one);
	}
}

/* A table of samples that forgets an event proves less than it seems to. */
static void test_samples_cover_every_event(void **state)
{
	uint32_t seen = 0;

	(void)state;
	for (size_t i = 0; i < sample_count; i++)
		seen |= 1u << samples[i].want.type;
	assert_int_equal(seen, (1u << DMT_TYPE_COUNT) - 1);
}

static void test_truncated_list(void **state)
{
	char *line = truncated_sample();
	struct one one;

	(void)state;
	read_string(&one, line);
	assert_int_equal(one.result, 1);
	assert_int_equal(one.event.type, DMT_MAP_SG);
	assert_true(one.event.truncated);
	assert_int_equal(one.event.nents, 300);
	assert_int_equal(one.event.ents, 300);
	assert_int_equal(one.event.n_phys, 128);
	assert_int_equal(one.event.n_dma, 128);
	assert_int_equal(one.event.n_len, 128);
	for (size_t i = 0; i < 128; i++) {
		assert_int_equal(one.event.phys[i], (i + 1) * 0x1000);
		assert_int_equal(one.event.dma[i], (i + 1) * 0x1000);
		assert_int_equal(one.event.len[i], (i + 1) * 0x1000);
	}
	drop(&one);
	free(line);
}

/* TRC-2: 130 entries merged to one DMA segment; only the CPU's list is capped. */
static void test_truncated_and_merged(void **state)
{
	char *whole = truncated_sample(), *phys = strstr(whole, " phys_addrs="), line[4096];
	struct one one;

	(void)state;
	snprintf(
		line, sizeof(line),
		"blk-8 [002] ..... 12.2: dma_map_sg: d dir=TO_DEVICE nents=128/130 ents=1/1 [TRUNCATED] "
		"dma_addrs={0xfff00000} sizes={0x82000}%s",
		phys);
	read_string(&one, line);
	assert_int_equal(one.result, 1);
	assert_true(one.event.truncated);
	assert_int_equal(one.event.nents, 130);
	assert_int_equal(one.event.n_phys, 128);
	assert_int_equal(one.event.ents, 1);
	assert_int_equal(one.event.n_dma, 1);
	drop(&one);
	free(whole);
}

static char *whole_list(size_t n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	fprintf(to, "blk-8 [002] ..... 12.2: dma_unmap_sg: d dir=TO_DEVICE phys_addrs={");
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%s0x%zx", i ? "," : "", i << 12);
	fputs("} attrs=", to);
	assert_int_equal(fclose(to), 0);
	return text;
}

/* Lists that nobody capped: a line of megabytes. */
static void test_whole_lists(void **state)
{
	static const size_t sizes[] = { 0, 1, 255, 256, 257, 300000 };
	struct one one;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *line = whole_list(sizes[i]);

		read_string(&one, line);
		assert_int_equal(one.result, 1);
		assert_int_equal(one.event.n_phys, sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(one.event.phys[k], k << 12);
		drop(&one);
		free(line);
	}
}

/* What one line leaves behind must not show in the next. */
static void test_no_leftovers(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	struct dmt_reader *reader;
	struct dmt_event event;

	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		fprintf(to, "%s\n", samples[i].line);
		/* Damaged at its end, when all of its fields have been read. */
		fprintf(to, "%s junk\n", samples[i].line);
	}
	assert_int_equal(fclose(to), 0);
	assert_int_equal(dmt_open_memory(text, size, &reader, NULL, 0), 0);
	for (size_t i = 0; i < sample_count; i++) {
		assert_int_equal(dmt_next(reader, &event), 1);
		assert_int_equal(event.line, 2 * i + 1);
		assert_event(&event, &samples[i].want, samples[i].line);
	}
	assert_int_equal(dmt_next(reader, &event), 0);
	assert_int_equal(dmt_next(reader, &event), 0);
	assert_int_equal(dmt_stats(reader)->events, sample_count);
	assert_int_equal(dmt_stats(reader)->skipped_lines, sample_count);
	dmt_close(reader);
	free(text);
}

static void test_type_names(void **state)
{
	(void)state;
	assert_string_equal(dmt_type_name(DMT_MAP_SG), "dma_map_sg");
	assert_string_equal(dmt_type_name(DMT_IOMMU_UNMAP), "unmap");
	assert_string_equal(dmt_type_name(DMT_TYPE_COUNT), "unknown");
	for (size_t i = 0; i < sample_count; i++) {
		char name[64];

		snprintf(name, sizeof(name), " %s: ", dmt_type_name(samples[i].want.type));
		assert_non_null(strstr(samples[i].line, name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_samples_cover_every_event),
		cmocka_unit_test(test_truncated_list),
		cmocka_unit_test(test_truncated_and_merged),
		cmocka_unit_test(test_whole_lists),
		cmocka_unit_test(test_no_leftovers),
		cmocka_unit_test(test_type_names),
	};

	return cmocka_run_group_tests_name("trace-events", tests, NULL, NULL);
}

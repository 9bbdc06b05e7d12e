/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands in front of events and between them: every envelope in use, and every line that is none of our business
 * but must not be taken for damage.
 */
#include "samples.h"

#include <stdio.h>
#include <string.h>

#define MAP  "dma_map_page: 0000:00:03.0 dir=TO_DEVICE dma_addr=1000 size=8 phys_addr=2000 attrs="
#define UNIT 1000000000ull

static const struct {
	const char *front;
	const char *task;
	int pid;
	int cpu;
	uint64_t ns;
	bool counter;
} envelopes[] = {
	/* The kernel's trace file, with five flags, with four, with none, and with the thread group. */
	{ "     kworker/u8:0-12      [000] .....     9.188338: ", "kworker/u8:0", 12, 0, 9188338000,
	  false },
	{ "     kworker/u8:0-12      [001] d.h1      9.188338: ", "kworker/u8:0", 12, 1, 9188338000,
	  false },
	{ "     kworker/u8:0-12      [001]     9.188338: ", "kworker/u8:0", 12, 1, 9188338000,
	  false },
	{ "          <idle>-0       (-------) [003] d.h1. 9.188338: ", "<idle>", 0, 3, 9188338000,
	  false },
	{ "            bash-1977    ( 1977) [003] dNZff 9.188338: ", "bash", 1977, 3, 9188338000,
	  false },
	{ "           <...>-4194303 [1023] DNh31. 9.188338: ", "<...>", 4194303, 1023, 9188338000,
	  false },
	/* Names with everything in them. */
	{ "ksoftirqd/1-27 [001] ..s1. 9.188338: ", "ksoftirqd/1", 27, 1, 9188338000, false },
	{ "CPU 0/KVM-33 [000] ..... 9.188338: ", "CPU 0/KVM", 33, 0, 9188338000, false },
	{ "a-1 [2] b-33 [000] ..... 9.188338: ", "a-1 [2] b", 33, 0, 9188338000, false },
	{ "[kdmflush]-33 [000] ..... 9.188338: ", "[kdmflush]", 33, 0, 9188338000, false },
	{ "x: dma_map_page:-33 [000] ..... 9.188338: ", "x: dma_map_page:", 33, 0, 9188338000,
	  false },
	{ "-33 [000] ..... 9.188338: ", "", 33, 0, 9188338000, false },
	{ "irq/24-eth0-rx--33 [000] ..... 9.188338: ", "irq/24-eth0-rx-", 33, 0, 9188338000,
	  false },
	/* Clocks: seconds with other precisions, and counters. */
	{ "a-1 [000] ..... 9.188338123: ", "a", 1, 0, 9188338123, false },
	{ "a-1 [000] ..... 9.5: ", "a", 1, 0, 9500000000, false },
	{ "a-1 [000] ..... 18446744072.000000: ", "a", 1, 0, 18446744072 * UNIT, false },
	{ "a-1 [000] ..... 18446744073709551615: ", "a", 1, 0, UINT64_MAX, true },
	{ "a-1 [000] 42: ", "a", 1, 0, 42, true },
	/* trace-cmd report. */
	{ "    kworker/u8:0-12    [000]     9.188338: ", "kworker/u8:0", 12, 0, 9188338000, false },
	{ "    kworker/u8:0-12    [000] ..s1.     9.188338: ", "kworker/u8:0", 12, 0, 9188338000,
	  false },
	/* perf script. */
	{ "kworker/u8:0    12 [000]     9.188338: dma:", "kworker/u8:0", 12, 0, 9188338000, false },
	{ "         swapper     0 [001]   531.740130:       dma:", "swapper", 0, 1, 531740130000,
	  false },
	{ "CPU 0/KVM  1234/1235 [007]     9.188338: dma:", "CPU 0/KVM", 1235, 7, 9188338000,
	  false },
	{ "\tswapper\t0\t[001]\t9.188338:\tdma:", "swapper", 0, 1, 9188338000, false },
};

static void test_envelopes(void **state)
{
	char line[512];
	struct one one;

	(void)state;
	for (size_t i = 0; i < sizeof(envelopes) / sizeof(envelopes[0]); i++) {
		snprintf(line, sizeof(line), "%s%s", envelopes[i].front, MAP);
		read_string(&one, line);
		if (one.result != 1)
			fail_msg("%s: %s", one.reason, line);
		assert_string_equal(one.event.task, envelopes[i].task);
		assert_int_equal(one.event.pid, envelopes[i].pid);
		assert_int_equal(one.event.cpu, envelopes[i].cpu);
		assert_int_equal(one.event.ts_ns, envelopes[i].ns);
		assert_int_equal(one.event.ts_is_counter, envelopes[i].counter);
		assert_int_equal(one.event.type, DMT_MAP_PAGE);
		assert_string_equal(one.event.device, "0000:00:03.0");
		drop(&one);
	}
}

/* Every sample in every program's form. */
static void test_every_event_in_every_form(void **state)
{
	char line[1024];
	struct one one;

	(void)state;
	for (size_t i = 0; i < sample_count; i++) {
		const struct dmt_event *want = &samples[i].want;
		const char *name = dmt_type_name(want->type), *group = "dma";
		const char *message = strstr(samples[i].line, name) + strlen(name) + 1;

		if (want->type >= DMT_BOUNCED)
			group = want->type == DMT_BOUNCED ? "swiotlb" : "iommu";
		for (int form = 0; form < 3; form++) {
			if (form == 0)
				snprintf(line, sizeof(line), "a-1 [000] 1.000000: %s:    %s  ",
					 name, message);
			else if (form == 1)
				snprintf(line, sizeof(line), "a 1 [000] 1.000000:   %s:%s: %s",
					 group, name, message);
			else
				snprintf(line, sizeof(line), "a-1 [000] ..s1. 1.000000: %s:%s\r",
					 name, message);
			read_string(&one, line);
			if (one.result != 1)
				fail_msg("%s: %s", one.reason, line);
			if (event_difference(&one.event, want, BUT_TIME))
				fail_msg("%s: %s", event_difference(&one.event, want, BUT_TIME),
					 line);
			drop(&one);
		}
	}
}

static const char *const no_envelopes[] = {
	"a-1 [000] ..... 9.188338 " MAP,
	"a-1 [000] ..... : " MAP,
	"a-1 [000] ..... 9.: " MAP,
	"a-1 [000] ..... .5: " MAP,
	"a-1 [000] ..... 9.1234567890: " MAP,
	"a-1 [000] ..... 9,5: " MAP,
	"a-1 [000] ..... 18446744074.000000: " MAP,
	"a-1 [000] ..... 18446744073709551616: " MAP,
	"a-1 [000] ..... 9.188338:" MAP,
	"a-1 [000] ... 9.188338: " MAP,
	"a-1 [000] .....9.188338: " MAP,
	"a-1 [000]..... 9.188338: " MAP,
	"a-1[000] ..... 9.188338: " MAP,
	"a-1 [000 ..... 9.188338: " MAP,
	"a-1 [] ..... 9.188338: " MAP,
	"a-1 [0x0] ..... 9.188338: " MAP,
	"a-1 [2147483648] ..... 9.188338: " MAP,
	"a-2147483648 [000] ..... 9.188338: " MAP,
	"a- [000] ..... 9.188338: " MAP,
	"a_1 [000] ..... 9.188338: " MAP,
	"1 [000] ..... 9.188338: " MAP,
	"[000] ..... 9.188338: " MAP,
	MAP,
};

static void test_broken_envelopes(void **state)
{
	struct one one;

	(void)state;
	for (size_t i = 0; i < sizeof(no_envelopes) / sizeof(no_envelopes[0]); i++) {
		read_string(&one, no_envelopes[i]);
		if (one.result != 0 || one.stats.skipped_lines != 1)
			fail_msg("not damaged: %s", no_envelopes[i]);
		drop(&one);
	}
}

/* Lines that traces hold beside our events. */
static const char *const tolerated[] = {
	"",
	"   ",
	"\r",
	"# tracer: nop",
	"#",
	"# nic-7 [003] d..1. 12.000001: dma_map_phys: broken",
	"##### CPU 2 buffer started ####",
	"cpus=2",
	"CPU 1 is empty",
	"version = 7",
	"a-1 [000] d..2. 9.188338: sched_switch: prev_comm=a prev_pid=1 ==> next_comm=b",
	"a-1 [000] d..2. 9.188338: dma_fence_init: driver=drm_sched timeline=gfx context=1 seqno=2",
	"a-1 [000] d..2. 9.188338: map: something else's event",
	"a-1 [000] d..2. 9.188338: unmap: DMA: iova=0x1",
	"a-1 [000] d..2. 9.188338: map: IOMMUX iova=0x1000 - 0x2000 paddr=0x0 size=4096",
	"a-1 [000] d..2. 9.188338: io_page_fault: IOMM: d iova=0x1000 flags=0x1",
	"a 1 [000] 9.188338: syscalls:sys_enter_mmap: addr: 0x1",
	"a 1 [000] 9.188338: other:dma_map_page: whatever",
	"a 1 [000] 9.188338: bpf:map: IOMMU: whatever",
	"a-1 [000] d..2. 9.188338: kfree <-do_exit",
	"a-1 [000] d..2. 9.188338: <stack trace>",
	"a-1 [000] d..2. 9.188338: kernel_stack:         <stack trace >",
	" => dma_map_page_attrs",
	"=> nvme_queue_rq (ffffffff81234567)",
	"\tffffffff8114d4a5 dma_map_page_attrs+0x105 ([kernel.kallsyms])",
	"            7f2bb4a2d0c7 __GI___ioctl+0x7 (/usr/lib/libc.so.6)",
	"a-1 [000] ..... 9.188338: tracing_mark_write: test 3 begins",
	"a-1 [000] ..... 9.188338: bprint: driver_probe: dma_map_page: failed",
	"a-1 [000] ..... 9.188338: driver_probe: printed by trace_printk: dma_map_page: 0000:00:03.0",
	"a-1 [000] ..... 9.188338: 0xffffffff81234567: printed",
};

static void test_tolerated(void **state)
{
	struct one one;

	(void)state;
	for (size_t i = 0; i < sizeof(tolerated) / sizeof(tolerated[0]); i++) {
		read_string(&one, tolerated[i]);
		if (one.result != 0 || one.stats.skipped_lines || one.stats.lost_events)
			fail_msg("\"%s\": %s", one.reason, tolerated[i]);
		if (*tolerated[i])
			assert_int_equal(one.stats.other_lines, 2);
		drop(&one);
	}
}

static void expect_counts(const char *text, uint64_t events, uint64_t skipped, uint64_t lost)
{
	struct dmt_stats stats;
	int result;

	stats = read_all(text, strlen(text), 4096, &result);
	assert_int_equal(result, 0);
	assert_int_equal(stats.events, events);
	assert_int_equal(stats.skipped_lines, skipped);
	assert_int_equal(stats.lost_events, lost);
}

static void test_lost_events(void **state)
{
	(void)state;
	expect_counts("CPU:1 [LOST 12 EVENTS]\n", 0, 0, 12);
	expect_counts("CPU:1 [LOST 12 EVENTS]\na-1 [0] 1.0: " MAP "\n   CPU:0 [LOST 3 EVENTS]\r\n",
		      1, 0, 15);
	expect_counts("CPU:1 [LOST EVENTS]\nCPU:0 [EVENTS DROPPED]\nCPU:0 [7 EVENTS DROPPED]\n", 0,
		      0, 9);
	expect_counts("# tracer: nop\nCPU:1 [LOST 99999999999999999999 EVENTS]\n", 0, 1, 0);
	expect_counts(
		"# tracer: nop\nCPU:1 [LOST -1 EVENTS]\nCPU:x [LOST 1 EVENTS]\nCPU:1 [LOST 1 EVENT",
		0, 3, 0);
}

/* An annotation may have several lines; an event that follows is read, and a broken one is not hidden by it. */
static void test_continued_lines(void **state)
{
	static const char mark[] = "a-1 [0] 1.0: tracing_mark_write: one\n";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "%stwo\n\nthree\na-1 [0] 1.0: %s\n", mark, MAP);
	expect_counts(text, 1, 0, 0);
	snprintf(text, sizeof(text), "%sa-1 [0 1.0: %s\nIOMMU: x\n", mark, MAP);
	expect_counts(text, 0, 2, 0);
	snprintf(text, sizeof(text), "%sa-1 [0] 1.0: %s\ntwo\n", mark, MAP);
	expect_counts(text, 1, 1, 0);
}

/* A stack trace behind every event, as with the options stacktrace and `perf record -g`. */
static void test_stack_traces(void **state)
{
	(void)state;
	expect_counts(
		"a-1 [0] ..... 1.0: " MAP "\n"
		"a-1 [0] ..... 1.0: <stack trace>\n => dma_map_page_attrs\n => nvme_queue_rq\n => 0xffffffff\n"
		"a-1 [0] ..... 1.1: " MAP "\n"
		"a-1 [0] ..... 1.1: <user stack trace>\n =>  <00007f2bb4a2d0c7>\n",
		2, 0, 0);
	expect_counts("a 1 [000] 1.0: dma:" MAP "\n"
		      "\tffffffff8114d4a5 dma_map_page_attrs+0x105 ([kernel.kallsyms])\n"
		      "\t          1007f2b main+0x5 (/bin/a)\n\n"
		      "a 1 [000] 1.1: dma:" MAP "\n",
		      2, 0, 0);
}

/* Files put together from several programs' output: nothing of one line's form stays for the next. */
static void test_mixed_forms(void **state)
{
	(void)state;
	expect_counts("a 1 [000] 1.0: sched:sched_switch: x\n"
		      "a-1 [0] ..... 1.0: " MAP "\n"
		      "a 1 [000] 1.0: dma:" MAP "\n"
		      "a-1 [0] 1.0: " MAP "\n",
		      3, 0, 0);
	expect_counts("a 1 [000] 1.0: dma:" MAP "\n"
		      "a-1 [0] 1.0: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x0 size=4096\n",
		      2, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_envelopes),
		cmocka_unit_test(test_every_event_in_every_form),
		cmocka_unit_test(test_broken_envelopes),
		cmocka_unit_test(test_tolerated),
		cmocka_unit_test(test_lost_events),
		cmocka_unit_test(test_continued_lines),
		cmocka_unit_test(test_stack_traces),
		cmocka_unit_test(test_mixed_forms),
	};

	return cmocka_run_group_tests_name("trace-envelope", tests, NULL, NULL);
}

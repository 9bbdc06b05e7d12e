/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where traces come from: files, gzip, pipes, standard input, memory; what is no trace; what breaks off; and looking at
 * a trace without consuming it. The example traces must read without a single line skipped.
 */
#include "samples.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "trace/internal.h"

#define MAP \
	"a-1 [0] ..... 1.0: dma_map_page: d dir=TO_DEVICE dma_addr=1000 size=8 phys_addr=2000 attrs=\n"
#define IOMMU  "a-1 [0] ..... 1.0: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x0 size=4096\n"
#define BOUNCE "a-1 [0] ..... 1.0: swiotlb_bounced: dev_name: d dma_mask=1 dev_addr=1 size=1 "
#define HEADER "# tracer: nop\n"

static char path[64];

static int make_path(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/dmamap-trace-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const void *data, size_t len)
{
	FILE *to = fopen(path, "wb");

	assert_non_null(to);
	assert_int_equal(fwrite(data, 1, len, to), len);
	assert_int_equal(fclose(to), 0);
}

static void write_gz(const char *text, size_t len, const char *mode)
{
	gzFile to = gzopen(path, mode);

	assert_non_null(to);
	assert_int_equal(gzwrite(to, text, (unsigned int)len), len);
	assert_int_equal(gzclose(to), Z_OK);
}

static int read_to_end(struct dmt_reader *reader)
{
	struct dmt_event event;
	int rc;

	do
		rc = dmt_next(reader, &event);
	while (rc == 1);
	return rc;
}

static void expect_file(const char *file, uint64_t events, uint64_t lines)
{
	struct dmt_reader *reader;
	char err[512] = "";

	if (dmt_open(file, &reader, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(read_to_end(reader), 0);
	assert_int_equal(dmt_stats(reader)->events, events);
	assert_int_equal(dmt_stats(reader)->skipped_lines, 0);
	assert_int_equal(dmt_stats(reader)->lines, lines);
	assert_string_equal(dmt_error(reader), "");
	dmt_close(reader);
}

static void expect_refused(const char *file, int rc, const char *says)
{
	struct dmt_reader *reader = (void *)1;
	char err[512] = "";

	assert_int_equal(dmt_open(file, &reader, err, sizeof(err)), rc);
	assert_ptr_equal(reader, (void *)1);
	if (!strstr(err, says) || strncmp(err, file, strlen(file)) != 0)
		fail_msg("\"%s\" does not say \"%s\" of %s", err, says, file);
	assert_int_equal(dmt_open(file, &reader, NULL, 0), rc);
	assert_int_equal(dmt_open(file, &reader, err, 2), rc);
	assert_int_equal(strlen(err), 1);
}

static void test_example_traces(void **state)
{
	static const struct {
		const char *name;
		uint64_t events;
		uint64_t lines;
		bool iommu;
		bool forced;
	} traces[] = {
		{ "nvme-e1000e-lazy.txt.gz", 12082, 12094, true, false },
		{ "nvme-e1000e-strict.txt.gz", 9031, 9043, true, false },
		{ "nvme-e1000e-direct.txt.gz", 4204, 4216, false, false },
		{ "nvme-e1000e-bounce.txt.gz", 9929, 9941, false, true },
		{ "mmio-6.18.txt", 73, 85, false, false },
	};
	const char *root = getenv("DMAMAP_SOURCE_ROOT");
	struct dmt_reader *reader;
	struct dmt_probe probe;
	char file[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		snprintf(file, sizeof(file), "%s/examples/traces/%s", root ? root : ".",
			 traces[i].name);
		expect_file(file, traces[i].events, traces[i].lines);
		assert_int_equal(dmt_open(file, &reader, NULL, 0), 0);
		assert_int_equal(dmt_probe(reader, &probe), 0);
		assert_int_equal(probe.iommu, traces[i].iommu);
		assert_int_equal(probe.forced_bounce, traces[i].forced);
		assert_true(probe.complete);
		assert_int_equal(read_to_end(reader), 0);
		assert_int_equal(dmt_stats(reader)->events, traces[i].events);
		dmt_close(reader);
	}
}

static void test_plain_file(void **state)
{
	(void)state;
	write_file(MAP MAP, strlen(MAP MAP));
	expect_file(path, 2, 2);
	write_file(MAP MAP, strlen(MAP MAP) - 1);
	expect_file(path, 2, 2);
	write_file(HEADER "\r\n" MAP "\r\n", strlen(HEADER "\r\n" MAP "\r\n"));
	expect_file(path, 1, 4);
}

static void test_header_only(void **state)
{
	(void)state;
	write_file(HEADER, strlen(HEADER));
	expect_file(path, 0, 1);
	write_file("#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION", 58);
	expect_file(path, 0, 1);
}

static void test_gz_file(void **state)
{
	(void)state;
	write_gz(HEADER MAP MAP, strlen(HEADER MAP MAP), "wb9");
	expect_file(path, 2, 3);
	/* Two gzip members, as `cat a.gz b.gz` makes them. */
	write_gz(MAP, strlen(MAP), "ab1");
	expect_file(path, 3, 4);
}

static void test_no_trace(void **state)
{
	char binary[70000];
	(void)state;

	expect_refused("/nonexistent/trace", -ENOENT, "cannot be opened: No such file");
	expect_refused("/", -EISDIR, "directory");
	write_file("", 0);
	expect_refused(path, -ENODATA, "is empty: expected the text of the kernel's trace file");
	write_gz("", 0, "wb");
	expect_refused(path, -ENODATA, "is empty");
	write_file("\n\n\n", 3);
	expect_refused(path, -EILSEQ, "is not a trace: expected");
	write_file("Dear Sir,\n[1] # tracer\n", 23);
	expect_refused(path, -EILSEQ, "is not a trace: expected");
	write_file("# A heading\n\nand prose\n", 23);
	expect_refused(path, -EILSEQ, "is not a trace");
	for (size_t i = 0; i < sizeof(binary); i++)
		binary[i] = (char)(i * 167 + (i >> 8));
	write_file(binary, sizeof(binary));
	expect_refused(path, -EILSEQ, "is not a trace");
	memset(binary, 0, sizeof(binary));
	write_file(binary, sizeof(binary));
	expect_refused(path, -EILSEQ, "is not a trace");
	write_file("\x17\x08\x44tracing\0007\0\0\0", 15);
	expect_refused(path, -EILSEQ, "trace-cmd report");
	write_file("PERFILE2hh", 10);
	expect_refused(path, -EILSEQ, "perf script");
	write_file("\x28\xb5\x2f\xfdqwer", 8);
	expect_refused(path, -EILSEQ, "zstd -dc");
}

/* The beginning decides, and how much of it is bounded. */
static void test_how_far_we_look(void **state)
{
	char *text = malloc(100000);
	struct dmt_reader *reader;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 199; i++)
		n += (size_t)sprintf(text + n, "prose\n");
	sprintf(text + n, "%s", MAP);
	write_file(text, strlen(text));
	assert_int_equal(dmt_open(path, &reader, NULL, 0), 0);
	assert_int_equal(read_to_end(reader), 0);
	assert_int_equal(dmt_stats(reader)->events, 1);
	assert_int_equal(dmt_stats(reader)->skipped_lines, 199);
	dmt_close(reader);
	dmt_close(NULL);
	n += (size_t)sprintf(text + n, "prose\n");
	sprintf(text + n, "%s", MAP);
	write_file(text, strlen(text));
	expect_refused(path, -EILSEQ, "is not a trace");
	memset(text, 'x', 70000);
	sprintf(text + 70000, "\n" MAP);
	write_file(text, strlen(text));
	expect_refused(path, -EILSEQ, "is not a trace");
	free(text);
}

/* A first line of which we see only the beginning. */
static void test_long_first_line(void **state)
{
	size_t n = 0, size = 1u << 20;
	char *text = malloc(size);

	(void)state;
	n += (size_t)sprintf(text,
			     "a-1 [0] ..... 1.0: dma_unmap_sg: d dir=TO_DEVICE phys_addrs={0x1");
	while (n < size - 100)
		n += (size_t)sprintf(text + n, ",0x123456789000");
	n += (size_t)sprintf(text + n, "} attrs=");
	write_file(text, n);
	expect_file(path, 1, 1);
	free(text);
}

static void test_broken_gz(void **state)
{
	size_t n = 0, size = 2000000, len;
	char *text = malloc(size), err[512];
	unsigned char *packed = malloc(size);
	struct dmt_reader *reader;
	struct dmt_event event;
	FILE *from;

	(void)state;
	/* Addresses that do not compress well, so that some of them are whole before the cut. */
	for (unsigned int i = 1; n < size - 200; i++)
		n += (size_t)sprintf(
			text + n,
			"a-1 [0] ..... 1.0: dma_map_page: d dir=TO_DEVICE dma_addr=%x size=8 "
			"phys_addr=%x attrs=\n",
			i * 2654435761u, i * 40503u);
	write_gz(text, n, "wb");
	from = fopen(path, "rb");
	assert_non_null(from);
	len = fread(packed, 1, size, from);
	fclose(from);

	write_file(packed, len / 2);
	assert_int_equal(dmt_open(path, &reader, err, sizeof(err)), 0);
	assert_int_equal(read_to_end(reader), -EIO);
	assert_true(dmt_stats(reader)->events > 1000);
	assert_int_equal(dmt_stats(reader)->skipped_lines, 0);
	assert_non_null(strstr(dmt_error(reader), "damaged gzip data: "));
	assert_non_null(strstr(dmt_error(reader), "unexpected end of file"));
	assert_int_equal(dmt_next(reader, &event), -EIO);
	dmt_close(reader);

	memset(packed + len / 2, 0xa5, 64);
	write_file(packed, len);
	assert_int_equal(dmt_open(path, &reader, err, sizeof(err)), 0);
	assert_int_equal(read_to_end(reader), -EIO);
	assert_non_null(strstr(dmt_error(reader), "damaged gzip data"));
	dmt_close(reader);

	write_file(packed, 15);
	expect_refused(path, -EIO, "cannot be read: damaged gzip data");
	free(packed);
	free(text);
}

static void test_long_lines(void **state)
{
	struct dmt_limits limits = { 300, 64, 100 };
	char text[2000] = HEADER MAP;
	size_t n = strlen(text);
	struct dmt_reader *reader;
	struct dmt_event event;

	(void)state;
	memset(text + n, 'x', 300);
	snprintf(text + n + 300, sizeof(text) - n - 300, "\n" MAP);
	assert_int_equal(dmt_open_memory_limited(text, strlen(text), &limits, &reader, NULL, 0), 0);
	assert_int_equal(read_to_end(reader), 0);
	assert_int_equal(dmt_stats(reader)->events, 2);
	dmt_close(reader);
	memset(text + n, 'x', 301);
	snprintf(text + n + 301, sizeof(text) - n - 301, "\n" MAP);
	assert_int_equal(dmt_open_memory_limited(text, strlen(text), &limits, &reader, NULL, 0), 0);
	assert_int_equal(dmt_next(reader, &event), 1);
	assert_int_equal(dmt_next(reader, &event), -EFBIG);
	assert_string_equal(dmt_error(reader),
			    "memory: line 3 is longer than 300 bytes: is it a trace?");
	assert_int_equal(dmt_next(reader, &event), -EFBIG);
	dmt_close(reader);
}

/* Where reads happen to end must not matter. */
static void test_any_chunk_size(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	struct dmt_stats want, got;
	int result;

	(void)state;
	for (size_t i = 0; i < sample_count; i++)
		fprintf(to, "%s%s", samples[i].line, i % 3 ? "\n" : "\r\n");
	fputs("damaged\n" MAP, to);
	assert_int_equal(fclose(to), 0);
	want = read_all(text, size, 1u << 20, &result);
	assert_int_equal(result, 0);
	assert_int_equal(want.events, sample_count + 1);
	for (size_t chunk = 1; chunk < 300; chunk++) {
		got = read_all(text, size, chunk, &result);
		assert_int_equal(result, 0);
		assert_memory_equal(&got, &want, sizeof(got));
	}
	free(text);
}

static void write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			_exit(1);
		text += n;
		len -= (size_t)n;
	}
}

/* Standard input is a pipe that holds @text @times; puts the old one back into *saved. */
static pid_t feed_stdin(const char *text, int times, int *saved)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		for (int i = 0; i < times; i++)
			write_all(ends[1], text, strlen(text));
		_exit(0);
	}
	close(ends[1]);
	*saved = dup(STDIN_FILENO);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	return pid;
}

static void test_stdin_look_ahead(void **state)
{
	struct dmt_reader *reader;
	struct dmt_event event;
	struct dmt_probe probe;
	uint64_t done, total;
	int saved;

	(void)state;
	feed_stdin(HEADER MAP BOUNCE "FORCE\n", 10000, &saved);
	assert_int_equal(dmt_open("-", &reader, NULL, 0), 0);
	assert_string_equal(dmt_name(reader), "standard input");
	assert_int_equal(dmt_probe(reader, &probe), 0);
	assert_false(probe.iommu);
	assert_true(probe.forced_bounce);
	assert_false(probe.complete);
	assert_int_equal(probe.lines, 20000);
	for (uint64_t line = 2; line <= 30000; line += line % 3 == 2 ? 1 : 2) {
		assert_int_equal(dmt_next(reader, &event), 1);
		assert_int_equal(event.line, line);
		assert_int_equal(event.type, line % 3 == 2 ? DMT_MAP_PAGE : DMT_BOUNCED);
	}
	assert_int_equal(dmt_next(reader, &event), 0);
	dmt_progress(reader, &done, &total);
	assert_int_equal(done, 10000 * strlen(HEADER MAP BOUNCE "FORCE\n"));
	assert_int_equal(total, 0);
	assert_int_equal(dmt_probe(reader, &probe), -EINVAL);
	dmt_close(reader);
	assert_int_not_equal(dup2(saved, STDIN_FILENO), -1);
	close(saved);
}

static void expect_probe(const char *text, bool iommu, bool forced, bool complete, uint64_t lines)
{
	struct dmt_limits limits = { 4096, 32, 5 };
	struct dmt_reader *reader;
	struct dmt_probe probe;

	assert_int_equal(dmt_open_memory_limited(text, strlen(text), &limits, &reader, NULL, 0), 0);
	assert_int_equal(dmt_probe(reader, &probe), 0);
	assert_int_equal(probe.iommu, iommu);
	assert_int_equal(probe.forced_bounce, forced);
	assert_int_equal(probe.complete, complete);
	assert_int_equal(probe.lines, lines);
	dmt_close(reader);
}

static void test_probe(void **state)
{
	(void)state;
	expect_probe(HEADER MAP, false, false, true, 2);
	expect_probe(HEADER BOUNCE "NORMAL\n", false, false, true, 2);
	expect_probe(HEADER BOUNCE "FORCE\n" MAP, false, true, true, 3);
	expect_probe(HEADER BOUNCE "FORCE\n" IOMMU MAP, true, true, true, 3);
	/* A damaged line tells nothing. */
	expect_probe(HEADER "a-1 [0] 1.0: map: IOMMU: iova=0x1000 -\n" MAP, false, false, true, 3);
	/* Five lines are as far as this one looks; an IOMMU event beyond is not seen. */
	expect_probe(HEADER MAP MAP MAP MAP IOMMU, false, false, false, 5);
	expect_probe(HEADER MAP MAP MAP IOMMU IOMMU, true, false, true, 5);
}

static void test_probe_delivers_all(void **state)
{
	struct dmt_limits limits = { 4096, 32, 1000 };
	struct dmt_reader *reader;
	struct dmt_probe probe;
	struct dmt_event event;
	static const char text[] = "damage\n" MAP "a-1 [0] 1.0: print: x\n";

	(void)state;
	/* What the last line was must not lend its meaning to the first one, read afterwards. */
	assert_int_equal(dmt_open_memory_limited(text, strlen(text), &limits, &reader, NULL, 0), 0);
	assert_int_equal(dmt_probe(reader, &probe), 0);
	assert_int_equal(dmt_probe(reader, &probe), 0);
	assert_int_equal(dmt_stats(reader)->lines, 0);
	assert_int_equal(dmt_next(reader, &event), 1);
	assert_int_equal(event.line, 2);
	assert_string_equal(event.device, "d");
	assert_int_equal(dmt_next(reader, &event), 0);
	assert_int_equal(dmt_stats(reader)->skipped_lines, 1);
	dmt_close(reader);
}

static void test_progress(void **state)
{
	struct dmt_reader *reader;
	uint64_t done, total;
	struct stat st;

	(void)state;
	write_gz(HEADER MAP MAP, strlen(HEADER MAP MAP), "wb");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(dmt_open(path, &reader, NULL, 0), 0);
	assert_int_equal(read_to_end(reader), 0);
	dmt_progress(reader, &done, &total);
	assert_int_equal(total, st.st_size);
	assert_int_equal(done, st.st_size);
	dmt_close(reader);
}

#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, make_path, remove_path)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_traces),
		WITH_PATH(test_plain_file),
		WITH_PATH(test_header_only),
		WITH_PATH(test_gz_file),
		WITH_PATH(test_no_trace),
		WITH_PATH(test_how_far_we_look),
		WITH_PATH(test_long_first_line),
		WITH_PATH(test_broken_gz),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_any_chunk_size),
		cmocka_unit_test(test_stdin_look_ahead),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_probe_delivers_all),
		WITH_PATH(test_progress),
	};

	return cmocka_run_group_tests_name("trace-input", tests, NULL, NULL);
}

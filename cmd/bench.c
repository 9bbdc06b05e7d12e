/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dmamap bench`: what the library's operations cost on this machine, in nanoseconds and in instructions, beside what
 * the machine itself needs for a store, an atomic and a copy.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "cmd.h"
#include "table.h"

#define OPS	 64
#define ROUNDS	 31
#define NOT_DONE (-1.0)

static const char help[] =
	"dmamap bench measures the library on this machine: nanoseconds for one operation (the best of many short\n"
	"slices, the median, and what nine of ten stay below), and exact instructions where valgrind is installed.\n"
	"The IOMMU's invalidations do nothing here: what is measured is the library, not a machine's IOMMU.\n"
	"\n"
	"Examples:\n"
	"  dmamap bench\n"
	"  dmamap bench --no-instructions strict-4k lazy-4k\n"
	"  dmamap bench --json | jq '.operations[] | {name, instructions}'\n"
	"\n"
	"Usage: dmamap bench [OPTION]... [OPERATION]...\n"
	"\n"
	"Options:\n"
	"      --list             list the operations\n"
	"      --rounds N         slices of each operation, 3 to 1000 (default 31)\n"
	"      --no-time          no nanoseconds, no threads\n"
	"      --no-instructions  no instructions\n"
	"      --no-memory        no memory figures\n"
	"      --json             JSON, schema dmamap.bench/1 (docs/json.md)\n"
	"  -h, --help             show this\n"
	"\n"
	"Exit codes: 0 measured, 1 an operation failed, 2 usage, 4 internal error.\n";

static const struct option options[] = {
	{ "list", no_argument, NULL, 'l' },	 { "rounds", required_argument, NULL, 'r' },
	{ "no-time", no_argument, NULL, 't' },	 { "no-instructions", no_argument, NULL, 'i' },
	{ "no-memory", no_argument, NULL, 'm' }, { "json", no_argument, NULL, 'j' },
	{ "counted", no_argument, NULL, 'c' }, /* what runs under valgrind */
	{ "help", no_argument, NULL, 'h' },	 { NULL, 0, NULL, 0 },
};

struct arguments {
	const struct bench_op *ops[OPS];
	size_t n;
	unsigned int rounds;
	bool time, instructions, memory, json, counted;
};

struct results {
	struct bench_time times[OPS];
	double counts[OPS];
	double threads[OPS];
	struct bench_memory memory;
	bool have_memory;
};

/* --- arguments */

static int list_ops(void)
{
	for (size_t i = 0; bench_ops[i]; i++)
		printf("%-16s %s\n", bench_ops[i]->name, bench_ops[i]->what);
	return CMD_CLEAN;
}

static bool read_rounds(const char *text, unsigned int *rounds)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*rounds = (unsigned int)n;
	if (*text && !*end && n >= 3 && n <= 1000)
		return true;
	cmd_usage("bench", "--rounds takes a number from 3 to 1000, not %s", text);
	return false;
}

static bool add_op(struct arguments *args, const char *name)
{
	const char *names[OPS];
	size_t n = 0;
	const char *nearest;

	for (; n < OPS - 1 && bench_ops[n]; n++)
		names[n] = bench_ops[n]->name;
	names[n] = NULL;
	if (args->n == OPS) {
		cmd_usage("bench", "more than %d operations", OPS);
		return false;
	}
	args->ops[args->n] = bench_find(name);
	if (args->ops[args->n++])
		return true;
	nearest = cmd_nearest(name, names);
	if (nearest)
		cmd_usage("bench", "there is no operation %s; did you mean %s?", name, nearest);
	else
		cmd_usage("bench", "there is no operation %s; --list lists them", name);
	return false;
}

/** False, and *@code, where there is nothing more to do. */
static bool read_options(int argc, char **argv, struct arguments *args, int *code)
{
	int c;

	opterr = 0;
	*code = CMD_USAGE;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			*code = CMD_CLEAN;
			return false;
		}
		if (c == 'l') {
			*code = list_ops();
			return false;
		}
		if (c == '?' || c == ':') {
			cmd_bad_option("bench", argc, argv, options);
			return false;
		}
		if (c == 'r' && !read_rounds(optarg, &args->rounds))
			return false;
		args->time &= c != 't';
		args->instructions &= c != 'i';
		args->memory &= c != 'm';
		args->json |= c == 'j';
		args->counted |= c == 'c';
	}
	return true;
}

static bool read_arguments(int argc, char **argv, struct arguments *args, int *code)
{
	if (!read_options(argc, argv, args, code))
		return false;
	for (int i = optind; i < argc; i++)
		if (!add_op(args, argv[i]))
			return false;
	for (size_t i = 0; optind == argc && bench_ops[i]; i++)
		args->ops[args->n++] = bench_ops[i];
	return true;
}

/* --- the report */

static void number(char *text, size_t size, double value)
{
	if (value < 0)
		snprintf(text, size, "-");
	else
		snprintf(text, size, value < 100 ? "%.1f" : "%.0f", value);
}

static void print_ops(const struct arguments *args, const struct results *r, bool limits)
{
	static const char *const head[] = { "OPERATION",    "MIN NS",	 "MEDIAN", "P90",
					    "INSTRUCTIONS", "2 THREADS", "WHAT" };
	struct table table;

	table_init(&table, 7);
	for (int i = 1; i < 6; i++)
		table.right[i] = true;
	table_row(&table, head);
	for (size_t i = 0; i < args->n; i++) {
		char text[5][32];
		const double values[5] = { r->times[i].min, r->times[i].median, r->times[i].p90,
					   r->counts[i], r->threads[i] };
		const char *cells[] = {
			args->ops[i]->name, text[0], text[1], text[2], text[3], text[4],
			args->ops[i]->what
		};

		if (args->ops[i]->limit != limits)
			continue;
		for (int k = 0; k < 5; k++)
			number(text[k], sizeof(text[k]), values[k]);
		table_row(&table, cells);
	}
	if (limits && table.rows > 1)
		printf("\nThe machine's own limits, in the same run:\n");
	if (table.rows > 1)
		table_print(&table, stdout, cmd_colour(stdout), NULL);
	table_free(&table);
}

static void print_report(const struct arguments *args, const struct results *r)
{
	print_ops(args, r, false);
	print_ops(args, r, true);
	if (r->have_memory)
		printf("\nmemory: %.2f bytes for each of 100,000 live mappings of 4 KiB; an idle domain %llu bytes;\n"
		       "after a million random maps and unmaps %llu bytes of tables, where the live mappings need %llu\n",
		       r->memory.per_mapping, (unsigned long long)r->memory.idle_domain,
		       (unsigned long long)r->memory.tables_after,
		       (unsigned long long)r->memory.tables_needed);
	if (args->instructions && args->n && r->counts[0] < 0)
		printf("\nno instructions: valgrind is not there (Debian's package valgrind), or it failed\n");
}

static json_t *real_or_null(double value)
{
	return value < 0 ? json_null() : json_real(value);
}

static json_t *op_json(const struct bench_op *op, const struct bench_time *time, double count,
		       double threads)
{
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "name", op->name, "what",
			 op->what, "limit", op->limit, "min_ns", real_or_null(time->min),
			 "median_ns", real_or_null(time->median), "p90_ns", real_or_null(time->p90),
			 "instructions", real_or_null(count), "two_threads", real_or_null(threads));
}

static json_t *memory_json(const struct results *r)
{
	if (!r->have_memory)
		return json_null();
	return json_pack("{s:f, s:I, s:I, s:I}", "bytes_per_mapping", r->memory.per_mapping,
			 "idle_domain_bytes", (json_int_t)r->memory.idle_domain,
			 "table_bytes_after", (json_int_t)r->memory.tables_after,
			 "table_bytes_needed", (json_int_t)r->memory.tables_needed);
}

static int print_json(const struct arguments *args, const struct results *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < args->n; i++)
		json_array_append_new(
			list, op_json(args->ops[i], &r->times[i], r->counts[i], r->threads[i]));
	return cmd_print_json(json_pack("{s:s, s:o, s:o}", "schema", "dmamap.bench/1", "operations",
					list, "memory", memory_json(r)));
}

/* --- the work */

static int failed(const char *what)
{
	cmd_say("bench: %s failed; is there a gigabyte of free memory?", what);
	return CMD_FINDINGS;
}

static int measure(const struct arguments *args, struct results *r)
{
	for (size_t i = 0; i < args->n; i++) {
		r->times[i] = (struct bench_time){ NOT_DONE, NOT_DONE, NOT_DONE };
		r->counts[i] = r->threads[i] = NOT_DONE;
	}
	if (args->time && !bench_time_ops(args->ops, args->n, args->rounds, 1, r->times))
		return failed("an operation");
	for (size_t i = 0; args->time && i < args->n; i++) {
		if (!args->ops[i]->threads)
			continue;
		r->threads[i] = bench_two_threads(args->ops[i], args->rounds);
		if (r->threads[i] <= 0)
			return failed("an operation in two threads");
	}
	if (args->instructions)
		bench_count_ops(args->ops, args->n, r->counts);
	if (args->memory && !bench_measure_memory(&r->memory))
		return failed("the measurement of memory");
	r->have_memory = args->memory;
	return CMD_CLEAN;
}

static int run(int argc, char **argv)
{
	struct arguments args = {
		.rounds = ROUNDS, .time = true, .instructions = true, .memory = true
	};
	struct results results = { 0 };
	int code;

	if (!read_arguments(argc, argv, &args, &code))
		return code;
	if (args.counted)
		return bench_counted_run(args.ops, args.n);
	code = measure(&args, &results);
	if (code != CMD_CLEAN)
		return code;
	if (args.json)
		return print_json(&args, &results);
	print_report(&args, &results);
	return CMD_CLEAN;
}

const struct cmd_verb cmd_bench = {
	.name = "bench",
	.summary = "what the operations cost on this machine",
	.help = help,
	.run = run,
};

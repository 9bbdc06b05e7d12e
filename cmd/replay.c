/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dmamap replay`: makes the mappings of a recorded kernel again, on a simulated machine, and checks the data.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "replay.h"

static const char help[] =
	"dmamap replay reads the DMA trace of a Linux kernel and makes every mapping again with this library, on a\n"
	"simulated machine. A device moves every byte, the data is compared, and after an unmap behind an IOMMU the\n"
	"device tries the address again.\n"
	"\n"
	"Examples:\n"
	"  dmamap replay trace.txt.gz\n"
	"  dmamap replay --route bounce --json trace.txt\n"
	"  trace-cmd report | dmamap replay -\n"
	"  dmamap replay --route iommu --trace-out - trace.txt | less\n"
	"\n"
	"Usage: dmamap replay [OPTION]... TRACE...\n"
	"\n"
	"A TRACE is the kernel's trace file, or what `trace-cmd report' or `perf script' print, plain or gzipped; - is\n"
	"standard input. To record one: trace-cmd record -e dma -e iommu -e swiotlb\n"
	"\n"
	"Options:\n"
	"      --route ROUTE         auto, direct, bounce, iommu, ops (default auto: what the trace shows)\n"
	"      --invalidate POLICY   strict, lazy (default strict)\n"
	"      --format NAME         the IOMMU's table format, or command for one without tables (default vtd-ss)\n"
	"      --list-formats        print the names, one on a line, and end\n"
	"      --bounce-pool SIZE    one bounce pool of that size for everything, such as 64M or 256K (default: pools of\n"
	"                            64M as they are needed)\n"
	"      --noncoherent         devices do not see the CPU's caches, and lines move at random\n"
	"      --mask BITS           address bits of every device, 1 to 64 (default 64)\n"
	"      --clock CLOCK         none: time stands still (default); trace: it follows the time stamps\n"
	"      --no-verify           do not let the device access anything\n"
	"      --trace-out FILE      write a trace of the replay; - is standard output, the report then goes to\n"
	"                            standard error\n"
	"      --trace-dialect NAME  dmamap (default: everything, with reasons), linux (what Linux 6.18 would print)\n"
	"      --json                JSON, schema dmamap.replay/1 (docs/json.md)\n"
	"  -h, --help                show this\n"
	"\n"
	"Exit codes: 0 clean; 1 data differed, a map failed, or under strict invalidation a device reached an unmapped\n"
	"address; 2 usage; 3 a trace cannot be read; 4 internal error.\n";

enum {
	OPT_ROUTE = 256,
	OPT_INVALIDATE,
	OPT_FORMAT,
	OPT_LIST_FORMATS,
	OPT_POOL,
	OPT_NONCOHERENT,
	OPT_MASK,
	OPT_CLOCK,
	OPT_NO_VERIFY,
	OPT_OUT,
	OPT_DIALECT,
	OPT_JSON
};

static const struct option options[] = {
	{ "route", required_argument, NULL, OPT_ROUTE },
	{ "invalidate", required_argument, NULL, OPT_INVALIDATE },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "list-formats", no_argument, NULL, OPT_LIST_FORMATS },
	{ "bounce-pool", required_argument, NULL, OPT_POOL },
	{ "noncoherent", no_argument, NULL, OPT_NONCOHERENT },
	{ "mask", required_argument, NULL, OPT_MASK },
	{ "clock", required_argument, NULL, OPT_CLOCK },
	{ "no-verify", no_argument, NULL, OPT_NO_VERIFY },
	{ "trace-out", required_argument, NULL, OPT_OUT },
	{ "trace-dialect", required_argument, NULL, OPT_DIALECT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* The words of options, in the order of the enumerations that they stand for. */
static const char *const routes[] = { "auto", "direct", "bounce", "iommu", "ops", NULL };
static const char *const policies[] = { "strict", "lazy", NULL };
static const char *const clocks[] = { "none", "trace", NULL };
static const char *const dialects[] = { "dmamap", "linux", NULL };

static int read_mask(struct replay_options *o, const char *text)
{
	char *end;
	long bits = strtol(text, &end, 10);

	if (*end || end == text || bits < 1 || bits > 64)
		return cmd_usage("replay", "--mask: %s is not a number of bits from 1 to 64", text);
	o->mask_bits = (unsigned int)bits;
	return 0;
}

/* Bytes, with a suffix; 0 if that is no size of a pool. */
static uint64_t read_size(const char *text)
{
	static const char suffixes[] = "KMG";
	const char *suffix;
	char *end;
	unsigned long long n;
	uint64_t bytes;

	if (!isdigit((unsigned char)*text))
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	suffix = *end ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
	if (errno || (*end && (!suffix || end[1])))
		return 0;
	bytes = suffix ? 1024ull << 10 * (suffix - suffixes) : 1;
	return __builtin_mul_overflow(n, bytes, &bytes) ? 0 : bytes;
}

static int read_pool(struct replay_options *o, const char *text)
{
	o->bounce_pool = read_size(text);
	if (o->bounce_pool && o->bounce_pool % DMAMAP_PAGE_SIZE == 0)
		return 0;
	return cmd_usage(
		"replay",
		"--bounce-pool: %s is not a size in whole pages of 4K, such as 64M or 256K", text);
}

/* An option with a value out of a list; the value's place there, or -1 after a message. */
static int read_word(int option, const char *value)
{
	switch (option) {
	case OPT_ROUTE:
		return cmd_choose("replay", "--route", value, routes);
	case OPT_INVALIDATE:
		return cmd_choose("replay", "--invalidate", value, policies);
	case OPT_CLOCK:
		return cmd_choose("replay", "--clock", value, clocks);
	default:
		return cmd_choose("replay", "--trace-dialect", value, dialects);
	}
}

static int read_choice(struct replay_options *o, int option, const char *value)
{
	int word = read_word(option, value);

	if (word < 0)
		return CMD_USAGE;
	if (option == OPT_ROUTE)
		o->route = (enum replay_route)word;
	else if (option == OPT_INVALIDATE)
		o->invalidation = (enum dma_invalidation)word;
	else if (option == OPT_CLOCK)
		o->clock_trace = word;
	else
		o->dialect = (enum dma_dialect)word;
	return 0;
}

static int read_option(struct replay_options *o, int option)
{
	switch (option) {
	case OPT_POOL:
		return read_pool(o, optarg);
	case OPT_NONCOHERENT:
		o->noncoherent = true;
		return 0;
	case OPT_MASK:
		return read_mask(o, optarg);
	case OPT_FORMAT:
		o->format = cmd_format_find("replay", optarg);
		return o->format ? 0 : CMD_USAGE;
	case OPT_NO_VERIFY:
		o->verify = false;
		return 0;
	case OPT_OUT:
		o->trace_out = optarg;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	default:
		return read_choice(o, option, optarg);
	}
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino && S_ISREG(x.st_mode);
}

static int check_inputs(const struct replay_options *o, char *const *traces, int n)
{
	uint64_t page = cmd_format_page_size(o->format);
	int from_stdin = 0;

	if (o->bounce_pool % page)
		return cmd_usage("replay",
				 "--bounce-pool: with --format %s pages are %" PRIu64
				 "K: not a whole number",
				 o->format->name, page >> 10);
	if (!n)
		return cmd_usage("replay", "which trace? Name a file, or - for standard input");
	for (int i = 0; i < n; i++) {
		from_stdin += strcmp(traces[i], DMT_STDIN) == 0;
		if (o->trace_out && same_file(o->trace_out, traces[i]))
			return cmd_usage("replay", "--trace-out: %s is being replayed", traces[i]);
	}
	if (from_stdin > 1)
		return cmd_usage("replay", "standard input can be read only once");
	if (o->json && o->trace_out && strcmp(o->trace_out, "-") == 0)
		return cmd_usage("replay",
				 "--json and --trace-out - both want standard output: name a file");
	return 0;
}

static int perform(struct replay *r, char *const *traces, int n)
{
	int code = trace_start(r), end;

	if (!code)
		code = replay_run(r, traces, n);
	end = trace_end(r);
	if (code || end)
		return code ? code : end;
	machine_figures(r);
	code = needed_find(r, traces, n);
	if (code)
		return code;
	return report_print(r, traces, n);
}

static int list_formats(void)
{
	for (const struct cmd_format *format = cmd_formats; format->name; format++)
		puts(format->name);
	return CMD_CLEAN;
}

static int run(int argc, char **argv)
{
	struct replay_options o = { .mask_bits = 64, .verify = true, .format = cmd_formats };
	struct replay *r;
	int c, code = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return CMD_CLEAN;
		}
		if (c == OPT_LIST_FORMATS)
			return list_formats();
		if (c == '?')
			return cmd_bad_option("replay", argc, argv, options);
		code = read_option(&o, c);
		if (code)
			return code;
	}
	code = check_inputs(&o, argv + optind, argc - optind);
	if (code)
		return code;
	r = calloc(1, sizeof(*r));
	if (!r) {
		cmd_say("out of memory");
		return CMD_INTERNAL;
	}
	r->options = o;
	code = machine_start(r);
	if (!code)
		code = perform(r, argv + optind, argc - optind);
	machine_end(r);
	free(r);
	return code;
}

const struct cmd_verb cmd_replay = {
	.name = "replay",
	.summary = "make the mappings of a kernel's trace again, and check the data",
	.help = help,
	.run = run,
};

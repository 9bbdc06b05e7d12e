/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dmamap routes`: performs every route with RAM and with MMIO in every direction, and prints what happened.
 *
 * Exit code 1 if a row breaks the contract that docs/semantics.md gives; each such row is named on standard error.
 */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "cmd.h"
#include "routes.h"
#include "table.h"

#define ROWS (ROUTES_KINDS * 2 * 3)

static const char help[] =
	"dmamap routes maps a buffer on a simulated machine over every route, lets a device use it, unmaps it,\n"
	"and lets the device try again: what each route does with RAM and with MMIO, performed, not looked up.\n"
	"\n"
	"Examples:\n"
	"  dmamap routes\n"
	"  dmamap routes --format amdv1\n"
	"  dmamap routes --json | jq '.rows[] | select(.result == \"error\")'\n"
	"\n"
	"Usage: dmamap routes [--format NAME] [--json]\n"
	"\n"
	"Options:\n"
	"      --format NAME  what the IOMMU is: a name that `dmamap replay --list-formats' prints (default vtd-ss)\n"
	"      --json         JSON, schema dmamap.routes/1 (docs/json.md)\n"
	"  -h, --help         show this\n"
	"\n"
	"Exit codes: 0 every row is as it must be, 1 some row is not, 2 usage, 4 internal error.\n";

static const struct option options[] = {
	{ "format", required_argument, NULL, 'f' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char *dir_name(enum dma_data_direction dir)
{
	static const char *const names[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE" };

	return names[dir];
}

static const char *data_name(enum routes_access access)
{
	static const char *const names[] = { "none", "ok", "blocked" };

	return names[access];
}

static const char *after_name(enum routes_access access)
{
	static const char *const names[] = { "none", "reached", "blocked" };

	return names[access];
}

static const char *memory_name(const struct routes_row *row)
{
	return row->mmio ? "mmio" : "ram";
}

static json_t *string_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *row_json(const struct routes_row *row)
{
	char addr[20];

	snprintf(addr, sizeof(addr), "0x%" PRIx64, row->dma_addr);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:o, s:b, s:b, s:b, s:b, s:s, s:o, s:o, s:s}",
		"route", routes_kind_name(row->kind), "memory", memory_name(row), "direction",
		dir_name(row->dir), "result", row->ok ? "ok" : "error", "reason",
		string_or_null(row->ok ? NULL : dma_reason_name(row->reason)), "dma_addr",
		string_or_null(row->ok ? addr : NULL), "took", dma_route_name(row->took), "method",
		string_or_null(row->method), "bounced", row->bounced, "cache_synced",
		row->cache_synced, "sanitized", row->sanitized, "traced", row->traced, "data",
		data_name(row->data), "unmap_method", string_or_null(row->unmap_method),
		"unmap_traced", row->ok ? json_boolean(row->unmap_traced) : json_null(),
		"after_unmap", after_name(row->after_unmap));
}

static int print_json(const struct routes_row *rows, const struct cmd_format *format)
{
	json_t *list = json_array();

	for (int i = 0; i < ROWS; i++)
		json_array_append_new(list, row_json(&rows[i]));
	return cmd_print_json(json_pack("{s:s, s:s, s:o}", "schema", "dmamap.routes/1", "format",
					format->name, "rows", list));
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void add_row(struct table *table, const struct routes_row *row)
{
	char addr[20] = "-";
	const char *cells[] = {
		routes_kind_name(row->kind),
		memory_name(row),
		dir_name(row->dir),
		row->ok ? "ok" : "error",
		dma_route_name(row->took),
		row->method ? row->method : "-",
		addr,
		yes_no(row->bounced),
		yes_no(row->cache_synced),
		yes_no(row->sanitized),
		yes_no(row->traced),
		data_name(row->data),
		row->unmap_method ? row->unmap_method : "-",
		row->ok ? yes_no(row->unmap_traced) : "-",
		after_name(row->after_unmap),
		row->ok ? "" : dma_reason_name(row->reason),
	};

	if (row->ok)
		snprintf(addr, sizeof(addr), "0x%" PRIx64, row->dma_addr);
	table_row(table, cells);
}

static int print_table(const struct routes_row *rows)
{
	static const char *const titles[] = {
		"ROUTE",	"MEMORY",  "DIRECTION",	  "RESULT",  "TOOK",   "METHOD",
		"DMA ADDRESS",	"BOUNCED", "SYNCED",	  "CHECKED", "TRACED", "DATA",
		"UNMAP METHOD", "TRACED",  "AFTER UNMAP", "REASON",
	};
	struct table table;
	bool printed;

	table_init(&table, sizeof(titles) / sizeof(titles[0]));
	table_row(&table, titles);
	for (int i = 0; i < ROWS; i++)
		add_row(&table, &rows[i]);
	printed = table_print(&table, stdout, cmd_colour(stdout), "error");
	table_free(&table);
	if (!printed)
		cmd_say("out of memory while printing the table");
	return printed ? CMD_CLEAN : CMD_INTERNAL;
}

/* MMIO is refused where every mapping must bounce, where the table has no method for it, and beyond the mask. */
static bool must_fail(const struct routes_row *row)
{
	return row->mmio && (row->kind == ROUTES_FORCED_BOUNCE ||
			     row->kind == ROUTES_OPS_PAGE_ONLY || row->kind == ROUTES_MASK32);
}

static bool must_bounce(const struct routes_row *row)
{
	return !row->mmio && (row->kind == ROUTES_FORCED_BOUNCE || row->kind == ROUTES_MASK32);
}

static const char *fault_of(const struct routes_row *row)
{
	if (row->ok == must_fail(row))
		return row->ok ? "should have been refused" : "was refused";
	if (!row->traced)
		return "the map was not traced";
	if (row->mmio && (row->bounced || row->cache_synced || row->sanitized))
		return "MMIO was treated like RAM";
	if (!row->ok)
		return row->reason == DMA_REASON_NONE ? "failed without a reason" : NULL;
	if (!row->unmap_traced)
		return "the unmap was not traced";
	if (row->data != ROUTES_ARRIVED)
		return "the data did not arrive";
	if (row->bounced != must_bounce(row))
		return row->bounced ? "bounced without need" : "did not bounce";
	if (row->kind == ROUTES_COHERENT && row->cache_synced)
		return "caches were maintained for a device that snoops";
	if (row->kind == ROUTES_IOMMU_STRICT && row->after_unmap != ROUTES_BLOCKED)
		return "the device reached memory after the unmap";
	return NULL;
}

static int judge(const struct routes_row *rows)
{
	int code = CMD_CLEAN;

	for (int i = 0; i < ROWS; i++) {
		const char *fault = fault_of(&rows[i]);

		if (!fault)
			continue;
		cmd_say("%s, %s, %s: %s", routes_kind_name(rows[i].kind), memory_name(&rows[i]),
			dir_name(rows[i].dir), fault);
		code = CMD_FINDINGS;
	}
	return code;
}

static int perform_all(struct routes_row *rows, const struct cmd_format *format)
{
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE,
							DMA_BIDIRECTIONAL };
	int rc;

	for (int i = 0; i < ROWS; i++) {
		rows[i].kind = (enum routes_kind)(i / 6);
		rows[i].mmio = i / 3 % 2;
		rows[i].dir = dirs[i % 3];
		rc = routes_perform(&rows[i], format);
		if (rc) {
			cmd_say("the simulated machine for %s cannot be built: %s",
				routes_kind_name(rows[i].kind), strerror(-rc));
			return rc;
		}
	}
	return 0;
}

static int run(int argc, char **argv)
{
	const struct cmd_format *format = cmd_formats;
	struct routes_row rows[ROWS] = { 0 };
	bool json = false;
	int c, code;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return CMD_CLEAN;
		}
		if (c == '?')
			return cmd_bad_option("routes", argc, argv, options);
		if (c == 'j')
			json = true;
		else
			format = cmd_format_find("routes", optarg);
		if (!format)
			return CMD_USAGE;
	}
	if (optind < argc)
		return cmd_usage("routes", "routes takes no argument: %s", argv[optind]);
	if (perform_all(rows, format))
		return CMD_INTERNAL;
	code = json ? print_json(rows, format) : print_table(rows);
	return code ? code : judge(rows);
}

const struct cmd_verb cmd_routes = {
	.name = "routes",
	.summary = "perform every route with RAM and MMIO, on a simulated machine",
	.help = help,
	.run = run,
};

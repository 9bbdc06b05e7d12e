/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dmamap emu`: lists scenarios on emulated hardware, performs them, and prints each step.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "emu.h"
#include "table.h"

static const char help[] =
	"dmamap emu drives QEMU's devices through the library, behind one of QEMU's IOMMUs, and prints what moved where,\n"
	"at which DMA address, and what was blocked with which fault. It needs qemu-system-x86_64, for smmuv3\n"
	"qemu-system-aarch64 (Debian's packages qemu-system-x86 and qemu-system-arm); neither root nor KVM.\n"
	"\n"
	"Examples:\n"
	"  dmamap emu --list\n"
	"  dmamap emu --iommu vtd --scenario p2p-nvme\n"
	"  dmamap emu --iommu virtio --json\n"
	"\n"
	"Usage: dmamap emu [--iommu vtd|amd|virtio|smmuv3|none] [--scenario NAME]... [--json]\n"
	"\n"
	"Options:\n"
	"      --iommu KIND     the IOMMU in front of the devices (default vtd)\n"
	"      --scenario NAME  only this one; may be repeated (default: all)\n"
	"      --list           list the scenarios\n"
	"      --json           JSON, schema dmamap.emu/1 (docs/json.md)\n"
	"  -h, --help           show this\n"
	"\n"
	"Exit codes: 0 all as it must be, 1 some step is not, 2 usage, 4 QEMU or a driver failed.\n";

static const struct option options[] = {
	{ "iommu", required_argument, NULL, 'i' }, { "scenario", required_argument, NULL, 's' },
	{ "list", no_argument, NULL, 'l' },	   { "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },	   { NULL, 0, NULL, 0 },
};

static const struct emu_scenario *const scenarios[] = {
	&emu_copy, &emu_direction, &emu_mask, &emu_bar, &emu_p2p_nvme,
};

#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* In the order of enum qemu_iommu_kind. */
static const char *const kinds[] = { "none", "vtd", "amd", "virtio", "smmuv3", NULL };
static const char *const results[] = { "moved", "blocked", "reached", "refused", "WRONG" };

struct arguments {
	enum qemu_iommu_kind iommu;
	bool chosen[SCENARIOS];
	bool json;
};

/** What became of one scenario. */
struct outcome {
	const struct emu_scenario *scenario;
	const char *limit; /* why it was not performed */
	bool performed;
	struct emu e;
};

/* --- arguments */

static int list(void)
{
	for (size_t i = 0; i < SCENARIOS; i++)
		printf("%-10s %s\n", scenarios[i]->name, scenarios[i]->what);
	return CMD_CLEAN;
}

static bool choose_scenario(struct arguments *args, const char *name)
{
	const char *names[SCENARIOS + 1] = { NULL };
	int found;

	for (size_t i = 0; i < SCENARIOS; i++)
		names[i] = scenarios[i]->name;
	found = cmd_choose("emu", "--scenario", name, names);
	if (found >= 0)
		args->chosen[found] = true;
	return found >= 0;
}

static bool choose_iommu(struct arguments *args, const char *name)
{
	int found = cmd_choose("emu", "--iommu", name, kinds);

	if (found >= 0)
		args->iommu = (enum qemu_iommu_kind)found;
	return found >= 0;
}

/** False, and *@code, where there is nothing more to do. */
static bool read_arguments(int argc, char **argv, struct arguments *args, int *code)
{
	bool any = false;
	int c;

	opterr = 0;
	*code = CMD_USAGE;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h' || c == 'l') {
			*code = c == 'l' ? list() : (fputs(help, stdout), CMD_CLEAN);
			return false;
		}
		if (c == '?' || c == ':') {
			cmd_bad_option("emu", argc, argv, options);
			return false;
		}
		if ((c == 'i' && !choose_iommu(args, optarg)) ||
		    (c == 's' && !choose_scenario(args, optarg)))
			return false;
		any |= c == 's';
		args->json |= c == 'j';
	}
	if (optind < argc) {
		cmd_usage("emu", "emu takes no arguments, only options: %s", argv[optind]);
		return false;
	}
	for (size_t i = 0; i < SCENARIOS; i++)
		args->chosen[i] |= !any;
	return true;
}

/* --- the report */

static bool outcome_ok(const struct outcome *o)
{
	for (unsigned int i = 0; i < o->e.nr_steps; i++)
		if (!o->e.steps[i].ok)
			return false;
	return o->limit || (o->performed && o->e.nr_steps);
}

static void print_steps(const struct outcome *o)
{
	static const char *const head[] = { "DEVICE",	   "RESULT", "BYTES",
					    "DMA ADDRESS", "WHAT",   "DETAIL" };
	struct table table;

	table_init(&table, 6);
	table.right[2] = true;
	table_row(&table, head);
	for (unsigned int i = 0; i < o->e.nr_steps; i++) {
		const struct emu_step *step = &o->e.steps[i];
		char bytes[24], addr[24] = "-";
		const char *cells[] = { step->device, results[step->ok ? step->result : EMU_WRONG],
					bytes,	      addr,
					step->what,   step->detail };

		snprintf(bytes, sizeof(bytes), "%" PRIu64, step->bytes);
		if (step->has_addr)
			snprintf(addr, sizeof(addr), "0x%" PRIx64, (uint64_t)step->addr);
		table_row(&table, cells);
	}
	table_print(&table, stdout, cmd_colour(stdout), results[EMU_WRONG]);
	table_free(&table);
}

static void print_outcome(const struct arguments *args, const struct outcome *o)
{
	printf("%s, IOMMU %s: %s\n", o->scenario->name, kinds[args->iommu], o->scenario->what);
	if (o->limit)
		printf("not performed: %s\n", o->limit);
	else if (o->e.nr_steps)
		print_steps(o);
	putchar('\n');
}

static json_t *step_json(const struct emu_step *step)
{
	char addr[24];

	snprintf(addr, sizeof(addr), "0x%" PRIx64, (uint64_t)step->addr);
	return json_pack("{s:s, s:s, s:b, s:I, s:o, s:s, s:s}", "device", step->device, "result",
			 results[step->result], "ok", step->ok, "bytes", (json_int_t)step->bytes,
			 "dma_addr", step->has_addr ? json_string(addr) : json_null(), "what",
			 step->what, "detail", step->detail);
}

static json_t *outcome_json(const struct outcome *o)
{
	json_t *steps = json_array();

	for (unsigned int i = 0; i < o->e.nr_steps; i++)
		json_array_append_new(steps, step_json(&o->e.steps[i]));
	return json_pack("{s:s, s:s, s:b, s:o, s:o}", "name", o->scenario->name, "what",
			 o->scenario->what, "ok", outcome_ok(o), "limit",
			 o->limit ? json_string(o->limit) : json_null(), "steps", steps);
}

/* --- the work */

static void perform(const struct arguments *args, struct outcome *o)
{
	o->e.iommu = args->iommu;
	o->limit = o->scenario->limit ? o->scenario->limit(args->iommu) : NULL;
	if (o->limit)
		return;
	o->performed = o->scenario->run(&o->e);
	o->performed = emu_stop(&o->e) && o->performed;
}

static int run(int argc, char **argv)
{
	struct arguments args = { .iommu = QEMU_IOMMU_VTD };
	json_t *list_of = json_array();
	int code, result = CMD_CLEAN;
	struct outcome *o;

	if (!read_arguments(argc, argv, &args, &code)) {
		json_decref(list_of);
		return code;
	}
	for (size_t i = 0; i < SCENARIOS; i++) {
		if (!args.chosen[i])
			continue;
		o = calloc(1, sizeof(*o));
		if (!o) {
			cmd_say("emu: out of memory");
			return CMD_INTERNAL;
		}
		o->scenario = scenarios[i];
		perform(&args, o);
		if (args.json)
			json_array_append_new(list_of, outcome_json(o));
		else
			print_outcome(&args, o);
		if (!o->limit && !o->performed)
			result = CMD_INTERNAL;
		else if (result == CMD_CLEAN && !outcome_ok(o))
			result = CMD_FINDINGS;
		free(o);
	}
	if (!args.json) {
		json_decref(list_of);
		return result;
	}
	code = cmd_print_json(json_pack("{s:s, s:s, s:o}", "schema", "dmamap.emu/1", "iommu",
					kinds[args.iommu], "scenarios", list_of));
	return code ? code : result;
}

const struct cmd_verb cmd_emu = {
	.name = "emu",
	.summary = "scenarios on emulated hardware, behind an IOMMU that somebody else wrote",
	.help = help,
	.run = run,
};

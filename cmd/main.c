/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dmamap command: finds the verb and runs it. Exit codes: 0 clean, 1 findings or failures, 2 usage, 3 unreadable
 * input, 4 internal.
 */
#include <string.h>

#include <dmamap/dmamap.h>

#include "cmd.h"

static const struct cmd_verb *const verbs[] = { &cmd_routes, &cmd_replay, &cmd_p2p, &cmd_emu,
						&cmd_bench };

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const char intro[] =
	"dmamap performs DMA mappings with a library that follows Linux's rules.\n"
	"\n"
	"Examples:\n"
	"  dmamap routes                      what every route does with RAM and with MMIO\n"
	"  dmamap replay trace.txt.gz         make a kernel's recorded mappings again, and check the data\n"
	"  dmamap replay --route iommu --json trace.txt\n"
	"  dmamap p2p lspci.txt               which PCI function may reach the memory of which, and why not\n"
	"  dmamap emu --scenario p2p-nvme     peer to peer on emulated devices, behind an emulated IOMMU\n"
	"  dmamap bench                       what the operations cost on this machine\n"
	"\n"
	"Usage: dmamap VERB [OPTION]...\n"
	"\n"
	"Verbs:\n";

static const char outro[] =
	"\n"
	"Options:\n"
	"  -h, --help     show this, or with a verb that verb's help (also: dmamap help VERB)\n"
	"  -V, --version  show the version\n"
	"\n"
	"Exit codes: 0 clean, 1 findings or failures, 2 usage, 3 unreadable input, 4 internal error.\n";

static int print_help(FILE *to)
{
	fputs(intro, to);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  %-13s  %s\n", verbs[i]->name, verbs[i]->summary);
	fputs(outro, to);
	return CMD_CLEAN;
}

static const struct cmd_verb *find_verb(const char *name)
{
	const char *names[VERBS + 2], *nearest;

	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
		names[i] = verbs[i]->name;
	}
	names[VERBS] = "help";
	names[VERBS + 1] = NULL;
	nearest = cmd_nearest(name, names);
	if (nearest)
		cmd_usage(NULL, "there is no verb %s; did you mean %s?", name, nearest);
	else
		cmd_usage(NULL,
			  "there is no verb %s; there are routes, replay, p2p, emu, bench and help",
			  name);
	return NULL;
}

/* dmamap help [VERB] */
static int help(int argc, char **argv)
{
	const struct cmd_verb *verb;

	if (argc < 2)
		return print_help(stdout);
	if (argc > 2)
		return cmd_usage(NULL, "help takes one verb, not %d", argc - 1);
	verb = find_verb(argv[1]);
	if (!verb)
		return CMD_USAGE;
	fputs(verb->help, stdout);
	return CMD_CLEAN;
}

static int refuse_option(const char *typed)
{
	static const char *const options[] = { "--help", "--version", NULL };
	const char *nearest = cmd_nearest(typed, options);

	if (nearest)
		return cmd_usage(NULL, "there is no option %s; did you mean %s?", typed, nearest);
	return cmd_usage(NULL, "there is no option %s before the verb", typed);
}

static int dispatch(int argc, char **argv)
{
	const struct cmd_verb *verb;
	const char *word = argv[1];

	if (argc < 2) {
		print_help(stderr);
		return CMD_USAGE;
	}
	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
		return print_help(stdout);
	if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
		puts("dmamap " DMAMAP_VERSION);
		return CMD_CLEAN;
	}
	if (strcmp(word, "help") == 0)
		return help(argc - 1, argv + 1);
	if (word[0] == '-')
		return refuse_option(word);
	verb = find_verb(word);
	return verb ? verb->run(argc - 1, argv + 1) : CMD_USAGE;
}

int main(int argc, char **argv)
{
	return cmd_finish(dispatch(argc, argv));
}

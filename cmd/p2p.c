/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `dmamap p2p`: which PCI function may reach the memory of which other one, and if not, why not.
 *
 * The answers are the library's own: the same that list mappings get. A refusal in the matrix is no failure of the
 * command.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "p2p.h"

#define TEXT_MAX ((size_t)64 << 20)
#define ALLOWED	 64

static const char help[] =
	"dmamap p2p reads a PCI topology and prints for each pair of functions whether the client can reach the\n"
	"provider's memory: by bus address, through the host bridge, or not, with the reasons.\n"
	"\n"
	"Examples:\n"
	"  sudo lspci -vvv -nn -D | dmamap p2p -\n"
	"  dmamap p2p examples/topology/two-switches.topology\n"
	"  dmamap p2p --allow 8086:7190 lspci.txt       what if that host bridge forwarded?\n"
	"\n"
	"Usage: dmamap p2p [OPTION]... FILE\n"
	"\n"
	"FILE is what `lspci -vvv' prints (as root; -nn gives the ids, without which no host bridge is known), or a\n"
	"topology in a small form of our own (dmamap-p2p(1)); - is standard input.\n"
	"\n"
	"Options:\n"
	"      --allow VENDOR:DEVICE[,same-root]\n"
	"                     take this host bridge to forward peers' traffic, with same-root only between its own\n"
	"                     functions; * is any device; may be repeated\n"
	"      --cpu-amd-zen  the CPU is an AMD of family 17h or later, whose host bridges all forward\n"
	"      --all          show functions on root buses too\n"
	"      --json         JSON, schema dmamap.p2p/1 (docs/json.md)\n"
	"  -h, --help         show this\n"
	"\n"
	"Exit codes: 0 the matrix was printed, 2 usage, 3 unreadable input, 4 internal error.\n";

static const struct option options[] = {
	{ "allow", required_argument, NULL, 'a' }, { "cpu-amd-zen", no_argument, NULL, 'z' },
	{ "all", no_argument, NULL, 'l' },	   { "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },	   { NULL, 0, NULL, 0 },
};

struct arguments {
	struct p2p_options show;
	bool amd_zen;
	struct dma_pci_allowed allowed[ALLOWED];
	unsigned int nr_allowed;
};

/* --- arguments */

static int read_allowed(struct arguments *args, const char *text)
{
	struct dma_pci_allowed *a = &args->allowed[args->nr_allowed];
	const char *at = text, *start = text;
	uint64_t vendor;

	if (args->nr_allowed == ALLOWED)
		return cmd_usage("p2p", "--allow: more than %d host bridges", ALLOWED);
	if (!p2p_parse_id(&at, &a->vendor, &a->device)) {
		at = start;
		if (!p2p_parse_hex(&at, 4, &vendor) || at != start + 4 || strncmp(at, ":*", 2) != 0)
			return cmd_usage("p2p", "--allow: %s is not of the form 8086:2030", text);
		a->vendor = (uint16_t)vendor;
		a->device = DMA_PCI_ANY;
		at += 2;
	}
	a->same_root = strcmp(at, ",same-root") == 0;
	if (*at && !a->same_root)
		return cmd_usage("p2p", "--allow: behind the ids may only stand ,same-root: %s",
				 text);
	args->nr_allowed++;
	return 0;
}

/** False, and *@code, where there is nothing more to do. */
static bool read_arguments(int argc, char **argv, struct arguments *args, int *code)
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
		if (c == 'a' && read_allowed(args, optarg))
			return false;
		if (c == '?' || c == ':') {
			cmd_bad_option("p2p", argc, argv, options);
			return false;
		}
		args->amd_zen |= c == 'z';
		args->show.all |= c == 'l';
		args->show.json |= c == 'j';
	}
	if (optind + 1 != argc) {
		cmd_usage("p2p", optind < argc ? "p2p takes one file"
					       : "p2p needs a file, or - for standard input");
		return false;
	}
	args->show.file = argv[optind];
	return true;
}

/* --- the file */

/** All of it with a NUL behind it; NULL and errno. */
static char *slurp(FILE *file)
{
	size_t n = 0, room = 65536;
	char *text = malloc(room);

	while (text) {
		char *more;

		n += fread(text + n, 1, room - n - 1, file);
		if (n < room - 1)
			break;
		room *= 2;
		more = room > TEXT_MAX ? NULL : realloc(text, room);
		if (!more) {
			free(text);
			errno = room > TEXT_MAX ? EFBIG : ENOMEM;
		}
		text = more;
	}
	if (text && ferror(file)) {
		free(text);
		return NULL;
	}
	if (text)
		text[n] = '\0';
	return text;
}

static char *read_file(const char *name)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	char *text = file ? slurp(file) : NULL;

	if (!text)
		cmd_say("%s: %s", name, strerror(errno));
	if (file && file != stdin)
		fclose(file);
	return text;
}

/* --- what was left out */

static void warn(const struct p2p_tree *tree, const char *file)
{
	if (tree->denied)
		cmd_say("%s: lspci was denied the capabilities of %u functions, so ACS and kinds of ports are "
			"not known; run it as root",
			file, tree->denied);
	if (tree->without_ids)
		cmd_say("%s: %u functions are without ids, so no such host bridge is known; run lspci with -nn",
			file, tree->without_ids);
	if (tree->left_out)
		cmd_say("%s: %u regions without a usable address or size are left out", file,
			tree->left_out);
}

static int show(struct p2p_tree *tree, const struct arguments *args)
{
	tree->topology.allowed = args->allowed;
	tree->topology.nr_allowed = args->nr_allowed;
	tree->topology.cpu_amd_zen = args->amd_zen;
	warn(tree, args->show.file);
	return args->show.json ? p2p_report_json(tree, &args->show) : p2p_report(tree, &args->show);
}

static int run(int argc, char **argv)
{
	struct arguments args = { .nr_allowed = 0 };
	struct p2p_tree tree;
	char *text;
	int code;

	if (!read_arguments(argc, argv, &args, &code))
		return code;
	text = read_file(args.show.file);
	if (!text)
		return CMD_UNREADABLE;
	code = p2p_read(text, &tree);
	if (code == -ENOMEM)
		cmd_say("%s: out of memory", args.show.file);
	else if (code && tree.error_line)
		cmd_say("%s:%zu: %s", args.show.file, tree.error_line, tree.error);
	else if (code)
		cmd_say("%s: %s", args.show.file, tree.error);
	else
		code = show(&tree, &args);
	p2p_free(&tree);
	free(text);
	return code == -ENOMEM ? CMD_INTERNAL : code < 0 ? CMD_UNREADABLE : code;
}

const struct cmd_verb cmd_p2p = {
	.name = "p2p",
	.summary = "print which PCI function may reach the memory of which, and why not",
	.help = help,
	.run = run,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reachability matrix for people: who is in it, provider by client, and below it why a cell is what it is.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "p2p.h"

#define NOTE 700

/** Texts that cells refer to, each once. */
struct notes {
	char (*text)[NOTE];
	size_t n;
	size_t room;
	bool failed;
};

/* --- who is in it */

uint64_t p2p_memory(const struct p2p_tree *tree, size_t i)
{
	const struct p2p_function *f = &tree->functions[i];
	uint64_t sum = 0;

	for (unsigned int j = 0; j < f->nr_bars; j++)
		if (!f->bars[j].io)
			sum += f->bars[j].size;
	return sum;
}

static bool is_candidate(const struct p2p_tree *tree, size_t i)
{
	return tree->topology.nodes[i].kind == DMA_PCI_ENDPOINT && !tree->functions[i].host;
}

static bool on_root_bus(const struct p2p_tree *tree, size_t i)
{
	const struct dma_pci_node *nodes = tree->topology.nodes;

	return nodes[nodes[i].parent].kind == DMA_PCI_HOST_BRIDGE;
}

/** Functions of the chipset would fill the matrix: they are left out while there are others. */
bool p2p_shown(const struct p2p_tree *tree, const struct p2p_options *options, size_t i)
{
	if (!is_candidate(tree, i))
		return false;
	if (options->all || !on_root_bus(tree, i))
		return true;
	for (size_t j = 0; j < tree->n; j++)
		if (is_candidate(tree, j) && !on_root_bus(tree, j))
			return false;
	return true;
}

/* --- why */

struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->at, t->left, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->left)
		n = (int)t->left - 1;
	t->at += n;
	t->left -= (size_t)n;
}

static void add_address(struct text *t, const struct p2p_tree *tree, int node)
{
	char address[P2P_ADDRESS];

	p2p_address(&tree->topology.nodes[node], address);
	add(t, "%s", address);
}

/** In the order of the file, so that both directions of a pair share a note. */
static void sort(int *nodes, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++)
		for (unsigned int j = i; j && nodes[j] < nodes[j - 1]; j--) {
			int node = nodes[j];

			nodes[j] = nodes[j - 1];
			nodes[j - 1] = node;
		}
}

static void add_redirects(struct text *t, const struct p2p_tree *tree,
			  const struct dma_p2p_answer *a)
{
	unsigned int n = a->nr_redirects < DMA_P2P_REDIRECTS ? a->nr_redirects : DMA_P2P_REDIRECTS;
	int nodes[DMA_P2P_REDIRECTS];

	memcpy(nodes, a->redirects, sizeof(nodes));
	sort(nodes, n);
	add(t, "%s", "ACS redirects at ");
	for (unsigned int i = 0; i < n; i++) {
		add(t, "%s", i ? ", " : "");
		add_address(t, tree, nodes[i]);
	}
	if (a->nr_redirects > DMA_P2P_REDIRECTS)
		add(t, " and %u more", a->nr_redirects - DMA_P2P_REDIRECTS);
}

static void add_bridge(struct text *t, const struct p2p_tree *tree, int bridge)
{
	int id = dma_pci_bridge_id(&tree->topology, bridge);

	add(t, "%s", "host bridge ");
	add_address(t, tree, bridge);
	if (id < 0) {
		add(t, "%s", ", which nothing identifies");
		return;
	}
	add(t, " (%04x:%04x at ", tree->topology.nodes[id].vendor, tree->topology.nodes[id].device);
	add_address(t, tree, id);
	add(t, "%s", ")");
}

/** Why not by bus address, and if refused why not at all; empty where there is nothing to say. */
static void explain(const struct p2p_tree *tree, const struct dma_p2p_answer *a, char out[NOTE])
{
	struct text t = { out, NOTE };

	*out = '\0';
	if (a->type == DMA_P2P_BUS_ADDR)
		return;
	if (a->type == DMA_P2P_NOT_SUPPORTED)
		add(&t, "%s: %s\n       ", dma_reason_name(a->reason), dma_reason_what(a->reason));
	if (a->nr_redirects)
		add_redirects(&t, tree, a);
	else
		add(&t, "%s", "no bridge above both");
	if (a->type != DMA_P2P_NOT_SUPPORTED)
		return;
	add(&t, "%s", "; refused by ");
	add_bridge(&t, tree, a->refused_by);
	add(&t, "\n       help: %s", dma_reason_help(a->reason));
}

/** The number of the note, from 1; 0: none. */
static size_t note(struct notes *notes, const char *text)
{
	if (!*text)
		return 0;
	for (size_t i = 0; i < notes->n; i++)
		if (strcmp(notes->text[i], text) == 0)
			return i + 1;
	if (notes->n == notes->room) {
		size_t room = notes->room ? notes->room * 2 : 16;
		void *more = realloc(notes->text, room * sizeof(*notes->text));

		if (!more) {
			notes->failed = true;
			return 0;
		}
		notes->text = more;
		notes->room = room;
	}
	memcpy(notes->text[notes->n++], text, strlen(text) + 1);
	return notes->n;
}

/* --- the tables */

#define CELL 48

static void cell(const struct p2p_tree *tree, size_t provider, size_t client, struct notes *notes,
		 char out[CELL])
{
	static const char *const types[] = { "?", "?", "no", "bus", "host" };
	struct dma_p2p_answer a;
	char why[NOTE];
	size_t number;

	if (provider == client) {
		memcpy(out, "-", sizeof("-"));
		return;
	}
	dma_p2p_query(&tree->topology, (int)provider, (int)client, &a);
	explain(tree, &a, why);
	number = note(notes, why);
	if (number)
		snprintf(out, CELL, "%s %d [%zu]", types[a.type], a.distance, number);
	else
		snprintf(out, CELL, "%s %d", types[a.type], a.distance);
}

static void format_size(uint64_t size, char out[24])
{
	static const char units[] = " KMGTPE";
	size_t unit = 0;

	for (; size && size % 1024 == 0 && units[unit + 1]; unit++)
		size /= 1024;
	snprintf(out, 24, "%llu%.*s", (unsigned long long)size, unit ? 1 : 0, &units[unit]);
}

static size_t print_functions(const struct p2p_tree *tree, const struct p2p_options *options)
{
	size_t shown = 0, left = 0;

	printf("%-4s  %-12s  %-9s  %7s  %s\n", "#", "FUNCTION", "ID", "MEMORY", "WHAT");
	for (size_t i = 0; i < tree->n; i++) {
		const struct dma_pci_node *n = &tree->topology.nodes[i];
		char address[P2P_ADDRESS], memory[24] = "-";

		if (!p2p_shown(tree, options, i)) {
			left += is_candidate(tree, i);
			continue;
		}
		p2p_address(n, address);
		if (p2p_memory(tree, i))
			format_size(p2p_memory(tree, i), memory);
		printf("%-4zu  %-12s  %04x:%04x  %7s  %s\n", ++shown, address, n->vendor, n->device,
		       memory, tree->functions[i].what);
	}
	if (left)
		printf("Left out: %zu on root buses (--all shows them).\n", left);
	return shown;
}

static void print_row(const struct p2p_tree *tree, const struct p2p_options *options,
		      size_t provider, size_t number, struct notes *notes)
{
	char address[P2P_ADDRESS], text[CELL];
	int pad = 0;

	p2p_address(&tree->topology.nodes[provider], address);
	printf("%-4zu  %-12s", number, address);
	for (size_t i = 0; i < tree->n; i++) {
		if (!p2p_shown(tree, options, i))
			continue;
		cell(tree, provider, i, notes, text);
		printf("%*s  %s", pad, "", text);
		pad = strlen(text) < 11 ? 11 - (int)strlen(text) : 0;
	}
	putchar('\n');
}

static void print_matrix(const struct p2p_tree *tree, const struct p2p_options *options,
			 size_t shown, struct notes *notes)
{
	size_t number = 0, rows = 0;

	printf("\n%-18s", "PROVIDER \\ CLIENT");
	for (size_t i = 1; i < shown; i++)
		printf("  %-11zu", i);
	if (shown)
		printf("  %zu", shown);
	putchar('\n');
	for (size_t i = 0; i < tree->n; i++) {
		if (!p2p_shown(tree, options, i))
			continue;
		number++;
		if (!p2p_memory(tree, i))
			continue;
		print_row(tree, options, i, number, notes);
		rows++;
	}
	if (!rows)
		puts("(no function has memory to offer)");
	puts("\nbus N: by the peer's bus address; host N: through the host bridge, mapped as MMIO; "
	     "no N: refused. N links apart.");
}

int p2p_report(const struct p2p_tree *tree, const struct p2p_options *options)
{
	struct notes notes = { .n = 0 };
	size_t shown = print_functions(tree, options);

	print_matrix(tree, options, shown, &notes);
	if (notes.n)
		putchar('\n');
	for (size_t i = 0; i < notes.n; i++)
		printf("%*s[%zu]  %s\n", i < 9 ? 1 : 0, "", i + 1, notes.text[i]);
	free(notes.text);
	if (notes.failed)
		cmd_say("out of memory while printing the matrix");
	return notes.failed ? CMD_INTERNAL : CMD_CLEAN;
}

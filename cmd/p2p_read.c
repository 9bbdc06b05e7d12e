/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From text to a topology: which form it is, what both readers need, and the tree made of the functions read.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "p2p.h"

#define OWN_FORM "dmamap-topology 1"

/* --- for both readers */

int p2p_wrong(struct p2p_tree *tree, size_t line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(tree->error, sizeof(tree->error), format, ap);
	va_end(ap);
	tree->error_line = line;
	return -EINVAL;
}

struct p2p_function *p2p_add(struct p2p_tree *tree, size_t line)
{
	struct p2p_function *f;

	if (tree->n == P2P_FUNCTIONS) {
		p2p_wrong(tree, line, "more than %d functions", P2P_FUNCTIONS);
		return NULL;
	}
	if (tree->n == tree->room) {
		size_t room = tree->room ? tree->room * 2 : 32;

		f = realloc(tree->functions, room * sizeof(*f));
		if (!f)
			return NULL;
		tree->functions = f;
		tree->room = room;
	}
	f = &tree->functions[tree->n++];
	memset(f, 0, sizeof(*f));
	f->kind = DMA_PCI_ENDPOINT;
	f->line = line;
	return f;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool p2p_parse_hex(const char **s, unsigned int digits, uint64_t *value)
{
	unsigned int n = 0;

	*value = 0;
	for (; hex_digit(**s) >= 0; ++*s, n++) {
		if (n == digits)
			return false;
		*value = *value << 4 | (uint64_t)hex_digit(**s);
	}
	return n > 0;
}

static bool skip(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

bool p2p_parse_address(const char **s, uint32_t *domain, uint8_t *bus, uint8_t *devfn)
{
	uint64_t first, second, third, function;

	if (!p2p_parse_hex(s, 8, &first) || !skip(s, ':') || !p2p_parse_hex(s, 2, &second))
		return false;
	if (skip(s, ':')) {
		if (!p2p_parse_hex(s, 2, &third))
			return false;
	} else {
		third = second;
		second = first;
		first = 0;
	}
	if (!skip(s, '.') || !p2p_parse_hex(s, 1, &function) || second > 0xff || third > 0x1f ||
	    function > 7)
		return false;
	*domain = (uint32_t)first;
	*bus = (uint8_t)second;
	*devfn = (uint8_t)(third << 3 | function);
	return true;
}

bool p2p_parse_id(const char **s, uint16_t *vendor, uint16_t *device)
{
	const char *start = *s;
	uint64_t v, d;

	if (!p2p_parse_hex(s, 4, &v) || *s != start + 4 || !skip(s, ':') ||
	    !p2p_parse_hex(s, 4, &d) || *s != start + 9)
		return false;
	*vendor = (uint16_t)v;
	*device = (uint16_t)d;
	return true;
}

bool p2p_parse_size(const char **s, uint64_t *size)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t value = 0;
	int n = 0;

	for (; **s >= '0' && **s <= '9'; ++*s, n++) {
		if (n == 15)
			return false;
		value = value * 10 + (uint64_t)(**s - '0');
	}
	unit = **s ? strchr(units, **s) : NULL;
	if (unit) {
		unsigned int shift = 10 * (unsigned int)(unit - units + 1);

		if (value >> (63 - shift))
			return false;
		value <<= shift;
		++*s;
	}
	*size = value;
	return n > 0 && value > 0;
}

char *p2p_next_line(char **text)
{
	char *line = *text, *end;

	if (!*line)
		return NULL;
	end = line + strcspn(line, "\n");
	*text = *end ? end + 1 : end;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return line;
}

void p2p_address(const struct dma_pci_node *node, char out[P2P_ADDRESS])
{
	if (node->kind == DMA_PCI_HOST_BRIDGE)
		snprintf(out, P2P_ADDRESS, "%04x:%02x", (unsigned int)node->domain, node->bus);
	else
		snprintf(out, P2P_ADDRESS, "%04x:%02x:%02x.%x", (unsigned int)node->domain,
			 node->bus, node->devfn >> 3, node->devfn & 7);
}

/* --- the tree */

static int find(const struct p2p_tree *tree, uint32_t domain, uint8_t bus, uint8_t devfn)
{
	for (size_t i = 0; i < tree->n; i++) {
		const struct p2p_function *f = &tree->functions[i];

		if (f->domain == domain && f->bus == bus && f->devfn == devfn)
			return (int)i;
	}
	return -1;
}

/** Does @bridge lead to @f's bus? 0: no, else the fewer buses it leads to, the better. */
static unsigned int leads_to(const struct p2p_function *bridge, const struct p2p_function *f)
{
	if (bridge == f || !bridge->secondary || bridge->domain != f->domain)
		return 0;
	if (bridge->secondary == f->bus)
		return 257;
	if (f->bus < bridge->secondary || f->bus > bridge->subordinate)
		return 0;
	return 256u - (bridge->subordinate - bridge->secondary);
}

/** The bridge above @f by the numbers of buses; -1: @f is on a root bus. */
static int bridge_above(const struct p2p_tree *tree, const struct p2p_function *f)
{
	unsigned int best = 0;
	int found = -1;

	for (size_t i = 0; i < tree->n; i++) {
		unsigned int fit = leads_to(&tree->functions[i], f);

		if (fit > best) {
			best = fit;
			found = (int)i;
		}
	}
	return found;
}

static int parent_of(struct p2p_tree *tree, const struct p2p_function *f, int *parent)
{
	*parent = f->has_parent ? find(tree, f->parent_domain, f->parent_bus, f->parent_devfn)
				: bridge_above(tree, f);
	if (!f->has_parent || *parent >= 0)
		return 0;
	return p2p_wrong(tree, f->line, "%04x:%02x:%02x.%x is not in the file",
			 (unsigned int)f->parent_domain, f->parent_bus, f->parent_devfn >> 3,
			 f->parent_devfn & 7);
}

/** The host bridge of a root bus, made if it is new. */
static int host_bridge(struct dma_pci_topology *t, size_t n, const struct p2p_function *f)
{
	for (unsigned int i = (unsigned int)n; i < t->nr_nodes; i++)
		if (t->nodes[i].domain == f->domain && t->nodes[i].bus == f->bus)
			return (int)i;
	t->nodes[t->nr_nodes] = (struct dma_pci_node){
		.domain = f->domain, .bus = f->bus, .kind = DMA_PCI_HOST_BRIDGE, .parent = -1
	};
	return (int)t->nr_nodes++;
}

/** What lspci calls a port need not stand where one stands: then it is a bridge like any other. */
static void fit_kinds(struct dma_pci_topology *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct dma_pci_node *node = &t->nodes[i];
		enum dma_pci_kind above = t->nodes[node->parent].kind;

		if ((node->kind == DMA_PCI_ROOT_PORT && above != DMA_PCI_HOST_BRIDGE) ||
		    (node->kind == DMA_PCI_DOWNSTREAM && above != DMA_PCI_UPSTREAM) ||
		    (node->kind == DMA_PCI_UPSTREAM && above == DMA_PCI_UPSTREAM))
			node->kind = DMA_PCI_BRIDGE;
	}
}

static int check(struct p2p_tree *tree)
{
	struct dma_pci_fault fault;
	char at[P2P_ADDRESS] = "", other[P2P_ADDRESS] = "";
	size_t line = 0;

	if (!dma_pci_check(&tree->topology, &fault))
		return 0;
	if (fault.node >= 0) {
		p2p_address(&tree->topology.nodes[fault.node], at);
		if ((size_t)fault.node < tree->n)
			line = tree->functions[fault.node].line;
	}
	if (fault.other >= 0 && (unsigned int)fault.other < tree->topology.nr_nodes)
		p2p_address(&tree->topology.nodes[fault.other], other);
	return p2p_wrong(tree, line, "%s%s%s: %s", at, *other ? ", " : "", other, fault.what);
}

static int build(struct p2p_tree *tree)
{
	struct dma_pci_topology *t = &tree->topology;

	*t = (struct dma_pci_topology){ .size = sizeof(*t), .nr_nodes = (unsigned int)tree->n };
	t->nodes = calloc(2 * tree->n, sizeof(*t->nodes));
	if (!t->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < tree->n; i++) {
		const struct p2p_function *f = &tree->functions[i];
		int parent;
		int err = parent_of(tree, f, &parent);

		if (err)
			return err;
		t->nodes[i] = (struct dma_pci_node){ .domain = f->domain,
						     .bus = f->bus,
						     .devfn = f->devfn,
						     .kind = f->kind,
						     .vendor = f->vendor,
						     .device = f->device,
						     .acs = f->acs,
						     .bars = f->bars,
						     .nr_bars = f->nr_bars };
		t->nodes[i].parent = parent < 0 ? host_bridge(t, tree->n, f) : parent;
	}
	if (strcmp(tree->form, "lspci") == 0)
		fit_kinds(t, tree->n);
	return check(tree);
}

/** Pass comments and empty lines; is what follows our own form? Then *@text is behind its first line. */
static bool is_own(char **text, size_t *line)
{
	char *at = *text;

	for (*line = 1; *at == '#' || *at == '\n' || *at == '\r'; ++*line) {
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	if (strncmp(at, OWN_FORM, strlen(OWN_FORM)) != 0)
		return false;
	at += strlen(OWN_FORM);
	if (at[strspn(at, " \t\r")] != '\n' && at[strspn(at, " \t\r")])
		return false;
	at += strcspn(at, "\n");
	*text = at + (*at == '\n');
	return true;
}

int p2p_read(char *text, struct p2p_tree *tree)
{
	size_t line;
	bool own = is_own(&text, &line);
	int err;

	memset(tree, 0, sizeof(*tree));
	tree->form = own ? "topology" : "lspci";
	err = own ? p2p_read_own(text, line, tree) : p2p_read_lspci(text, tree);
	if (!err && !tree->n)
		err = p2p_wrong(tree, 0,
				own ? "it names no function"
				    : "it holds no function as `lspci -vvv' prints it, and "
				      "does not begin with " OWN_FORM);
	return err ? err : build(tree);
}

void p2p_free(struct p2p_tree *tree)
{
	free(tree->functions);
	free(tree->topology.nodes);
	memset(tree, 0, sizeof(*tree));
}

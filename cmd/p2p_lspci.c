/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what `lspci -vvv` prints, with numbers (-nn, -n) or without, with or without domains (-D). Only the lines that
 * decide are looked at; all others may say what they like.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "p2p.h"

/* --- the first line of a function: "00:01.0 PCI bridge [0604]: Intel … [8086:2030] (rev 07)" */

/** The last "[VVVV:DDDD]" of the line, or with -n the ids behind the class. */
static bool find_ids(const char *text, struct p2p_function *f)
{
	bool found = false;

	for (const char *s = strchr(text, '['); s; s = strchr(s + 1, '[')) {
		const char *at = s + 1;
		uint16_t vendor, device;

		if (!p2p_parse_id(&at, &vendor, &device) || *at != ']')
			continue;
		f->vendor = vendor;
		f->device = device;
		found = true;
	}
	return found;
}

/** @rest is behind the address. */
static void read_class(const char *rest, struct p2p_tree *tree, struct p2p_function *f)
{
	const char *end = strstr(rest, ": ");
	size_t len = end ? (size_t)(end - rest) : strlen(rest);
	const char *code = memchr(rest, '[', len);
	const char *ids = end ? end + 2 : "";
	uint64_t class = 0;

	if (code) {
		const char *digits = code + 1;

		p2p_parse_hex(&digits, 4, &class);
		while (code > rest && code[-1] == ' ')
			code--;
		len = (size_t)(code - rest);
	} else if (len == 4) {
		const char *digits = rest;

		p2p_parse_hex(&digits, 4, &class);
	}
	snprintf(f->what, sizeof(f->what), "%.*s", (int)(len < sizeof(f->what) ? len : 47), rest);
	f->host = class == 0x0600 || strncmp(rest, "Host bridge", 11) == 0;
	if (!find_ids(ids, f) && !p2p_parse_id(&ids, &f->vendor, &f->device))
		tree->without_ids++;
}

/** Is this the first line of a function? Then it is added. 0, 1 or -errno. */
static int read_head(const char *text, size_t line, struct p2p_tree *tree)
{
	uint32_t domain;
	uint8_t bus, devfn;
	struct p2p_function *f;

	if (!p2p_parse_address(&text, &domain, &bus, &devfn) || *text != ' ')
		return 0;
	f = p2p_add(tree, line);
	if (!f)
		return *tree->error ? -EINVAL : -ENOMEM;
	f->domain = domain;
	f->bus = bus;
	f->devfn = devfn;
	read_class(text + 1, tree, f);
	return 1;
}

/* --- the lines below it */

static bool number_behind(const char *text, const char *key, uint64_t *value)
{
	const char *at = strstr(text, key);

	if (!at)
		return false;
	at += strlen(key);
	return p2p_parse_hex(&at, 2, value);
}

static void read_buses(const char *text, struct p2p_function *f)
{
	uint64_t secondary, subordinate;

	if (!number_behind(text, "secondary=", &secondary) ||
	    !number_behind(text, "subordinate=", &subordinate))
		return;
	f->secondary = (uint8_t)secondary;
	f->subordinate = (uint8_t)subordinate;
	if (f->kind == DMA_PCI_ENDPOINT)
		f->kind = DMA_PCI_BRIDGE;
}

static bool has_bar(const struct p2p_function *f, uint64_t index)
{
	for (unsigned int i = 0; i < f->nr_bars; i++)
		if (f->bars[i].index == index)
			return true;
	return false;
}

/** "Region 0: Memory at e0000000 (64-bit, prefetchable) [size=16M]"; false if it is left out. */
static bool read_region(const char *text, struct p2p_function *f)
{
	const char *memory = strstr(text, "Memory at "), *size = strstr(text, "[size=");
	struct dma_pci_bar bar = { .io = strstr(text, "I/O ports at ") != NULL };
	uint64_t index;

	if (!p2p_parse_hex(&text, 1, &index) || *text != ':' || index >= DMA_PCI_BARS ||
	    has_bar(f, index) || strstr(text, "[disabled]"))
		return false;
	bar.index = (uint8_t)index;
	if (bar.io) {
		f->bars[f->nr_bars++] = bar;
		return true;
	}
	if (!memory || !size)
		return false;
	memory += strlen("Memory at ");
	size += strlen("[size=");
	if (!p2p_parse_hex(&memory, 16, &bar.cpu) || !p2p_parse_size(&size, &bar.size) ||
	    bar.size - 1 > ~bar.cpu || !bar.cpu)
		return false;
	bar.bus = bar.cpu;
	f->bars[f->nr_bars++] = bar;
	return true;
}

static void read_express(const char *text, struct p2p_function *f)
{
	static const struct {
		const char *word;
		enum dma_pci_kind kind;
	} kinds[] = {
		{ "Root Port", DMA_PCI_ROOT_PORT },
		{ "Upstream Port", DMA_PCI_UPSTREAM },
		{ "Downstream Port", DMA_PCI_DOWNSTREAM },
		{ "PCI-Express to PCI", DMA_PCI_BRIDGE },
		{ "to PCI-Express Bridge", DMA_PCI_BRIDGE },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strstr(text, kinds[i].word)) {
			f->kind = kinds[i].kind;
			return;
		}
}

static void read_acs(const char *text, struct p2p_function *f)
{
	f->acs = 0;
	if (strstr(text, "ReqRedir+"))
		f->acs |= DMA_PCI_ACS_REQUEST_REDIRECT;
	if (strstr(text, "CmpltRedir+"))
		f->acs |= DMA_PCI_ACS_COMPLETION_REDIRECT;
	if (strstr(text, "EgressCtrl+"))
		f->acs |= DMA_PCI_ACS_EGRESS_CONTROL;
}

/** @deeper: part of a capability; the regions there are those of virtual functions. */
static void read_body(const char *text, bool deeper, struct p2p_tree *tree, struct p2p_function *f)
{
	text += strspn(text, " \t");
	if (strncmp(text, "Bus:", 4) == 0)
		read_buses(text, f);
	else if (strncmp(text, "Region ", 7) == 0 && !deeper)
		tree->left_out += !read_region(text + 7, f);
	else if (strncmp(text, "ACSCtl:", 7) == 0)
		read_acs(text, f);
	else if (strncmp(text, "Capabilities:", 13) == 0 && strstr(text, "] Express"))
		read_express(text, f);
	else if (strncmp(text, "Capabilities: <access denied>", 29) == 0)
		tree->denied++;
}

int p2p_read_lspci(char *text, struct p2p_tree *tree)
{
	bool inside = false;
	size_t indent = 0;
	char *line;

	for (size_t number = 1; (line = p2p_next_line(&text)); number++) {
		size_t depth = strspn(line, " \t");
		int head;

		if (!depth) {
			head = read_head(line, number, tree);
			if (head < 0)
				return head;
			inside = head > 0;
			indent = 0;
		} else if (inside) {
			indent = indent ? indent : depth;
			read_body(line, depth > indent, tree, &tree->functions[tree->n - 1]);
		}
	}
	return 0;
}

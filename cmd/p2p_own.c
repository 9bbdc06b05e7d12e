/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads our own form of a topology, one function a line, word by word (dmamap-p2p(1)):
 *
 *   ADDRESS KIND VENDOR:DEVICE [below ADDRESS] [acs BITS] [bar N CPU SIZE [bus ADDRESS]]... [name TEXT]
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "p2p.h"

struct words {
	struct p2p_tree *tree;
	struct p2p_function *f;
	char *rest;
};

/** The next word, cut; NULL at the end. */
static char *next_word(struct words *w)
{
	char *word = w->rest + strspn(w->rest, " \t");
	char *end = word + strcspn(word, " \t");

	if (!*word)
		return NULL;
	w->rest = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static int wrong(struct words *w, const char *what, const char *word)
{
	return p2p_wrong(w->tree, w->f->line, "%s: %.60s", what, word ? word : "(nothing)");
}

static int read_address(struct words *w, uint32_t *domain, uint8_t *bus, uint8_t *devfn)
{
	const char *word = next_word(w), *at = word;

	if (!at || !p2p_parse_address(&at, domain, bus, devfn) || *at)
		return wrong(w, "not an address of the form 0000:00:00.0", word);
	return 0;
}

static int read_kind(struct words *w)
{
	static const char *const names[] = { "function",   "root-port", "upstream",
					     "downstream", "bridge",	"endpoint" };
	const char *word = next_word(w);

	for (int i = 0; word && i < 6; i++)
		if (strcmp(word, names[i]) == 0) {
			w->f->kind = i ? (enum dma_pci_kind)i : DMA_PCI_ENDPOINT;
			w->f->host = i == 0;
			return 0;
		}
	return wrong(w, "not function, root-port, upstream, downstream, bridge or endpoint", word);
}

static int read_id(struct words *w)
{
	const char *word = next_word(w), *at = word;

	if (!at || !p2p_parse_id(&at, &w->f->vendor, &w->f->device) || *at)
		return wrong(w, "not a vendor and a device of the form 8086:2030", word);
	return 0;
}

static int read_acs(struct words *w)
{
	static const struct {
		const char *name;
		uint16_t bit;
	} bits[] = { { "request-redirect", DMA_PCI_ACS_REQUEST_REDIRECT },
		     { "completion-redirect", DMA_PCI_ACS_COMPLETION_REDIRECT },
		     { "egress-control", DMA_PCI_ACS_EGRESS_CONTROL } };
	char *list = next_word(w), *item;

	if (!list)
		return wrong(w, "acs needs its bits", list);
	for (; (item = strsep(&list, ","));) {
		size_t i = 0;

		while (i < 3 && strcmp(item, bits[i].name) != 0)
			i++;
		if (i == 3)
			return wrong(w, "no bit of ACS that redirects", item);
		w->f->acs |= bits[i].bit;
	}
	return 0;
}

static bool hex_word(struct words *w, uint64_t *value)
{
	const char *word = next_word(w);

	if (word && strncmp(word, "0x", 2) == 0)
		word += 2;
	return word && p2p_parse_hex(&word, 16, value) && !*word;
}

static int read_bar(struct words *w)
{
	const char *number = next_word(w), *size;
	struct dma_pci_bar *bar = &w->f->bars[w->f->nr_bars];

	if (!number || *number < '0' || *number > '5' || number[1])
		return wrong(w, "a BAR has a number from 0 to 5", number);
	if (w->f->nr_bars == DMA_PCI_BARS)
		return wrong(w, "too many BARs", number);
	*bar = (struct dma_pci_bar){ .index = (uint8_t)(*number - '0') };
	if (!hex_word(w, &bar->cpu))
		return wrong(w, "a BAR has a hexadecimal address behind its number", number);
	size = next_word(w);
	if (!size || !p2p_parse_size(&size, &bar->size) || *size)
		return wrong(w, "a BAR has a size like 64K behind its address", number);
	bar->bus = bar->cpu;
	w->f->nr_bars++;
	return 0;
}

static int read_bus(struct words *w)
{
	if (!w->f->nr_bars || !hex_word(w, &w->f->bars[w->f->nr_bars - 1].bus))
		return wrong(w, "bus follows a BAR and has a hexadecimal address", "bus");
	return 0;
}

static int read_property(struct words *w, const char *key)
{
	struct p2p_function *f = w->f;

	if (strcmp(key, "below") == 0) {
		f->has_parent = true;
		return read_address(w, &f->parent_domain, &f->parent_bus, &f->parent_devfn);
	}
	if (strcmp(key, "acs") == 0)
		return read_acs(w);
	if (strcmp(key, "bar") == 0)
		return read_bar(w);
	if (strcmp(key, "bus") == 0)
		return read_bus(w);
	if (strcmp(key, "name") != 0)
		return wrong(w, "not below, acs, bar, bus or name", key);
	snprintf(f->what, sizeof(f->what), "%s", w->rest + strspn(w->rest, " \t"));
	w->rest += strlen(w->rest);
	return 0;
}

static int read_line(char *text, size_t line, struct p2p_tree *tree)
{
	struct words w = { tree, p2p_add(tree, line), text };
	const char *key;
	int err;

	if (!w.f)
		return *tree->error ? -EINVAL : -ENOMEM;
	err = read_address(&w, &w.f->domain, &w.f->bus, &w.f->devfn);
	if (!err)
		err = read_kind(&w);
	if (!err)
		err = read_id(&w);
	while (!err && (key = next_word(&w)))
		err = read_property(&w, key);
	return err;
}

int p2p_read_own(char *text, size_t number, struct p2p_tree *tree)
{
	char *line;
	int err = 0;

	while (!err && (line = p2p_next_line(&text))) {
		number++;
		line += strspn(line, " \t");
		if (*line && *line != '#')
			err = read_line(line, number, tree);
	}
	return err;
}

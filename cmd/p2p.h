/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of `dmamap p2p` share: a PCI topology read from text.
 *
 * Two forms are read: what `lspci -vvv` prints, and a small form of our own (dmamap-p2p(1)). Reading never guesses in
 * silence: what is left out is counted, what cannot be is an error with its line.
 */
#ifndef DMAMAP_CMD_P2P_H
#define DMAMAP_CMD_P2P_H

#include <dmamap/dmamap.h>

#define P2P_FUNCTIONS 8192

/** A function as it was read. */
struct p2p_function {
	uint32_t domain;
	uint8_t bus;
	uint8_t devfn;
	enum dma_pci_kind kind;
	uint16_t vendor;
	uint16_t device;
	uint16_t acs;
	/** Class in words; and what the class is: the bridge between CPU and PCI. */
	char what[48];
	bool host;
	/** A bridge's buses below it; secondary 0: not known. */
	uint8_t secondary;
	uint8_t subordinate;
	/** Our own form: the parent's address was given. */
	bool has_parent;
	uint32_t parent_domain;
	uint8_t parent_bus;
	uint8_t parent_devfn;
	struct dma_pci_bar bars[DMA_PCI_BARS];
	unsigned int nr_bars;
	size_t line;
};

struct p2p_tree {
	/** "lspci" or "topology". */
	const char *form;
	struct p2p_function *functions;
	size_t n;
	size_t room;
	/** nodes[i] is functions[i] for i < n; host bridges follow. Valid: dma_pci_check() has passed. */
	struct dma_pci_topology topology;
	/** lspci was not allowed to read capabilities; regions without an address or a size; functions without ids. */
	unsigned int denied;
	unsigned int left_out;
	unsigned int without_ids;
	/** What is wrong, and in which line (0: in none), when reading failed. */
	char error[160];
	size_t error_line;
};

/**
 * Read @text, whatever its form. Return: 0; -EINVAL and tree->error; -ENOMEM. Free the tree in any case.
 * @text is changed: its lines are cut.
 */
int p2p_read(char *text, struct p2p_tree *tree);
void p2p_free(struct p2p_tree *tree);

/** "0000:00:1f.3", and for a host bridge "0000:00". */
#define P2P_ADDRESS 20
void p2p_address(const struct dma_pci_node *node, char out[P2P_ADDRESS]);

/* --- between the readers */

/** Note what is wrong. Returns -EINVAL. */
int p2p_wrong(struct p2p_tree *tree, size_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** Room for one more function, zero but for an endpoint's kind; NULL: no memory, or too many (tree->error). */
struct p2p_function *p2p_add(struct p2p_tree *tree, size_t line);
/** "[DDDD:]BB:DD.F" at *@s, which moves behind it. */
bool p2p_parse_address(const char **s, uint32_t *domain, uint8_t *bus, uint8_t *devfn);
/** At most @digits hexadecimal digits. */
bool p2p_parse_hex(const char **s, unsigned int digits, uint64_t *value);
/** "VVVV:DDDD". */
bool p2p_parse_id(const char **s, uint16_t *vendor, uint16_t *device);
/** Decimal bytes with K, M, G, T or nothing. */
bool p2p_parse_size(const char **s, uint64_t *size);
/** The next line of @text, cut; NULL at the end. */
char *p2p_next_line(char **text);

int p2p_read_lspci(char *text, struct p2p_tree *tree);
/** @text behind its first line, which is line @line. */
int p2p_read_own(char *text, size_t line, struct p2p_tree *tree);

/* --- the report */

struct p2p_options {
	const char *file;
	bool json;
	bool all;
};

int p2p_report(const struct p2p_tree *tree, const struct p2p_options *options);
int p2p_report_json(const struct p2p_tree *tree, const struct p2p_options *options);
/** Is function @i in the matrix? */
bool p2p_shown(const struct p2p_tree *tree, const struct p2p_options *options, size_t i);
/** Bytes of memory that function @i can offer. */
uint64_t p2p_memory(const struct p2p_tree *tree, size_t i);

#endif

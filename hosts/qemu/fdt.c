/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree of machines that have one: the flattened form (Devicetree Specification 0.4, chapter 5), which QEMU
 * leaves at the beginning of RAM. Words are big-endian. It is copied before it is read, and read as what a stranger
 * wrote.
 */
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define MAGIC	   0xd00dfeedu
#define HEADER	   40u
#define BEGIN_NODE 1u
#define END_NODE   2u
#define PROP	   3u
#define NOP	   4u

/** The blob; [at, end) of it is the rest of the structure block. */
struct tree {
	const unsigned char *blob;
	uint32_t at;
	uint32_t end;
	const char *strings;
	uint32_t strings_len;
};

struct prop {
	const char *name;
	const unsigned char *data;
	uint32_t len;
};

static uint32_t big32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/** A block [offset, offset + len) of @size bytes. */
static bool inside(uint32_t offset, uint32_t len, uint32_t size)
{
	return offset <= size && len <= size - offset;
}

/** @size: bytes that the blob has at the most. */
static bool open_tree(const unsigned char *blob, uint32_t size, struct tree *t)
{
	uint32_t structs, strings, structs_len;

	if (size < HEADER || big32(blob) != MAGIC || big32(blob + 4) > size)
		return false;
	structs = big32(blob + 8);
	strings = big32(blob + 12);
	structs_len = big32(blob + 36);
	*t = (struct tree){ .blob = blob, .at = structs, .strings_len = big32(blob + 32) };
	if (!inside(structs, structs_len, size) || !inside(strings, t->strings_len, size))
		return false;
	t->end = structs + structs_len;
	t->strings = (const char *)blob + strings;
	return true;
}

/** Pass over @len bytes, and what fills the last word. */
static bool skip(struct tree *t, uint32_t len)
{
	uint32_t rest = t->end - t->at;

	if (len > rest || (4 - len % 4) % 4 > rest - len)
		return false;
	t->at += len + (4 - len % 4) % 4;
	return true;
}

/** The next token; 0: there is none. */
static uint32_t next_token(struct tree *t)
{
	uint32_t token = 0;

	if (t->end - t->at >= 4) {
		token = big32(t->blob + t->at);
		t->at += 4;
	}
	return token;
}

static bool read_prop(struct tree *t, struct prop *p)
{
	const unsigned char *head = t->blob + t->at;
	uint32_t name;

	if (!skip(t, 8))
		return false;
	p->len = big32(head);
	p->data = head + 8;
	name = big32(head + 4);
	if (name >= t->strings_len || !memchr(t->strings + name, 0, t->strings_len - name))
		return false;
	p->name = t->strings + name;
	return skip(t, p->len);
}

/** Is @text one of the strings of a list? */
static bool lists(const struct prop *p, const char *text)
{
	size_t len = strlen(text) + 1;

	for (uint32_t at = 0; at + len <= p->len;) {
		const unsigned char *end = memchr(p->data + at, 0, p->len - at);

		if (!end)
			return false;
		if (!memcmp(p->data + at, text, len))
			return true;
		at = (uint32_t)(end + 1 - p->data);
	}
	return false;
}

/** What is known of the node that is being read. */
struct node {
	bool wanted;
	bool has_reg;
	uint64_t address;
};

static void take_prop(const struct prop *p, const char *compatible, struct node *node)
{
	if (!strcmp(p->name, "compatible") && lists(p, compatible))
		node->wanted = true;
	if (!strcmp(p->name, "reg") && p->len >= 16) { /* two cells of address, two of size */
		node->has_reg = true;
		node->address = (uint64_t)big32(p->data) << 32 | big32(p->data + 4);
	}
}

/** The first child of the root that is @compatible. Its properties come before its own children. */
static bool find_node(struct tree *t, const char *compatible, uint64_t *address)
{
	struct node node = { 0 };
	unsigned int depth = 0;
	struct prop p;

	for (;;) {
		switch (next_token(t)) {
		case BEGIN_NODE: {
			const unsigned char *name = t->blob + t->at;
			const unsigned char *end = memchr(name, 0, t->end - t->at);

			if (!end || !skip(t, (uint32_t)(end + 1 - name)))
				return false;
			if (++depth == 2)
				node = (struct node){ 0 };
			break;
		}
		case END_NODE:
			if (depth == 2 && node.wanted && node.has_reg) {
				*address = node.address;
				return true;
			}
			if (!depth--)
				return false;
			break;
		case PROP:
			if (!read_prop(t, &p))
				return false;
			if (depth == 2)
				take_prop(&p, compatible, &node);
			break;
		case NOP:
			break;
		default:
			return false;
		}
	}
}

bool qemu_devicetree_find(struct qemu_machine *m, const char *compatible, phys_addr_t *registers)
{
	uint64_t size = m->board->ram[0].start; /* what is kept free for it */
	unsigned char *copy;
	struct tree t;
	bool found;

	if (m->arch != QEMU_AARCH64)
		return false;
	copy = malloc(size);
	if (!copy)
		return false;
	memcpy(copy, m->ram, size);
	found = open_tree(copy, (uint32_t)size, &t) && find_node(&t, compatible, registers);
	free(copy);
	return found;
}

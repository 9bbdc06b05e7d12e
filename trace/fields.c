/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One value of a field. The kernel's number styles differ and are told apart strictly, because a size read in the
 * wrong base is a wrong event: scalars are hexadecimal without 0x, sizes decimal, lists "{0x1,0x2}", and IOMMU
 * addresses hexadecimal with 0x. Hexadecimal digits are lower-case, as printf's %llx prints them.
 *
 * Every reader moves the cursor behind its value and returns NULL, or says what is wrong with it.
 */
#include <stdlib.h>

#include "internal.h"

const char dmt_no_memory[] = "out of memory";

const char *dmt_read_dec(struct dmt_parse *ps, uint64_t max, uint64_t *value)
{
	char *p = ps->at;
	uint64_t v = 0;

	for (; p < ps->end && dmt_is_digit(*p); p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return "number too large";
		v = v * 10 + digit;
	}
	if (p == ps->at)
		return "not a decimal number";
	if (v > max)
		return "number too large";
	ps->at = p;
	*value = v;
	return NULL;
}

static inline unsigned int hex_digit(char c)
{
	if (dmt_is_digit(c))
		return (unsigned int)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10) : 16;
}

const char *dmt_read_hex(struct dmt_parse *ps, uint64_t *value)
{
	char *p = ps->at;
	uint64_t v = 0;

	for (; p < ps->end; p++) {
		unsigned int digit = hex_digit(*p);

		if (digit == 16)
			break;
		v = v << 4 | digit;
	}
	if (p == ps->at)
		return "not a hexadecimal number";
	if (p - ps->at > 16)
		return "number too large";
	ps->at = p;
	*value = v;
	return NULL;
}

const char *dmt_read_0x(struct dmt_parse *ps, uint64_t *value)
{
	if (ps->end - ps->at < 2 || ps->at[0] != '0' || ps->at[1] != 'x')
		return "not a hexadecimal number with 0x";
	ps->at += 2;
	return dmt_read_hex(ps, value);
}

/* A CPU address: hexadecimal with or without 0x, or a word in parentheses when the kernel would not print it. */
const char *dmt_read_pointer(struct dmt_parse *ps)
{
	struct dmt_event *ev = ps->event;
	struct dmt_slice word;
	char *p = ps->at;

	if (p < ps->end && *p == '(') {
		while (p < ps->end && *p != ')' && !dmt_is_blank(*p))
			p++;
		if (p == ps->end || *p != ')')
			return "not an address";
		word = (struct dmt_slice){ ps->at, (size_t)(p + 1 - ps->at) };
		ev->has_virt = dmt_slice_is(word, "(null)") || dmt_slice_is(word, "(nil)");
		ps->at = p + 1;
		return NULL;
	}
	ev->has_virt = true;
	if (ps->end - p > 2 && p[0] == '0' && p[1] == 'x')
		ps->at += 2;
	return dmt_read_hex(ps, &ev->virt);
}

static const char *append(struct dmt_list *list, uint64_t value)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 256;
		uint64_t *v = realloc(list->v, cap * sizeof(*v));

		if (!v)
			return dmt_no_memory;
		list->v = v;
		list->cap = cap;
	}
	list->v[list->n++] = value;
	return NULL;
}

const char *dmt_read_list(struct dmt_parse *ps, struct dmt_list *list, uint64_t max)
{
	const char *why;
	uint64_t value;

	list->n = 0;
	if (ps->at == ps->end || *ps->at++ != '{')
		return "not a list in braces";
	if (ps->at < ps->end && *ps->at == '}') {
		ps->at++;
		return NULL;
	}
	for (;;) {
		why = dmt_read_0x(ps, &value);
		if (!why && value > max)
			why = "number too large";
		if (!why)
			why = append(list, value);
		if (why)
			return why;
		if (ps->at == ps->end)
			return "list not closed";
		if (*ps->at == '}')
			break;
		if (*ps->at++ != ',')
			return "not a list of hexadecimal numbers with 0x";
	}
	ps->at++;
	return NULL;
}

/* The word at the cursor, up to a blank or @stop. */
static struct dmt_slice take_word(struct dmt_parse *ps, char stop)
{
	char *start = ps->at;

	while (ps->at < ps->end && *ps->at != stop && !dmt_is_blank(*ps->at))
		ps->at++;
	return (struct dmt_slice){ start, (size_t)(ps->at - start) };
}

/* The kernel prints a direction that has no name as 0x…: only a refusal can have carried one. */
static const char *odd_dir(struct dmt_parse *ps, struct dmt_slice word)
{
	uint64_t value;

	ps->at = word.at;
	if (dmt_read_0x(ps, &value) || value <= DMA_NONE || value > UINT32_MAX)
		return "not a direction";
	ps->event->dir = DMA_NONE;
	ps->odd_dir = true;
	return NULL;
}

const char *dmt_read_dir(struct dmt_parse *ps)
{
	static const char *const names[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE", "NONE" };
	static const unsigned char lens[] = { 13, 9, 11, 4 };
	struct dmt_slice word = take_word(ps, ' ');

	for (int i = 0; i < 4; i++) {
		if (word.len != lens[i] || memcmp(word.at, names[i], word.len) != 0)
			continue;
		ps->event->dir = (enum dma_data_direction)i;
		if (i == DMA_NONE && ps->form->loose_dir)
			ps->event->dir = DMA_BIDIRECTIONAL;
		return NULL;
	}
	if (!ps->form->loose_dir)
		return odd_dir(ps, word);
	ps->event->dir = DMA_BIDIRECTIONAL;
	return NULL;
}

/* Bits by the names that kernels print: the DMA_ATTR_ name without its prefix; bit 11 has had two. */
static const struct {
	const char *name;
	unsigned char len;
	unsigned char bit;
} attr_names[] = {
	{ "WEAK_ORDERING", 13, 1 },
	{ "WRITE_COMBINE", 13, 2 },
	{ "NO_KERNEL_MAPPING", 17, 4 },
	{ "SKIP_CPU_SYNC", 13, 5 },
	{ "FORCE_CONTIGUOUS", 16, 6 },
	{ "ALLOC_SINGLE_PAGES", 18, 7 },
	{ "NO_WARN", 7, 8 },
	{ "PRIVILEGED", 10, 9 },
	{ "MMIO", 4, 10 },
	{ "CACHE_CLEAN", 11, 11 },
	{ "CACHELINES_OVERLAP", 18, 11 },
	{ "REQUIRE_COHERENT", 16, 12 },
	{ "CC_SHARED", 9, 13 },
	{ "ALLOC_CC_SHARED", 15, 14 },
};

static const char *attr_bits(struct dmt_parse *ps, struct dmt_slice word, uint64_t *bits)
{
	char *end = ps->at;
	const char *why;

	for (size_t i = 0; i < sizeof(attr_names) / sizeof(attr_names[0]); i++) {
		if (word.len == attr_names[i].len &&
		    memcmp(word.at, attr_names[i].name, word.len) == 0) {
			*bits = 1ull << attr_names[i].bit;
			return NULL;
		}
	}
	ps->at = word.at;
	why = dmt_read_0x(ps, bits);
	if (why || ps->at != end || !*bits)
		return "unknown attribute";
	return NULL;
}

const char *dmt_read_attrs(struct dmt_parse *ps)
{
	uint64_t all = 0, bits = 0;
	const char *why;

	if (dmt_at_word_end(ps))
		return NULL;
	for (;;) {
		why = attr_bits(ps, take_word(ps, '|'), &bits);
		if (why)
			return why;
		if (all & bits)
			return "attribute given twice";
		all |= bits;
		if (dmt_at_word_end(ps))
			break;
		ps->at++;
	}
	ps->event->attrs = (unsigned long)all;
	return NULL;
}

static bool is_name_char(char c)
{
	return c == '_' || dmt_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Allocation flags in the kernel's spelling, "none", or hexadecimal; kept as text. */
const char *dmt_read_gfp(struct dmt_parse *ps)
{
	struct dmt_slice word = take_word(ps, ' ');
	char last = '|';

	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] == '|' ? last == '|' : !is_name_char(word.at[i]))
			return "not allocation flags";
		last = word.at[i];
	}
	if (last == '|')
		return "not allocation flags";
	ps->flags = word;
	return NULL;
}

const char *dmt_read_device(struct dmt_parse *ps, struct dmt_slice *slice)
{
	struct dmt_slice word = take_word(ps, ' ');

	if (!word.len || word.len > 255)
		return "no device name";
	for (size_t i = 0; i < word.len; i++) {
		char c = word.at[i];

		if (c <= ' ' || c > '~' || c == '=' || c == '{' || c == '}' || c == ',' || c == '|')
			return "not a device name";
	}
	*slice = word;
	return NULL;
}

/* A route, a reason, a driver: letters, digits, '-' and '_'. */
const char *dmt_read_name(struct dmt_parse *ps, struct dmt_slice *slice)
{
	struct dmt_slice word = take_word(ps, ' ');

	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] != '-' && !is_name_char(word.at[i]))
			return "not a name";
	}
	*slice = word;
	return word.len ? NULL : "empty";
}

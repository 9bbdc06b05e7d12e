/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and strings into a sink; see text.h. */
#include "text.h"

#include "mem.h"

void dmamap_put_str(const struct dmamap_text *t, const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	t->put(t->ctx, s, n);
}

static void put_digits(const struct dmamap_text *t, uint64_t v, unsigned int base,
		       unsigned int width)
{
	char digits[24];
	unsigned int at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (sizeof(digits) - at < width)
		digits[--at] = '0';
	t->put(t->ctx, digits + at, sizeof(digits) - at);
}

void dmamap_put_hex(const struct dmamap_text *t, uint64_t v)
{
	put_digits(t, v, 16, 1);
}

void dmamap_put_hex_wide(const struct dmamap_text *t, uint64_t v)
{
	t->put(t->ctx, "0x", 2);
	put_digits(t, v, 16, 16);
}

void dmamap_put_dec(const struct dmamap_text *t, uint64_t v)
{
	put_digits(t, v, 10, 1);
}

void dmamap_put_signed(const struct dmamap_text *t, int64_t v)
{
	if (v < 0)
		t->put(t->ctx, "-", 1);
	put_digits(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, 1);
}

void dmamap_buffer_put(void *buffer, const char *s, size_t n)
{
	struct dmamap_buffer *b = buffer;

	if (b->len + 1 < b->size)
		memcpy(b->buf + b->len, s, n < b->size - 1 - b->len ? n : b->size - 1 - b->len);
	b->len += n;
}

size_t dmamap_buffer_end(struct dmamap_buffer *b)
{
	if (b->size)
		b->buf[b->len < b->size ? b->len : b->size - 1] = 0;
	return b->len;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text without a C library: numbers and strings pushed into a sink. For traces, reasons and log lines.
 */
#ifndef DMAMAP_BASE_TEXT_H
#define DMAMAP_BASE_TEXT_H

#include <dmamap/event.h>

#pragma GCC visibility push(hidden)

struct dmamap_text {
	dma_put_fn put;
	void *ctx;
};

void dmamap_put_str(const struct dmamap_text *t, const char *s);
void dmamap_put_hex(const struct dmamap_text *t, uint64_t v);	   /* no 0x */
void dmamap_put_hex_wide(const struct dmamap_text *t, uint64_t v); /* 0x and 16 digits */
void dmamap_put_dec(const struct dmamap_text *t, uint64_t v);
void dmamap_put_signed(const struct dmamap_text *t, int64_t v);

/** A sink into a bounded buffer; len counts what did not fit too. */
struct dmamap_buffer {
	char *buf;
	size_t size;
	size_t len;
};

void dmamap_buffer_put(void *buffer, const char *s, size_t n);
/** Terminate, and return the whole length. */
size_t dmamap_buffer_end(struct dmamap_buffer *buffer);

#pragma GCC visibility pop

#endif

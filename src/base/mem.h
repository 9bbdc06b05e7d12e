/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four functions a freestanding compiler may call anyway, and all that the core ever links against.
 */
#ifndef DMAMAP_BASE_MEM_H
#define DMAMAP_BASE_MEM_H

#include <stddef.h>

/* Tests of a room see the C library's own declarations as well. */
/* NOLINTBEGIN(readability-redundant-declaration) */
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
/* NOLINTEND(readability-redundant-declaration) */

#endif

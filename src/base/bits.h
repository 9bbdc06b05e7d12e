/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic on words: rounding, logarithms, bit searches. All of it is pure, and defined for the inputs that the
 * comments name; nothing here can overflow silently.
 */
#ifndef DMAMAP_BASE_BITS_H
#define DMAMAP_BASE_BITS_H

#include <stdbool.h>
#include <stdint.h>

/** Smaller of two values where 0 means "no limit". */
static inline uint64_t min_not_zero(uint64_t a, uint64_t b)
{
	if (!a)
		return b;
	return !b || a < b ? a : b;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline bool is_power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

/** Index of the lowest and the highest set bit; @v is not 0. */
static inline unsigned int low_bit(uint64_t v)
{
	return (unsigned int)__builtin_ctzll(v);
}

static inline unsigned int high_bit(uint64_t v)
{
	return (unsigned int)__builtin_clzll(v) ^ 63u; /* one instruction, where there is one */
}

/** @v, rotated by @n bits, 0 to 63. (Compilers that have a word for it may not see through the other form.) */
static inline uint64_t rotate_right(uint64_t v, unsigned int n)
{
#ifdef __has_builtin
#if __has_builtin(__builtin_rotateright64)
	return __builtin_rotateright64(v, n);
#endif
#endif
	return v >> n | v << (-n & 63);
}

/** Bits that are set. (What compilers have for it may be a call to their library.) */
static inline unsigned int count_bits(uint64_t v)
{
	if (!(v & (v - 1)))
		return v != 0;
	if (!~v)
		return 64;
	v -= (v >> 1) & 0x5555555555555555u;
	v = (v & 0x3333333333333333u) + ((v >> 2) & 0x3333333333333333u);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (unsigned int)((v * 0x0101010101010101u) >> 56);
}

/** Smallest n with 2^n >= @v; @v is not 0 and at most 2^63. */
static inline unsigned int ceil_log2(uint64_t v)
{
	return v == 1 ? 0 : high_bit(v - 1) + 1;
}

/** @align is a power of two. round_up() wraps to 0 past the top: check with add_wraps() where that can happen. */
static inline uint64_t round_down(uint64_t v, uint64_t align)
{
	return v & ~(align - 1);
}

static inline uint64_t round_up(uint64_t v, uint64_t align)
{
	return round_down(v + align - 1, align);
}

static inline bool add_wraps(uint64_t a, uint64_t b)
{
	return a + b < a;
}

/** Does [start, start + size) pass 2^64? A range that ends exactly there does not; @size 0 never does. */
static inline bool range_wraps(uint64_t start, uint64_t size)
{
	return size && start + (size - 1) < start;
}

/** @a x @b, false if it does not fit. */
static inline bool mul_fits(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

#endif

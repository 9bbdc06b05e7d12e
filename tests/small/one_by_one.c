/* SPDX-License-Identifier: BSD-2-Clause */
#define ENTRIES_ONE_BY_ONE

#include "one_by_one.h"

#include "iommu/entries.h"

void one_by_one_write(uint64_t *entry, unsigned int n, uint64_t value, uint64_t step)
{
	entries_write(entry, n, value, step);
}

void one_by_one_clear(uint64_t *entry, unsigned int n)
{
	entries_clear(entry, n);
}

void one_by_one_shift(uint64_t *words, unsigned int shift, uint64_t base)
{
	pair_store(words, pair_plus(pair_shifted(pair_of(words[0], words[1]), shift), base));
}

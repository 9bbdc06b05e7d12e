/* SPDX-License-Identifier: BSD-2-Clause */
/* src/iommu/entries.h as it is where no register has room for two entries. */
#ifndef TESTS_SMALL_ONE_BY_ONE_H
#define TESTS_SMALL_ONE_BY_ONE_H

#include <stdint.h>

void one_by_one_write(uint64_t *entry, unsigned int n, uint64_t value, uint64_t step);
void one_by_one_clear(uint64_t *entry, unsigned int n);
/** Two words become (word << shift) + base. */
void one_by_one_shift(uint64_t *words, unsigned int shift, uint64_t base);

#endif

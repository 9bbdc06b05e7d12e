/* SPDX-License-Identifier: BSD-2-Clause */
/* See mappings.h. The tree is the C library's: ranges that overlap compare as equal. */
#include "mappings.h"

#include <search.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct sim_mapping *x = a;
	const struct sim_mapping *y = b;

	if (x->last < y->first)
		return -1;
	return x->first > y->last;
}

const struct sim_mapping *sim_mappings_find(const struct sim_mappings *set, uint64_t first,
					    uint64_t last)
{
	const struct sim_mapping key = { .first = first, .last = last };
	const struct sim_mapping *const *node = tfind(&key, &set->root, compare);

	return node ? *node : NULL;
}

const struct sim_mapping *sim_mappings_next(const struct sim_mappings *set, uint64_t at)
{
	const struct sim_mapping *next = NULL;
	const struct sim_mapping *lower = sim_mappings_find(set, at, ~(uint64_t)0);

	while (lower) {
		next = lower;
		lower = next->first > at ? sim_mappings_find(set, at, next->first - 1) : NULL;
	}
	return next;
}

int sim_mappings_add(struct sim_mappings *set, const struct sim_mapping *mapping)
{
	struct sim_mapping *new;

	if (sim_mappings_find(set, mapping->first, mapping->last))
		return -DMAMAP_EADDRINUSE;
	new = malloc(sizeof(*new));
	if (!new)
		return -DMAMAP_ENOMEM;
	*new = *mapping;
	if (!tsearch(new, &set->root, compare)) {
		free(new);
		return -DMAMAP_ENOMEM;
	}
	set->n++;
	return 0;
}

bool sim_mappings_cut(const struct sim_mappings *set, uint64_t first, uint64_t last)
{
	const struct sim_mapping *head = sim_mappings_find(set, first, first);
	const struct sim_mapping *tail = sim_mappings_find(set, last, last);

	return (head && head->first != first) || (tail && tail->last != last);
}

void sim_mappings_drop(struct sim_mappings *set, uint64_t first, uint64_t last)
{
	const struct sim_mapping *m;

	while ((m = sim_mappings_find(set, first, last))) {
		tdelete(m, &set->root, compare);
		free((void *)(uintptr_t)m);
		set->n--;
	}
}

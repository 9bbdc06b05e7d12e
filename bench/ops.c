/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of operations, in the order in which they are printed.
 */
#include <string.h>

#include "bench.h"

const struct bench_op *const bench_ops[] = {
	&bench_store,
	&bench_atomic,
	&bench_copy,
	&bench_direct,
	&bench_bounce_64,
	&bench_bounce_4k,
	&bench_strict,
	&bench_lazy,
	&bench_sg32,
	&bench_sg32_strict,
	&bench_bar,
	&bench_window,
	&bench_iova,
	&bench_iova_100,
	&bench_iova_100k,
	&bench_link_4k,
	&bench_link_1,
	&bench_link_512,
	NULL,
};

const struct bench_op *bench_find(const char *name)
{
	for (size_t i = 0; bench_ops[i]; i++)
		if (strcmp(bench_ops[i]->name, name) == 0)
			return bench_ops[i];
	return NULL;
}

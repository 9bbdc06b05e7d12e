/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for people: columns as wide as their widest cell, the first row in bold on a terminal.
 */
#ifndef DMAMAP_CMD_TABLE_H
#define DMAMAP_CMD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS 20

struct table {
	size_t columns;
	size_t rows;
	size_t room;
	/* rows x columns copies. */
	char **cells;
	/* Cells of a column line up at the right. */
	bool right[TABLE_COLUMNS];
	bool failed;
};

void table_init(struct table *table, size_t columns);
/** Append one row of @table->columns strings, which are copied. */
void table_row(struct table *table, const char *const *cells);
/** Print it; false if there was no memory. Cells that equal @alarm appear in red if @colour. */
bool table_print(const struct table *table, FILE *to, bool colour, const char *alarm);
void table_free(struct table *table);

#endif

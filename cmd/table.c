/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for people. Cells are ASCII, so a byte is a column.
 */
#include <stdlib.h>
#include <string.h>

#include "table.h"

void table_init(struct table *table, size_t columns)
{
	memset(table, 0, sizeof(*table));
	table->columns = columns;
}

static bool grow(struct table *table)
{
	size_t room = table->room ? table->room * 2 : 16;
	char **cells = realloc(table->cells, room * table->columns * sizeof(*cells));

	if (!cells)
		return false;
	table->cells = cells;
	table->room = room;
	return true;
}

void table_row(struct table *table, const char *const *cells)
{
	char **row;

	if (table->rows == table->room && !grow(table)) {
		table->failed = true;
		return;
	}
	row = table->cells + table->rows++ * table->columns;
	for (size_t i = 0; i < table->columns; i++) {
		row[i] = strdup(cells[i]);
		if (!row[i])
			table->failed = true;
	}
}

static int width_of(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t row = 0; row < table->rows; row++) {
		size_t len = strlen(table->cells[row * table->columns + column]);

		width = len > width ? len : width;
	}
	return (int)width;
}

static void print_cell(FILE *to, const char *text, int width, bool right, bool last)
{
	if (right)
		fprintf(to, "%*s", width, text);
	else if (last)
		fputs(text, to);
	else
		fprintf(to, "%-*s", width, text);
	if (!last)
		fputs("  ", to);
}

bool table_print(const struct table *table, FILE *to, bool colour, const char *alarm)
{
	int widths[TABLE_COLUMNS];

	if (table->failed)
		return false;
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = width_of(table, i);
	for (size_t row = 0; row < table->rows; row++) {
		for (size_t i = 0; i < table->columns; i++) {
			const char *text = table->cells[row * table->columns + i];
			const char *on = row == 0			     ? "\033[1m"
					 : alarm && strcmp(text, alarm) == 0 ? "\033[31m"
									     : NULL;

			if (colour && on)
				fputs(on, to);
			print_cell(to, text, widths[i], table->right[i], i + 1 == table->columns);
			if (colour && on)
				fputs("\033[0m", to);
		}
		fputc('\n', to);
	}
	return true;
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	memset(table, 0, sizeof(*table));
}

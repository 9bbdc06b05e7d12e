/* SPDX-License-Identifier: BSD-2-Clause */
/* See formats.h. A name is a format, then what differs from the usual depth and granule. */
#include "cmd.h"
#include "formats.h"

const struct cmd_format cmd_formats[] = {
	{ "vtd-ss", { .levels = 4 } },
	{ "vtd-ss-3", { .levels = 3 } },
	{ "vtd-ss-5", { .levels = 5 } },
	{ "command", { .command = true } },
	{ NULL, { 0 } },
};

const struct cmd_format *cmd_format_find(const char *verb, const char *name)
{
	const char *names[sizeof(cmd_formats) / sizeof(cmd_formats[0])];
	int i;

	for (i = 0; cmd_formats[i].name; i++)
		names[i] = cmd_formats[i].name;
	names[i] = NULL;
	i = cmd_choose(verb, "--format", name, names);
	return i < 0 ? NULL : &cmd_formats[i];
}

uint64_t cmd_format_page_size(const struct cmd_format *format)
{
	(void)format;
	return DMAMAP_PAGE_SIZE;
}

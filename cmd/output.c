/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standard output: whether it may be coloured, JSON, and what to do when it cannot be written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

bool cmd_colour(FILE *file)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(file)) && !(no_color && *no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

int cmd_print_json(json_t *json)
{
	int rc = json ? json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : -1;

	json_decref(json);
	if (rc < 0) {
		if (!ferror(stdout))
			cmd_say("out of memory while writing the JSON report");
		return CMD_INTERNAL;
	}
	putchar('\n');
	return 0;
}

int cmd_finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	cmd_say("standard output cannot be written: %s", strerror(errno));
	return CMD_INTERNAL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verbs of the command share: exit codes, messages, suggestions, colour, JSON output.
 *
 * Data goes to standard output, talk to standard error. A message names the input, what is wrong and what would help.
 */
#ifndef DMAMAP_CMD_H
#define DMAMAP_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

enum cmd_exit {
	CMD_CLEAN = 0,
	CMD_FINDINGS = 1,
	CMD_USAGE = 2,
	CMD_UNREADABLE = 3,
	CMD_INTERNAL = 4,
};

struct option;

struct cmd_verb {
	const char *name;
	/* One line for the list of verbs. */
	const char *summary;
	const char *help;
	/* argv[0] is the verb. */
	int (*run)(int argc, char **argv);
};

extern const struct cmd_verb cmd_bench;
extern const struct cmd_verb cmd_emu;
extern const struct cmd_verb cmd_routes;
extern const struct cmd_verb cmd_replay;
extern const struct cmd_verb cmd_p2p;

/* say.c */

/** "dmamap: …" on standard error. */
void cmd_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** The same, then a pointer to the help; returns CMD_USAGE. @verb NULL: the command's own. */
int cmd_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The member of the NULL-terminated @words that @typed was probably meant to be; NULL if none is near. */
const char *cmd_nearest(const char *typed, const char *const *words);
/** Report an option that getopt_long() refused, with a suggestion. Returns CMD_USAGE. */
int cmd_bad_option(const char *verb, int argc, char **argv, const struct option *options);
/**
 * Find @value in the NULL-terminated @words; -1 after a message that lists them. @option is named in it.
 */
int cmd_choose(const char *verb, const char *option, const char *value, const char *const *words);

/* output.c */

/** May escape sequences for colour be written to @file? A terminal, NO_COLOR unset or empty, TERM not "dumb". */
bool cmd_colour(FILE *file);
/** Print @json to standard output and release it; 0, or CMD_INTERNAL. NULL means that there was no memory. */
int cmd_print_json(json_t *json);
/** Flush standard output; @code, or CMD_INTERNAL with a message if something could not be written. */
int cmd_finish(int code);

#endif

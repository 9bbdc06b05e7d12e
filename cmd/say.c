/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages to the user: errors, refused options, and what was probably meant instead.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "cmd.h"

/* Longer words are never close to one of ours. */
#define WORD_MAX 40

static void say_list(const char *format, va_list ap)
{
	fputs("dmamap: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

void cmd_say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_list(format, ap);
	va_end(ap);
}

static void point_to_help(const char *verb)
{
	fprintf(stderr, "Try `dmamap %s%s--help'.\n", verb ? verb : "", verb ? " " : "");
}

int cmd_usage(const char *verb, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_list(format, ap);
	va_end(ap);
	point_to_help(verb);
	return CMD_USAGE;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits (insert, delete, replace) that turn @a into @b. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], n = strlen(b);

	if (strlen(a) > WORD_MAX || n > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *cmd_nearest(const char *typed, const char *const *words)
{
	const char *best = NULL;
	size_t least = SIZE_MAX;

	for (; *words; words++) {
		size_t d = distance(typed, *words);

		if (d < least) {
			least = d;
			best = *words;
		}
	}
	return least <= 1 + strlen(typed) / 4 ? best : NULL;
}

/* The long option nearest to @typed, which may go on with "=value". */
static const char *nearest_option(const char *typed, const struct option *options)
{
	const char *names[32], *equals = strchr(typed, '=');
	char word[WORD_MAX + 1];
	size_t len = equals ? (size_t)(equals - typed) : strlen(typed), n = 0;

	if (len > WORD_MAX)
		return NULL;
	memcpy(word, typed, len);
	word[len] = '\0';
	for (; options->name && n < 31; options++)
		names[n++] = options->name;
	names[n] = NULL;
	return cmd_nearest(word, names);
}

int cmd_bad_option(const char *verb, int argc, char **argv, const struct option *options)
{
	const char *typed = optind > 0 && optind <= argc ? argv[optind - 1] : "";
	const char *nearest;

	if (optopt && strncmp(typed, "--", 2) != 0)
		return cmd_usage(verb, "there is no option -%c", optopt);
	/* getopt_long() sets optopt to the option's value where an argument is missing or too many. */
	for (const struct option *o = options; optopt && o->name; o++) {
		if (o->val == optopt)
			return cmd_usage(verb,
					 o->has_arg ? "--%s needs a value" : "--%s takes no value",
					 o->name);
	}
	nearest = strlen(typed) > 2 ? nearest_option(typed + 2, options) : NULL;
	if (nearest)
		return cmd_usage(verb, "there is no option %s; did you mean --%s?", typed, nearest);
	return cmd_usage(verb, "there is no option %s", typed);
}

int cmd_choose(const char *verb, const char *option, const char *value, const char *const *words)
{
	char list[500] = "";
	const char *nearest;

	for (int i = 0; words[i]; i++) {
		if (strcmp(value, words[i]) == 0)
			return i;
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "",
			 words[i]);
	}
	nearest = cmd_nearest(value, words);
	if (nearest)
		cmd_usage(verb, "%s: %s is not one of %s; did you mean %s?", option, value, list,
			  nearest);
	else
		cmd_usage(verb, "%s: %s is not one of %s", option, value, list);
	return -1;
}

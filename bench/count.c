/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exact instruction counts: the program runs again under valgrind's callgrind, which sets its counters to zero at the
 * entry of one function and writes them out at its return. That function runs an operation that is warm already.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define WARM	1000u
#define COUNTED 1000u
#define PATH	128u

/** Called through a pointer that the compiler may not look through, so that it stays one function of that name. */
bool dmamap_bench_counted(const struct bench_op *op, void *state);

bool dmamap_bench_counted(const struct bench_op *op, void *state)
{
	return op->run(state, COUNTED);
}

static bool (*volatile counted)(const struct bench_op *op, void *state) = dmamap_bench_counted;

int bench_counted_run(const struct bench_op *const *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		void *state = ops[i]->open();

		if (!state || !ops[i]->run(state, WARM) || !counted(ops[i], state))
			return 1;
		ops[i]->close(state);
	}
	return 0;
}

/* In the child: never returns. */
static void become_valgrind(char *program, char *out, const struct bench_op *const *ops, size_t n)
{
	static char *const fixed[] = {
		(char *)"valgrind",
		(char *)"-q",
		(char *)"--tool=callgrind",
		(char *)"--zero-before=dmamap_bench_counted",
		(char *)"--dump-after=dmamap_bench_counted",
	};
	size_t argc = sizeof(fixed) / sizeof(fixed[0]);
	char **argv = calloc(argc + n + 5, sizeof(char *));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (!argv || null < 0)
		_exit(127);
	memcpy(argv, fixed, sizeof(fixed));
	argv[argc++] = out;
	argv[argc++] = program;
	argv[argc++] = (char *)"bench";
	argv[argc++] = (char *)"--counted";
	for (size_t i = 0; i < n; i++)
		argv[argc++] = (char *)ops[i]->name;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execvp(argv[0], argv);
	_exit(127);
}

static bool run_valgrind(const char *folder, const struct bench_op *const *ops, size_t n)
{
	char program[4096], out[PATH + 64];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int status;
	pid_t pid;

	if (length < 0)
		return false;
	program[length] = '\0';
	snprintf(out, sizeof(out), "--callgrind-out-file=%s/out", folder);
	pid = fork();
	if (pid < 0)
		return false;
	if (pid == 0)
		become_valgrind(program, out, ops, n);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The "summary:" of one dump, divided by the operations; negative: there is none. */
static double read_dump(const char *folder, size_t index)
{
	char path[PATH + 32], line[512];
	double total = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/out.%zu", folder, index);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (total < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, "summary: ", 9) == 0)
			total = strtod(line + 9, NULL);
	fclose(file);
	return total < 0 ? -1 : total / COUNTED;
}

static void remove_folder(const char *folder)
{
	char pattern[PATH + 8];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*", folder);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			unlink(found.gl_pathv[i]);
		globfree(&found);
	}
	rmdir(folder);
}

bool bench_count_ops(const struct bench_op *const *ops, size_t n, double *counts)
{
	const char *tmp = getenv("TMPDIR");
	char folder[PATH];
	bool ran;

	if (snprintf(folder, sizeof(folder), "%s/dmamap-bench.XXXXXX",
		     tmp && *tmp ? tmp : "/tmp") >= (int)sizeof(folder) ||
	    !mkdtemp(folder))
		return false;
	ran = run_valgrind(folder, ops, n);
	for (size_t i = 0; i < n; i++)
		counts[i] = ran ? read_dump(folder, i + 1) : -1;
	remove_folder(folder);
	return ran;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The QEMU process: started with what it shares with us, ended for certain.
 *
 * It dies with the thread that started it (the kernel sends SIGKILL), and with its own process group. What it prints
 * goes to a file without a name, from which its last words are read.
 */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/** What the child has open: nothing, output twice, the line, memory, program. */
#define CHILD_FILES 6

static void child_says(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(126);
}

/** In the child: only calls that are safe after fork() in a threaded process. */
static _Noreturn void become_qemu(char *const argv[], const int files[CHILD_FILES], pid_t parent)
{
	int high[CHILD_FILES];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it was over before we asked */
		_exit(126);
	setpgid(0, 0);
	for (int i = 0; i < CHILD_FILES; i++)
		high[i] = fcntl(files[i], F_DUPFD, CHILD_FILES);
	for (int i = 0; i < CHILD_FILES; i++)
		if (high[i] < 0 || dup2(high[i], i) < 0)
			_exit(126);
	close_range(CHILD_FILES, ~0u, 0);
	execvp(argv[0], argv);
	child_says("cannot run ");
	child_says(argv[0]);
	child_says("\n");
	_exit(127);
}

static int spawn(struct qemu_link *link, char *const argv[], int ram, int rom, int line)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int files[CHILD_FILES] = { nothing, link->output, link->output, line, ram, rom };
	pid_t parent = getpid();
	pid_t pid;

	if (nothing < 0)
		return -DMAMAP_ENODEV;
	pid = fork();
	if (!pid)
		become_qemu(argv, files, parent);
	close(nothing);
	if (pid < 0)
		return -DMAMAP_ENOMEM;
	setpgid(pid, pid); /* whoever of the two comes first */
	link->pid = pid;
	return 0;
}

int qemu_link_start(struct qemu_link *link, char *const argv[], int ram, int rom)
{
	int pair[2];
	int err;

	link->output = memfd_create("qemu-output", MFD_CLOEXEC);
	if (link->output < 0)
		return -DMAMAP_ENOMEM;
	fcntl(link->output, F_SETFL, O_APPEND);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		close(link->output);
		link->output = -1;
		return -DMAMAP_ENOMEM;
	}
	link->socket = pair[0];
	err = spawn(link, argv, ram, rom, pair[1]);
	close(pair[1]);
	if (err)
		qemu_link_end(link);
	return err;
}

/** Kill it and everything it started. Returns the status that it left. */
static int reap(struct qemu_link *link)
{
	int status = 0;

	if (!link->pid)
		return 0;
	kill(-link->pid, SIGKILL);
	kill(link->pid, SIGKILL);
	while (waitpid(link->pid, &status, 0) < 0 && errno == EINTR)
		;
	link->pid = 0;
	return status;
}

void qemu_link_end(struct qemu_link *link)
{
	reap(link);
	if (link->socket >= 0)
		close(link->socket);
	if (link->output >= 0)
		close(link->output);
	link->socket = -1;
	link->output = -1;
}

size_t qemu_link_output(const struct qemu_link *link, char *buf, size_t size)
{
	off_t end = link->output < 0 ? 0 : lseek(link->output, 0, SEEK_END);
	off_t start = 0;
	ssize_t n;

	if (!size)
		return 0;
	if (end > (off_t)size - 1)
		start = end - (off_t)(size - 1);
	n = end > 0 ? pread(link->output, buf, size - 1, start) : 0;
	if (n < 0)
		n = 0;
	buf[n] = '\0';
	return (size_t)n;
}

/** Give a process that has hung up a moment to leave by itself: how it left is worth telling. */
static bool left_by_itself(struct qemu_link *link, int *status)
{
	for (int i = 0; link->pid && i < 200; i++) {
		if (waitpid(link->pid, status, WNOHANG) == link->pid) {
			kill(-link->pid, SIGKILL);
			link->pid = 0;
			return true;
		}
		poll(NULL, 0, 5);
	}
	return false;
}

static const char *how_it_left(char buf[64], int status)
{
	if (WIFSIGNALED(status))
		snprintf(buf, 64, ", killed by signal %d", WTERMSIG(status));
	else
		snprintf(buf, 64, ", exit code %d", WEXITSTATUS(status));
	return buf;
}

/** A line of the register dump that QEMU prints when it aborts: capitals and digits, then "=", as in "EAX=". */
static bool is_dump(const char *line)
{
	const char *p = line;

	while ((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == ' ')
		p++;
	return p != line && *p == '=';
}

/** The last lines of what it printed, without register dumps. */
static void last_words(const struct qemu_link *link, char words[QEMU_LAST_WORDS])
{
	char all[8 * QEMU_LAST_WORDS];
	size_t n = qemu_link_output(link, all, sizeof(all));
	size_t kept = 0;
	char *next;

	for (char *line = all; line < all + n; line = next) {
		char *end = memchr(line, '\n', (size_t)(all + n - line));
		size_t len;

		next = end ? end + 1 : all + n;
		len = (size_t)(next - line);
		if (is_dump(line))
			continue;
		memmove(all + kept, line, len);
		kept += len;
	}
	n = kept < QEMU_LAST_WORDS ? kept : QEMU_LAST_WORDS - 1;
	memcpy(words, all + kept - n, n);
	words[n] = '\0';
}

void qemu_link_fail(struct qemu_link *link, const char *why)
{
	char words[QEMU_LAST_WORDS];
	char left[64] = "";
	int status = 0;

	if (link->failed)
		return;
	if (left_by_itself(link, &status))
		how_it_left(left, status);
	reap(link);
	last_words(link, words);
	snprintf(link->failure, sizeof(link->failure), "%s%s; its last words: %s", why, left,
		 words[0] ? words : "none");
	/* Whoever sees that it has failed may read why. */
	__atomic_store_n(&link->failed, true, __ATOMIC_RELEASE);
}

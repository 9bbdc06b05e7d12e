/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's qtest protocol: one line of text for each access, one for each answer. Lines that are no answer (interrupts)
 * are skipped. A machine that does not answer in time, or that hangs up, has failed for good.
 */
#include "machine.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* --- lines; the lock is held */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** Wait until the line can be read or written; false: it has failed. */
static bool wait_for(struct qemu_link *link, short events, int64_t deadline)
{
	struct pollfd p = { .fd = link->socket, .events = events };

	for (;;) {
		int64_t left = deadline - now_ms();
		int n = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (n > 0)
			return true;
		if (n < 0 && errno == EINTR)
			continue;
		qemu_link_fail(link, "QEMU did not answer in time");
		return false;
	}
}

static bool send_all(struct qemu_link *link, const char *text, size_t len, int64_t deadline)
{
	while (len) {
		ssize_t n = send(link->socket, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (!wait_for(link, POLLOUT, deadline))
				return false;
		} else {
			qemu_link_fail(link, "QEMU hung up");
			return false;
		}
	}
	return true;
}

/** Read more; false: it has failed. */
static bool receive(struct qemu_link *link, int64_t deadline)
{
	ssize_t n;

	if (link->start) {
		memmove(link->in, link->in + link->start, link->end - link->start);
		link->end -= link->start;
		link->start = 0;
	}
	if (link->end == sizeof(link->in)) {
		qemu_link_fail(link, "QEMU's answer is too long");
		return false;
	}
	if (!wait_for(link, POLLIN, deadline))
		return false;
	do
		n = recv(link->socket, link->in + link->end, sizeof(link->in) - link->end, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		qemu_link_fail(link, "QEMU hung up");
		return false;
	}
	link->end += (size_t)n;
	return true;
}

/** The next line, terminated in place; NULL: it has failed. */
static char *next_line(struct qemu_link *link, int64_t deadline)
{
	for (;;) {
		char *line = link->in + link->start;
		char *end = memchr(line, '\n', link->end - link->start);

		if (end) {
			*end = '\0';
			link->start = (size_t)(end + 1 - link->in);
			return line;
		}
		if (!receive(link, deadline))
			return NULL;
	}
}

/** What follows "OK" in the answer to a command; NULL: it has failed. */
static const char *ask(struct qemu_link *link, const char *command, size_t len)
{
	int64_t deadline = now_ms() + link->timeout_ms;

	if (link->failed || !send_all(link, command, len, deadline))
		return NULL;
	for (;;) {
		const char *line = next_line(link, deadline);

		if (!line)
			return NULL;
		if (!strncmp(line, "OK", 2))
			return line[2] == ' ' ? line + 3 : line + 2;
		if (!strncmp(line, "FAIL", 4) || !strncmp(line, "ERR", 3)) {
			qemu_link_fail(link, "QEMU refused a command");
			return NULL;
		}
	}
}

/* --- single accesses */

static char letter(unsigned int width)
{
	return width == 8 ? 'q' : width == 4 ? 'l' : width == 2 ? 'w' : 'b';
}

static uint64_t all_ones(unsigned int width)
{
	return DMA_BIT_MASK(8 * width);
}

static uint64_t get(struct qemu_machine *m, const char *verb, uint64_t addr, unsigned int width)
{
	uint64_t value = all_ones(width);
	const char *answer;
	char command[64];
	int len = snprintf(command, sizeof(command), "%s%c 0x%" PRIx64 "\n", verb, letter(width),
			   addr);

	pthread_mutex_lock(&m->link.lock);
	answer = ask(&m->link, command, (size_t)len);
	if (answer)
		value &= strtoull(answer, NULL, 0);
	pthread_mutex_unlock(&m->link.lock);
	return value;
}

static void put(struct qemu_machine *m, const char *verb, uint64_t addr, unsigned int width,
		uint64_t value)
{
	char command[96];
	int len = snprintf(command, sizeof(command), "%s%c 0x%" PRIx64 " 0x%" PRIx64 "\n", verb,
			   letter(width), addr, value);

	pthread_mutex_lock(&m->link.lock);
	ask(&m->link, command, (size_t)len);
	pthread_mutex_unlock(&m->link.lock);
}

uint8_t qemu_read8(struct qemu_machine *m, phys_addr_t addr)
{
	return (uint8_t)get(m, "read", addr, 1);
}

uint16_t qemu_read16(struct qemu_machine *m, phys_addr_t addr)
{
	return (uint16_t)get(m, "read", addr, 2);
}

uint32_t qemu_read32(struct qemu_machine *m, phys_addr_t addr)
{
	return (uint32_t)get(m, "read", addr, 4);
}

uint64_t qemu_read64(struct qemu_machine *m, phys_addr_t addr)
{
	return get(m, "read", addr, 8);
}

void qemu_write8(struct qemu_machine *m, phys_addr_t addr, uint8_t value)
{
	put(m, "write", addr, 1, value);
}

void qemu_write16(struct qemu_machine *m, phys_addr_t addr, uint16_t value)
{
	put(m, "write", addr, 2, value);
}

void qemu_write32(struct qemu_machine *m, phys_addr_t addr, uint32_t value)
{
	put(m, "write", addr, 4, value);
}

void qemu_write64(struct qemu_machine *m, phys_addr_t addr, uint64_t value)
{
	put(m, "write", addr, 8, value);
}

uint32_t qemu_in(struct qemu_machine *m, uint16_t port, unsigned int width)
{
	return m->arch == QEMU_X86_64 ? (uint32_t)get(m, "in", port, width)
				      : (uint32_t)all_ones(width);
}

void qemu_out(struct qemu_machine *m, uint16_t port, uint32_t value, unsigned int width)
{
	if (m->arch == QEMU_X86_64)
		put(m, "out", port, width, value);
}

bool qemu_link_ready(struct qemu_link *link)
{
	bool ready;

	pthread_mutex_lock(&link->lock);
	ready = ask(link, "endianness\n", sizeof("endianness\n") - 1) != NULL;
	pthread_mutex_unlock(&link->lock);
	return ready;
}

/* --- bytes */

static unsigned int digit(char c)
{
	return c >= 'a' ? (unsigned int)(c - 'a') + 10 : (unsigned int)(c - '0');
}

/** "0x" and two digits for each byte. Bytes that are missing read as ones. */
static void from_hex(unsigned char *to, size_t n, const char *text)
{
	if (!strncmp(text, "0x", 2))
		text += 2;
	for (size_t i = 0; i < n; i++) {
		to[i] = 0xff;
		if (!text[0] || !text[1])
			continue;
		to[i] = (unsigned char)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
	}
}

void qemu_read_bytes(struct qemu_machine *m, phys_addr_t addr, void *buf, size_t len)
{
	unsigned char *to = buf;

	while (len) {
		size_t n = len < QEMU_CHUNK ? len : QEMU_CHUNK;
		const char *answer;
		char command[64];
		int size =
			snprintf(command, sizeof(command), "read 0x%" PRIx64 " 0x%zx\n", addr, n);

		pthread_mutex_lock(&m->link.lock);
		answer = ask(&m->link, command, (size_t)size);
		from_hex(to, n, answer ? answer : "");
		pthread_mutex_unlock(&m->link.lock);
		addr += n;
		to += n;
		len -= n;
	}
}

void qemu_write_bytes(struct qemu_machine *m, phys_addr_t addr, const void *buf, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char command[64 + 2 * QEMU_CHUNK];
	const unsigned char *from = buf;

	while (len) {
		size_t n = len < QEMU_CHUNK ? len : QEMU_CHUNK;
		size_t at = (size_t)snprintf(command, sizeof(command),
					     "write 0x%" PRIx64 " 0x%zx 0x", addr, n);

		for (size_t i = 0; i < n; i++) {
			command[at++] = digits[from[i] >> 4];
			command[at++] = digits[from[i] & 15];
		}
		command[at++] = '\n';
		pthread_mutex_lock(&m->link.lock);
		ask(&m->link, command, at);
		pthread_mutex_unlock(&m->link.lock);
		addr += n;
		from += n;
		len -= n;
	}
}

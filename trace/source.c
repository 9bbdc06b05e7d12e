/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the bytes of a trace come from: a file, a pipe or standard input through zlib, which passes plain text on and
 * unpacks gzip, or a piece of memory. Errors keep zlib's words, because "unexpected end of file" is what a user needs
 * to hear about a download that broke off.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "internal.h"

/* zlib's own buffer; larger ones gain nothing. */
#define GZ_BUFFER (128u << 10)

static int open_fd(const char *path)
{
	int fd;

	if (strcmp(path, DMT_STDIN) == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int look_at_file(struct dmt_source *src, int fd, bool is_stdin)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode)) {
		src->regular = !is_stdin;
		src->total = (uint64_t)st.st_size;
	}
	return 0;
}

int dmt_source_open(struct dmt_source *src, const char *path)
{
	gzFile gz;
	int fd, rc;

	memset(src, 0, sizeof(*src));
	fd = open_fd(path);
	if (fd < 0)
		return fd;
	rc = look_at_file(src, fd, strcmp(path, DMT_STDIN) == 0);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	gz = gzdopen(fd, "rb");
	if (!gz) {
		close(fd);
		return -ENOMEM;
	}
	gzbuffer(gz, GZ_BUFFER);
	src->gz = gz;
	return 0;
}

void dmt_source_memory(struct dmt_source *src, const void *data, size_t size)
{
	memset(src, 0, sizeof(*src));
	src->mem = data;
	src->total = size;
}

void dmt_source_close(struct dmt_source *src)
{
	if (src->gz)
		gzclose_r(src->gz);
	src->gz = NULL;
}

static int64_t read_memory(struct dmt_source *src, void *to, size_t n)
{
	uint64_t left = src->total - src->taken;

	if (n > left)
		n = (size_t)left;
	if (n)
		memcpy(to, src->mem + src->taken, n);
	src->taken += n;
	return (int64_t)n;
}

static int64_t gz_failed(struct dmt_source *src)
{
	int saved = errno, code;
	const char *text = gzerror(src->gz, &code);

	if (code == Z_MEM_ERROR)
		return -ENOMEM;
	if (code == Z_ERRNO) {
		snprintf(src->why, sizeof(src->why), "%s", strerror(saved));
		return saved ? -saved : -EIO;
	}
	snprintf(src->why, sizeof(src->why), "damaged gzip data: %s", text);
	return -EIO;
}

static int64_t read_gz(struct dmt_source *src, void *to, size_t n)
{
	unsigned int ask = n > INT_MAX ? INT_MAX : (unsigned int)n;
	int got, code;

	errno = 0;
	got = gzread(src->gz, to, ask);
	if (got < 0)
		return gz_failed(src);
	/* zlib reports the missing rest of a stream only as an error code beside a short count. */
	if ((unsigned int)got < ask) {
		gzerror(src->gz, &code);
		if (code != Z_OK && code != Z_STREAM_END && got == 0)
			return gz_failed(src);
	}
	src->taken += (unsigned int)got;
	return got;
}

int64_t dmt_source_read(struct dmt_source *src, void *to, size_t n)
{
	return src->gz ? read_gz(src, to, n) : read_memory(src, to, n);
}

/* zlib cannot say how much of a pipe it took: there it is what came out. */
uint64_t dmt_source_offset(const struct dmt_source *src)
{
	z_off_t at;

	if (!src->gz)
		return src->taken;
	at = gzoffset(src->gz);
	return at < 0 ? src->taken : (uint64_t)at;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine says of itself: files of QEMU's firmware configuration (read with its DMA interface, whose
 * structures are big-endian), and the ACPI tables among them. No firmware has run, so tables are found by signature,
 * one after another as they lie in the file, and nothing in them is patched.
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#define PORT_DMA	0x514
#define ITEM_DIRECTORY	0x19
#define CONTROL_ERROR	1u
#define CONTROL_READ	2u
#define CONTROL_SELECT	8u
#define DIRECTORY_ENTRY 64u
#define MAX_FILE	(1u << 20)
#define MAX_FILES	1024u

struct request {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

static void start(struct qemu_machine *m, phys_addr_t request)
{
	if (m->board->fw_cfg_dma) {
		qemu_write64(m, m->board->fw_cfg_dma, __builtin_bswap64(request));
		return;
	}
	qemu_out(m, PORT_DMA, __builtin_bswap32((uint32_t)(request >> 32)), 4);
	qemu_out(m, PORT_DMA + 4, __builtin_bswap32((uint32_t)request), 4);
}

/** Copy the first @len bytes of an item; the transfer is over when the register was written. */
static bool read_item(struct qemu_machine *m, unsigned int item, void *buf, uint32_t len)
{
	phys_addr_t data = qemu_alloc(m, len, HOST_PAGE, 0, DMA_BIT_MASK(32));
	phys_addr_t at = qemu_alloc(m, sizeof(struct request), HOST_PAGE, 0, DMA_BIT_MASK(32));
	bool done = false;

	if (data != DMAMAP_PHYS_NONE && at != DMAMAP_PHYS_NONE) {
		struct request *r = qemu_ram_ptr(m, at, sizeof(*r));

		r->control = __builtin_bswap32(item << 16 | CONTROL_SELECT | CONTROL_READ);
		r->length = __builtin_bswap32(len);
		r->address = __builtin_bswap64(data);
		start(m, at);
		done = __atomic_load_n(&r->control, __ATOMIC_ACQUIRE) == 0;
		memcpy(buf, qemu_ram_ptr(m, data, len), len);
	}
	if (data != DMAMAP_PHYS_NONE)
		qemu_free(m, data, len);
	if (at != DMAMAP_PHYS_NONE)
		qemu_free(m, at, sizeof(struct request));
	return done;
}

static uint32_t big32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool find_file(struct qemu_machine *m, const char *name, unsigned int *item, uint32_t *len)
{
	unsigned char head[4];
	unsigned char *list;
	uint32_t count;
	bool found = false;

	if (!read_item(m, ITEM_DIRECTORY, head, sizeof(head)))
		return false;
	count = big32(head);
	if (!count || count > MAX_FILES)
		return false;
	list = malloc(4 + count * DIRECTORY_ENTRY);
	if (!list)
		return false;
	if (read_item(m, ITEM_DIRECTORY, list, 4 + count * DIRECTORY_ENTRY)) {
		for (unsigned char *e = list + 4; !found && count--; e += DIRECTORY_ENTRY) {
			found = !strncmp((char *)e + 8, name, DIRECTORY_ENTRY - 8);
			*len = big32(e);
			*item = (unsigned int)e[4] << 8 | e[5];
		}
	}
	free(list);
	return found;
}

unsigned char *qemu_fwcfg_file(struct qemu_machine *m, const char *name, size_t *len)
{
	unsigned char *file;
	unsigned int item;
	uint32_t size;

	if (!find_file(m, name, &item, &size) || !size || size > MAX_FILE)
		return NULL;
	file = malloc(size);
	if (file && !read_item(m, item, file, size)) {
		free(file);
		return NULL;
	}
	*len = size;
	return file;
}

/* --- ACPI */

#define ACPI_HEADER 36u

static uint32_t little32(const unsigned char *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/** Does a table begin here? Its signature, a length that fits, and an author with a readable name. */
static bool is_table(const unsigned char *p, size_t room, const char *signature)
{
	uint32_t len;

	if (room < ACPI_HEADER || memcmp(p, signature, 4) != 0)
		return false;
	len = little32(p + 4);
	if (len < ACPI_HEADER || len > room)
		return false;
	for (unsigned int i = 10; i < 16; i++)
		if (p[i] < ' ' || p[i] > '~')
			return false;
	return true;
}

const void *qemu_acpi_table(struct qemu_machine *m, const char *signature, size_t *len)
{
	if (!m->acpi)
		m->acpi = qemu_fwcfg_file(m, "etc/acpi/tables", &m->acpi_len);
	for (size_t i = 0; m->acpi && i < m->acpi_len; i++) {
		if (!is_table(m->acpi + i, m->acpi_len - i, signature))
			continue;
		*len = little32(m->acpi + i + 4);
		return m->acpi + i;
	}
	return NULL;
}

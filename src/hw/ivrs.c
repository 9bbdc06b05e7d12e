/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IVRS table: a header of 48 bytes, then blocks {type, flags, length, …}: IVHD for units, which end in entries for
 * their devices, and IVMD for memory (AMD-Vi 5.2). Words are little-endian and not aligned.
 */
#include <dmamap/ivrs.h>

#include "base/mem.h"

#define HEADER	     48u
#define BLOCK	     4u
#define UNIT_FIRST   0x10u /* with a head of 24 bytes */
#define UNIT_SECOND  0x11u /* these with one of 40 */
#define UNIT_THIRD   0x40u
#define REGION_ALL   0x20u
#define REGION_ONE   0x21u
#define REGION_RANGE 0x22u
#define REGION_BYTES 32u
#define NAMED	     0xf0u /* an entry of an ACPI device: its length is in it */
#define NAMED_BYTES  22u

/* Entries for devices (5.2.2.2). */
#define ENTRY_ALL	  1u
#define ENTRY_ONE	  2u
#define ENTRY_START	  3u
#define ENTRY_END	  4u
#define ENTRY_ALIAS	  0x42u
#define ENTRY_ALIAS_START 0x43u
#define ENTRY_LONG	  0x46u
#define ENTRY_LONG_START  0x47u

static uint64_t little(const unsigned char *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

/* --- blocks */

/** The block at *@at, and *@at behind it. NULL at the end, and where the rest is no block. */
static const unsigned char *next_block(const struct dma_ivrs *ivrs, uint32_t *at, uint32_t *len)
{
	const unsigned char *p = ivrs->table + *at;

	if (ivrs->len - *at < BLOCK)
		return NULL;
	*len = (uint32_t)little(p + 2, 2);
	if (*len < BLOCK || *len > ivrs->len - *at)
		return NULL;
	*at += *len;
	return p;
}

static bool is_unit(uint8_t type)
{
	return type == UNIT_FIRST || type == UNIT_SECOND || type == UNIT_THIRD;
}

int dmamap_ivrs_open(const void *table, size_t len, struct dma_ivrs *ivrs)
{
	const unsigned char *p = table;
	uint32_t at = HEADER;
	uint32_t info, size;

	if (!p || !ivrs || len < HEADER || memcmp(p, "IVRS", 4) != 0)
		return -DMAMAP_EINVAL;
	info = (uint32_t)little(p + 36, 4);
	*ivrs = (struct dma_ivrs){
		.table = p,
		.len = (uint32_t)little(p + 4, 4),
		.address_bits = info >> 8 & 0x7f,
		.virtual_bits = info >> 15 & 0x7f,
	};
	if (ivrs->len < HEADER || ivrs->len > len)
		return -DMAMAP_EINVAL;
	while ((p = next_block(ivrs, &at, &size)))
		if (is_unit(p[0]) && p[0] > ivrs->unit_type)
			ivrs->unit_type = p[0];
	return at == ivrs->len ? 0 : -DMAMAP_EINVAL;
}

/* --- units */

static bool read_unit(const unsigned char *p, uint32_t len, struct dma_ivrs_unit *unit)
{
	uint32_t head = p[0] == UNIT_FIRST ? 24 : 40;

	if (len < head)
		return false;
	*unit = (struct dma_ivrs_unit){
		.registers = little(p + 8, 8),
		.segment = (uint16_t)little(p + 16, 2),
		.id = (uint16_t)little(p + 4, 2),
		.capability = (uint16_t)little(p + 6, 2),
		.entries = p + head,
		.entries_len = len - head,
	};
	return unit->registers && unit->registers % 4096 == 0;
}

bool dmamap_ivrs_unit(const struct dma_ivrs *ivrs, unsigned int index, struct dma_ivrs_unit *unit)
{
	const unsigned char *p;
	uint32_t at = HEADER;
	uint32_t len;

	while ((p = next_block(ivrs, &at, &len)))
		if (p[0] == ivrs->unit_type && is_unit(p[0]) && read_unit(p, len, unit) && !index--)
			return true;
	return false;
}

/* --- the devices of a unit */

/** Bytes of an entry: the two highest bits of its type say, but for the one that has a name. 0: it does not fit. */
static uint32_t entry_bytes(const unsigned char *p, uint32_t rest)
{
	uint32_t len = 4u << (p[0] >> 6);

	if (p[0] == NAMED)
		len = rest < NAMED_BYTES ? rest + 1 : NAMED_BYTES + p[NAMED_BYTES - 1];
	return len <= rest ? len : 0;
}

/** What an entry says of a device; a range is open from its first entry to its last. */
struct walk {
	uint16_t id;
	bool open; /* a range that began at or below the device */
	bool found;
	uint16_t start_alias;
	uint16_t alias;
};

static void take(struct walk *w, uint16_t alias)
{
	w->found = true;
	w->alias = alias;
}

static void read_entry(struct walk *w, const unsigned char *p, uint32_t len)
{
	uint16_t id = (uint16_t)little(p + 1, 2);
	uint16_t other = len >= 8 ? (uint16_t)little(p + 5, 2) : 0;

	switch (p[0]) {
	case ENTRY_ALL:
		take(w, w->id);
		break;
	case ENTRY_ONE:
	case ENTRY_LONG:
		if (id == w->id)
			take(w, id);
		break;
	case ENTRY_ALIAS:
		if (id == w->id)
			take(w, other);
		break;
	case ENTRY_START:
	case ENTRY_LONG_START:
		w->open = id <= w->id;
		w->start_alias = w->id;
		break;
	case ENTRY_ALIAS_START:
		w->open = id <= w->id;
		w->start_alias = other;
		break;
	case ENTRY_END:
		if (w->open && w->id <= id)
			take(w, w->start_alias);
		w->open = false;
		break;
	default:
		break;
	}
}

bool dmamap_ivrs_covers(const struct dma_ivrs_unit *unit, uint16_t id, uint16_t *alias)
{
	struct walk w = { .id = id };
	uint32_t at = 0;

	while (unit->entries_len - at >= 4) {
		const unsigned char *p = unit->entries + at;
		uint32_t len = entry_bytes(p, unit->entries_len - at);

		if (!len)
			break;
		read_entry(&w, p, len);
		at += len;
	}
	*alias = w.alias;
	return w.found;
}

/* --- memory (5.2.3) */

static bool read_region(const unsigned char *p, uint32_t len, struct dma_ivrs_region *region)
{
	uint64_t start, size;

	if (p[0] < REGION_ALL || p[0] > REGION_RANGE || len < REGION_BYTES)
		return false;
	start = little(p + 16, 8);
	size = little(p + 24, 8);
	*region = (struct dma_ivrs_region){
		.first = start,
		.last = start + (size - 1),
		.first_id = p[0] == REGION_ALL ? 0 : (uint16_t)little(p + 4, 2),
		.last_id = p[0] == REGION_ALL	? 0xffff
			   : p[0] == REGION_ONE ? (uint16_t)little(p + 4, 2)
						: (uint16_t)little(p + 6, 2),
		.read = p[1] & 2,
		.write = p[1] & 4,
		.excluded = p[1] & 8,
	};
	return size && region->last >= region->first && region->first_id <= region->last_id;
}

bool dmamap_ivrs_region(const struct dma_ivrs *ivrs, unsigned int index,
			struct dma_ivrs_region *region)
{
	const unsigned char *p;
	uint32_t at = HEADER;
	uint32_t len;

	while ((p = next_block(ivrs, &at, &len)))
		if (read_region(p, len, region) && !index--)
			return true;
	return false;
}

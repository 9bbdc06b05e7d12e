/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DMAR table: a header of 48 bytes, then structures {type, length, …}, some of which end in device scopes
 * {type, length, …} (VT-d architecture specification 4.1, 8.1-8.5). Words are little-endian and not aligned.
 */
#include <dmamap/dmar.h>

#include "base/mem.h"

#define HEADER		48u
#define TYPE_UNIT	0u
#define TYPE_REGION	1u
#define UNIT_BYTES	16u
#define REGION_BYTES	24u
#define STRUCTURE_BYTES 4u
#define SCOPE_BYTES	6u
#define PAGE		4096u

static uint64_t little(const unsigned char *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

/** The structure at *@at, and *@at behind it. NULL at the end, and where the rest is no structure. */
static const unsigned char *next_structure(const struct dma_dmar *dmar, uint32_t *at, uint32_t *len)
{
	const unsigned char *p = dmar->table + *at;

	if (dmar->len - *at < STRUCTURE_BYTES)
		return NULL;
	*len = (uint32_t)little(p + 2, 2);
	if (*len < STRUCTURE_BYTES || *len > dmar->len - *at)
		return NULL;
	*at += *len;
	return p;
}

int dmamap_dmar_open(const void *table, size_t len, struct dma_dmar *dmar)
{
	const unsigned char *p = table;
	uint32_t at = HEADER;
	uint32_t size;

	if (!p || !dmar || len < HEADER || memcmp(p, "DMAR", 4) != 0)
		return -DMAMAP_EINVAL;
	*dmar = (struct dma_dmar){
		.table = p,
		.len = (uint32_t)little(p + 4, 4),
		.address_bits = p[36] + 1u,
		.interrupt_remapping = p[37] & 1,
		.x2apic_opt_out = p[37] & 2,
		.dma_opt_in = p[37] & 4,
	};
	if (dmar->len < HEADER || dmar->len > len)
		return -DMAMAP_EINVAL;
	while (next_structure(dmar, &at, &size))
		;
	return at == dmar->len ? 0 : -DMAMAP_EINVAL;
}

static bool read_unit(const unsigned char *p, uint32_t len, struct dma_dmar_unit *unit)
{
	if (len < UNIT_BYTES)
		return false;
	*unit = (struct dma_dmar_unit){
		.registers = little(p + 8, 8),
		.register_bytes = (uint64_t)PAGE << (p[5] & 15),
		.segment = (uint16_t)little(p + 6, 2),
		.all_devices = p[4] & 1,
		.scopes = { p + UNIT_BYTES, len - UNIT_BYTES },
	};
	return unit->registers && unit->registers % PAGE == 0 &&
	       unit->registers + (unit->register_bytes - 1) > unit->registers;
}

static bool read_region(const unsigned char *p, uint32_t len, struct dma_dmar_region *region)
{
	if (len < REGION_BYTES)
		return false;
	*region = (struct dma_dmar_region){
		.first = little(p + 8, 8),
		.last = little(p + 16, 8),
		.segment = (uint16_t)little(p + 6, 2),
		.scopes = { p + REGION_BYTES, len - REGION_BYTES },
	};
	return region->last > region->first;
}

bool dmamap_dmar_unit(const struct dma_dmar *dmar, unsigned int index, struct dma_dmar_unit *unit)
{
	const unsigned char *p;
	uint32_t at = HEADER;
	uint32_t len;

	while ((p = next_structure(dmar, &at, &len)))
		if (little(p, 2) == TYPE_UNIT && read_unit(p, len, unit) && !index--)
			return true;
	return false;
}

bool dmamap_dmar_region(const struct dma_dmar *dmar, unsigned int index,
			struct dma_dmar_region *region)
{
	const unsigned char *p;
	uint32_t at = HEADER;
	uint32_t len;

	while ((p = next_structure(dmar, &at, &len)))
		if (little(p, 2) == TYPE_REGION && read_region(p, len, region) && !index--)
			return true;
	return false;
}

/* --- device scopes */

static bool read_scope(const unsigned char *p, uint32_t len, struct dma_dmar_scope *scope)
{
	unsigned int hops = (len - SCOPE_BYTES) / 2;

	if (p[0] < DMA_DMAR_ENDPOINT || p[0] > DMA_DMAR_NAMED || !hops || hops > DMA_DMAR_HOPS ||
	    len % 2)
		return false;
	*scope = (struct dma_dmar_scope){
		.kind = (enum dma_dmar_scope_kind)p[0],
		.enumeration_id = p[4],
		.bus = p[5],
		.hops = hops,
	};
	for (unsigned int i = 0; i < hops; i++) {
		const unsigned char *hop = p + SCOPE_BYTES + (size_t)2 * i;

		if (hop[0] > 31 || hop[1] > 7)
			return false;
		scope->hop[i] = (uint8_t)(hop[0] << 3 | hop[1]);
	}
	return true;
}

bool dmamap_dmar_scope(const struct dma_dmar_scopes *scopes, unsigned int index,
		       struct dma_dmar_scope *scope)
{
	const unsigned char *p = scopes->first;
	uint32_t left = scopes->len;

	while (left >= SCOPE_BYTES && p[1] >= SCOPE_BYTES && p[1] <= left) {
		if (read_scope(p, p[1], scope) && !index--)
			return true;
		left -= p[1];
		p += p[1];
	}
	return false;
}

int dmamap_dmar_scope_id(const struct dma_dmar_scope *scope,
			 int (*secondary)(void *arg, uint32_t id), void *arg, uint32_t *id)
{
	uint32_t at;

	if (!scope->hops || scope->hops > DMA_DMAR_HOPS)
		return -DMAMAP_ENODEV;
	at = (uint32_t)scope->bus << 8 | scope->hop[0];
	for (unsigned int i = 1; i < scope->hops; i++) {
		int bus = secondary ? secondary(arg, at) : -1;

		if (bus < 0 || bus > 255)
			return -DMAMAP_ENODEV;
		at = (uint32_t)bus << 8 | scope->hop[i];
	}
	*id = at;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VIOT table: a header that says how many nodes there are and where, then nodes {type, 0, length, …} that name each
 * other by their offset (ACPI 6.5, 5.2.34). Words are little-endian and not aligned.
 */
#include <dmamap/viot.h>

#include "base/mem.h"

#define HEADER	   48u
#define NODE	   4u
#define PCI_RANGE  1u /* endpoint, segments [first, last], numbers [first, last], output */
#define UNIT_PCI   3u
#define UNIT_MMIO  4u
#define UNIT_BYTES 16u
#define PCI_BYTES  18u

static uint64_t little(const unsigned char *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

/** The node at *@at, and *@at behind it. NULL where the rest is no node. */
static const unsigned char *next_node(const struct dma_viot *viot, uint32_t *at, uint32_t *len)
{
	const unsigned char *p = viot->table + *at;

	if (viot->len - *at < NODE)
		return NULL;
	*len = (uint32_t)little(p + 2, 2);
	if (*len < NODE || *len > viot->len - *at)
		return NULL;
	*at += *len;
	return p;
}

int dmamap_viot_open(const void *table, size_t len, struct dma_viot *viot)
{
	const unsigned char *p = table;
	uint32_t at, size;

	if (!p || !viot || len < HEADER || memcmp(p, "VIOT", 4) != 0)
		return -DMAMAP_EINVAL;
	*viot = (struct dma_viot){
		.table = p,
		.len = (uint32_t)little(p + 4, 4),
		.nodes = (uint16_t)little(p + 36, 2),
		.first = (uint16_t)little(p + 38, 2),
	};
	if (viot->len < HEADER || viot->len > len || viot->first < HEADER ||
	    viot->first > viot->len)
		return -DMAMAP_EINVAL;
	at = viot->first;
	for (unsigned int i = 0; i < viot->nodes; i++)
		if (!next_node(viot, &at, &size))
			return -DMAMAP_EINVAL;
	return 0;
}

static bool read_unit(const unsigned char *p, uint32_t len, struct dma_viot_unit *unit)
{
	if ((p[0] != UNIT_PCI && p[0] != UNIT_MMIO) || len < UNIT_BYTES)
		return false;
	*unit = (struct dma_viot_unit){ .pci = p[0] == UNIT_PCI };
	if (unit->pci) {
		unit->segment = (uint16_t)little(p + 4, 2);
		unit->id = (uint16_t)little(p + 6, 2);
	} else {
		unit->registers = little(p + 8, 8);
	}
	return true;
}

bool dmamap_viot_unit(const struct dma_viot *viot, unsigned int index, struct dma_viot_unit *unit)
{
	uint32_t at = viot->first;

	for (unsigned int i = 0; i < viot->nodes; i++) {
		uint32_t node = at;
		uint32_t len;
		const unsigned char *p = next_node(viot, &at, &len);

		if (!p)
			return false;
		if (!read_unit(p, len, unit) || index--)
			continue;
		unit->node = (uint16_t)node;
		return true;
	}
	return false;
}

/** The numbers of a range go on from one segment to the next. */
static bool in_range(const unsigned char *p, uint32_t len, uint16_t segment, uint16_t id,
		     uint32_t *endpoint)
{
	uint16_t first_segment, first_id;

	if (p[0] != PCI_RANGE || len < PCI_BYTES)
		return false;
	first_segment = (uint16_t)little(p + 8, 2);
	first_id = (uint16_t)little(p + 12, 2);
	if (segment < first_segment || segment > little(p + 10, 2) || id < first_id ||
	    id > little(p + 14, 2))
		return false;
	*endpoint = (uint32_t)little(p + 4, 4) + ((uint32_t)(segment - first_segment) << 16) +
		    (uint32_t)(id - first_id);
	return true;
}

bool dmamap_viot_endpoint(const struct dma_viot *viot, uint16_t segment, uint16_t id,
			  uint16_t *node, uint32_t *endpoint)
{
	uint32_t at = viot->first;

	for (unsigned int i = 0; i < viot->nodes; i++) {
		uint32_t len;
		const unsigned char *p = next_node(viot, &at, &len);

		if (!p)
			return false;
		if (!in_range(p, len, segment, id, endpoint))
			continue;
		*node = (uint16_t)little(p + 16, 2);
		return true;
	}
	return false;
}

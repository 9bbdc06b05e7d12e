/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the reader of the DMAR table: any bytes at all. What it gives must lie inside of the table, and make sense.
 */
#include <dmamap/dmar.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/** A tree of bridges that never ends. */
static int bus_below(void *arg, uint32_t id)
{
	(void)arg;
	return (int)(id >> 8) + 1;
}

static void read_scopes(const struct dma_dmar *dmar, const struct dma_dmar_scopes *scopes)
{
	struct dma_dmar_scope scope;
	uint32_t id;

	MUST(scopes->first >= dmar->table && scopes->len <= dmar->len);
	MUST(scopes->first + scopes->len <= dmar->table + dmar->len);
	for (unsigned int i = 0; dmamap_dmar_scope(scopes, i, &scope); i++) {
		MUST(scope.hops && scope.hops <= DMA_DMAR_HOPS);
		if (!dmamap_dmar_scope_id(&scope, bus_below, NULL, &id))
			MUST(id <= 0xffff);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dma_dmar_region region;
	struct dma_dmar_unit unit;
	struct dma_dmar dmar;

	if (dmamap_dmar_open(data, size, &dmar))
		return 0;
	MUST(dmar.len <= size && dmar.address_bits <= 256);
	for (unsigned int i = 0; dmamap_dmar_unit(&dmar, i, &unit); i++) {
		MUST(unit.registers % 4096 == 0 && unit.register_bytes >= 4096);
		read_scopes(&dmar, &unit.scopes);
	}
	for (unsigned int i = 0; dmamap_dmar_region(&dmar, i, &region); i++) {
		MUST(region.last > region.first);
		read_scopes(&dmar, &region.scopes);
	}
	return 0;
}

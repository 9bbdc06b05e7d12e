/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMMU's stream table, one level or two, and the context descriptors (IHI 0070, 5.1, 5.2, 5.4).
 *
 * An entry changes in steps between which hardware is told to forget it, because it may read the words of an entry in
 * any order (3.21.3): while the first word says "abort" or "bypass" the others mean nothing.
 */
#include "smmuv3.h"

static uint64_t config_of_detached(const struct dma_smmuv3 *s)
{
	return SMMU_STE_V | (s->bypass ? SMMU_STE_BYPASS : SMMU_STE_ABORT);
}

/* --- the stream table */

static void fill_detached(const struct dma_smmuv3 *s, const struct hw_memory *table, uint64_t n)
{
	uint64_t *word = table->cpu;

	for (uint64_t i = 0; i < n; i++, word += SMMU_STE_WORDS) {
		word[0] = config_of_detached(s);
		word[1] = SMMU_STE_SHCFG;
	}
	dmamap_hw_clean(s->host, s->info.coherent_walk, table->phys, n * SMMU_STE_SIZE);
}

static bool alloc_table(struct dma_smmuv3 *s, uint64_t bytes, struct hw_memory *table)
{
	return dmamap_hw_memory_alloc(s->host, bytes, (uint64_t)1 << ceil_log2(bytes),
				      DMA_BIT_MASK(s->info.output_bits), table);
}

bool dmamap_smmu_stream_prepare(struct dma_smmuv3 *s, uint32_t sid)
{
	uint32_t i = sid >> SMMU_SPLIT;
	uint64_t *first = s->streams.cpu;

	if (!s->info.two_levels || s->second[i].size)
		return true;
	if (!alloc_table(s, (uint64_t)SMMU_STE_SIZE << SMMU_SPLIT, &s->second[i]))
		return false;
	fill_detached(s, &s->second[i], (uint64_t)1 << SMMU_SPLIT);
	dmamap_hw_barrier(s->host);
	hw_store(&first[i], s->second[i].phys | SMMU_L1_SPAN);
	dmamap_hw_clean(s->host, s->info.coherent_walk, s->streams.phys + i * sizeof(first[0]),
			sizeof(first[0]));
	return true;
}

int dmamap_smmu_tables_alloc(struct dma_smmuv3 *s)
{
	unsigned int bits = s->info.stream_bits;
	uint64_t bytes = s->info.two_levels ? sizeof(uint64_t) << (bits - SMMU_SPLIT)
					    : (uint64_t)SMMU_STE_SIZE << bits;

	if (!alloc_table(s, bytes, &s->streams))
		return -DMAMAP_ENOMEM;
	if (!s->info.two_levels)
		fill_detached(s, &s->streams, (uint64_t)1 << bits);
	else if (s->bypass)
		for (uint32_t sid = 0; sid >> bits == 0; sid += 1u << SMMU_SPLIT)
			if (!dmamap_smmu_stream_prepare(s, sid))
				return -DMAMAP_ENOMEM;
	return 0;
}

void dmamap_smmu_tables_free(struct dma_smmuv3 *s)
{
	dmamap_hw_memory_free(s->host, &s->streams);
	for (unsigned int i = 0; i < SMMU_L2_TABLES; i++)
		dmamap_hw_memory_free(s->host, &s->second[i]);
	for (unsigned int i = 0; i < SMMU_ASIDS / SMMU_CD_PAGE; i++)
		dmamap_hw_memory_free(s->host, &s->contexts[i]);
}

/** The entry of a stream that was prepared. */
static uint64_t *entry_of(const struct dma_smmuv3 *s, uint32_t sid, phys_addr_t *phys)
{
	const struct hw_memory *table =
		s->info.two_levels ? &s->second[sid >> SMMU_SPLIT] : &s->streams;
	uint64_t at = s->info.two_levels ? sid & ((1u << SMMU_SPLIT) - 1) : sid;

	*phys = table->phys + at * SMMU_STE_SIZE;
	return (uint64_t *)table->cpu + at * SMMU_STE_WORDS;
}

static void forget_stream(struct dma_smmuv3 *s, uint32_t sid, phys_addr_t entry)
{
	dmamap_hw_clean(s->host, s->info.coherent_walk, entry, SMMU_STE_SIZE);
	dmamap_hw_barrier(s->host);
	dmamap_smmu_command(s, SMMU_CMD_CFGI_STE | SMMU_CMD_SID(sid), SMMU_CMD_LEAF);
	dmamap_smmu_command(s, SMMU_CMD_CFGI_CD | SMMU_CMD_SID(sid), SMMU_CMD_LEAF);
	dmamap_smmu_sync_locked(s);
}

static phys_addr_t context_phys(const struct dma_smmuv3 *s, unsigned int asid)
{
	return s->contexts[asid / SMMU_CD_PAGE].phys +
	       (uint64_t)(asid % SMMU_CD_PAGE) * SMMU_CD_SIZE;
}

void dmamap_smmu_stream_translate(struct dma_smmuv3 *s, uint32_t sid, unsigned int asid)
{
	phys_addr_t phys;
	uint64_t *entry = entry_of(s, sid, &phys);
	uint64_t cached =
		s->info.coherent_walk ? SMMU_STE_S1CIR | SMMU_STE_S1COR | SMMU_STE_S1CSH : 0;

	hw_store(&entry[1], SMMU_STE_SHCFG | cached);
	forget_stream(s, sid, phys);
	hw_store(&entry[0], SMMU_STE_V | SMMU_STE_STAGE1 | context_phys(s, asid));
	forget_stream(s, sid, phys);
}

void dmamap_smmu_stream_detach(struct dma_smmuv3 *s, uint32_t sid)
{
	phys_addr_t phys;
	uint64_t *entry = entry_of(s, sid, &phys);

	hw_store(&entry[0], config_of_detached(s));
	forget_stream(s, sid, phys);
	hw_store(&entry[1], SMMU_STE_SHCFG);
	forget_stream(s, sid, phys);
}

/* --- context descriptors */

/** IPS of 32, 36, 40, 42, 44 and 48 bits: the largest that the output width allows. */
static unsigned int ips_of(unsigned int bits)
{
	static const unsigned char widths[] = { 32, 36, 40, 42, 44, 48 };
	unsigned int ips = 0;

	while (ips + 1 < sizeof(widths) && widths[ips + 1] <= bits)
		ips++;
	return ips;
}

void dmamap_smmu_context_write(struct dma_smmuv3 *s, unsigned int asid, phys_addr_t root)
{
	static const unsigned char tg0[] = { [12] = 0, [14] = 2, [16] = 1 };
	uint64_t *cd = (uint64_t *)s->contexts[asid / SMMU_CD_PAGE].cpu +
		       (size_t)(asid % SMMU_CD_PAGE) * SMMU_CD_WORDS;

	hw_store(&cd[SMMU_CD_TTB0], root);
	hw_store(&cd[SMMU_CD_MAIR], DMA_PT_LPAE_MAIR);
	hw_store(&cd[0],
		 SMMU_CD_T0SZ(64 - s->info.input_bits) | SMMU_CD_TG0(tg0[s->info.granule_bits]) |
			 (s->info.coherent_walk ? SMMU_CD_WALK_CACHEABLE : 0) | SMMU_CD_EPD1 |
			 SMMU_CD_V | SMMU_CD_IPS(ips_of(s->info.output_bits)) | SMMU_CD_AA64 |
			 SMMU_CD_R | SMMU_CD_A | SMMU_CD_ASET | SMMU_CD_ASID(asid));
	dmamap_hw_clean(s->host, s->info.coherent_walk, context_phys(s, asid), SMMU_CD_SIZE);
}

/* --- ASIDs; 0 is never used */

int dmamap_smmu_asid_take(struct dma_smmuv3 *s, unsigned int *asid)
{
	unsigned int n = 1;

	while (n <= s->info.domains && s->asids[n / 64] >> n % 64 & 1)
		n++;
	if (n > s->info.domains)
		return -DMAMAP_ENOSPC;
	if (!s->contexts[n / SMMU_CD_PAGE].size &&
	    !dmamap_hw_memory_alloc(s->host, (uint64_t)SMMU_CD_PAGE * SMMU_CD_SIZE, 4096,
				    DMA_BIT_MASK(s->info.output_bits),
				    &s->contexts[n / SMMU_CD_PAGE]))
		return -DMAMAP_ENOMEM;
	s->asids[n / 64] |= (uint64_t)1 << n % 64;
	*asid = n;
	return 0;
}

void dmamap_smmu_asid_give(struct dma_smmuv3 *s, unsigned int asid)
{
	s->asids[asid / 64] &= ~((uint64_t)1 << asid % 64);
}

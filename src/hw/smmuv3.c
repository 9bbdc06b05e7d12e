/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMMUv3: what it can, on and off (IHI 0070, 6.3).
 */
#include "smmuv3.h"

/* --- what it can */

/** Bits of OAS 0 to 6. */
static unsigned int output_bits(uint32_t idr5)
{
	static const unsigned char bits[] = { 32, 36, 40, 42, 44, 48, 48, 48 };

	return bits[idr5 & 7];
}

/** The smallest granule; 0 if that is larger than a page. */
static unsigned int granule_bits(const struct dma_host *host, uint32_t idr5)
{
	if (idr5 & SMMU_IDR5_GRAN4K)
		return 12;
	if (idr5 & SMMU_IDR5_GRAN16K && host->page_size >= 1u << 14)
		return 14;
	return idr5 & SMMU_IDR5_GRAN64K && host->page_size >= 1u << 16 ? 16 : 0;
}

static bool usable(const struct dma_smmuv3_info *info)
{
	unsigned int endian = (unsigned int)hw_field(info->idr0, SMMU_IDR0_TTENDIAN_SHIFT, 2);

	return info->idr0 & SMMU_IDR0_S1P && info->idr0 & SMMU_IDR0_TTF_AARCH64 &&
	       (endian == 0 || endian == 2) && info->granule_bits &&
	       !(info->idr1 & (SMMU_IDR1_QUEUES_PRESET | SMMU_IDR1_TABLES_PRESET));
}

static int read_identity(struct dma_smmuv3 *s, const struct dma_smmuv3_config *config)
{
	struct dma_smmuv3_info *info = &s->info;
	unsigned int sid_bits;

	info->idr0 = smmu_read32(s, SMMU_IDR0);
	info->idr1 = smmu_read32(s, SMMU_IDR1);
	info->idr3 = smmu_read32(s, SMMU_IDR3);
	info->idr5 = smmu_read32(s, SMMU_IDR5);
	if (info->idr0 == ~(uint32_t)0 || !info->idr1)
		return -DMAMAP_ENODEV;
	sid_bits = (unsigned int)min_u64(hw_field(info->idr1, SMMU_IDR1_SIDSIZE_SHIFT, 6),
					 SMMU_SID_BITS);
	info->stream_bits = config->stream_bits ? config->stream_bits : sid_bits;
	info->input_bits = config->input_bits ? config->input_bits : 48;
	info->output_bits = output_bits(info->idr5);
	info->granule_bits = granule_bits(s->host, info->idr5);
	info->domains = info->idr0 & SMMU_IDR0_ASID16 ? SMMU_ASIDS - 1 : 255;
	info->two_levels = hw_field(info->idr0, SMMU_IDR0_ST_LEVEL_SHIFT, 2) == 1 &&
			   info->stream_bits > SMMU_SPLIT;
	info->range_invalidation = info->idr3 & SMMU_IDR3_RIL;
	info->coherent_walk = info->idr0 & SMMU_IDR0_COHACC;
	if (info->stream_bits > sid_bits || info->input_bits < 32 || info->input_bits > 48)
		return -DMAMAP_EINVAL;
	return usable(info) ? 0 : -DMAMAP_EOPNOTSUPP;
}

/* --- on and off */

static int set_cr0(struct dma_smmuv3 *s, uint32_t cr0)
{
	s->cr0 = cr0;
	smmu_write32(s, SMMU_CR0, cr0);
	return dmamap_hw_wait_reg32(s->host, s->regs + SMMU_CR0ACK, ~(uint32_t)0, cr0,
				    s->timeout_ns)
		       ? 0
		       : -DMAMAP_EIO;
}

static int set_interrupts(struct dma_smmuv3 *s, uint32_t on)
{
	smmu_write32(s, SMMU_IRQ_CTRL, on);
	return dmamap_hw_wait_reg32(s->host, s->regs + SMMU_IRQ_CTRLACK, ~(uint32_t)0, on,
				    s->timeout_ns)
		       ? 0
		       : -DMAMAP_EIO;
}

/** Nothing passes while it is off. GBPA is updated when UPDATE reads 0. */
static int cut_off(struct dma_smmuv3 *s)
{
	uint32_t gbpa = smmu_read32(s, SMMU_GBPA);

	smmu_write32(s, SMMU_GBPA, gbpa | SMMU_GBPA_ABORT | SMMU_GBPA_UPDATE);
	return dmamap_hw_wait_reg32(s->host, s->regs + SMMU_GBPA, SMMU_GBPA_UPDATE, 0,
				    s->timeout_ns)
		       ? 0
		       : -DMAMAP_EIO;
}

/** Off, whatever it was. */
static int quiesce(struct dma_smmuv3 *s)
{
	int err = 0;

	s->info.taken_over = smmu_read32(s, SMMU_CR0) & SMMU_CR0_SMMUEN;
	if (s->info.taken_over)
		err = cut_off(s);
	if (!err)
		err = set_cr0(s, 0);
	return err ? err : set_interrupts(s, 0);
}

static uint32_t stream_table_config(const struct dma_smmuv3 *s)
{
	return SMMU_STRTAB_LOG2SIZE(s->info.stream_bits) |
	       (s->info.two_levels ? SMMU_STRTAB_TWO_LEVELS | SMMU_STRTAB_SPLIT(SMMU_SPLIT) : 0);
}

static int start_commands(struct dma_smmuv3 *s)
{
	struct smmu_queue *q = &s->commands;
	int err;

	q->written = q->told = q->done = s->last_sync = 0;
	smmu_write64(s, SMMU_CMDQ_BASE, dmamap_smmu_queue_base(q));
	smmu_write32(s, SMMU_CMDQ_PROD, 0);
	smmu_write32(s, SMMU_CMDQ_CONS, 0);
	/* an error of before would stop it at once */
	smmu_write32(s, SMMU_GERRORN, smmu_read32(s, SMMU_GERROR));
	err = set_cr0(s, SMMU_CR0_CMDQEN);
	if (err)
		return err;
	dmamap_smmu_forget_all(s);
	dmamap_smmu_sync_locked(s);
	return s->info.broken ? -DMAMAP_EIO : 0;
}

static int start_events(struct dma_smmuv3 *s)
{
	struct smmu_queue *q = &s->events;

	q->written = q->told = q->done = 0;
	smmu_write64(s, SMMU_EVENTQ_BASE, dmamap_smmu_queue_base(q));
	smmu_write32(s, SMMU_EVENTQ_PROD, 0);
	smmu_write32(s, SMMU_EVENTQ_CONS, 0);
	return set_cr0(s, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
}

static int enable(struct dma_smmuv3 *s)
{
	int err = quiesce(s);

	if (err)
		return err;
	smmu_write32(s, SMMU_CR1, s->info.coherent_walk ? SMMU_CR1_CACHEABLE : 0);
	smmu_write32(s, SMMU_CR2, SMMU_CR2_RECINVSID | SMMU_CR2_PTM);
	smmu_write64(s, SMMU_STRTAB_BASE, SMMU_STRTAB_BASE_RA | s->streams.phys);
	smmu_write32(s, SMMU_STRTAB_BASE_CFG, stream_table_config(s));
	dmamap_hw_barrier(s->host);
	err = start_commands(s);
	if (!err)
		err = start_events(s);
	if (!err && s->interrupts)
		err = set_interrupts(s, SMMU_IRQ_GERROR | SMMU_IRQ_EVENTQ);
	if (!err)
		err = set_cr0(s, SMMU_CR0_SMMUEN | SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	return err;
}

int dmamap_smmuv3_enable(struct dma_smmuv3 *smmu)
{
	int err = 0;

	dmamap_lock(smmu->host, &smmu->lock);
	if (!smmu->info.enabled) {
		err = enable(smmu);
		smmu->info.enabled = !err;
	}
	dmamap_unlock(smmu->host, &smmu->lock);
	return err;
}

int dmamap_smmuv3_disable(struct dma_smmuv3 *smmu)
{
	int err = 0;

	dmamap_lock(smmu->host, &smmu->lock);
	if (smmu->cr0) {
		err = set_interrupts(smmu, 0);
		if (!err)
			err = set_cr0(smmu, 0);
		smmu->info.enabled = err;
	}
	dmamap_unlock(smmu->host, &smmu->lock);
	return err;
}

/* --- life */

static int alloc_all(struct dma_smmuv3 *s)
{
	uint32_t idr1 = s->info.idr1;
	int err = dmamap_smmu_tables_alloc(s);

	if (err)
		return err;
	return dmamap_smmu_queue_alloc(s, &s->commands,
				       (unsigned int)hw_field(idr1, SMMU_IDR1_CMDQS_SHIFT, 5),
				       16) &&
			       dmamap_smmu_queue_alloc(
				       s, &s->events,
				       (unsigned int)hw_field(idr1, SMMU_IDR1_EVENTQS_SHIFT, 5),
				       SMMU_EVENT_SIZE)
		       ? 0
		       : -DMAMAP_ENOMEM;
}

/** @ours: the hardware uses none of it any more. */
static void free_all(struct dma_smmuv3 *s, bool ours)
{
	struct dma_host *host = s->host;

	if (ours) {
		dmamap_hw_memory_free(host, &s->commands.memory);
		dmamap_hw_memory_free(host, &s->events.memory);
		dmamap_smmu_tables_free(s);
	} else {
		dmamap_log(host, DMA_LOG_ERROR, NULL,
			   "smmuv3: it does not stop: its tables are lost", NULL);
	}
	dmamap_hw_attached_fini(&s->attached);
	dmamap_lock_fini(host, &s->lock);
	dmamap_pages_free(host, s, sizeof(*s));
}

int dmamap_smmuv3_create(struct dma_host *host, const struct dma_smmuv3_config *config,
			 struct dma_smmuv3 **smmu)
{
	struct dma_smmuv3 *s;
	int err;

	if (!host || !config || config->size != sizeof(*config) || !smmu || !hw_has_registers(host))
		return -DMAMAP_EINVAL;
	s = dmamap_pages_alloc(host, sizeof(*s), DMAMAP_PHYS_NONE, DMAMAP_GFP_KERNEL, NULL);
	if (!s)
		return -DMAMAP_ENOMEM;
	s->unit.ops = &dmamap_smmu_unit_ops;
	s->host = host;
	s->regs = config->registers;
	s->timeout_ns = config->timeout_ns ? config->timeout_ns : HW_TIMEOUT_NS;
	s->bypass = config->bypass_unattached;
	s->interrupts = config->interrupts;
	dmamap_lock_init(host, &s->lock);
	err = read_identity(s, config);
	dmamap_hw_attached_init(&s->attached, host, &config->requesters,
				err ? 0 : (1u << s->info.stream_bits) - 1);
	if (!err)
		err = alloc_all(s);
	if (err) {
		free_all(s, true);
		return err;
	}
	*smmu = s;
	return 0;
}

int dmamap_smmuv3_destroy(struct dma_smmuv3 *smmu)
{
	bool used;

	dmamap_lock(smmu->host, &smmu->lock);
	used = smmu->live;
	dmamap_unlock(smmu->host, &smmu->lock);
	if (used)
		return -DMAMAP_EBUSY;
	free_all(smmu, !dmamap_smmuv3_disable(smmu));
	return 0;
}

void dmamap_smmuv3_get_info(struct dma_smmuv3 *smmu, struct dma_smmuv3_info *info)
{
	dmamap_lock(smmu->host, &smmu->lock);
	*info = smmu->info;
	dmamap_unlock(smmu->host, &smmu->lock);
}

struct dma_iommu_unit *dmamap_smmuv3_unit(struct dma_smmuv3 *smmu)
{
	return &smmu->unit;
}

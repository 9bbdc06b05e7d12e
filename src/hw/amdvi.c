/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD-Vi: what a unit can, on and off (AMD-Vi 3.4).
 */
#include "amdvi.h"

/** What this driver decides; other bits stay as firmware left them. */
#define CONTROL_OURS                                                                \
	(AMDVI_CONTROL_ENABLE | AMDVI_CONTROL_EVENTS | AMDVI_CONTROL_EVENT_INT |    \
	 AMDVI_CONTROL_WAIT_INT | AMDVI_CONTROL_COHERENT | AMDVI_CONTROL_COMMANDS | \
	 AMDVI_CONTROL_PPR)

static int read_identity(struct dma_amdvi *a, const struct dma_amdvi_config *config)
{
	struct dma_amdvi_info *info = &a->info;

	info->features = amdvi_read(a, AMDVI_EFR);
	if (info->features == ~(uint64_t)0)
		return -DMAMAP_ENODEV;
	a->most_levels = 4 + (unsigned int)hw_field(info->features, AMDVI_EFR_HATS_SHIFT, 2);
	info->levels = config->levels ? config->levels : 4;
	info->input_bits = (unsigned int)min_u64(12 + 9 * (uint64_t)info->levels, 64);
	info->output_bits = config->address_bits ? config->address_bits : 52;
	if (info->levels < 3 || info->levels > 6 || info->output_bits < 32 ||
	    info->output_bits > 52 || a->last_id > 0xffff)
		return -DMAMAP_EINVAL;
	return info->levels > a->most_levels ? -DMAMAP_EOPNOTSUPP : 0;
}

static bool alloc_all(struct dma_amdvi *a)
{
	uint64_t ring = (uint64_t)AMDVI_QUEUE * AMDVI_ENTRY;
	phys_addr_t ceiling = DMA_BIT_MASK(a->info.output_bits);
	struct dma_host *host = a->host;

	if (!dmamap_hw_memory_alloc(host, ((uint64_t)a->last_id + 1) * AMDVI_DTE_SIZE, 4096,
				    ceiling, &a->devices) ||
	    !dmamap_hw_memory_alloc(host, ring, 4096, ceiling, &a->commands.ring) ||
	    !dmamap_hw_memory_alloc(host, 4096, 4096, ceiling, &a->commands.status) ||
	    !dmamap_hw_memory_alloc(host, ring, 4096, ceiling, &a->events) ||
	    !dmamap_hw_memory_alloc(host, AMDVI_DOMAINS / 8, 1, DMAMAP_PHYS_NONE, &a->ids))
		return false;
	dmamap_amdvi_devices_init(a);
	return true;
}

static void free_all(struct dma_amdvi *a)
{
	struct dma_host *host = a->host;

	dmamap_hw_memory_free(host, &a->devices);
	dmamap_hw_memory_free(host, &a->commands.ring);
	dmamap_hw_memory_free(host, &a->commands.status);
	dmamap_hw_memory_free(host, &a->events);
	dmamap_hw_memory_free(host, &a->ids);
	dmamap_hw_attached_fini(&a->attached);
	dmamap_lock_fini(host, &a->lock);
	dmamap_pages_free(host, a, sizeof(*a));
}

/* --- on and off */

static bool switch_off(struct dma_amdvi *a)
{
	uint64_t control = amdvi_read(a, AMDVI_CONTROL);

	a->control = 0;
	amdvi_write(a, AMDVI_CONTROL, control & ~CONTROL_OURS);
	return dmamap_hw_wait_reg64(a->host, a->regs + AMDVI_STATUS, AMDVI_STATUS_COMMANDS, 0,
				    a->timeout_ns) &&
	       !(amdvi_read(a, AMDVI_CONTROL) & AMDVI_CONTROL_ENABLE);
}

static int enable(struct dma_amdvi *a)
{
	uint64_t control = amdvi_read(a, AMDVI_CONTROL);

	a->info.taken_over = control & AMDVI_CONTROL_ENABLE;
	if (!switch_off(a))
		return -DMAMAP_EIO;
	amdvi_write(a, AMDVI_DEVTAB, a->devices.phys | (a->devices.size / 4096 - 1));
	dmamap_amdvi_commands_start(a);
	dmamap_amdvi_events_start(a);
	dmamap_hw_barrier(a->host);
	a->control = (control & ~CONTROL_OURS) | AMDVI_CONTROL_ENABLE | AMDVI_CONTROL_EVENTS |
		     AMDVI_CONTROL_COHERENT | AMDVI_CONTROL_COMMANDS |
		     (a->interrupts ? AMDVI_CONTROL_EVENT_INT : 0);
	amdvi_write(a, AMDVI_CONTROL, a->control);
	dmamap_amdvi_forget_all(a);
	dmamap_amdvi_sync_locked(a);
	return a->info.broken ? -DMAMAP_EIO : 0;
}

int dmamap_amdvi_enable(struct dma_amdvi *amdvi)
{
	int err = 0;

	dmamap_lock(amdvi->host, &amdvi->lock);
	if (!amdvi->info.enabled) {
		err = enable(amdvi);
		amdvi->info.enabled = !err;
	}
	dmamap_unlock(amdvi->host, &amdvi->lock);
	return err;
}

int dmamap_amdvi_disable(struct dma_amdvi *amdvi)
{
	int err = 0;

	dmamap_lock(amdvi->host, &amdvi->lock);
	if (amdvi->control) {
		err = switch_off(amdvi) ? 0 : -DMAMAP_EIO;
		amdvi->info.enabled = err;
	}
	dmamap_unlock(amdvi->host, &amdvi->lock);
	return err;
}

/* --- life */

int dmamap_amdvi_create(struct dma_host *host, const struct dma_amdvi_config *config,
			struct dma_amdvi **amdvi)
{
	struct dma_amdvi *a;
	int err;

	if (!host || !config || config->size != sizeof(*config) || !amdvi ||
	    !hw_has_registers(host))
		return -DMAMAP_EINVAL;
	a = dmamap_pages_alloc(host, sizeof(*a), DMAMAP_PHYS_NONE, DMAMAP_GFP_KERNEL, NULL);
	if (!a)
		return -DMAMAP_ENOMEM;
	a->unit.ops = &dmamap_amdvi_unit_ops;
	a->host = host;
	a->regs = config->registers;
	a->timeout_ns = config->timeout_ns ? config->timeout_ns : HW_TIMEOUT_NS;
	a->ivrs = config->ivrs;
	a->bypass = config->bypass_unattached;
	a->interrupts = config->interrupts;
	a->last_id = config->last_id ? config->last_id : 0xffff;
	dmamap_lock_init(host, &a->lock);
	dmamap_hw_attached_init(&a->attached, host, &config->requesters, a->last_id);
	err = read_identity(a, config);
	if (!err && !alloc_all(a))
		err = -DMAMAP_ENOMEM;
	if (err) {
		free_all(a);
		return err;
	}
	*amdvi = a;
	return 0;
}

int dmamap_amdvi_destroy(struct dma_amdvi *amdvi)
{
	bool used;

	dmamap_lock(amdvi->host, &amdvi->lock);
	used = amdvi->live;
	dmamap_unlock(amdvi->host, &amdvi->lock);
	if (used)
		return -DMAMAP_EBUSY;
	if (dmamap_amdvi_disable(amdvi)) {
		/* The hardware may still read and write there. */
		amdvi->devices.size = amdvi->events.size = 0;
		amdvi->commands.ring.size = amdvi->commands.status.size = 0;
		dmamap_log(amdvi->host, DMA_LOG_ERROR, NULL,
			   "amdvi: it does not stop: its tables are lost", NULL);
	}
	free_all(amdvi);
	return 0;
}

void dmamap_amdvi_get_info(struct dma_amdvi *amdvi, struct dma_amdvi_info *info)
{
	dmamap_lock(amdvi->host, &amdvi->lock);
	*info = amdvi->info;
	dmamap_unlock(amdvi->host, &amdvi->lock);
}

struct dma_iommu_unit *dmamap_amdvi_unit(struct dma_amdvi *amdvi)
{
	return &amdvi->unit;
}

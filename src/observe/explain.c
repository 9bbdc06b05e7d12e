/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults in words: what a device tried, and what the history knows about the address
 * (docs/semantics.md, "Mapping history").
 */
#include <dmamap/fault.h>

#include "base/text.h"
#include "history.h"

/* --- words */

static void put_dir(const struct dmamap_text *t, enum dma_data_direction dir)
{
	static const char *const dirs[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE" };

	dmamap_put_str(t, (unsigned int)dir < 3 ? dirs[dir] : "NONE");
}

/** Two digits at least, where there are two. */
static void put_duration(const struct dmamap_text *t, uint64_t ns)
{
	static const char *const units[] = { " ns", " us", " ms", " s" };
	unsigned int unit = 0;

	while (unit < 3 && ns >= 10000) {
		ns /= 1000;
		unit++;
	}
	dmamap_put_dec(t, ns);
	dmamap_put_str(t, units[unit]);
}

/** "when" of something that happened at @then, seen from the fault; nothing without a clock. */
static void put_when(const struct dmamap_text *t, const char *what, uint64_t then, uint64_t now)
{
	if (!then && !now)
		return;
	dmamap_put_str(t, what);
	put_duration(t, then > now ? then - now : now - then);
	dmamap_put_str(t, then > now ? " later" : " ago");
}

static const char *memory_of(const struct dma_history_record *r)
{
	return r->attrs & DMA_ATTR_MMIO ? " bytes of MMIO" : " bytes of RAM";
}

/** "a live TO_DEVICE mapping of 4096 bytes of RAM for nvme0" */
static void put_mapping(const struct dmamap_text *t, const struct dma_history_record *r,
			const struct dma_fault *fault)
{
	static const char *const kinds[] = {
		[DMA_MAPPED_SINGLE] = " mapping of ",
		[DMA_MAPPED_LIST] = " segment of ",
		[DMA_MAPPED_ALLOCATED] = " allocation of ",
		[DMA_MAPPED_LINKED] = " link of ",
	};

	dmamap_put_str(t, r->live ? "a live " : "a ");
	put_dir(t, r->dir);
	dmamap_put_str(t, kinds[r->kind]);
	dmamap_put_dec(t, r->len);
	dmamap_put_str(t, memory_of(r));
	if (r->device != fault->device) {
		dmamap_put_str(t, " for ");
		dmamap_put_str(t, *r->name ? r->name : "an unnamed device");
	}
	if (r->call_site) {
		dmamap_put_str(t, " made at 0x");
		dmamap_put_hex(t, r->call_site);
	}
}

/** What the direction forbids the device, if that is what it tried. */
static const char *forbidden(const struct dma_history_record *r, const struct dma_fault *fault)
{
	if (fault->access == DMA_FAULT_WRITE && r->dir == DMA_TO_DEVICE)
		return ", which the device may only read";
	if (fault->access == DMA_FAULT_READ && r->dir == DMA_FROM_DEVICE)
		return ", which the device may only write";
	return "";
}

/* --- clauses */

static void put_access(const struct dmamap_text *t, const struct dma_fault *fault)
{
	static const char *const accesses[] = { ": read of ", ": write of ", ": fetch from " };
	const char *name = fault->device ? dmamap_device_name(fault->device) : "an unknown device";

	dmamap_put_str(t, *name ? name : "an unnamed device");
	dmamap_put_str(t,
		       (unsigned int)fault->access < 3 ? accesses[fault->access] : ": access to ");
	dmamap_put_hex_wide(t, fault->dma_addr);
	dmamap_put_str(t, " refused: ");
	dmamap_put_str(t, dmamap_fault_reason_name(fault->reason));
}

static void put_holder(const struct dmamap_text *t, const struct dma_history_record *r,
		       const struct dma_fault *fault)
{
	dmamap_put_str(t,
		       r->live ? "; the address belongs to " : "; the address last belonged to ");
	put_mapping(t, r, fault);
	dmamap_put_str(t, forbidden(r, fault));
	if (r->live)
		put_when(t, ", mapped ", r->mapped_ns, fault->time_ns);
	else
		put_when(t, ", unmapped ", r->unmapped_ns, fault->time_ns);
}

static void put_neighbour(const struct dmamap_text *t, const struct dma_history_record *r,
			  const struct dma_fault *fault)
{
	dmamap_put_str(t, "; the address lies ");
	dmamap_put_dec(t, fault->dma_addr - r->dma_addr - r->len);
	dmamap_put_str(t, " bytes past the end of ");
	put_mapping(t, r, fault);
	if (!r->live)
		put_when(t, ", unmapped ", r->unmapped_ns, fault->time_ns);
}

static void put_unknown(const struct dmamap_text *t, struct dma_history *h)
{
	struct dma_history_stats stats;

	dmamap_history_get_stats(h, &stats);
	dmamap_put_str(t, "; no mapping that is remembered held the address");
	if (!stats.forgotten)
		return;
	dmamap_put_str(t, " (");
	dmamap_put_dec(t, stats.forgotten);
	dmamap_put_str(t, " are forgotten)");
}

void dmamap_fault_explain(struct dma_history *history, const struct dma_fault *fault,
			  dma_put_fn put, void *ctx)
{
	const struct dmamap_text t = { put, ctx };
	struct dma_history_record holder;
	struct dma_history_record neighbour;
	bool held;
	bool near;

	put_access(&t, fault);
	if (!history)
		return;
	held = !dmamap_history_look(history, fault->device, fault->domain, fault->dma_addr,
				    dmamap_records_holding, &holder);
	near = !dmamap_history_look(history, fault->device, fault->domain, fault->dma_addr,
				    dmamap_records_before, &neighbour);
	if (held)
		put_holder(&t, &holder, fault);
	if (near && (!held || (neighbour.live && !holder.live)))
		put_neighbour(&t, &neighbour, fault);
	if (!held && !near)
		put_unknown(&t, history);
}

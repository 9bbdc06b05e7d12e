/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidation: by descriptors in a queue, or, without one, by registers (VT-d 6.5).
 *
 * The queue is a ring of one page. Every wait descriptor has the hardware write the position that it has reached to a
 * word of memory: positions count descriptors, so that one word serves all who wait. The ring is never full: when room
 * runs short the queue waits for itself.
 *
 * While the queue is on the registers do nothing, and while it is off they are all there is: v->info.queued decides.
 */
#include "vtd.h"

#define ROOM 4u /* descriptors that are kept free: what one step adds, and a wait */

/** Looks at memory between two looks at registers. */
#define LOOKS_PER_REGISTER 256u

bool dmamap_vtd_queue_init(struct dma_vtd *v)
{
	phys_addr_t ceiling = DMA_BIT_MASK(v->info.output_bits);

	if (v->no_queue)
		return true;
	return dmamap_hw_memory_alloc(v->host, VTD_PAGE_SIZE, VTD_PAGE_SIZE, ceiling,
				      &v->queue.ring) &&
	       dmamap_hw_memory_alloc(v->host, VTD_PAGE_SIZE, VTD_PAGE_SIZE, ceiling,
				      &v->queue.status);
}

void dmamap_vtd_queue_fini(struct dma_vtd *v)
{
	dmamap_hw_memory_free(v->host, &v->queue.ring);
	dmamap_hw_memory_free(v->host, &v->queue.status);
}

/** Invalidations wait for accesses under way, where the hardware can (VT-d 6.5.4). */
static uint64_t drain_bits(const struct dma_vtd *v, uint64_t reads, uint64_t writes)
{
	return (v->info.cap & VTD_CAP_DRD ? reads : 0) | (v->info.cap & VTD_CAP_DWD ? writes : 0);
}

/* --- the ring; the lock is held */

/** The position that the hardware has reached, as far as it has said so. */
static uint32_t reached(const struct dma_vtd *v)
{
	dmamap_hw_refresh(v->host, v->info.coherent_walk, v->queue.status.phys, sizeof(uint32_t));
	return __atomic_load_n((const uint32_t *)v->queue.status.cpu, __ATOMIC_ACQUIRE);
}

static bool has_reached(const struct dma_vtd *v, uint32_t position)
{
	return (int32_t)(reached(v) - position) >= 0;
}

static void put(struct dma_vtd *v, uint64_t low, uint64_t high)
{
	uint32_t at = v->queue.written++ % VTD_QUEUE;
	struct vtd_descriptor *d = (struct vtd_descriptor *)v->queue.ring.cpu + at;

	hw_store(&d->low, low);
	hw_store(&d->high, high);
	dmamap_hw_clean(v->host, v->info.coherent_walk, v->queue.ring.phys + at * sizeof(*d),
			sizeof(*d));
}

/** Let the hardware see what was written. */
static void tell(struct dma_vtd *v)
{
	dmamap_hw_barrier(v->host);
	v->queue.told = v->queue.written;
	vtd_write64(v, VTD_IQT, (uint64_t)(v->queue.told % VTD_QUEUE) << VTD_IQ_SHIFT);
}

/** A descriptor that has its own position written. */
static void put_wait(struct dma_vtd *v)
{
	uint32_t position = v->queue.written + 1;

	put(v, VTD_INV_WAIT | VTD_WAIT_STATUS | VTD_WAIT_DATA(position), v->queue.status.phys);
	v->queue.last_wait = position;
	v->info.waits++;
}

/**
 * The hardware stopped at a descriptor that it does not like (VT-d 6.5.2.11): put one in its place that does nothing but
 * write to a word that nobody reads, and go on. What it should have dropped is unknown, so everything goes.
 */
static void skip_refused(struct dma_vtd *v)
{
	uint32_t at = (uint32_t)(vtd_read64(v, VTD_IQH) & VTD_IQ_POINTER) >> VTD_IQ_SHIFT;
	struct vtd_descriptor *d = (struct vtd_descriptor *)v->queue.ring.cpu + at % VTD_QUEUE;

	hw_store(&d->low, VTD_INV_WAIT | VTD_WAIT_STATUS);
	hw_store(&d->high, v->queue.status.phys + sizeof(uint64_t));
	dmamap_hw_clean(v->host, v->info.coherent_walk,
			v->queue.ring.phys + at % VTD_QUEUE * sizeof(*d), sizeof(*d));
	put(v, VTD_INV_CONTEXT | VTD_INV_G(VTD_GLOBAL), 0);
	put_wait(v);
	put(v, VTD_INV_IOTLB | VTD_INV_G(VTD_GLOBAL) | drain_bits(v, VTD_INV_DR, VTD_INV_DW), 0);
	put_wait(v);
	/* Whoever waits for something before this must see that before the hardware goes on. */
	__atomic_store_n(&v->queue.made_good, v->queue.last_wait, __ATOMIC_RELAXED);
	__atomic_store_n(&v->info.queue_errors, v->info.queue_errors + 1, __ATOMIC_RELEASE);
	vtd_write32(v, VTD_FSTS_32, VTD_FSTS_IQE);
	tell(v);
}

/** Look after a queue that takes its time. */
static void tend(struct dma_vtd *v)
{
	uint32_t status = vtd_read32(v, VTD_FSTS_32);

	if (status == ~(uint32_t)0)
		return; /* the hardware is gone; the time-out will tell */
	if (status & (VTD_FSTS_ICE | VTD_FSTS_ITE))
		vtd_write32(v, VTD_FSTS_32, status & (VTD_FSTS_ICE | VTD_FSTS_ITE));
	if (status & VTD_FSTS_IQE && v->info.queue_errors < VTD_QUEUE)
		skip_refused(v);
}

/** What somebody waits for: a position, and how many descriptors had been refused when it was asked for. */
struct goal {
	uint32_t position;
	uint64_t errors;
};

/** Bring a wait descriptor on its way that covers all that was written. */
static struct goal request_wait(struct dma_vtd *v)
{
	struct goal goal = { .errors = v->info.queue_errors };

	if (v->queue.last_wait != v->queue.written)
		put_wait(v);
	if (v->queue.told != v->queue.written)
		tell(v);
	goal.position = v->queue.last_wait;
	return goal;
}

/** Is it reached? If something was refused meanwhile, what made it good has to be waited for instead. */
static bool is_reached(const struct dma_vtd *v, struct goal *goal)
{
	uint64_t errors;

	if (!has_reached(v, goal->position))
		return false;
	errors = __atomic_load_n(&v->info.queue_errors, __ATOMIC_ACQUIRE);
	if (errors == goal->errors)
		return true;
	goal->errors = errors;
	goal->position = __atomic_load_n(&v->queue.made_good, __ATOMIC_RELAXED);
	return has_reached(v, goal->position);
}

/** @locked: the lock is held; else it is taken now and then. */
static void wait_for(struct dma_vtd *v, struct goal goal, bool locked)
{
	struct hw_wait wait;

	dmamap_hw_wait_begin(&wait, v->host, v->timeout_ns);
	do {
		if (is_reached(v, &goal))
			return;
		if (wait.looks % LOOKS_PER_REGISTER)
			continue;
		if (!locked)
			dmamap_lock(v->host, &v->lock);
		tend(v);
		if (!locked)
			dmamap_unlock(v->host, &v->lock);
	} while (dmamap_hw_wait_more(&wait));
	if (!is_reached(v, &goal))
		dmamap_vtd_break(v, "vtd: an invalidation did not finish: "
				    "devices may still reach what was unmapped");
}

void dmamap_vtd_queue_add(struct dma_vtd *v, uint64_t low, uint64_t high)
{
	if (v->queue.written - reached(v) >= VTD_QUEUE - ROOM - 4)
		wait_for(v, request_wait(v), true);
	put(v, low, high);
}

/* --- on and off */

int dmamap_vtd_queue_start(struct dma_vtd *v)
{
	uint32_t *status = v->queue.status.cpu;

	v->queue.written = v->queue.told = v->queue.last_wait = 0;
	__atomic_store_n(status, 0, __ATOMIC_RELEASE);
	dmamap_hw_clean(v->host, v->info.coherent_walk, v->queue.status.phys, sizeof(*status));
	/* The tail first: the hardware would run what an old one promises. */
	vtd_write64(v, VTD_IQT, 0);
	vtd_write64(v, VTD_IQA, v->queue.ring.phys);
	if (dmamap_vtd_command(v, VTD_G_QIE, 0))
		return -DMAMAP_EIO;
	v->info.queued = true;
	return 0;
}

int dmamap_vtd_queue_stop(struct dma_vtd *v)
{
	/* It stops only when it is empty, and its last descriptor was a wait. */
	put_wait(v);
	wait_for(v, request_wait(v), true);
	v->info.queued = false;
	if (dmamap_vtd_command(v, 0, VTD_G_QIE))
		return -DMAMAP_EIO;
	vtd_write64(v, VTD_IQT, 0);
	return 0;
}

/** Firmware's ring: append a wait, so that its last descriptor is one. False: its memory is out of reach. */
static bool end_with_wait(struct dma_vtd *v)
{
	uint64_t iqa = vtd_read64(v, VTD_IQA);
	uint64_t tail = vtd_read64(v, VTD_IQT) & VTD_IQ_POINTER;
	uint64_t bytes = ((uint64_t)1 << VTD_IQA_SIZE(iqa)) * sizeof(struct vtd_descriptor);
	struct vtd_descriptor *d;

	if (iqa & VTD_IQA_WIDE || tail >= bytes)
		return false;
	d = v->host->phys_to_virt(v->host, (iqa & VTD_IQA_ADDR) + tail);
	if (!d)
		return false;
	hw_store(&d->low, VTD_INV_WAIT | VTD_WAIT_STATUS);
	hw_store(&d->high, v->queue.status.phys + sizeof(uint64_t));
	dmamap_hw_clean(v->host, v->info.coherent_walk, (iqa & VTD_IQA_ADDR) + tail, sizeof(*d));
	dmamap_hw_barrier(v->host);
	vtd_write64(v, VTD_IQT, (tail + sizeof(*d)) % bytes);
	return true;
}

static bool drained(struct dma_vtd *v)
{
	struct hw_wait wait;

	dmamap_hw_wait_begin(&wait, v->host, v->timeout_ns);
	do {
		uint64_t head = vtd_read64(v, VTD_IQH) & VTD_IQ_POINTER;

		if (head == (vtd_read64(v, VTD_IQT) & VTD_IQ_POINTER))
			return true;
	} while (dmamap_hw_wait_more(&wait));
	return false;
}

int dmamap_vtd_queue_evict(struct dma_vtd *v)
{
	if (!drained(v))
		return -DMAMAP_EBUSY;
	if (v->queue.status.size && (!end_with_wait(v) || !drained(v)))
		return -DMAMAP_EBUSY;
	return dmamap_vtd_command(v, 0, VTD_G_QIE) ? -DMAMAP_EBUSY : 0;
}

/* --- by registers; the lock is held */

static void context_by_register(struct dma_vtd *v, unsigned int granularity, unsigned int did,
				unsigned int sid)
{
	vtd_write64(v, VTD_CCMD, VTD_CCMD_ICC | VTD_CCMD_G(granularity) | VTD_CCMD_SID(sid) | did);
	if (!dmamap_hw_wait_reg64(v->host, v->regs + VTD_CCMD, VTD_CCMD_ICC, 0, v->timeout_ns))
		dmamap_vtd_break(v, "vtd: the context cache was not invalidated");
}

static void iotlb_by_register(struct dma_vtd *v, unsigned int granularity, unsigned int did,
			      uint64_t address)
{
	unsigned int iva = VTD_ECAP_IRO(v->info.ecap) + VTD_IVA;
	unsigned int iotlb = VTD_ECAP_IRO(v->info.ecap) + VTD_IOTLB;

	if (granularity == VTD_PAGES)
		vtd_write64(v, iva, address);
	vtd_write64(v, iotlb,
		    VTD_IVT | VTD_IIRG(granularity) | VTD_IO_DID(did) |
			    drain_bits(v, VTD_IO_DR, VTD_IO_DW));
	if (!dmamap_hw_wait_reg64(v->host, v->regs + iotlb, VTD_IVT, 0, v->timeout_ns))
		dmamap_vtd_break(v, "vtd: cached translations were not invalidated");
	else if (granularity != VTD_GLOBAL && !VTD_IAIG(vtd_read64(v, iotlb)))
		iotlb_by_register(v, VTD_GLOBAL, 0, 0); /* it did nothing: too fine for it */
}

/* --- either way; the lock is held */

void dmamap_vtd_drop_context(struct dma_vtd *v, unsigned int granularity, unsigned int did,
			     unsigned int sid)
{
	v->info.context_invalidations++;
	if (v->info.queued)
		dmamap_vtd_queue_add(v,
				     VTD_INV_CONTEXT | VTD_INV_G(granularity) | VTD_INV_DID(did) |
					     VTD_INV_SID(sid),
				     0);
	else
		context_by_register(v, granularity, did, sid);
}

void dmamap_vtd_drop_iotlb(struct dma_vtd *v, unsigned int granularity, unsigned int did,
			   uint64_t address_and_mask)
{
	if (granularity == VTD_PAGES)
		v->info.page_invalidations++;
	else if (granularity == VTD_DOMAIN)
		v->info.domain_invalidations++;
	else
		v->info.global_invalidations++;
	if (v->info.queued)
		dmamap_vtd_queue_add(v,
				     VTD_INV_IOTLB | VTD_INV_G(granularity) | VTD_INV_DID(did) |
					     drain_bits(v, VTD_INV_DR, VTD_INV_DW),
				     address_and_mask);
	else
		iotlb_by_register(v, granularity, did, address_and_mask);
}

bool dmamap_vtd_finish(struct dma_vtd *v)
{
	if (v->info.queued)
		wait_for(v, request_wait(v), true);
	return !vtd_broken(v);
}

void dmamap_vtd_flush_buffer(struct dma_vtd *v)
{
	if (v->info.write_buffer && dmamap_vtd_ask(v, VTD_G_WBF, VTD_G_WBF, 0))
		dmamap_vtd_break(v, "vtd: the write buffer was not flushed");
}

/* --- members of the unit */

/** The page-selective rule (VT-d 6.5.2.3): one aligned power of two of pages, else the domain. */
static void drop_range(struct dma_vtd *v, unsigned int did, dma_addr_t iova, uint64_t len,
		       bool leaf_only)
{
	uint64_t first = iova >> 12;
	uint64_t last = (iova + (len - 1)) >> 12;
	unsigned int mask = vtd_mask_of(first, last);

	if (len == ~(uint64_t)0 || last < first || !(v->info.cap & VTD_CAP_PSI) ||
	    mask > VTD_CAP_MAMV(v->info.cap)) {
		dmamap_vtd_drop_iotlb(v, VTD_DOMAIN, did, 0);
		return;
	}
	dmamap_vtd_drop_iotlb(v, VTD_PAGES, did,
			      (first >> mask << mask) << 12 | (leaf_only ? VTD_INV_IH : 0) | mask);
}

void dmamap_vtd_invalidate(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
			   uint64_t len, bool leaf_only)
{
	struct dma_vtd *v = vtd_of(unit);

	dmamap_lock(v->host, &v->lock);
	if (len && v->info.enabled && !vtd_broken(v)) {
		dmamap_vtd_flush_buffer(v);
		drop_range(v, domain_id, iova, len, leaf_only);
	}
	dmamap_unlock(v->host, &v->lock);
}

void dmamap_vtd_wait(struct dma_iommu_unit *unit)
{
	struct dma_vtd *v = vtd_of(unit);
	struct goal goal = { 0 };
	bool wait;

	dmamap_lock(v->host, &v->lock);
	wait = v->info.queued && !vtd_broken(v);
	if (wait)
		goal = request_wait(v);
	dmamap_unlock(v->host, &v->lock);
	if (wait)
		wait_for(v, goal, false);
}

int dmamap_vtd_mapped(struct dma_iommu_unit *unit, unsigned int domain_id, dma_addr_t iova,
		      uint64_t len)
{
	struct dma_vtd *v = vtd_of(unit);

	dmamap_lock(v->host, &v->lock);
	if (len && v->info.enabled && !vtd_broken(v)) {
		dmamap_vtd_flush_buffer(v);
		if (v->info.caching_mode)
			drop_range(v, domain_id, iova, len, false);
	}
	dmamap_unlock(v->host, &v->lock);
	if (v->info.caching_mode)
		dmamap_vtd_wait(unit);
	return vtd_broken(v) ? -DMAMAP_EIO : 0;
}

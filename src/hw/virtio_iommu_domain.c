/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains of the virtio IOMMU: the backend whose entries are requests (virtio 1.2, 5.13.6).
 *
 * Each piece of a map is one MAP request and stays one mapping. An unmap must hold whole mappings; that is checked here
 * first, because devices differ in what they do otherwise. Alignment too: QEMU's accepts anything.
 *
 * To the device a domain exists only while an endpoint is in it. What is mapped in one without is remembered, and told
 * to the device when the first endpoint joins.
 */
#include "virtio_iommu.h"

/** Physical addresses that fit into the format of anything behind it. */
#define OUTPUT_BITS 52u

/* --- map and unmap */

static uint32_t flags_of(unsigned int prot)
{
	return (prot & DMA_PROT_READ ? VIOMMU_MAP_READ : 0) |
	       (prot & DMA_PROT_WRITE ? VIOMMU_MAP_WRITE : 0) |
	       (prot & DMA_PROT_MMIO ? VIOMMU_MAP_MMIO : 0);
}

static int check_map(const struct viommu_domain *d, dma_addr_t iova, const struct dma_vec *vec,
		     size_t n, unsigned int prot)
{
	const struct dma_backend_caps *caps = &d->backend.caps;
	uint64_t granule = caps->page_sizes & -caps->page_sizes;
	uint64_t room = caps->aperture_end - iova; /* the last byte, counted from iova */
	bool full = false;

	if (!(prot & (DMA_PROT_READ | DMA_PROT_WRITE)) || iova % granule || !n)
		return -DMAMAP_EINVAL;
	if ((prot & DMA_PROT_MMIO) && !viommu_has(d->iommu, VIOMMU_F_MMIO))
		return -DMAMAP_EOPNOTSUPP;
	if (iova < caps->aperture_start || iova > caps->aperture_end)
		return -DMAMAP_ERANGE;
	for (size_t i = 0; i < n; i++) {
		if (!vec[i].len || (vec[i].phys | vec[i].len) % granule)
			return -DMAMAP_EINVAL;
		if (vec[i].phys > DMA_BIT_MASK(OUTPUT_BITS) ||
		    vec[i].len - 1 > DMA_BIT_MASK(OUTPUT_BITS) - vec[i].phys)
			return -DMAMAP_ERANGE;
		if (full || vec[i].len - 1 > room)
			return -DMAMAP_ERANGE;
		full = vec[i].len - 1 == room;
		room -= vec[i].len;
	}
	return 0;
}

static void fill_map(struct viommu_domain *d, unsigned int slot, dma_addr_t iova,
		     const struct dma_vec *vec, unsigned int prot)
{
	const struct viommu_map request = {
		.type = VIOMMU_MAP,
		.domain = d->id,
		.virt_start = iova,
		.virt_end = iova + (vec->len - 1),
		.phys_start = vec->phys,
		.flags = flags_of(prot),
	};

	memcpy(viommu_request(d->iommu, slot), &request, VIOMMU_MAP_SIZE);
	dmamap_viommu_prepare(d->iommu, slot, VIOMMU_MAP_SIZE);
}

static int send_unmap(struct viommu_domain *d, dma_addr_t first, dma_addr_t last)
{
	const struct viommu_unmap request = {
		.type = VIOMMU_UNMAP,
		.domain = d->id,
		.virt_start = first,
		.virt_end = last,
	};

	if (!dmamap_hw_attached_any(&d->iommu->attached, d->id))
		return 0;
	memcpy(viommu_request(d->iommu, 0), &request, VIOMMU_UNMAP_SIZE);
	dmamap_viommu_prepare(d->iommu, 0, VIOMMU_UNMAP_SIZE);
	return dmamap_viommu_send(d->iommu, 1);
}

/** Remember and send what fits into one batch: *@n pieces, *@bytes. */
static int map_batch(struct viommu_domain *d, dma_addr_t iova, const struct dma_vec *vec, size_t *n,
		     uint64_t *bytes, unsigned int prot)
{
	size_t most = min_u64(*n, d->iommu->n_slots);
	dma_addr_t at = iova;

	for (*n = 0; *n < most; (*n)++) {
		const struct dma_vec *v = &vec[*n];
		int err =
			dmamap_hw_mappings_add(&d->mappings, at, at + (v->len - 1), v->phys, prot);

		if (err) {
			if (*n)
				dmamap_hw_mappings_drop(&d->mappings, iova, at - 1);
			*n = 0;
			*bytes = 0;
			return err;
		}
		fill_map(d, (unsigned int)*n, at, v, prot);
		at += v->len;
	}
	*bytes = at - iova;
	if (!dmamap_hw_attached_any(&d->iommu->attached, d->id))
		return d->iommu->info.broken ? -DMAMAP_EIO : 0;
	return dmamap_viommu_send(d->iommu, (unsigned int)*n);
}

static int map_pieces(struct viommu_domain *d, dma_addr_t iova, const struct dma_vec *vec, size_t n,
		      unsigned int prot)
{
	dma_addr_t at = iova;
	int err = 0;

	for (size_t i = 0; !err && i < n;) {
		size_t batch = n - i;
		uint64_t bytes;

		err = map_batch(d, at, &vec[i], &batch, &bytes, prot);
		at += bytes;
		i += batch;
	}
	if (!err || at == iova)
		return err;
	/* What the device refused is not mapped, and no obstacle to unmapping the rest. */
	dmamap_hw_mappings_drop(&d->mappings, iova, at - 1);
	if (send_unmap(d, iova, at - 1))
		dmamap_viommu_break(d->iommu, "the virtio IOMMU does not undo a failed map");
	return err;
}

static int viommu_map(struct dma_backend *backend, dma_addr_t iova, const struct dma_vec *vec,
		      size_t n, unsigned int prot)
{
	struct viommu_domain *d = viommu_domain_of(backend);
	int err = check_map(d, iova, vec, n, prot);

	if (err)
		return err;
	dmamap_lock(d->iommu->host, &d->iommu->lock);
	err = map_pieces(d, iova, vec, n, prot);
	dmamap_unlock(d->iommu->host, &d->iommu->lock);
	return err;
}

static uint64_t viommu_unmap(struct dma_backend *backend, dma_addr_t iova, uint64_t len)
{
	struct viommu_domain *d = viommu_domain_of(backend);
	dma_addr_t last = iova + (len - 1);
	uint64_t done = 0;

	if (!len || last < iova)
		return 0;
	dmamap_lock(d->iommu->host, &d->iommu->lock);
	if (!dmamap_hw_mappings_cut(&d->mappings, iova, last) && !send_unmap(d, iova, last))
		done = dmamap_hw_mappings_drop(&d->mappings, iova, last);
	dmamap_unlock(d->iommu->host, &d->iommu->lock);
	return done;
}

/* --- what is mapped */

static int viommu_next_leaf(struct dma_backend *backend, dma_addr_t iova, struct dma_leaf *leaf)
{
	struct viommu_domain *d = viommu_domain_of(backend);
	const struct hw_mapping *m;

	dmamap_lock(d->iommu->host, &d->iommu->lock);
	m = dmamap_hw_mappings_next(&d->mappings, iova);
	if (m)
		*leaf = (struct dma_leaf){ .iova = m->first,
					   .len = m->last - m->first + 1,
					   .phys = m->phys,
					   .prot = m->prot };
	dmamap_unlock(d->iommu->host, &d->iommu->lock);
	return m ? 0 : -DMAMAP_ENXIO;
}

static int viommu_iova_to_phys(struct dma_backend *backend, dma_addr_t iova, phys_addr_t *phys)
{
	struct dma_leaf leaf;

	if (viommu_next_leaf(backend, iova, &leaf) || leaf.iova > iova)
		return -DMAMAP_ENXIO;
	*phys = leaf.phys + (iova - leaf.iova);
	return 0;
}

static uint64_t viommu_bytes(struct dma_backend *backend)
{
	return viommu_domain_of(backend)->mappings.slab.bytes;
}

/* --- devices */

static int send_attach(struct viommu_domain *d, uint32_t type, uint32_t id)
{
	const struct viommu_attach request = {
		.type = type,
		.domain = d->id,
		.endpoint = id,
	};

	memcpy(viommu_request(d->iommu, 0), &request, VIOMMU_ATTACH_SIZE);
	dmamap_viommu_prepare(d->iommu, 0, VIOMMU_ATTACH_SIZE);
	return dmamap_viommu_send(d->iommu, 1);
}

static void detach_ids(struct viommu_domain *d, const struct hw_attached *a, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!dmamap_hw_attached_shared(&d->iommu->attached, a, a->ids[i]) &&
		    send_attach(d, VIOMMU_DETACH, a->ids[i]))
			dmamap_viommu_break(d->iommu,
					    "the virtio IOMMU does not let go of a device: "
					    "it may still reach what was mapped");
}

/** Tell the device what was mapped before its domain had an endpoint. */
static int replay(struct viommu_domain *d)
{
	const struct hw_mapping *m = dmamap_hw_mappings_next(&d->mappings, 0);
	int err = 0;

	while (!err && m) {
		unsigned int n = 0;

		for (; m && n < d->iommu->n_slots; n++) {
			const struct dma_vec vec = { m->phys, m->last - m->first + 1 };

			fill_map(d, n, m->first, &vec, m->prot);
			m = m->last == ~(dma_addr_t)0
				    ? NULL
				    : dmamap_hw_mappings_next(&d->mappings, m->last + 1);
		}
		err = dmamap_viommu_send(d->iommu, n);
	}
	return err;
}

/** Attach all numbers of @a, or none. */
static int attach_ids(struct viommu_domain *d, const struct hw_attached *a, bool first)
{
	struct dma_virtio_iommu *v = d->iommu;

	for (unsigned int i = 0; i < a->n; i++) {
		int err = dmamap_viommu_probe_id(v, a->ids[i]);

		/* a region that the domain may have handed out already */
		if (!err && v->n_regions != d->regions)
			err = -DMAMAP_EBUSY;
		if (!err)
			err = send_attach(d, VIOMMU_ATTACH, a->ids[i]);
		if (!err && first && !i) {
			err = replay(d);
			i += !!err; /* the number is attached */
		}
		if (err) {
			detach_ids(d, a, i);
			return err;
		}
	}
	return 0;
}

static int viommu_attach(struct dma_backend *backend, struct dma_device *dev)
{
	struct viommu_domain *d = viommu_domain_of(backend);
	struct dma_virtio_iommu *v = d->iommu;
	struct hw_attached *a;
	bool first;
	int err;

	dmamap_lock(v->host, &v->lock);
	first = !dmamap_hw_attached_any(&v->attached, d->id);
	err = v->info.broken ? -DMAMAP_EIO : dmamap_hw_attached_add(&v->attached, dev, d->id, &a);
	if (!err) {
		err = attach_ids(d, a, first);
		if (err)
			dmamap_hw_attached_remove(&v->attached, a);
	}
	dmamap_unlock(v->host, &v->lock);
	return err;
}

static void viommu_detach(struct dma_backend *backend, struct dma_device *dev)
{
	struct viommu_domain *d = viommu_domain_of(backend);
	struct dma_virtio_iommu *v = d->iommu;
	struct hw_attached *a;

	dmamap_lock(v->host, &v->lock);
	a = dmamap_hw_attached_find(&v->attached, dev);
	if (a) {
		detach_ids(d, a, a->n);
		dmamap_hw_attached_remove(&v->attached, a);
	}
	dmamap_unlock(v->host, &v->lock);
}

/* --- life */

static void free_domain(struct viommu_domain *d)
{
	dmamap_hw_mappings_fini(&d->mappings);
	dmamap_pages_free(d->iommu->host, d, sizeof(*d));
}

static void viommu_destroy(struct dma_backend *backend)
{
	struct viommu_domain *d = viommu_domain_of(backend);
	struct dma_virtio_iommu *v = d->iommu;
	struct viommu_domain **link = &v->domains;

	dmamap_lock(v->host, &v->lock);
	while (*link != d)
		link = &(*link)->next;
	*link = d->next;
	dmamap_unlock(v->host, &v->lock);
	free_domain(d);
}

static const struct dma_backend_ops viommu_ops = {
	.size = sizeof(struct dma_backend_ops),
	.map = viommu_map,
	.unmap = viommu_unmap,
	.iova_to_phys = viommu_iova_to_phys,
	.next_leaf = viommu_next_leaf,
	.attach = viommu_attach,
	.detach = viommu_detach,
	.table_bytes = viommu_bytes,
	.destroy = viommu_destroy,
};

static bool id_taken(const struct dma_virtio_iommu *v, uint32_t id)
{
	for (const struct viommu_domain *d = v->domains; d; d = d->next)
		if (d->id == id)
			return true;
	return false;
}

/** Number it and enter it into the list. The lock is held. */
static int enter_domain(struct dma_virtio_iommu *v, struct viommu_domain *d)
{
	uint32_t id = v->info.domain_first;

	if (v->info.broken)
		return -DMAMAP_EIO;
	while (id_taken(v, id)) {
		if (id == v->info.domain_last)
			return -DMAMAP_ENOSPC;
		id++;
	}
	d->id = id;
	d->regions = v->n_regions;
	d->next = v->domains;
	v->domains = d;
	return 0;
}

int dmamap_virtio_iommu_backend_create(struct dma_virtio_iommu *iommu, struct dma_backend **backend)
{
	struct viommu_domain *d;
	int err;

	if (!iommu || !backend)
		return -DMAMAP_EINVAL;
	d = dmamap_pages_alloc(iommu->host, sizeof(*d), DMAMAP_PHYS_NONE, DMAMAP_GFP_KERNEL, NULL);
	if (!d)
		return -DMAMAP_ENOMEM;
	d->iommu = iommu;
	d->backend.ops = &viommu_ops;
	d->backend.caps = (struct dma_backend_caps){
		.page_sizes = iommu->info.page_sizes,
		.aperture_start = iommu->info.input_first,
		.aperture_end = iommu->info.input_last,
		.output_bits = OUTPUT_BITS,
		.unmap_is_invalidation = true,
		.coherent_walk = true,
		.write_only = true,
	};
	dmamap_hw_mappings_init(&d->mappings, iommu->host);
	dmamap_lock(iommu->host, &iommu->lock);
	err = enter_domain(iommu, d);
	dmamap_unlock(iommu->host, &iommu->lock);
	if (err) {
		free_domain(d);
		return err;
	}
	*backend = &d->backend;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors: RAM, MMIO and bus addresses mixed, walked to the end or left in the middle.
 */
#include "world.h"

/** Vectors for @m; false: give it up. Nothing of a vector is known to be copied before it is mapped. */
static bool any_vectors(struct world *w, struct model_mapping *m, struct dma_phys_vec *vec)
{
	m->pieces = 1 + (unsigned int)chance(w, MODEL_PIECES);
	memset(vec, 0, MODEL_PIECES * sizeof(*vec));
	for (unsigned int i = 0; i < m->pieces; i++) {
		struct model_piece *p = &m->piece[i];
		const struct model_area *area;
		struct model_verdict v;

		if (!any_buffer(w, p, m->dir) || meets_itself(w, m, p, i))
			return false;
		area = model_area(&w->model, p->phys);
		if (area->peer == MODEL_BUS)
			p->place = MODEL_BUS;
		v = model_judge(&w->model, p, m->dir);
		if (v.small)
			return false;
		p->copied = v.copied;
		vec[i] = (struct dma_phys_vec){ .phys = p->phys, .len = p->len };
		if (p->place == MODEL_BUS) {
			vec[i].phys += area->bus_offset;
			vec[i].flags = DMA_VEC_BUS_ADDRESS;
		} else if (p->place == MODEL_MMIO) {
			vec[i].attrs = DMA_ATTR_MMIO;
		}
		m->size += p->len;
	}
	return true;
}

/** Must each be mapped by itself? Not every device and not every vector can be part of a run. */
static bool each_by_itself(const struct world *w, const struct model_mapping *m)
{
	const struct model_route *r = &w->model.route;
	uint64_t partial = model_granule(r) - 1;

	for (unsigned int i = 0; r->untrusted && i < m->pieces; i++)
		if (m->piece[i].place == MODEL_RAM &&
		    ((m->piece[i].phys | m->piece[i].len) & partial))
			return true;
	return r->route != DMA_ROUTE_IOMMU;
}

/** Records of mapping or unmapping: one for each range that is contiguous for the device, or for each vector. */
static unsigned int records(const struct world *w, const struct model_mapping *m)
{
	uint64_t granule = model_granule(&w->model.route);
	bool each = each_by_itself(w, m);
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->pieces; i++) {
		const struct model_piece *p = &m->piece[i];
		const struct model_piece *before = p - 1;
		bool joins = i && !each && before->place != MODEL_BUS &&
			     (before->phys + before->len) % granule == 0 && p->phys % granule == 0;

		n += p->place != MODEL_BUS && !joins;
	}
	return n;
}

/** The walk stopped: the vectors before the refused one are mapped, and go back. */
static void refused(struct world *w, struct model_mapping *m, struct dma_vec_map *map)
{
	struct model_verdict v = model_judge(&w->model, &m->piece[map->index], m->dir);

	expect_refusal(w, v.must ? v.must : v.may);
	assert_int_equal(dma_vec_unmap(map, DMA_ATTR_SKIP_CPU_SYNC), 0);
	w->expected = w->records;
}

/** A bus address out of reach is refused at once, a run for want of memory. */
static void refused_start(struct world *w, const struct model_mapping *m,
			  const struct dma_vec_map *map)
{
	struct model_verdict v = model_judge(&w->model, &m->piece[map->index], m->dir);

	w->expected++;
	expect_refusal(w, v.must ? v.must : v.may);
}

void step_vector(struct world *w)
{
	struct model_mapping *m = pick(w, false);
	struct dma_phys_vec *vec;
	struct dma_vec_map *map;
	struct dma_vec_seg seg;
	uint64_t stop;
	int got;

	if (!m)
		return;
	vec = w->vec[m - w->model.mapping];
	map = &w->vec_map[m - w->model.mapping];
	*m = (struct model_mapping){ .kind = MODEL_VECTOR, .dir = any_dir(w) };
	if (!any_vectors(w, m, vec))
		return;
	if (dma_vec_map_start(w->dev, map, vec, m->pieces, m->dir, 0)) {
		refused_start(w, m, map);
		return;
	}
	stop = chance(w, 8) ? MODEL_SEGMENTS : chance(w, 8);
	while ((got = dma_vec_map_next(map, &seg)) > 0 && stop--)
		m->segment[m->segments++] = (struct model_segment){ seg.addr, seg.len };
	if (got < 0) {
		refused(w, m, map);
	} else if (got > 0) { /* left in the middle: nothing has happened to the bytes */
		assert_int_equal(dma_vec_unmap(map, 0), 0);
		w->expected = w->records;
	} else {
		w->expected += records(w, m);
		assert_int_equal(map->bytes, m->size);
		assert_true(model_map(&w->model, m));
	}
}

void unmap_vector(struct world *w, struct model_mapping *m, unsigned long attrs)
{
	assert_int_equal(dma_vec_unmap(&w->vec_map[m - w->model.mapping], attrs), 0);
	w->expected += records(w, m);
}

void sync_vector(struct world *w, struct model_mapping *m, uint64_t from, uint64_t len,
		 bool for_cpu)
{
	struct dma_vec_map *map = &w->vec_map[m - w->model.mapping];
	uint64_t at = 0;

	if (len == m->size && chance(w, 2))
		len = DMA_VEC_ALL;
	assert_int_equal(for_cpu ? dma_vec_sync_for_cpu(map, from, len)
				 : dma_vec_sync_for_device(map, from, len),
			 0);
	for (unsigned int i = 0; i < m->pieces; at += m->piece[i++].len)
		w->expected += m->piece[i].place == MODEL_RAM && from < at + m->piece[i].len &&
			       (len == DMA_VEC_ALL || at < from + len);
}

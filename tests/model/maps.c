/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges and lists: map, unmap, sync, and calls that must be refused.
 */
#include "world.h"

/** A small buffer, if that is what it becomes. */
static bool small_buffer(struct world *w, struct model_area *a, uint64_t from,
			 struct model_piece *p, enum dma_data_direction dir)
{
	p->phys = a->base + from;
	p->len = 1 + chance(w, 96);
	return from < MODEL_AREA - 96 && model_judge(&w->model, p, dir).small;
}

bool any_buffer(struct world *w, struct model_piece *p, enum dma_data_direction dir)
{
	struct model_area *a = &w->model.area[chance(w, MODEL_AREAS)];
	uint64_t granule = model_granule(&w->model.route);
	uint64_t most = chance(w, 8) ? 3 * 4096 : MODEL_AREA;
	uint64_t from = chance(w, MODEL_AREA);

	*p = (struct model_piece){ .phys = a->base, .place = a->mmio ? MODEL_MMIO : MODEL_RAM };
	if (w->setup->model.small_bounce && chance(w, 2) && small_buffer(w, a, from, p, dir))
		return !owned_by_device(w, p->phys, p->len, true);
	if (chance(w, 3) == 0)
		from &= ~(granule - 1);
	if (w->setup->noncoherent)
		from &= ~63ull;
	if (most > MODEL_AREA - from)
		most = MODEL_AREA - from;
	p->phys = a->base + from;
	p->len = 1 + chance(w, most);
	if (most > 4096 && chance(w, 3) == 0) /* end with a granule */
		p->len = ((p->phys + p->len) & ~(granule - 1)) > p->phys
				 ? ((p->phys + p->len) & ~(granule - 1)) - p->phys
				 : p->len;
	if (w->setup->noncoherent)
		p->len = (p->len + 63) & ~63ull;
	return !owned_by_device(w, p->phys, p->len, false);
}

bool meets_itself(const struct world *w, const struct model_mapping *m, const struct model_piece *p,
		  unsigned int n)
{
	for (unsigned int i = 0; w->setup->noncoherent && i < n; i++)
		if (p->phys < m->piece[i].phys + m->piece[i].len &&
		    m->piece[i].phys < p->phys + p->len)
			return true;
	return false;
}

void step_map(struct world *w)
{
	struct model_mapping *m = pick(w, false);
	enum dma_data_direction dir = any_dir(w);
	struct model_verdict v;
	struct model_piece p;
	dma_addr_t addr;

	if (!m || !any_buffer(w, &p, dir))
		return;
	v = model_judge(&w->model, &p, dir);
	p.copied = v.copied;
	addr = p.place == MODEL_MMIO ? dma_map_resource(w->dev, p.phys, p.len, dir, 0)
				     : dma_map_phys(w->dev, p.phys, p.len, dir, 0);
	w->expected++;
	if (dma_mapping_error(w->dev, addr)) {
		expect_refusal(w, v.must ? v.must : v.may);
		return;
	}
	assert_true(!v.must);
	*m = (struct model_mapping){
		.small = v.small, .dir = dir, .pieces = 1, .segments = 1, .size = p.len
	};
	m->piece[0] = p;
	m->segment[0] = (struct model_segment){ addr, p.len };
	assert_true(model_map(&w->model, m));
}

/** Fill a list with RAM, and with peers' memory where there are peers; false: give it up. */
static bool any_list(struct world *w, struct model_mapping *m, struct scatterlist *sg,
		     struct model_verdict *v)
{
	m->pieces = 1 + (unsigned int)chance(w, MODEL_PIECES);
	sg_init_table(sg, m->pieces);
	for (unsigned int i = 0; i < m->pieces; i++) {
		struct model_piece *p = &m->piece[i];
		struct model_verdict one;

		do {
			if (!any_buffer(w, p, m->dir) || meets_itself(w, m, p, i))
				return false;
		} while (p->place == MODEL_MMIO && !w->tree);
		if (p->place == MODEL_MMIO)
			p->place = model_area(&w->model, p->phys)->peer;
		one = model_judge(&w->model, p, m->dir);
		if (one.small)
			return false;
		p->copied = one.copied;
		v->must |= one.must;
		v->may |= one.may;
		sg_set_phys(&sg[i], p->phys, (unsigned int)p->len);
		m->size += p->len;
	}
	return true;
}

void step_map_sg(struct world *w)
{
	struct model_mapping *m = pick(w, false);
	struct model_verdict v = { 0 };
	struct scatterlist *sg;

	if (!m)
		return;
	sg = w->sg[m - w->model.mapping];
	*m = (struct model_mapping){ .kind = MODEL_LIST, .dir = any_dir(w) };
	if (!any_list(w, m, sg, &v))
		return;
	m->segments = dma_map_sg(w->dev, sg, (int)m->pieces, m->dir);
	w->expected++;
	if (!m->segments) {
		/* an element before the one that must be refused may be refused too */
		expect_refusal(w, v.must | v.may);
		return;
	}
	assert_true(!v.must && m->segments <= m->pieces);
	for (unsigned int i = 0; i < m->segments; i++)
		m->segment[i] =
			(struct model_segment){ sg_dma_address(&sg[i]), sg_dma_len(&sg[i]) };
	assert_true(model_map(&w->model, m));
}

void unmap(struct world *w, struct model_mapping *m, bool skip)
{
	unsigned long attrs = skip ? DMA_ATTR_SKIP_CPU_SYNC : 0;
	struct model_segment last = m->segment[m->segments - 1];

	if (m->kind == MODEL_VECTOR) {
		unmap_vector(w, m, attrs);
	} else if (m->kind == MODEL_LIST) {
		dma_unmap_sg_attrs(w->dev, w->sg[m - w->model.mapping], (int)m->pieces, m->dir,
				   attrs);
		w->expected++;
	} else {
		if (m->piece[0].place == MODEL_MMIO)
			dma_unmap_resource(w->dev, m->segment[0].addr, m->size, m->dir, attrs);
		else
			dma_unmap_phys(w->dev, m->segment[0].addr, m->size, m->dir, attrs);
		w->expected++;
	}
	model_unmap(&w->model, m, skip);
	expect_cut_off(w, last.addr, m->dir);
}

void step_unmap(struct world *w)
{
	struct model_mapping *m = pick(w, true);
	/* on a non-coherent machine a skipped sync leaves the CPU with old lines: legal, but nothing to compare */
	bool skip = m && !w->setup->noncoherent && chance(w, 8) == 0;

	if (m)
		unmap(w, m, skip);
}

static void call_sync(struct world *w, struct model_mapping *m, uint64_t from, uint64_t len,
		      bool for_cpu)
{
	struct scatterlist *sg = w->sg[m - w->model.mapping];

	if (m->kind == MODEL_VECTOR) {
		sync_vector(w, m, from, len, for_cpu);
		return;
	}
	w->expected++;
	if (m->kind == MODEL_LIST && for_cpu)
		dma_sync_sg_for_cpu(w->dev, sg, (int)m->pieces, m->dir);
	else if (m->kind == MODEL_LIST)
		dma_sync_sg_for_device(w->dev, sg, (int)m->pieces, m->dir);
	else if (for_cpu)
		dma_sync_single_range_for_cpu(w->dev, m->segment[0].addr, from, len, m->dir);
	else
		dma_sync_single_range_for_device(w->dev, m->segment[0].addr, from, len, m->dir);
}

/** A whole sync moves ownership; a part (only where any byte may be synced alone) moves bytes. */
void step_sync(struct world *w)
{
	struct model_mapping *m = pick(w, true);
	bool for_cpu = m && m->device_owns;
	uint64_t from = 0;
	uint64_t len;

	if (!m || (m->kind == MODEL_RANGE && m->piece[0].place == MODEL_MMIO))
		return;
	len = m->size;
	if (m->kind != MODEL_LIST && !w->setup->noncoherent && chance(w, 2)) {
		any_part(w, m->size, &from, &len);
		for_cpu = chance(w, 2);
	} else {
		m->device_owns = !m->device_owns;
	}
	call_sync(w, m, from, len, for_cpu);
	model_sync(&w->model, m, from, len, for_cpu);
}

/** Calls that must be refused, and change nothing. */
void step_nonsense(struct world *w)
{
	struct model_area *a = &w->model.area[chance(w, 3)];
	unsigned long attrs = chance(w, 2) ? DMA_ATTR_MMIO : 0;

	w->expected++;
	if (chance(w, 2)) {
		assert_int_equal(dma_map_phys(w->dev, a->base, 0, any_dir(w), attrs),
				 DMA_MAPPING_ERROR);
		expect_refusal(w, (uint64_t)1 << DMA_REASON_ZERO_SIZE);
	} else {
		assert_int_equal(dma_map_phys(w->dev, ~(uint64_t)0 - 10, 4096, any_dir(w), attrs),
				 DMA_MAPPING_ERROR);
		expect_refusal(w, (uint64_t)1 << DMA_REASON_ADDRESS_WRAP);
	}
}

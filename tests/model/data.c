/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes: what the CPU stores, what the device moves through its mappings, what a hostile one tries, and the comparison
 * of all memory with the model.
 */
#include "world.h"

/** The device moves [from, from + len) of a mapping; 0 or -EFAULT. */
static int device_moves(struct world *w, const struct model_mapping *m, uint64_t from, uint64_t len,
			uint8_t *buf, bool write)
{
	for (unsigned int i = 0; len; i++) {
		const struct model_segment *s = &m->segment[i];
		uint64_t n = from >= s->len ? 0 : (s->len - from < len ? s->len - from : len);
		int err = 0;

		if (n && write)
			err = sim_dma_write(w->device, s->addr + from, buf, n, NULL);
		else if (n)
			err = sim_dma_read(w->device, s->addr + from, buf, n, NULL);
		if (err)
			return err;
		from = from >= s->len ? from - s->len : 0;
		buf += n;
		len -= n;
	}
	return 0;
}

/** May the device do what the direction forbids, because no table is in the way? */
static bool unprotected(const struct world *w, const struct model_mapping *m)
{
	for (unsigned int i = 0; i < m->pieces; i++)
		if (m->piece[i].place == MODEL_BUS)
			return true;
	return !w->model.route.protects;
}

void step_device_read(struct world *w)
{
	struct model_mapping *m = pick(w, true);
	uint64_t from, len;
	uint8_t *buf;
	int err;

	if (!m || !m->device_owns || (m->dir == DMA_FROM_DEVICE && unprotected(w, m)))
		return;
	any_part(w, m->size, &from, &len);
	buf = malloc(len);
	err = device_moves(w, m, from, len, buf, false);
	if (m->dir == DMA_FROM_DEVICE) {
		assert_int_equal(err != 0, !w->model.route.reads_back);
	} else {
		assert_int_equal(err, 0);
		for (uint64_t i = 0; i < len; i++)
			assert_int_equal(buf[i], *model_device_byte(&w->model, m, from + i));
	}
	free(buf);
}

void step_device_write(struct world *w)
{
	struct model_mapping *m = pick(w, true);
	uint64_t from, len;
	uint8_t *buf;

	if (!m || !m->device_owns || (m->dir == DMA_TO_DEVICE && unprotected(w, m)))
		return;
	any_part(w, m->size, &from, &len);
	buf = malloc(len);
	for (uint64_t i = 0; i < len; i++)
		buf[i] = (uint8_t)chance(w, 256);
	if (m->dir != DMA_TO_DEVICE) {
		assert_int_equal(device_moves(w, m, from, len, buf, true), 0);
		for (uint64_t i = 0; i < len; i++)
			*model_device_byte(&w->model, m, from + i) = buf[i];
	} else {
		assert_int_not_equal(device_moves(w, m, from, len, buf, true), 0);
	}
	free(buf);
}

static bool touch(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len, uint64_t unit)
{
	return a / unit <= (b + b_len - 1) / unit && b / unit <= (a + a_len - 1) / unit;
}

/* Only where the device has its own view, and by whole lines, unless both sides are @small or stores of the CPU. */
bool owned_by_device(const struct world *w, phys_addr_t phys, uint64_t len, bool small)
{
	if (!w->setup->noncoherent)
		return false;
	for (int i = 0; i < MODEL_MAPPINGS; i++) {
		const struct model_mapping *m = &w->model.mapping[i];

		for (unsigned int j = 0; m->live && j < m->pieces; j++)
			if (m->piece[j].place == MODEL_RAM &&
			    touch(m->piece[j].phys, m->piece[j].len, phys, len,
				  m->small && small ? 1 : 64))
				return true;
	}
	return false;
}

/** A few bytes beside a small mapping, most of them in its own lines. */
static void beside_small(struct world *w, struct model_area **area, uint64_t *from, uint64_t *len)
{
	struct model_mapping *m = pick(w, true);

	for (int i = 0; m && m->small && i < MODEL_AREAS; i++) {
		uint64_t at = m->piece[0].phys - w->model.area[i].base;

		if (at >= MODEL_AREA || at < 64 || at + 256 > MODEL_AREA)
			continue;
		*area = &w->model.area[i];
		*len = 1 + chance(w, 16);
		*from = chance(w, 2) ? at + m->piece[0].len : at - *len;
	}
}

void step_cpu_write(struct world *w)
{
	struct model_area *a = &w->model.area[chance(w, MODEL_AREAS)];
	uint64_t from = chance(w, MODEL_AREA);
	uint64_t len = 1 + chance(w, MODEL_AREA - from < 8192 ? MODEL_AREA - from : 8192);

	beside_small(w, &a, &from, &len);
	if (owned_by_device(w, a->base + from, len, true))
		return;
	for (uint64_t i = 0; i < len; i++)
		a->bytes[from + i] = (uint8_t)chance(w, 256);
	assert_int_equal(sim_cpu_write(w->machine, a->base + from, a->bytes + from, len), 0);
}

void compare_memory(struct world *w)
{
	static const uint64_t step = 4096;
	uint8_t buf[4096];

	for (int a = 0; a < MODEL_AREAS; a++)
		for (uint64_t at = 0; at < MODEL_AREA; at += step) {
			if (owned_by_device(w, w->model.area[a].base + at, step, false))
				continue;
			assert_int_equal(
				sim_cpu_read(w->machine, w->model.area[a].base + at, buf, step), 0);
			assert_memory_equal(buf, w->model.area[a].bytes + at, step);
		}
}

void expect_cut_off(struct world *w, dma_addr_t addr, enum dma_data_direction dir)
{
	uint8_t byte = 0;

	if (!w->model.route.exact || model_undecided(&w->model, addr))
		return;
	if (dir == DMA_FROM_DEVICE)
		assert_int_not_equal(sim_dma_write(w->device, addr, &byte, 1, NULL), 0);
	else
		assert_int_not_equal(sim_dma_read(w->device, addr, &byte, 1, NULL), 0);
}

/** A hostile device tries an address of its own choice, near live ones or anywhere. */
void step_hostile(struct world *w)
{
	struct model_mapping *m = pick(w, chance(w, 2));
	struct model_memory *mem = pick_memory(w, true);
	uint64_t granule = model_granule(&w->model.route);
	dma_addr_t addr = chance(w, ~(uint64_t)0);
	bool write = chance(w, 2);
	uint8_t byte = 0;
	int err;

	if (!w->model.route.exact)
		return;
	if (m && m->segments)
		addr = m->segment[chance(w, m->segments)].addr + chance(w, 4 * granule) -
		       2 * granule;
	else if (mem && chance(w, 2))
		addr = mem->addr + chance(w, 4 * granule) - 2 * granule;
	if (model_undecided(&w->model, addr))
		return;
	if (write && model_reaches(&w->model, addr, true))
		return; /* it may, and would spoil what the model knows */
	err = write ? sim_dma_write(w->device, addr, &byte, 1, NULL)
		    : sim_dma_read(w->device, addr, &byte, 1, NULL);
	if (model_reaches(&w->model, addr, write))
		assert_int_equal(err, 0);
	else
		assert_int_not_equal(err, 0);
}

void step_time(struct world *w)
{
	sim_advance(w->machine, chance(w, 5000000));
	dma_poll(sim_host(w->machine));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of a message, by key: kernels have moved, added and dropped fields, but never changed what a key means.
 * A key that is unknown, given twice, or foreign to the event makes the line damaged, and so does one that is missing.
 */
#include <limits.h>

#include "internal.h"

struct key {
	const char *name;
	unsigned char len;
	/* A word by itself, without '='. */
	bool bare;
	uint32_t bit;
	const char *(*read)(struct dmt_parse *ps);
};

static const char *read_dma_addr(struct dmt_parse *ps)
{
	return dmt_read_hex(ps, &ps->event->dma_addr);
}

static const char *read_size(struct dmt_parse *ps)
{
	return dmt_read_dec(ps, UINT64_MAX, &ps->event->size);
}

static const char *read_phys_addr(struct dmt_parse *ps)
{
	return dmt_read_hex(ps, &ps->event->phys_addr);
}

static const char *read_flags(struct dmt_parse *ps)
{
	if (ps->form->shape == DMT_SHAPE_FAULT)
		return dmt_read_0x(ps, &ps->event->fault_flags);
	return dmt_read_gfp(ps);
}

/* "SHOWN/ALL" */
static const char *read_counts(struct dmt_parse *ps, uint64_t *shown, uint64_t *all)
{
	const char *why = dmt_read_dec(ps, UINT32_MAX, shown);

	if (why)
		return why;
	if (ps->at == ps->end || *ps->at++ != '/')
		return "not two numbers with a slash";
	return dmt_read_dec(ps, UINT32_MAX, all);
}

static const char *read_nents(struct dmt_parse *ps)
{
	return read_counts(ps, &ps->shown_nents, &ps->event->nents);
}

static const char *read_ents(struct dmt_parse *ps)
{
	return read_counts(ps, &ps->shown_ents, &ps->event->ents);
}

static const char *read_truncated(struct dmt_parse *ps)
{
	ps->event->truncated = true;
	return NULL;
}

/* Under this label dma_map_sg_err prints physical addresses. */
static const char *read_dma_addrs(struct dmt_parse *ps)
{
	return dmt_read_list(ps, ps->event->type == DMT_MAP_SG_ERR ? &ps->phys : &ps->dma,
			     UINT64_MAX);
}

/* The kernel's lengths have 32 bits. */
static const char *read_sizes(struct dmt_parse *ps)
{
	return dmt_read_list(ps, &ps->len, UINT32_MAX);
}

static const char *read_phys_addrs(struct dmt_parse *ps)
{
	return dmt_read_list(ps, &ps->phys, UINT64_MAX);
}

static const char *read_err(struct dmt_parse *ps)
{
	uint64_t value;

	if (ps->at == ps->end || *ps->at++ != '-')
		return "not a negative error number";
	if (dmt_read_dec(ps, 4095, &value) || !value)
		return "not an error number";
	ps->event->err = -(int)value;
	return NULL;
}

static const char *read_route(struct dmt_parse *ps)
{
	return dmt_read_name(ps, &ps->route);
}

static const char *read_reason(struct dmt_parse *ps)
{
	return dmt_read_name(ps, &ps->reason);
}

static const char *read_dma_mask(struct dmt_parse *ps)
{
	return dmt_read_hex(ps, &ps->event->dma_mask);
}

static const char *read_force(struct dmt_parse *ps)
{
	ps->event->force = true;
	return NULL;
}

static const char *read_normal(struct dmt_parse *ps)
{
	(void)ps;
	return NULL;
}

/* "0x… - 0x…"; a fault has only the first. */
static const char *read_iova(struct dmt_parse *ps)
{
	const char *why = dmt_read_0x(ps, &ps->event->iova_start);

	if (why || ps->form->shape == DMT_SHAPE_FAULT)
		return why;
	if (ps->end - ps->at < 3 || memcmp(ps->at, " - ", 3) != 0)
		return "not a range";
	ps->at += 3;
	return dmt_read_0x(ps, &ps->event->iova_end);
}

static const char *read_paddr(struct dmt_parse *ps)
{
	return dmt_read_0x(ps, &ps->event->phys_addr);
}

static const char *read_unmapped(struct dmt_parse *ps)
{
	return dmt_read_dec(ps, UINT64_MAX, &ps->event->unmapped_size);
}

static const char *read_group(struct dmt_parse *ps)
{
	uint64_t value;
	const char *why = dmt_read_dec(ps, INT_MAX, &value);

	if (!why)
		ps->event->group = (int)value;
	return why;
}

static const char *read_device(struct dmt_parse *ps)
{
	return dmt_read_device(ps, &ps->device);
}

#define KEY(name, bit, read)                             \
	{                                                \
		name, sizeof(name) - 1, false, bit, read \
	}
#define BARE(name, bit, read)                           \
	{                                               \
		name, sizeof(name) - 1, true, bit, read \
	}

/* The common ones first. */
static const struct key keys[] = {
	KEY("dir", DMT_F_DIR, dmt_read_dir),
	KEY("dma_addr", DMT_F_DMA_ADDR, read_dma_addr),
	KEY("size", DMT_F_SIZE, read_size),
	KEY("attrs", DMT_F_ATTRS, dmt_read_attrs),
	KEY("iova", DMT_F_IOVA, read_iova),
	KEY("phys_addr", DMT_F_PHYS_ADDR, read_phys_addr),
	KEY("paddr", DMT_F_PADDR, read_paddr),
	KEY("unmapped_size", DMT_F_UNMAPPED, read_unmapped),
	KEY("dma_mask", DMT_F_DMA_MASK, read_dma_mask),
	KEY("dev_addr", DMT_F_DEV_ADDR, read_dma_addr),
	BARE("FORCE", DMT_F_FORCE, read_force),
	BARE("NORMAL", DMT_F_FORCE, read_normal),
	KEY("phys_addrs", DMT_F_PHYS_ADDRS, read_phys_addrs),
	KEY("dma_addrs", DMT_F_DMA_ADDRS, read_dma_addrs),
	KEY("sizes", DMT_F_SIZES, read_sizes),
	KEY("nents", DMT_F_NENTS, read_nents),
	KEY("ents", DMT_F_ENTS, read_ents),
	BARE("[TRUNCATED]", DMT_F_TRUNCATED, read_truncated),
	KEY("virt_addr", DMT_F_VIRT, dmt_read_pointer),
	KEY("flags", DMT_F_FLAGS, read_flags),
	KEY("err", DMT_F_ERR, read_err),
	KEY("route", DMT_F_ROUTE, read_route),
	KEY("reason", DMT_F_REASON, read_reason),
	KEY("groupID", DMT_F_GROUP, read_group),
	KEY("device", DMT_F_DEVICE, read_device),
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* The key at the cursor, which moves behind it and its '='. */
static const struct key *take_key(struct dmt_parse *ps)
{
	char *p = ps->at;
	size_t len;
	bool bare;

	while (p < ps->end && *p != '=' && !dmt_is_blank(*p))
		p++;
	len = (size_t)(p - ps->at);
	bare = p == ps->end || *p != '=';
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (keys[i].len == len && keys[i].bare == bare &&
		    memcmp(keys[i].name, ps->at, len) == 0) {
			ps->at = bare ? p : p + 1;
			return &keys[i];
		}
	}
	return NULL;
}

static const char *read_field(struct dmt_parse *ps)
{
	const struct key *key = take_key(ps);
	const char *why;

	if (!key)
		return "something that is not a field";
	ps->field = key->name;
	if (!((ps->form->need | ps->form->may) & key->bit))
		return "does not belong to this event";
	if (ps->seen & key->bit)
		return "given twice";
	ps->seen |= key->bit;
	why = key->read(ps);
	if (why)
		return why;
	if (!dmt_at_word_end(ps))
		return "something follows the value";
	ps->field = NULL;
	return NULL;
}

static const char *missing(struct dmt_parse *ps)
{
	uint32_t absent = ps->form->need & ~ps->seen;

	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (absent & keys[i].bit) {
			ps->field = keys[i].name;
			return "missing";
		}
	}
	return NULL;
}

const char *dmt_read_fields(struct dmt_parse *ps)
{
	const char *why;

	for (;;) {
		dmt_skip_blanks(ps);
		if (ps->at == ps->end)
			return missing(ps);
		why = read_field(ps);
		if (why)
			return why;
	}
}

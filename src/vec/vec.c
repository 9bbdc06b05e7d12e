/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors: start, walk over the segments, unmap (docs/semantics.md, "Vectors").
 *
 * Two ways. A run: the iommu route enters everything at once (run.c), and walking only reads. Each by itself:
 * walking calls dma_map_phys() for the next vector, and the unmap dma_unmap_phys() for those that were reached. Both
 * give ranges, which are cut to the device's segment limits on their way out.
 */
#include <dmamap/inline.h>

#include "internal.h"

/* --- refusals */

int dmamap_vec_misuse(struct dma_vec_map *map, struct dma_event *event, const char *what,
		      struct dma_error *why)
{
	enum dma_route route = dmamap_dev(map->dev)->route;

	event->dev = map->dev;
	event->dir = map->dir;
	event->dma_addr = DMA_MAPPING_ERROR;
	event->attrs = map->attrs;
	dmamap_misuse(map->dev, route, what, why);
	dmamap_finish(event, route, why, true);
	return -DMAMAP_EINVAL;
}

bool dmamap_vec_check(struct dma_vec_map *map, enum dma_event_type type, const char *what)
{
	struct dma_event event = { .type = type };
	struct dma_error why;

	if (map->live == VEC_LIVE)
		return true;
	if (map->dev) {
		fail_range(&why, map->dev, DMA_REASON_NOT_MAPPED, -DMAMAP_EINVAL, 0, 0);
		dmamap_vec_misuse(map, &event, what, &why);
	}
	return false;
}

/** Fill in *@why for vector @i. */
static int fail_vec(struct dma_vec_map *map, size_t i, enum dma_reason reason, int err,
		    struct dma_error *why)
{
	fail_range(why, map->dev, reason, err, map->vecs[i].phys, map->vecs[i].len);
	why->have = i;
	map->index = i;
	return err;
}

static int check_vec(struct dma_vec_map *map, size_t i, struct dma_error *why)
{
	const struct dma_phys_vec *vec = &map->vecs[i];

	if (!vec->len)
		return fail_vec(map, i, DMA_REASON_ZERO_SIZE, -DMAMAP_EINVAL, why);
	if (range_wraps(vec->phys, vec->len) || add_wraps(map->bytes, vec->len))
		return fail_vec(map, i, DMA_REASON_ADDRESS_WRAP, -DMAMAP_EINVAL, why);
	if ((vec->attrs & ~DMA_ATTR_MMIO) || (vec->flags & ~DMA_VEC_BUS_ADDRESS))
		return fail_vec(map, i, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, why);
	if (vec_is_bus(vec) && vec->phys + (vec->len - 1) > dev_limit(dmamap_dev(map->dev)))
		return fail_vec(map, i, DMA_REASON_BEYOND_MASK, -DMAMAP_EIO, why);
	map->bytes += vec->len;
	if (vec_is_bus(vec) || dmamap_dev(map->dev)->route != DMA_ROUTE_IOMMU ||
	    dmamap_iommu_may_have(map->dev, vec->phys, vec->len, map->dir, vec_attrs(map, vec),
				  why))
		return 0;
	why->have = i;
	map->index = i;
	return why->err;
}

static int check_vecs(struct dma_vec_map *map, struct dma_error *why)
{
	int err = 0;

	if (!map->vecs || !map->nr)
		return fail_range(why, map->dev, DMA_REASON_BAD_ARGUMENT, -DMAMAP_EINVAL, 0, 0);
	for (size_t i = 0; !err && i < map->nr; i++)
		err = check_vec(map, i, why);
	return err;
}

static int check_start(struct dma_vec_map *map, struct dma_error *why)
{
	struct dma_device *dev = map->dev;

	if (!dmamap_check_dir(dev, map->dir, 0, 0, why) || !dmamap_check_mask(dev, 0, 0, why))
		return why->err;
	if ((map->attrs & DMA_ATTR_REQUIRE_COHERENT) && !dmamap_dev(dev)->coherent)
		return fail_range(why, dev, DMA_REASON_NOT_COHERENT, -DMAMAP_EOPNOTSUPP, 0, 0);
	if ((map->attrs & DMA_ATTR_CC_SHARED) && dmamap_dev(dev)->route == DMA_ROUTE_IOMMU)
		return fail_range(why, dev, DMA_REASON_CC_SHARED, -DMAMAP_EOPNOTSUPP, 0, 0);
	return check_vecs(map, why);
}

/* --- ranges: what is contiguous for the device, before its limits cut it */

struct range {
	dma_addr_t addr;
	uint64_t len;
	phys_addr_t phys;
	unsigned long attrs; /* MMIO if all of it is */
};

/** The next range of a run; its vectors are taken. Not at the end. */
static struct range run_range(const struct dma_vec_map *map, size_t *next, uint64_t *at)
{
	const struct dma_phys_vec *vec = &map->vecs[(*next)++];
	struct range range = { vec->phys, vec->len, vec->phys, vec_attrs(map, vec) };
	uint64_t behind;

	if (vec_is_bus(vec))
		return range;
	range.addr = vec_in_run(map, vec, at);
	while (*next < map->nr && !vec_is_bus(&map->vecs[*next])) {
		vec = &map->vecs[*next];
		behind = *at;
		if (vec_in_run(map, vec, &behind) != range.addr + range.len)
			break;
		range.len += vec->len;
		range.attrs &= vec_attrs(map, vec);
		*at = behind;
		++*next;
	}
	return range;
}

/** Map the next vector by itself, unless that was done before a rewind. */
static int map_vec(struct dma_vec_map *map, struct dma_phys_vec *vec)
{
	struct dma_error why;

	if (vec_is_bus(vec))
		vec->dma = vec->phys;
	else
		vec->dma = dmamap_fast_map_phys(map->dev, vec->phys, vec->len, map->dir,
						vec_attrs(map, vec));
	if (vec->dma != DMA_MAPPING_ERROR)
		return 0;
	dmamap_last_error(map->dev, &why);
	map->index = map->next;
	return why.err < 0 ? why.err : -DMAMAP_ENOMEM;
}

/* --- start */

static void sanitize(const struct dma_vec_map *map)
{
	struct dma_host *host = dev_host(map->dev);

	for (size_t i = 0; host->sanitize && i < map->nr; i++)
		if (vec_is_ram(map, &map->vecs[i]))
			host->sanitize(host, DMA_SANITIZE_MAP, map->vecs[i].phys, map->vecs[i].len,
				       map->dir);
}

/** A record for each range of a run: what one dma_map_phys() or dma_unmap_phys() of it would have left. */
static void trace_run(struct dma_vec_map *map, enum dma_event_type type, unsigned long attrs)
{
	size_t next = 0;
	uint64_t at = 0;

	while (observed(map->dev) && next < map->nr) {
		bool bus = vec_is_bus(&map->vecs[next]);
		struct range range = run_range(map, &next, &at);
		struct dma_event event = {
			.type = type,
			.dev = map->dev,
			.dir = map->dir,
			.dma_addr = range.addr,
			.size = range.len,
			.phys = type == DMA_EVENT_MAP_PHYS ? range.phys : 0,
			.attrs = range.attrs | attrs,
		};

		if (!bus)
			dmamap_finish(&event, DMA_ROUTE_IOMMU, NULL, true);
	}
}

/** Try to map everything as a run. 0 also where each vector has to be mapped by itself. */
static int start_run(struct dma_vec_map *map, struct dma_error *why)
{
	struct dma_error refused;
	int err;

	if (!dmamap_vec_may_run(map))
		return 0;
	err = dmamap_vec_map_run(map, &refused);
	if (err && refused.reason == DMA_REASON_NO_IOVA)
		return 0; /* there may be room for the pieces */
	if (err) {
		*why = refused;
		map->index = refused.have;
		return err;
	}
	map->run = true;
	map->mapped = map->nr;
	sanitize(map);
	trace_run(map, DMA_EVENT_MAP_PHYS, 0);
	return 0;
}

static bool is_contiguous(const struct dma_vec_map *map)
{
	size_t next = 0;
	uint64_t at = 0;

	if (!map->run)
		return map->nr == 1;
	run_range(map, &next, &at);
	return next == map->nr;
}

int dmamap_vec_map_start(struct dma_device *dev, struct dma_vec_map *map, struct dma_phys_vec *vecs,
			 size_t n, enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_event event = { .type = DMA_EVENT_MAP_PHYS, .dev = dev, .dir = dir };
	struct dma_error why = { .reason = DMA_REASON_NONE };
	int err;

	*map = (struct dma_vec_map){
		.dev = dev, .vecs = vecs, .nr = n, .dir = dir, .attrs = attrs
	};
	err = check_start(map, &why);
	if (!err)
		err = start_run(map, &why);
	if (!err) {
		map->contiguous = is_contiguous(map);
		map->live = VEC_LIVE;
		return 0;
	}
	event.phys = why.addr;
	event.size = why.size;
	event.dma_addr = DMA_MAPPING_ERROR;
	event.attrs = attrs;
	dmamap_finish(&event, dmamap_dev(dev)->route, &why, true);
	return err;
}

/* --- walk */

/** Open the next range: 1; 0 at the end; -errno. */
static int open_range(struct dma_vec_map *map)
{
	struct dma_phys_vec *vec = &map->vecs[map->next];
	struct range range;

	if (map->next == map->nr)
		return 0;
	if (map->run) {
		range = run_range(map, &map->next, &map->at);
		map->seg_addr = range.addr;
		map->seg_left = range.len;
		return 1;
	}
	if (map->next == map->mapped) {
		map->err = map_vec(map, vec);
		if (map->err)
			return map->err;
		map->mapped++;
	}
	map->seg_addr = vec->dma;
	map->seg_left = vec->len;
	map->next++;
	return 1;
}

/** Cut one segment that the device's limits allow off the open range. */
static void cut(struct dma_vec_map *map, struct dma_vec_seg *seg)
{
	uint64_t boundary = dmamap_get_seg_boundary(map->dev);
	uint64_t room = boundary - (map->seg_addr & boundary); /* less one: it may be 2^64 */
	uint64_t len = min_u64(map->seg_left, dmamap_get_max_seg_size(map->dev));

	if (len - 1 > room)
		len = room + 1;
	*seg = (struct dma_vec_seg){ map->seg_addr, len };
	map->seg_addr += len;
	map->seg_left -= len;
}

int dmamap_vec_map_next(struct dma_vec_map *map, struct dma_vec_seg *seg)
{
	int got;

	if (!dmamap_vec_check(map, DMA_EVENT_MAP_PHYS, "segments of vectors that are not mapped"))
		return -DMAMAP_EINVAL;
	if (map->err)
		return map->err;
	if (!map->seg_left) {
		got = open_range(map);
		if (got <= 0)
			return got;
	}
	cut(map, seg);
	return 1;
}

int dmamap_vec_map_rewind(struct dma_vec_map *map)
{
	if (!dmamap_vec_check(map, DMA_EVENT_MAP_PHYS, "segments of vectors that are not mapped"))
		return -DMAMAP_EINVAL;
	map->err = 0;
	map->next = 0;
	map->at = 0;
	map->seg_left = 0;
	return 0;
}

/* --- unmap */

static int unmap_run(struct dma_vec_map *map, unsigned long attrs)
{
	struct dma_event event = { .type = DMA_EVENT_UNMAP_PHYS };
	struct dma_error why;

	if (dmamap_vec_unmap_run(map, attrs, &why))
		return dmamap_vec_misuse(map, &event, "unmap of vectors that are not all mapped",
					 &why);
	trace_run(map, DMA_EVENT_UNMAP_PHYS, attrs);
	return 0;
}

static void unmap_each(struct dma_vec_map *map, unsigned long attrs)
{
	if (!dmamap_need_unmap(map->dev))
		return;
	for (size_t i = 0; i < map->mapped; i++) {
		const struct dma_phys_vec *vec = &map->vecs[i];

		if (!vec_is_bus(vec))
			dmamap_fast_unmap_phys(map->dev, vec->dma, vec->len, map->dir,
					       vec_attrs(map, vec) | attrs);
	}
}

int dmamap_vec_unmap(struct dma_vec_map *map, unsigned long attrs)
{
	attrs &= DMA_ATTR_SKIP_CPU_SYNC;
	if (!dmamap_vec_check(map, DMA_EVENT_UNMAP_PHYS, "unmap of vectors that are not mapped"))
		return -DMAMAP_EINVAL;
	map->live = 0;
	if (map->run)
		return unmap_run(map, attrs);
	unmap_each(map, attrs);
	return 0;
}

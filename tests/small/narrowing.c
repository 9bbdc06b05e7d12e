/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain that is narrowed by a device that joins, while another device maps in it: what is mapped when the other has
 * joined lies below the new aperture and leads where the new unit's entries reach. Maps that waited for the domain looked
 * at both before.
 */
#include "world.h"

#include <pthread.h>
#include <unistd.h>

#include "base/device.h"
#include "iommu/domain.h"

#define ROUNDS 200u
#define TRIES  300u
#define HIGH   ((phys_addr_t)64 << 30)

static const struct world_memory high[] = {
	{ .base = HIGH, .size = (uint64_t)32 << 30, .bar = true },
	{ .size = 0 }
};

/** What the second unit has not: addresses above 40 bits, or targets above 36. */
struct second {
	const struct dma_iommu_unit_ops *ops;
	struct dma_iommu_unit_ops fewer;
	unsigned int input_bits;
	unsigned int output_bits;
};

static struct second second;

static void fewer_caps(struct dma_iommu_unit *unit, struct dma_device *dev,
		       struct dma_unit_caps *caps)
{
	second.ops->get_caps(unit, dev, caps);
	if (second.input_bits)
		caps->input_bits = second.input_bits;
	if (second.output_bits)
		caps->output_bits = second.output_bits;
}

struct mapper {
	struct world *w;
	phys_addr_t phys;
	uint64_t size;
	bool joined;
	bool stop;
	uint64_t maps;
	uint64_t wrong;
};

static void *keep_mapping(void *arg)
{
	struct mapper *m = arg;
	unsigned long attrs = m->phys >= HIGH ? DMA_ATTR_MMIO : 0;

	while (!__atomic_load_n(&m->stop, __ATOMIC_RELAXED)) {
		bool joined = __atomic_load_n(&m->joined, __ATOMIC_ACQUIRE);
		dma_addr_t addr =
			dma_map_phys(m->w->dev, m->phys, m->size, DMA_BIDIRECTIONAL, attrs);

		if (dma_mapping_error(m->w->dev, addr)) {
			usleep(1);
			continue;
		}
		if (joined && (second.output_bits || addr >> second.input_bits))
			m->wrong++;
		__atomic_fetch_add(&m->maps, 1, __ATOMIC_RELAXED);
		dma_unmap_phys(m->w->dev, addr, m->size, DMA_BIDIRECTIONAL, attrs);
	}
	return NULL;
}

static struct sim_device *new_device(struct world *w, struct sim_iommu **iommu)
{
	const struct sim_iommu_config unit = { .size = sizeof(unit), .levels = 4 };
	const struct sim_device_config config = { .size = sizeof(config), .name = "0000:00:02.0" };
	struct sim_device *device;
	struct dma_iommu_unit *u;

	assert_int_equal(sim_iommu_create(w->m, &unit, iommu), 0);
	assert_int_equal(sim_device_create(w->m, &config, &device), 0);
	assert_int_equal(sim_device_put_behind(device, *iommu), 0);
	u = dmamap_dev(sim_dma(device))->unit;
	second.ops = u->ops;
	second.fewer = *u->ops;
	second.fewer.get_caps = fewer_caps;
	u->ops = &second.fewer;
	return device;
}

/** world_end(), and a second unit, which the domain remembers; a window that was closed keeps its table. */
static void end(struct world *w, struct sim_device *device, struct sim_iommu *iommu)
{
	assert_int_equal(sim_device_destroy(device), 0);
	assert_int_equal(dma_device_live(w->dev), 0);
	dma_domain_flush(w->domain);
	assert_int_equal(world_stats(w).iova_bytes, 0);
	assert_int_equal(dma_device_set_domain(w->dev, NULL), 0);
	assert_int_equal(sim_device_destroy(w->device), 0);
	assert_int_equal(dma_domain_destroy(w->domain), 0);
	assert_int_equal(sim_iommu_destroy(w->iommu), 0);
	assert_int_equal(sim_iommu_destroy(iommu), 0);
	assert_int_equal(sim_machine_destroy(w->m), 0);
}

static void one_round(phys_addr_t phys, uint64_t size)
{
	const struct world_config config = { .buf_pages = 1, .memory = high };
	struct sim_iommu *iommu;
	struct sim_device *device;
	struct mapper m = { .size = size };
	pthread_t thread;
	struct world w;
	int err = -1;

	world_begin_with(&w, &config);
	device = new_device(&w, &iommu);
	m.w = &w;
	m.phys = phys ? phys : w.buf;
	assert_int_equal(pthread_create(&thread, NULL, keep_mapping, &m), 0);
	while (!__atomic_load_n(&m.maps, __ATOMIC_RELAXED))
		usleep(10);
	for (unsigned int i = 0; err && i < TRIES; i++)
		err = dma_device_set_domain(sim_dma(device), w.domain);
	__atomic_store_n(&m.joined, !err, __ATOMIC_RELEASE);
	usleep(200);
	__atomic_store_n(&m.stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(m.wrong, 0);
	if (!err)
		assert_int_equal(dma_device_set_domain(sim_dma(device), NULL), 0);
	end(&w, device, iommu);
}

static void aperture(void **state)
{
	(void)state;
	second = (struct second){ .input_bits = 40 };
	for (unsigned int i = 0; i < ROUNDS; i++)
		one_round(0, PAGE);
}

static void width(void **state)
{
	(void)state;
	second = (struct second){ .output_bits = 36 };
	for (unsigned int i = 0; i < ROUNDS; i++)
		one_round(HIGH, i % 2 ? PAGE : (uint64_t)2 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(aperture), cmocka_unit_test(width) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

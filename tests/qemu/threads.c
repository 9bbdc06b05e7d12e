/* SPDX-License-Identifier: BSD-2-Clause */
/* Two threads, two devices, two domains, one VT-d unit: their invalidations share a queue, and their registers a line. */
#include "rig.h"

#include <pthread.h>

#define PAGE   4096u
#define ROUNDS 60u

struct worker {
	struct rig *rig;
	struct edu edu;
	struct dma_domain *domain;
	phys_addr_t phys;
	unsigned char value;
	unsigned int wrong;
};

/** Maps, uses, unmaps; what is unmapped is reached no longer. No assertions: they end the wrong thread. */
static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned char *ram = qemu_ram_ptr(w->rig->m, w->phys, 2 * PAGE);

	for (unsigned int i = 0; i < ROUNDS; i++) {
		dma_addr_t addr;

		memset(ram, w->value, PAGE);
		memset(ram + PAGE, 0, PAGE);
		addr = dma_map_phys(w->edu.dma, w->phys, (size_t)2 * PAGE, DMA_BIDIRECTIONAL, 0);
		w->wrong += addr == DMA_MAPPING_ERROR;
		w->wrong += edu_load(&w->edu, addr, 0, 64) != 0;
		w->wrong += edu_store(&w->edu, 0, addr + PAGE, 64) != 0;
		w->wrong += memcmp(ram, ram + PAGE, 64) != 0;
		dma_unmap_phys(w->edu.dma, addr, (size_t)2 * PAGE, DMA_BIDIRECTIONAL, 0);
		w->wrong += edu_store(&w->edu, 0, addr + PAGE + 64, 64) != 0;
		w->wrong += ram[PAGE + 64] != 0;
	}
	return NULL;
}

static void begin(struct rig *rig, struct worker *w, unsigned int index)
{
	struct dma_domain_config policy = { .size = sizeof(policy) };
	struct qemu_device *function = qemu_find_device(rig->m, EDU_VENDOR, EDU_DEVICE, index);

	assert_non_null(function);
	*w = (struct worker){ .rig = rig, .value = (unsigned char)(0x11 * (index + 1)) };
	qemu_enable(function, true, true);
	assert_int_equal(edu_init(&w->edu, &function->dma, function->bars[0].base, 48), 0);
	assert_int_equal(qemu_domain_create(rig->m, &policy, &w->domain), 0);
	assert_int_equal(dma_device_set_domain(w->edu.dma, w->domain), 0);
	w->phys = rig_pages(rig, 2, 0);
}

static void end(struct worker *w)
{
	assert_int_equal(w->wrong, 0);
	assert_int_equal(dma_device_set_domain(w->edu.dma, NULL), 0);
	assert_int_equal(dma_domain_destroy(w->domain), 0);
	qemu_free(w->rig->m, w->phys, 2 * PAGE);
}

static void two_threads_on_one_unit(void **state)
{
	static const char *const devices[] = { "edu,dma_mask=0xffffffffffff", NULL };
	struct dma_vtd_info info;
	struct worker workers[2];
	pthread_t threads[2];
	struct rig rig;

	(void)state;
	rig_start(&rig, &(struct qemu_config){ .iommu = QEMU_IOMMU_VTD, .devices = devices });
	for (unsigned int i = 0; i < 2; i++)
		begin(&rig, &workers[i], i);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	qemu_handle_faults(rig.m);
	assert_true(rig.nr_faults > 0);
	rig.nr_faults = 0;
	dmamap_vtd_get_info(qemu_vtd(rig.m), &info);
	assert_true(!info.broken && !info.queue_errors && info.waits >= 2 * ROUNDS);
	for (unsigned int i = 0; i < 2; i++)
		end(&workers[i]);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_threads_on_one_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

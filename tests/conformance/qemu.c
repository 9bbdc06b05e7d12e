/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated machines: QEMU's edu device is the engine, ivshmem the peer with memory. The edu copies only between memory
 * and its own buffer, so that the engine has a page of coherent memory through which its bytes come and go.
 */
#include <dmamap/qemu.h>

#include "examples/edu_device.h"
#include "targets.h"

#define STAGE 4080u /* bytes in one go: less than the edu's buffer, and a multiple of 16 */

struct emulated {
	struct qemu_machine *m;
	struct edu edu;
	unsigned char *stage;
	dma_addr_t stage_addr;
};

static struct emulated *emulated_of(struct target *t)
{
	return t->priv;
}

static struct qemu_device *enabled(struct qemu_machine *m, uint16_t vendor, uint16_t device)
{
	struct qemu_device *function = qemu_find_device(m, vendor, device, 0);

	assert_non_null(function);
	qemu_enable(function, true, true);
	return function;
}

static void start_with(struct target *t, const struct qemu_config *config)
{
	static const char *const devices[] = { "edu,dma_mask=0xffffffffffff",
					       "ivshmem-plain,memdev=shm", NULL };
	static const char *const arguments[] = { "-object", "memory-backend-ram,id=shm,size=1M",
						 NULL };
	struct emulated *e = calloc(1, sizeof(*e));
	struct qemu_device *function;
	struct qemu_config c = *config;
	char why[1024] = "";
	int err;

	assert_non_null(e);
	c.size = sizeof(c);
	c.devices = devices;
	c.arguments = arguments;
	c.error = why;
	c.error_size = sizeof(why);
	err = qemu_machine_create(&c, &e->m);
	if (err)
		fail_msg("%s", why);
	function = enabled(e->m, EDU_VENDOR, EDU_DEVICE);
	assert_int_equal(edu_init(&e->edu, &function->dma, function->bars[0].base, 48), 0);
	t->priv = e;
	t->host = qemu_host(e->m);
	t->dma = &function->dma;
	function = enabled(e->m, 0x1af4, 0x1110);
	t->peer = function->bars[2].base;
	t->peer_size = function->bars[2].size;
	assert_true(t->peer_size == 1u << 20);
}

static void emulated_stop(struct target *t)
{
	struct emulated *e = emulated_of(t);

	if (qemu_failure(e->m))
		fail_msg("%s", qemu_failure(e->m));
	assert_int_equal(qemu_machine_destroy(e->m), 0);
	free(e);
}

static int emulated_domain(struct target *t, const struct dma_domain_config *config,
			   struct dma_domain **domain)
{
	return qemu_domain_create(emulated_of(t)->m, config, domain);
}

static int vtd_backend(struct target *t, struct dma_backend **backend)
{
	return dmamap_vtd_backend_create(qemu_vtd(emulated_of(t)->m), backend);
}

static int amd_backend(struct target *t, struct dma_backend **backend)
{
	return dmamap_amdvi_backend_create(qemu_amdvi(emulated_of(t)->m), backend);
}

static int smmuv3_backend(struct target *t, struct dma_backend **backend)
{
	return dmamap_smmuv3_backend_create(qemu_smmuv3(emulated_of(t)->m), backend);
}

static void enter(struct target *t)
{
	struct emulated *e = emulated_of(t);

	e->stage = dma_alloc_coherent(t->dma, PAGE, &e->stage_addr, DMAMAP_GFP_KERNEL);
	assert_non_null(e->stage);
}

static void leave(struct target *t)
{
	struct emulated *e = emulated_of(t);

	dma_free_coherent(t->dma, PAGE, e->stage, e->stage_addr);
}

static phys_addr_t emulated_take(struct target *t, uint64_t size, uint64_t align)
{
	return qemu_alloc(emulated_of(t)->m, size, align, 0, ~0ull);
}

static void emulated_give(struct target *t, phys_addr_t phys, uint64_t size)
{
	qemu_free(emulated_of(t)->m, phys, size);
}

static void cpu_read(struct target *t, phys_addr_t phys, void *buf, size_t len)
{
	const void *ram = qemu_ram_ptr(emulated_of(t)->m, phys, len);

	if (ram)
		memcpy(buf, ram, len);
	else
		qemu_read_bytes(emulated_of(t)->m, phys, buf, len);
}

static void cpu_write(struct target *t, phys_addr_t phys, const void *buf, size_t len)
{
	void *ram = qemu_ram_ptr(emulated_of(t)->m, phys, len);

	if (ram)
		memcpy(ram, buf, len);
	else
		qemu_write_bytes(emulated_of(t)->m, phys, buf, len);
}

static void dev_read(struct target *t, dma_addr_t addr, void *buf, size_t len)
{
	struct emulated *e = emulated_of(t);
	unsigned char *to = buf;

	for (size_t done = 0; done < len;) {
		unsigned int n = (unsigned int)(len - done < STAGE ? len - done : STAGE);

		assert_int_equal(edu_load(&e->edu, addr + done, 0, n), 0);
		assert_int_equal(edu_store(&e->edu, 0, e->stage_addr, n), 0);
		memcpy(to + done, e->stage, n);
		done += n;
	}
}

static void dev_write(struct target *t, dma_addr_t addr, const void *buf, size_t len)
{
	struct emulated *e = emulated_of(t);
	const unsigned char *from = buf;

	for (size_t done = 0; done < len;) {
		unsigned int n = (unsigned int)(len - done < STAGE ? len - done : STAGE);

		memcpy(e->stage, from + done, n);
		assert_int_equal(edu_load(&e->edu, e->stage_addr, 0, n), 0);
		assert_int_equal(edu_store(&e->edu, 0, addr + done, n), 0);
		done += n;
	}
}

static void poll_faults(struct target *t)
{
	qemu_handle_faults(emulated_of(t)->m);
}

#define EMULATED(id, title, bits, make, ...)                         \
	static void id##_start(struct target *t)                     \
	{                                                            \
		start_with(t, &(struct qemu_config){ __VA_ARGS__ }); \
	}                                                            \
	const struct target_kind id = {                              \
		.name = title,                                       \
		.limits = bits,                                      \
		.backend = make,                                     \
		.start = id##_start,                                 \
		.stop = emulated_stop,                               \
		.domain = emulated_domain,                           \
		.enter = enter,                                      \
		.leave = leave,                                      \
		.alloc = emulated_take,                              \
		.free = emulated_give,                               \
		.cpu_read = cpu_read,                                \
		.cpu_write = cpu_write,                              \
		.dev_read = dev_read,                                \
		.dev_write = dev_write,                              \
		.poll = poll_faults,                                 \
	}

EMULATED(target_qemu_vtd, "qemu-vtd", 0, vtd_backend, .iommu = QEMU_IOMMU_VTD);
EMULATED(target_qemu_vtd48, "qemu-vtd48", 0, vtd_backend, .iommu = QEMU_IOMMU_VTD,
	 .iommu_options = "aw-bits=48");
EMULATED(target_qemu_vtd_caching, "qemu-vtd-caching", 0, vtd_backend, .iommu = QEMU_IOMMU_VTD,
	 .iommu_options = "caching-mode=on");
EMULATED(target_qemu_amd, "qemu-amd", SILENT | COARSE, amd_backend, .iommu = QEMU_IOMMU_AMD);
EMULATED(target_qemu_virtio, "qemu-virtio", NO_ACCESS, NULL, .iommu = QEMU_IOMMU_VIRTIO);
EMULATED(target_qemu_virtio_arm, "qemu-virtio-aarch64", NO_ACCESS, NULL, .arch = QEMU_AARCH64,
	 .iommu = QEMU_IOMMU_VIRTIO);
EMULATED(target_qemu_smmuv3, "qemu-smmuv3", READS_ALL, smmuv3_backend, .arch = QEMU_AARCH64,
	 .iommu = QEMU_IOMMU_SMMUV3);

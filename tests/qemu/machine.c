/* SPDX-License-Identifier: BSD-2-Clause */
/* The host on QEMU by itself: memory, registers, PCI, ACPI; and what happens when QEMU does not do as it should. */
#include "rig.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define EDU_ALIVE 0x04
#define EDU_COUNT 0x90
#define EDU_RUN	  0x98

static void stop(struct qemu_machine *m)
{
	int pid = qemu_pid(m);

	assert_int_equal(qemu_machine_destroy(m), 0);
	if (pid)
		assert_int_equal(kill(pid, 0), -1);
}

static void edu_is_alive(struct qemu_device *edu)
{
	assert_non_null(edu);
	assert_true(edu->bars[0].base && edu->bars[0].size == 0x100000);
	qemu_enable(edu, true, false);
	assert_int_equal(qemu_read32(edu->machine, edu->bars[0].base), 0x010000ed);
	qemu_write32(edu->machine, edu->bars[0].base + EDU_ALIVE, 0x12345678);
	assert_int_equal(qemu_read32(edu->machine, edu->bars[0].base + EDU_ALIVE), ~0x12345678u);
}

static void memory_is_shared(struct qemu_machine *m)
{
	struct dma_host *host = qemu_host(m);
	phys_addr_t phys = qemu_alloc(m, 4096, 4096, 0, ~0ull);
	uint32_t *p = qemu_ram_ptr(m, phys, 4096);
	unsigned char bytes[4096];

	assert_true(phys != DMAMAP_PHYS_NONE);
	assert_non_null(p);
	assert_true(host->virt_to_phys(host, p) == phys);
	assert_ptr_equal(host->phys_to_virt(host, phys), p);
	*p = 0xcafe1234;
	assert_int_equal(qemu_read32(m, phys), 0xcafe1234);
	qemu_write64(m, phys + 8, 0x1122334455667788);
	assert_int_equal(p[2], 0x55667788);
	assert_int_equal(p[3], 0x11223344);
	assert_int_equal(qemu_read8(m, phys + 8), 0x88);
	assert_int_equal(qemu_read16(m, phys + 8), 0x7788);
	assert_true(qemu_read64(m, phys + 8) == 0x1122334455667788);
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	qemu_write_bytes(m, phys, bytes, sizeof(bytes));
	assert_memory_equal(p, bytes, sizeof(bytes));
	memset(bytes, 0, sizeof(bytes));
	qemu_read_bytes(m, phys, bytes, sizeof(bytes));
	assert_memory_equal(p, bytes, sizeof(bytes));
	qemu_free(m, phys, 4096);
}

static const char *const one_edu[] = { "edu", NULL };

static void an_x86_machine(void **state)
{
	struct qemu_machine *m = rig_machine(&(struct qemu_config){ .devices = one_edu });

	(void)state;
	memory_is_shared(m);
	edu_is_alive(qemu_find_device(m, EDU_VENDOR, EDU_DEVICE, 0));
	assert_null(qemu_find_device(m, EDU_VENDOR, EDU_DEVICE, 1));
	assert_null(qemu_failure(m));
	stop(m);
}

static void an_aarch64_machine(void **state)
{
	struct qemu_machine *m =
		rig_machine(&(struct qemu_config){ .arch = QEMU_AARCH64, .devices = one_edu });

	(void)state;
	memory_is_shared(m);
	edu_is_alive(qemu_find_device(m, EDU_VENDOR, EDU_DEVICE, 0));
	stop(m);
}

static void two_machines_at_once(void **state)
{
	struct qemu_machine *a = rig_machine(&(struct qemu_config){ .devices = one_edu });
	struct qemu_machine *b = rig_machine(&(struct qemu_config){ .arch = QEMU_AARCH64 });

	(void)state;
	memory_is_shared(a);
	memory_is_shared(b);
	stop(a);
	stop(b);
}

/** RAM, BARs and what lies between them. */
static void memory_is_described(void **state)
{
	struct qemu_machine *m = rig_machine(&(struct qemu_config){ .devices = one_edu });
	const struct qemu_device *edu = qemu_find_device(m, EDU_VENDOR, EDU_DEVICE, 0);
	struct dma_host *host = qemu_host(m);
	struct dma_memory memory;
	phys_addr_t start_of;
	uint64_t size;

	(void)state;
	assert_true(host->ram_range(host, 0, &start_of, &size));
	assert_true(start_of == 0 && size == 0xa0000);
	assert_true(host->ram_range(host, 1, &start_of, &size));
	assert_true(start_of == 0x100000 && size == (63u << 20));
	assert_false(host->ram_range(host, 2, &start_of, &size));
	host->describe(host, 0x100000, 1, &memory);
	assert_true(memory.kind == DMA_MEMORY_RAM && memory.len == (63u << 20));
	host->describe(host, 0xa0000, 1, &memory);
	assert_int_equal(memory.kind, DMA_MEMORY_HOLE);
	host->describe(host, edu->bars[0].base + 0x80, 8, &memory);
	assert_true(memory.kind == DMA_MEMORY_MMIO && memory.offset == 0x80);
	assert_true(memory.len == 0x100000 - 0x80);
	assert_null(qemu_ram_ptr(m, 0x9f000, 0x2000));
	assert_null(qemu_ram_ptr(m, 64u << 20, 1));
	stop(m);
}

/** ivshmem's memory is 64 bits wide and lands above 4 GiB; it moves where it is told. */
static void bars_above_4_gib(void **state)
{
	static const char *const devices[] = { "ivshmem-plain,memdev=shm", NULL };
	static const char *const arguments[] = { "-object", "memory-backend-ram,id=shm,size=1M",
						 NULL };
	struct qemu_machine *m =
		rig_machine(&(struct qemu_config){ .devices = devices, .arguments = arguments });
	struct qemu_device *shm = qemu_find_device(m, 0x1af4, 0x1110, 0);

	(void)state;
	assert_non_null(shm);
	assert_true(shm->bars[2].is_64bit && shm->bars[2].prefetchable);
	assert_true(shm->bars[2].base >= 0x100000000 && shm->bars[2].size == 0x100000);
	qemu_enable(shm, true, false);
	qemu_write32(m, shm->bars[2].base + 0x1000, 0x5eed);
	assert_int_equal(qemu_place_bar(shm, 2, 0x8000000000), 0);
	assert_int_equal(qemu_read32(m, 0x8000001000), 0x5eed);
	assert_int_equal(qemu_place_bar(shm, 2, 0x8000001000), -DMAMAP_EINVAL);
	assert_int_equal(qemu_place_bar(shm, 0, 0x8000000000), -DMAMAP_EINVAL);
	assert_int_equal(qemu_place_bar(shm, 1, 0xd0000000), -DMAMAP_EINVAL);
	assert_int_equal(qemu_place_bar(shm, 6, 0xd0000000), -DMAMAP_EINVAL);
	stop(m);
}

static void devices_behind_bridges(void **state)
{
	static const char *const devices[] = { "pcie-root-port,id=rp,chassis=1",
					       "pcie-pci-bridge,id=pb,bus=rp", "edu,bus=pb,addr=1",
					       "edu", NULL };
	struct qemu_machine *m = rig_machine(&(struct qemu_config){ .devices = devices });
	struct dma_requesters requesters = qemu_requesters(m);
	struct qemu_device *behind;
	uint32_t ids[DMA_REQUESTER_IDS];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct qemu_device *edu = qemu_find_device(m, EDU_VENDOR, EDU_DEVICE, i);

		edu_is_alive(edu);
		if (!edu->bus)
			assert_int_equal(requesters.ids(requesters.arg, &edu->dma, ids, 8), 1);
	}
	behind = qemu_device_by_id(m, 0x208);
	assert_non_null(behind);
	assert_int_equal(behind->vendor, EDU_VENDOR);
	assert_true(behind->parent->to_conventional);
	assert_int_equal(requesters.ids(requesters.arg, &behind->dma, ids, 8), 3);
	assert_int_equal(ids[0], 0x208);
	assert_int_equal(ids[1], 0x100);
	assert_int_equal(ids[2], 0x200);
	stop(m);
}

static void tables_of_the_iommus(void **state)
{
	static const struct {
		enum qemu_iommu_kind iommu;
		enum qemu_arch arch;
		const char *signature;
	} kinds[] = {
		{ QEMU_IOMMU_VTD, QEMU_X86_64, "DMAR" },
		{ QEMU_IOMMU_AMD, QEMU_X86_64, "IVRS" },
		{ QEMU_IOMMU_VIRTIO, QEMU_X86_64, "VIOT" },
		{ QEMU_IOMMU_SMMUV3, QEMU_AARCH64, "IORT" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct qemu_machine *m = rig_machine(
			&(struct qemu_config){ .iommu = kinds[i].iommu, .arch = kinds[i].arch });
		const unsigned char *table;
		size_t len = 0;

		table = qemu_acpi_table(m, kinds[i].signature, &len);
		assert_non_null(table);
		assert_memory_equal(table, kinds[i].signature, 4);
		assert_true(len > 36 && len < 4096);
		assert_null(qemu_acpi_table(m, "NONE", &len));
		stop(m);
	}
}

/** The tree of virt says where its SMMU is; damaged ones are survived, and the driver finds its unit all the same. */
static void the_device_tree_of_the_smmu(void **state)
{
	const struct dma_domain_config policy = { .size = sizeof(policy) };
	struct qemu_machine *m = rig_machine(
		&(struct qemu_config){ .arch = QEMU_AARCH64, .iommu = QEMU_IOMMU_SMMUV3 });
	const phys_addr_t tree = 0x40000000;
	struct dma_domain *domain;
	unsigned char bytes[8192];
	phys_addr_t at = 0;
	uint32_t seed = 42;

	(void)state;
	assert_true(qemu_devicetree_find(m, "arm,smmu-v3", &at));
	assert_int_equal(at, 0x09050000);
	assert_true(qemu_devicetree_find(m, "arm,pl011", &at)); /* the first of two */
	assert_int_equal(at, 0x09000000);
	assert_false(qemu_devicetree_find(m, "arm,smmu", &at));
	qemu_read_bytes(m, tree, bytes, sizeof(bytes));
	for (unsigned int i = 0; i < 200; i++) {
		unsigned char bad[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
		phys_addr_t where = i < 40 ? i : 40 + (seed = seed * 1103515245 + 12345) % 8000;

		qemu_write_bytes(m, tree + where, bad, 1 + i % 8);
		qemu_devicetree_find(m, "arm,smmu-v3", &at);
		qemu_write_bytes(m, tree + where, bytes + where, 1 + i % 8);
	}
	assert_true(qemu_devicetree_find(m, "arm,smmu-v3", &at));
	qemu_write_bytes(m, tree, "none", 4);
	assert_false(qemu_devicetree_find(m, "arm,smmu-v3", &at));
	assert_int_equal(qemu_domain_create(m, &policy, &domain), 0);
	assert_int_equal(dma_domain_destroy(domain), 0);
	stop(m);
	m = rig_machine(&(struct qemu_config){ .arch = QEMU_AARCH64 });
	assert_false(qemu_devicetree_find(m, "arm,smmu-v3", &at));
	stop(m);
}

static void iommus_that_a_machine_cannot_have(void **state)
{
	struct qemu_config config = { .size = sizeof(config), .iommu = QEMU_IOMMU_SMMUV3 };
	struct qemu_machine *m;

	(void)state;
	assert_int_equal(qemu_machine_create(&config, &m), -DMAMAP_EINVAL);
	config.arch = QEMU_AARCH64;
	config.iommu = QEMU_IOMMU_VTD;
	assert_int_equal(qemu_machine_create(&config, &m), -DMAMAP_EINVAL);
	config.iommu = QEMU_IOMMU_NONE;
	config.memory = 12345;
	assert_int_equal(qemu_machine_create(&config, &m), -DMAMAP_EINVAL);
	config.memory = 4096ull << 20;
	assert_int_equal(qemu_machine_create(&config, &m), -DMAMAP_EINVAL);
	config.memory = 0;
	config.size--;
	assert_int_equal(qemu_machine_create(&config, &m), -DMAMAP_EINVAL);
}

/* --- when QEMU does not do as it should */

static void expect_no_start(const struct qemu_config *config, const char *words)
{
	struct qemu_config c = *config;
	struct qemu_machine *m;
	char why[2048] = "";

	c.size = sizeof(c);
	c.error = why;
	c.error_size = sizeof(why);
	assert_int_equal(qemu_machine_create(&c, &m), -DMAMAP_ENODEV);
	assert_non_null(strstr(why, words));
}

static void refusals_have_their_words(void **state)
{
	static const char *const unknown[] = { "no-such-device", NULL };

	(void)state;
	expect_no_start(&(struct qemu_config){ .devices = unknown }, "no-such-device");
	expect_no_start(&(struct qemu_config){ .devices = unknown }, "exit code 1");
	expect_no_start(&(struct qemu_config){ .program = "/no/such/qemu" },
			"cannot run /no/such/qemu");
	expect_no_start(&(struct qemu_config){ .program = "/bin/true" }, "exit code 0");
}

/** A transfer of no bytes is one of the things that end QEMU 7.2. */
static void a_crash_is_an_error(void **state)
{
	struct qemu_machine *m = rig_machine(&(struct qemu_config){ .devices = one_edu });
	struct qemu_device *edu = qemu_find_device(m, EDU_VENDOR, EDU_DEVICE, 0);
	phys_addr_t bar = edu->bars[0].base;

	(void)state;
	edu_is_alive(edu);
	qemu_enable(edu, true, true);
	qemu_write64(m, bar + 0x80, 0x100000);
	qemu_write64(m, bar + 0x88, 0x40000);
	qemu_write64(m, bar + EDU_COUNT, 0);
	qemu_write64(m, bar + EDU_RUN, 1);
	for (unsigned int i = 0; i < 100000 && !qemu_failure(m); i++)
		qemu_read64(m, bar + EDU_RUN);
	assert_non_null(qemu_failure(m));
	assert_non_null(strstr(qemu_failure(m), "killed by signal 6"));
	assert_non_null(strstr(qemu_failure(m), "EDU"));
	assert_true(qemu_read64(m, bar) == ~0ull);
	assert_int_equal(qemu_read16(m, bar), 0xffff);
	qemu_write32(m, bar, 1);
	stop(m);
}

static void a_hang_is_an_error(void **state)
{
	struct qemu_machine *m = rig_machine(&(struct qemu_config){ .timeout_ms = 4000 });

	(void)state;
	kill(qemu_pid(m), SIGSTOP);
	assert_int_equal(qemu_read32(m, 0x100000), ~0u);
	assert_non_null(qemu_failure(m));
	assert_non_null(strstr(qemu_failure(m), "in time"));
	assert_int_equal(qemu_pid(m), 0);
	stop(m);
}

static void a_kill_is_an_error(void **state)
{
	struct qemu_machine *m = rig_machine(&(struct qemu_config){ .timeout_ms = 0 });

	(void)state;
	kill(qemu_pid(m), SIGKILL);
	assert_int_equal(qemu_read32(m, 0x100000), ~0u);
	assert_non_null(strstr(qemu_failure(m), "killed by signal 9"));
	stop(m);
}

/** Gone, or at least dead: the process that inherits it may not have looked yet. */
static bool process_lives(int pid)
{
	char path[64], line[256] = "";
	const char *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	state = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return state && state[2] != 'Z' && state[2] != 'X';
}

static void no_qemu_outlives_its_process(void **state)
{
	int line[2], pid = 0;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(line), 0);
	child = fork();
	if (!child) {
		struct qemu_config config = { .size = sizeof(config), .devices = one_edu };
		struct qemu_machine *m;

		if (!qemu_machine_create(&config, &m))
			pid = qemu_pid(m);
		if (write(line[1], &pid, sizeof(pid)) == sizeof(pid))
			pause();
		_exit(1);
	}
	assert_true(read(line[0], &pid, sizeof(pid)) == sizeof(pid));
	assert_true(pid > 0 && process_lives(pid));
	kill(child, SIGKILL);
	assert_true(waitpid(child, NULL, 0) == child);
	for (int i = 0; i < 1000 && process_lives(pid); i++)
		poll(NULL, 0, 10);
	assert_false(process_lives(pid));
	close(line[0]);
	close(line[1]);
}

/** Mappings keep a machine. */
static void a_machine_in_use_stays(void **state)
{
	struct qemu_machine *m = rig_machine(&(struct qemu_config){ .devices = one_edu });
	struct dma_bounce_config config = { .size = sizeof(config), .bytes = 1u << 20 };
	struct dma_bounce *pool;

	(void)state;
	assert_int_equal(dma_bounce_create(qemu_host(m), &config, &pool), 0);
	assert_int_equal(qemu_machine_destroy(m), -DMAMAP_EBUSY);
	assert_int_equal(dma_bounce_destroy(pool), 0);
	stop(m);
	assert_int_equal(qemu_machine_destroy(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_x86_machine),
		cmocka_unit_test(an_aarch64_machine),
		cmocka_unit_test(two_machines_at_once),
		cmocka_unit_test(memory_is_described),
		cmocka_unit_test(bars_above_4_gib),
		cmocka_unit_test(devices_behind_bridges),
		cmocka_unit_test(tables_of_the_iommus),
		cmocka_unit_test(the_device_tree_of_the_smmu),
		cmocka_unit_test(iommus_that_a_machine_cannot_have),
		cmocka_unit_test(refusals_have_their_words),
		cmocka_unit_test(a_crash_is_an_error),
		cmocka_unit_test(a_hang_is_an_error),
		cmocka_unit_test(a_kill_is_an_error),
		cmocka_unit_test(no_qemu_outlives_its_process),
		cmocka_unit_test(a_machine_in_use_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

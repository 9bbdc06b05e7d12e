/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine as a whole: QEMU's command line, its start and its end, and the host that the library sees.
 */
#include "machine.h"

#include "common/execution.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROM_BYTES	65536u
#define MEMORY_DEFAULT	(64 * QEMU_MIB)
#define MEMORY_MAX	(2048 * QEMU_MIB)
#define TIMEOUT_DEFAULT 30000u

/* --- hooks */

static uint8_t hook_read8(struct dma_host *host, phys_addr_t reg)
{
	return qemu_read8(qemu_machine_of(host), reg);
}

static uint16_t hook_read16(struct dma_host *host, phys_addr_t reg)
{
	return qemu_read16(qemu_machine_of(host), reg);
}

static void hook_write8(struct dma_host *host, phys_addr_t reg, uint8_t value)
{
	qemu_write8(qemu_machine_of(host), reg, value);
}

static void hook_write16(struct dma_host *host, phys_addr_t reg, uint16_t value)
{
	qemu_write16(qemu_machine_of(host), reg, value);
}

static uint32_t hook_read32(struct dma_host *host, phys_addr_t reg)
{
	return qemu_read32(qemu_machine_of(host), reg);
}

static uint64_t hook_read64(struct dma_host *host, phys_addr_t reg)
{
	return qemu_read64(qemu_machine_of(host), reg);
}

static void hook_write32(struct dma_host *host, phys_addr_t reg, uint32_t value)
{
	qemu_write32(qemu_machine_of(host), reg, value);
}

static void hook_write64(struct dma_host *host, phys_addr_t reg, uint64_t value)
{
	qemu_write64(qemu_machine_of(host), reg, value);
}

static uint64_t hook_time(struct dma_host *host)
{
	struct timespec t;

	(void)host;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void hook_log(struct dma_host *host, enum dma_log_level level, const char *text)
{
	struct qemu_machine *m = qemu_machine_of(host);

	(void)level;
	pthread_mutex_lock(&m->memory);
	snprintf(m->message, sizeof(m->message), "%s", text);
	pthread_mutex_unlock(&m->memory);
}

static void hook_warn(struct dma_host *host, const char *text)
{
	hook_log(host, DMA_LOG_WARNING, text);
}

static int start_host(struct qemu_machine *m)
{
	struct dma_host *host = &m->host;
	int err;

	host->size = sizeof(*host);
	host->priv = m;
	host->page_size = HOST_PAGE;
	if (m->arch == QEMU_X86_64)
		host->zone_dma_limit = DMA_BIT_MASK(24); /* as a PC has it */
	host->read8 = hook_read8;
	host->read16 = hook_read16;
	host->write8 = hook_write8;
	host->write16 = hook_write16;
	host->read32 = hook_read32;
	host->read64 = hook_read64;
	host->write32 = hook_write32;
	host->write64 = hook_write64;
	host->time_ns = hook_time;
	host->log = hook_log;
	host->warn = hook_warn;
	host->fatal = hook_warn;
	host_execution_hooks(host, 1);
	qemu_memory_hooks(host);
	err = dmamap_host_init(host);
	m->started = !err;
	return err;
}

/* --- the command line */

struct command {
	char *argv[QEMU_MAX_ARGS];
	unsigned int n;
	bool complete;
};

static void add(struct command *c, const char *text)
{
	if (c->n + 1 < QEMU_MAX_ARGS)
		c->argv[c->n] = strdup(text);
	if (c->n + 1 == QEMU_MAX_ARGS || !c->argv[c->n])
		c->complete = false;
	else
		c->n++;
}

static void add_words(struct command *c, const char *const *words, const char *before)
{
	for (; words && *words; words++) {
		if (before)
			add(c, before);
		add(c, *words);
	}
}

static void add_iommu(struct command *c, const struct qemu_config *config)
{
	static const char *const models[] = {
		[QEMU_IOMMU_VTD] = "intel-iommu",
		[QEMU_IOMMU_AMD] = "amd-iommu",
		[QEMU_IOMMU_VIRTIO] = "virtio-iommu-pci",
	};
	const char *options = config->iommu_options ? config->iommu_options : "";
	char text[256];

	if (config->iommu == QEMU_IOMMU_NONE || config->iommu == QEMU_IOMMU_SMMUV3)
		return;
	snprintf(text, sizeof(text), "%s%s%s", models[config->iommu], *options ? "," : "", options);
	add(c, "-device");
	add(c, text);
}

/** The IOMMU comes before all other devices: those that are made earlier are not behind it. */
static void make_command(struct command *c, const struct qemu_machine *m,
			 const struct qemu_config *config)
{
	char text[128];

	c->complete = true;
	add(c, config->program ? config->program : m->board->program);
	snprintf(text, sizeof(text), "%s,memory-backend=ram%s", m->board->type,
		 config->iommu == QEMU_IOMMU_SMMUV3 ? ",iommu=smmuv3" : "");
	add_words(c,
		  (const char *const[]){ "-nodefaults", "-no-user-config", "-display", "none",
					 "-accel", "tcg", "-icount", "shift=0,sleep=off", "-bios",
					 "/proc/self/fd/5", "-machine", text, NULL },
		  NULL);
	if (m->arch == QEMU_AARCH64)
		add_words(c, (const char *const[]){ "-cpu", "max", NULL }, NULL);
	snprintf(text, sizeof(text),
		 "memory-backend-file,id=ram,size=%lluM,share=on,mem-path=/proc/self/fd/4",
		 (unsigned long long)(m->ram_size / QEMU_MIB));
	add_words(c,
		  (const char *const[]){ "-object", text, "-chardev", "socket,id=line,fd=3",
					 "-object", "qtest,id=qtest,chardev=line,log=/dev/null",
					 NULL },
		  NULL);
	add_iommu(c, config);
	add_words(c, config->devices, "-device");
	add_words(c, config->arguments, NULL);
}

static void free_command(struct command *c)
{
	while (c->n)
		free(c->argv[--c->n]);
}

/** A ROM in which the processor halts, wherever it begins. */
static int make_rom(const struct qemu_board *b)
{
	int file = memfd_create("qemu-rom", MFD_CLOEXEC);
	unsigned char rom[ROM_BYTES];

	for (size_t i = 0; i < sizeof(rom); i++)
		rom[i] = b->halt[i % b->halt_len];
	if (file >= 0 && write(file, rom, sizeof(rom)) != (ssize_t)sizeof(rom)) {
		close(file);
		return -1;
	}
	return file;
}

static int start_qemu(struct qemu_machine *m, const struct qemu_config *config, int ram)
{
	struct command command = { .n = 0 };
	int rom = make_rom(m->board);
	int err = -DMAMAP_ENOMEM;

	make_command(&command, m, config);
	if (rom >= 0 && command.complete)
		err = qemu_link_start(&m->link, command.argv, ram, rom);
	free_command(&command);
	if (rom >= 0)
		close(rom);
	if (!err && !qemu_link_ready(&m->link))
		err = -DMAMAP_ENODEV;
	return err;
}

/* --- life */

static bool possible(const struct qemu_config *config)
{
	bool arm = config && config->arch == QEMU_AARCH64;

	if (!config || config->size != sizeof(*config) || config->arch > QEMU_AARCH64)
		return false;
	if (config->memory % QEMU_MIB || config->memory > MEMORY_MAX ||
	    (config->memory && config->memory < 2 * QEMU_MIB))
		return false;
	switch (config->iommu) {
	case QEMU_IOMMU_NONE:
	case QEMU_IOMMU_VIRTIO:
		return true;
	case QEMU_IOMMU_VTD:
	case QEMU_IOMMU_AMD:
		return !arm;
	case QEMU_IOMMU_SMMUV3:
		return arm;
	}
	return false;
}

static struct qemu_machine *new_machine(const struct qemu_config *config)
{
	struct qemu_machine *m = aligned_alloc(64, host_round_up(sizeof(*m), 64));

	if (!m)
		return NULL;
	memset(m, 0, sizeof(*m));
	m->arch = config->arch;
	m->iommu = config->iommu;
	m->board = qemu_board_of(config->arch);
	m->link.socket = -1;
	m->link.output = -1;
	m->link.timeout_ms = config->timeout_ms ? config->timeout_ms : TIMEOUT_DEFAULT;
	pthread_mutex_init(&m->link.lock, NULL);
	pthread_mutex_init(&m->memory, NULL);
	pthread_mutex_init(&m->config, NULL);
	return m;
}

static void free_machine(struct qemu_machine *m)
{
	qemu_link_end(&m->link);
	qemu_memory_destroy(m);
	free(m->acpi);
	pthread_mutex_destroy(&m->config);
	pthread_mutex_destroy(&m->memory);
	pthread_mutex_destroy(&m->link.lock);
	free(m);
}

static int bring_up(struct qemu_machine *m, const struct qemu_config *config)
{
	int ram;
	int err = qemu_memory_create(m, config->memory ? config->memory : MEMORY_DEFAULT, &ram);

	if (!err)
		err = start_qemu(m, config, ram);
	if (ram >= 0)
		close(ram);
	if (!err)
		err = start_host(m);
	if (!err)
		err = qemu_pci_scan(m);
	if (!err && qemu_failure(m))
		err = -DMAMAP_ENODEV;
	return err;
}

int qemu_machine_create(const struct qemu_config *config, struct qemu_machine **machine)
{
	struct qemu_machine *m;
	int err;

	if (!possible(config) || !machine)
		return -DMAMAP_EINVAL;
	m = new_machine(config);
	if (!m)
		return -DMAMAP_ENOMEM;
	err = bring_up(m, config);
	if (!err) {
		*machine = m;
		return 0;
	}
	if (config->error && config->error_size)
		snprintf(config->error, config->error_size, "%s",
			 m->link.failed ? m->link.failure : "no memory, or no processes");
	qemu_pci_release(m);
	if (m->started)
		dmamap_host_fini(&m->host);
	free_machine(m);
	return err;
}

int qemu_machine_destroy(struct qemu_machine *m)
{
	int err;

	if (!m)
		return 0;
	err = qemu_iommu_stop(m);
	if (!err)
		err = qemu_pci_release(m);
	if (!err)
		err = dmamap_host_fini(&m->host);
	if (!err)
		free_machine(m);
	return err;
}

struct dma_host *qemu_host(struct qemu_machine *m)
{
	return &m->host;
}

enum qemu_arch qemu_machine_arch(const struct qemu_machine *m)
{
	return m->arch;
}

int qemu_pid(const struct qemu_machine *m)
{
	return m->link.pid;
}

const char *qemu_failure(struct qemu_machine *m)
{
	return __atomic_load_n(&m->link.failed, __ATOMIC_ACQUIRE) ? m->link.failure : NULL;
}

size_t qemu_output(struct qemu_machine *m, char *buf, size_t size)
{
	return qemu_link_output(&m->link, buf, size);
}

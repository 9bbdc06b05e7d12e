/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the QEMU host share. Users see qemu.h; nothing here reaches into the library.
 *
 * Locks: link.lock guards the connection, machine.memory the page allocator. Neither is held while the other is taken.
 * Devices and tables change during creation only.
 */
#ifndef DMAMAP_QEMU_MACHINE_H
#define DMAMAP_QEMU_MACHINE_H

#include "qemu.h"

#include "common/zone.h"

#include <pthread.h>
#include <sys/types.h>

#pragma GCC visibility push(hidden)

#define QEMU_MIB	((uint64_t)1 << 20)
#define QEMU_MAX_ARGS	96u
#define QEMU_ANSWER	8192u /* the longest line that is waited for */
#define QEMU_CHUNK	2048u /* bytes that one command moves */
#define QEMU_LAST_WORDS 1024u

/** A QEMU process, and the line to it. */
struct qemu_link {
	pthread_mutex_t lock;
	pid_t pid;  /* 0: ended, and waited for */
	int socket; /* qtest; -1: none */
	int output; /* file of what it prints; -1: none */
	unsigned int timeout_ms;
	bool failed;
	char failure[QEMU_LAST_WORDS + 512];
	/** What came in and is not used up: [start, end). */
	char in[QEMU_ANSWER];
	size_t start;
	size_t end;
};

/** What a kind of machine looks like. */
struct qemu_board {
	const char *program;
	const char *type;
	/** Instructions of a processor that does nothing. */
	const unsigned char *halt;
	size_t halt_len;
	phys_addr_t ram_base;
	/** The ranges of RAM that are ours, as offsets; the last one ends where the memory ends. */
	struct {
		uint64_t start;
		uint64_t end;
	} ram[2];
	/** 0: PCI configuration goes through ports. */
	phys_addr_t ecam;
	/** Where BARs go: [start, end). */
	struct {
		phys_addr_t start;
		phys_addr_t end;
	} low, high;
	/** fw_cfg: its DMA register; 0: at ports 0x514 and 0x518. */
	phys_addr_t fw_cfg_dma;
};

struct qemu_machine {
	struct dma_host host;
	bool started;
	enum qemu_arch arch;
	enum qemu_iommu_kind iommu;
	const struct qemu_board *board;
	struct qemu_link link;

	unsigned char *ram; /* all of it, from board->ram_base */
	uint64_t ram_size;
	pthread_mutex_t memory;
	struct host_zones zones;

	pthread_mutex_t config; /* ports 0xcf8 and 0xcfc belong together */
	struct qemu_device **devices;
	unsigned int nr_devices;
	/** The next free bus address of each window, while BARs are placed. */
	phys_addr_t next_low;
	phys_addr_t next_high;

	/** The IOMMU's driver, once it is wanted, and what that keeps. */
	const struct qemu_iommu_driver *driver;
	void *iommu_state;

	unsigned char *acpi;
	size_t acpi_len;
	char message[512];
};

static inline struct qemu_machine *qemu_machine_of(const struct dma_host *host)
{
	return host->priv;
}

/* --- board.c */

const struct qemu_board *qemu_board_of(enum qemu_arch arch);

/* --- process.c */

/**
 * Start the program. @ram and @rom are files that it finds as /proc/self/fd/4 and /proc/self/fd/5, the qtest socket as
 * descriptor 3. Return: 0, or -errno and nothing is left. Arguments it does not like show at the first command.
 */
int qemu_link_start(struct qemu_link *link, char *const argv[], int ram, int rom);
/** Kill it, wait for it, close everything. */
void qemu_link_end(struct qemu_link *link);
/** It is of no use any more: kill it, and say why, once, with its last words. The lock is held. */
void qemu_link_fail(struct qemu_link *link, const char *why);
size_t qemu_link_output(const struct qemu_link *link, char *buf, size_t size);

/* --- qtest.c */

/** Wait until QEMU is up. False: it has failed. */
bool qemu_link_ready(struct qemu_link *link);

/* --- memory.c */

int qemu_memory_create(struct qemu_machine *m, uint64_t size, int *file);
void qemu_memory_destroy(struct qemu_machine *m);
void qemu_memory_hooks(struct dma_host *host);

/* --- pci.c, bars.c */

int qemu_pci_scan(struct qemu_machine *m);
/** -EBUSY while a device has live mappings. */
int qemu_pci_release(struct qemu_machine *m);
uint32_t qemu_config_access(struct qemu_machine *m, unsigned int bdf, unsigned int offset,
			    unsigned int width, bool write, uint32_t value);
/** Find, size and place the BARs, @n registers of them, of a new function. */
void qemu_bars_place(struct qemu_device *dev, unsigned int n);

/* --- iommu.c */

/** -EBUSY while domains live. */
int qemu_iommu_stop(struct qemu_machine *m);

/* --- fwcfg.c */

/** The contents of a file of the machine's firmware configuration, allocated; NULL. */
unsigned char *qemu_fwcfg_file(struct qemu_machine *m, const char *name, size_t *len);

#pragma GCC visibility pop

#endif

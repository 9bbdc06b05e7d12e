/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated hardware: a host whose machine is a QEMU process, so that drivers are judged by somebody else's devices and
 * somebody else's IOMMU.
 *
 * There is no guest. The machine's processor sits in a halt loop, and this process takes its place: it shares the
 * guest's memory, and reads and writes registers and ports through QEMU's qtest protocol. Neither root nor KVM is
 * needed. A machine starts in about 0.1 s; a register access takes about 50 microseconds. Time runs by itself: poll.
 *
 * QEMU may crash or hang, also because of what a driver wrote. Then every read returns all ones, as on a bus whose
 * device is gone, every write is dropped, and qemu_failure() says what happened with QEMU's last words. QEMU ends with
 * the process that started it, however that ends, and with the thread that did.
 *
 * Calls that return int give 0 or -errno (DMAMAP_E*). Nothing is global; machines are independent. A machine may be
 * used from several threads.
 */
#ifndef DMAMAP_QEMU_H
#define DMAMAP_QEMU_H

#include <dmamap/dmamap.h>

#ifdef __cplusplus
extern "C" {
#endif

struct qemu_machine;

enum qemu_arch {
	/** q35, RAM from 0, PCI through ports 0xcf8 and 0xcfc. */
	QEMU_X86_64,
	/** virt, RAM from 1 GiB, PCI through ECAM. */
	QEMU_AARCH64,
};

enum qemu_iommu_kind {
	QEMU_IOMMU_NONE,
	QEMU_IOMMU_VTD,	   /* x86-64 */
	QEMU_IOMMU_AMD,	   /* x86-64 */
	QEMU_IOMMU_VIRTIO, /* both */
	QEMU_IOMMU_SMMUV3, /* aarch64 */
};

struct qemu_config {
	/** sizeof(struct qemu_config). */
	size_t size;
	enum qemu_arch arch;
	enum qemu_iommu_kind iommu;
	/** Properties of the IOMMU's device, e.g. "aw-bits=48,caching-mode=on"; NULL: none. */
	const char *iommu_options;
	/** Bytes of RAM, whole MiB, at most 2 GiB. 0: 64 MiB. */
	uint64_t memory;
	/** Arguments of -device, e.g. "edu,dma_mask=0xffffffff"; ended by NULL. NULL: none. */
	const char *const *devices;
	/** Other arguments, one a string, e.g. "-drive", "…"; ended by NULL. NULL: none. */
	const char *const *arguments;
	/** What the longest answer may take, in milliseconds; 0: 30000. */
	unsigned int timeout_ms;
	/** The program; NULL: qemu-system-x86_64 or qemu-system-aarch64 from PATH. */
	const char *program;
	/** Receives, when the machine cannot be made, why: at most @error_size - 1 bytes, terminated. NULL: nobody asks. */
	char *error;
	size_t error_size;
};

/**
 * qemu_machine_create() - start a machine, place its BARs, enable nothing.
 *
 * dma_host policy members may not be set: the host is initialised when this returns.
 *
 * Return: 0; -EINVAL (configuration); -ENOMEM; -ENODEV if QEMU cannot be started or refuses its arguments.
 */
int qemu_machine_create(const struct qemu_config *config, struct qemu_machine **machine);

/** End it. -EBUSY while domains, pools or mappings live, and then QEMU runs on. NULL is ignored. */
int qemu_machine_destroy(struct qemu_machine *m);

struct dma_host *qemu_host(struct qemu_machine *m);
enum qemu_arch qemu_machine_arch(const struct qemu_machine *m);

/** NULL while QEMU answers; else what went wrong, with the last lines it printed. Valid as long as the machine. */
const char *qemu_failure(struct qemu_machine *m);

/**
 * What QEMU has printed until now, standard output and errors together, for messages that devices print: at most @size
 * - 1 bytes, the latest, terminated. Return: their number.
 */
size_t qemu_output(struct qemu_machine *m, char *buf, size_t size);

/** QEMU's process id, for tests. */
int qemu_pid(const struct qemu_machine *m);

/* --- memory, as the machine's owner sees it */

/** Take RAM: @size bytes in [@floor, @ceiling], aligned to @align; DMAMAP_PHYS_NONE if there is none. Not zeroed. */
phys_addr_t qemu_alloc(struct qemu_machine *m, uint64_t size, uint64_t align, phys_addr_t floor,
		       phys_addr_t ceiling);
void qemu_free(struct qemu_machine *m, phys_addr_t phys, uint64_t size);
/** This process's pointer to RAM; NULL unless all of [phys, phys + len) is RAM. */
void *qemu_ram_ptr(struct qemu_machine *m, phys_addr_t phys, uint64_t len);

/* --- registers: exactly one access of that width */

uint8_t qemu_read8(struct qemu_machine *m, phys_addr_t addr);
uint16_t qemu_read16(struct qemu_machine *m, phys_addr_t addr);
uint32_t qemu_read32(struct qemu_machine *m, phys_addr_t addr);
uint64_t qemu_read64(struct qemu_machine *m, phys_addr_t addr);
void qemu_write8(struct qemu_machine *m, phys_addr_t addr, uint8_t value);
void qemu_write16(struct qemu_machine *m, phys_addr_t addr, uint16_t value);
void qemu_write32(struct qemu_machine *m, phys_addr_t addr, uint32_t value);
void qemu_write64(struct qemu_machine *m, phys_addr_t addr, uint64_t value);
/** Ports, x86-64 only: @width is 1, 2 or 4. */
uint32_t qemu_in(struct qemu_machine *m, uint16_t port, unsigned int width);
void qemu_out(struct qemu_machine *m, uint16_t port, uint32_t value, unsigned int width);
/** Bytes of a BAR that is memory (ivshmem, a controller memory buffer). */
void qemu_read_bytes(struct qemu_machine *m, phys_addr_t addr, void *buf, size_t len);
void qemu_write_bytes(struct qemu_machine *m, phys_addr_t addr, const void *buf, size_t len);

/* --- PCI */

struct qemu_bar {
	/** Where it is, as the CPU and as the bus see it; 0: not there, or I/O ports. */
	phys_addr_t base;
	uint64_t size;
	bool is_64bit;
	bool prefetchable;
};

/** A PCI function. Read only. */
struct qemu_device {
	/** For the driver: masks of 32 bits, marked as PCI, coherent, named "00:04.0". */
	struct dma_device dma;
	struct qemu_machine *machine;
	uint8_t bus;
	uint8_t devfn;
	uint16_t vendor;
	uint16_t device;
	/** Class, subclass, interface. */
	uint32_t class_code;
	/** The bridge above; NULL: on the root bus. */
	struct qemu_device *parent;
	/** A bridge from PCI Express to conventional PCI: requests from below may carry its number. */
	bool to_conventional;
	struct qemu_bar bars[6];
	char name[16];
};

/** The @index-th function of that make, in order of bus and number; NULL past the last. */
struct qemu_device *qemu_find_device(struct qemu_machine *m, uint16_t vendor, uint16_t device,
				     unsigned int index);
/** Every function, bridges too. */
struct qemu_device *qemu_device_at(struct qemu_machine *m, unsigned int index);
/** How the drivers of this machine's IOMMUs learn by which numbers its functions are known: bus << 8 | devfn. */
struct dma_requesters qemu_requesters(struct qemu_machine *m);
/** The function that an IOMMU knows by this number; NULL: there is none. */
struct qemu_device *qemu_device_by_id(struct qemu_machine *m, uint32_t id);

/** Configuration space: @width is 1, 2 or 4, @offset a multiple of it. */
uint32_t qemu_config_read(struct qemu_device *dev, unsigned int offset, unsigned int width);
void qemu_config_write(struct qemu_device *dev, unsigned int offset, unsigned int width,
		       uint32_t value);
/** Decode memory, and be a bus master, or not. Without mastership DMA is dropped without a fault. */
void qemu_enable(struct qemu_device *dev, bool memory, bool master);
/** Move a BAR; it is the caller's business that nothing else is there and that bridges pass it on. -EINVAL. */
int qemu_place_bar(struct qemu_device *dev, unsigned int bar, phys_addr_t base);

/* --- the IOMMU */

/**
 * qemu_iommu_start() - find the machine's IOMMU and have it translate; qemu_domain_create() does so by itself.
 *
 * From then on devices in no domain reach nothing.
 *
 * Return: 0, also if it does already; -ENODEV: the machine has none; -EOPNOTSUPP: its kind has no driver; -EIO; or the
 * driver's refusal.
 */
int qemu_iommu_start(struct qemu_machine *m);

/** A domain of the machine's IOMMU; destroy it with dma_domain_destroy(). Return: as qemu_iommu_start(); the driver's. */
int qemu_domain_create(struct qemu_machine *m, const struct dma_domain_config *config,
		       struct dma_domain **domain);

/** Report the faults that the IOMMU has recorded (dma_fault_report()). Return: how many. */
unsigned int qemu_handle_faults(struct qemu_machine *m);

/** The driver of VT-d, once started; NULL: there is none. */
struct dma_vtd *qemu_vtd(struct qemu_machine *m);
/** The same for the virtio IOMMU. */
struct dma_virtio_iommu *qemu_virtio_iommu(struct qemu_machine *m);
/** The same for the SMMUv3. */
struct dma_smmuv3 *qemu_smmuv3(struct qemu_machine *m);
/** The same for AMD-Vi. */
struct dma_amdvi *qemu_amdvi(struct qemu_machine *m);

/* --- ACPI, as the machine describes itself */

/**
 * The first table with this signature ("DMAR", "IVRS", "VIOT"), as it left the machine: pointers are not patched, and
 * the checksum is not computed. NULL: there is none. Valid as long as the machine.
 */
const void *qemu_acpi_table(struct qemu_machine *m, const char *signature, size_t *len);

/**
 * Where the device tree says that the registers of the first @compatible device are ("arm,smmu-v3"). False: the machine
 * has no tree, or there is no such device in it. Aarch64 machines have one until their first MiB of RAM is written to.
 */
bool qemu_devicetree_find(struct qemu_machine *m, const char *compatible, phys_addr_t *registers);

#ifdef __cplusplus
}
#endif

#endif

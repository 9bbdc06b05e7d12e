/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers, commands and descriptors of an NVMe controller: NVM Express base specification 1.4, sections 3 to 6.
 * Everything is little endian, as are the machines that this example runs on.
 */
#ifndef EXAMPLES_NVME_REGS_H
#define EXAMPLES_NVME_REGS_H

#include <stdint.h>

#define NVME_CAP       0x00
#define NVME_CC	       0x14
#define NVME_CSTS      0x1c
#define NVME_AQA       0x24
#define NVME_ASQ       0x28
#define NVME_ACQ       0x30
#define NVME_CMBLOC    0x38
#define NVME_CMBSZ     0x3c
#define NVME_CMBMSC    0x50
#define NVME_DOORBELLS 0x1000

#define NVME_CAP_TIMEOUT(cap) ((cap) >> 24 & 0xff) /* units of 500 ms */
#define NVME_CAP_STRIDE(cap)  ((cap) >> 32 & 0xf)
#define NVME_CAP_CMB	      ((uint64_t)1 << 57)
#define NVME_CC_ENABLE	      0x1u
#define NVME_CC_SHUTDOWN      (1u << 14)
#define NVME_CC_ENTRY_SIZES   (6u << 16 | 4u << 20) /* 64 and 16 bytes */
#define NVME_CSTS_READY	      0x1u
#define NVME_CSTS_FATAL	      0x2u
#define NVME_CSTS_SHUTDOWN(s) ((s) >> 2 & 3)
#define NVME_CMBSZ_DATA	      (1u << 3 | 1u << 4) /* reads and writes may find their data there */
#define NVME_CMBMSC_REGISTERS 1u
#define NVME_CMBMSC_ENABLE    2u

enum nvme_admin_opcode {
	NVME_CREATE_SQ = 0x01,
	NVME_CREATE_CQ = 0x05,
	NVME_IDENTIFY = 0x06,
};

enum nvme_io_opcode {
	NVME_WRITE = 0x01,
	NVME_READ = 0x02,
};

#define NVME_IDENTIFY_NAMESPACE	 0
#define NVME_IDENTIFY_CONTROLLER 1

/** Type of an SGL descriptor, in the upper half of its last byte. */
#define NVME_SGL_DATA	      0x00
#define NVME_SGL_LAST_SEGMENT 0x30

struct nvme_sgl {
	uint64_t addr;
	uint32_t len;
	uint8_t reserved[3];
	uint8_t type;
};

#define NVME_FLAGS_SGL 0x40 /* the data pointer is an SGL descriptor */

struct nvme_command {
	uint8_t opcode;
	uint8_t flags;
	uint16_t id;
	uint32_t nsid;
	uint64_t reserved;
	uint64_t metadata;
	union {
		uint64_t prp[2];
		struct nvme_sgl sgl;
	};
	uint32_t dw10, dw11, dw12, dw13, dw14, dw15;
};

struct nvme_completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head;
	uint16_t sq_id;
	uint16_t id;
	uint16_t status; /* bit 0: phase */
};

_Static_assert(sizeof(struct nvme_command) == 64, "a submission queue entry");
_Static_assert(sizeof(struct nvme_completion) == 16, "a completion queue entry");

#endif

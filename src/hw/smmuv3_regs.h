/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARM SMMUv3: registers (IHI 0070, chapter 6), stream table and context descriptors (5), commands (4), events (7).
 */
#ifndef DMAMAP_HW_SMMUV3_REGS_H
#define DMAMAP_HW_SMMUV3_REGS_H

#include <stdint.h>

#define SMMU_BIT(n) ((uint64_t)1 << (n))

/* --- registers; 32 bits unless it says 64 */

#define SMMU_IDR0		 0x00u
#define SMMU_IDR0_S1P		 (1u << 1)
#define SMMU_IDR0_TTF_AARCH64	 (1u << 3) /* of the field 3:2 */
#define SMMU_IDR0_COHACC	 (1u << 4)
#define SMMU_IDR0_HYP		 (1u << 9)
#define SMMU_IDR0_ASID16	 (1u << 12)
#define SMMU_IDR0_TTENDIAN_SHIFT 21 /* 2 bits: 0 both, 2 little, 3 big */
#define SMMU_IDR0_ST_LEVEL_SHIFT 27 /* 2 bits: 1 two levels */
#define SMMU_IDR1		 0x04u
#define SMMU_IDR1_SIDSIZE_SHIFT	 0  /* 6 bits */
#define SMMU_IDR1_EVENTQS_SHIFT	 16 /* 5 bits */
#define SMMU_IDR1_CMDQS_SHIFT	 21 /* 5 bits */
#define SMMU_IDR1_QUEUES_PRESET	 (1u << 29)
#define SMMU_IDR1_TABLES_PRESET	 (1u << 30)
#define SMMU_IDR3		 0x0cu
#define SMMU_IDR3_RIL		 (1u << 10)
#define SMMU_IDR5		 0x14u
#define SMMU_IDR5_GRAN4K	 (1u << 4)
#define SMMU_IDR5_GRAN16K	 (1u << 5)
#define SMMU_IDR5_GRAN64K	 (1u << 6)

#define SMMU_CR0	   0x20u
#define SMMU_CR0_SMMUEN	   (1u << 0)
#define SMMU_CR0_EVENTQEN  (1u << 2)
#define SMMU_CR0_CMDQEN	   (1u << 3)
#define SMMU_CR0ACK	   0x24u
#define SMMU_CR1	   0x28u
#define SMMU_CR1_CACHEABLE 0x0d75u /* tables and queues: inner shareable, write-back both ways */
#define SMMU_CR2	   0x2cu
#define SMMU_CR2_RECINVSID (1u << 1)
#define SMMU_CR2_PTM	   (1u << 2)
#define SMMU_GBPA	   0x44u
#define SMMU_GBPA_ABORT	   (1u << 20)
#define SMMU_GBPA_UPDATE   (1u << 31)
#define SMMU_IRQ_CTRL	   0x50u
#define SMMU_IRQ_GERROR	   (1u << 0)
#define SMMU_IRQ_EVENTQ	   (1u << 2)
#define SMMU_IRQ_CTRLACK   0x54u

#define SMMU_GERROR	   0x60u
#define SMMU_GERRORN	   0x64u
#define SMMU_GERROR_CMDQ   (1u << 0)
#define SMMU_GERROR_EVENTQ (1u << 2)
#define SMMU_GERROR_SFM	   (1u << 8)
#define SMMU_GERROR_ALL	   0x1fdu

#define SMMU_STRTAB_BASE	 0x80u /* 64 */
#define SMMU_STRTAB_BASE_RA	 SMMU_BIT(62)
#define SMMU_STRTAB_BASE_CFG	 0x88u
#define SMMU_STRTAB_TWO_LEVELS	 (1u << 16)
#define SMMU_STRTAB_SPLIT(n)	 ((uint32_t)(n) << 6)
#define SMMU_STRTAB_LOG2SIZE(n)	 ((uint32_t)(n))
#define SMMU_CMDQ_BASE		 0x90u /* 64 */
#define SMMU_CMDQ_PROD		 0x98u
#define SMMU_CMDQ_CONS		 0x9cu
#define SMMU_CMDQ_CONS_ERR_SHIFT 24 /* 7 bits */
#define SMMU_CERROR_NONE	 0u
#define SMMU_CERROR_ILL		 1u
#define SMMU_CERROR_ABT		 2u
#define SMMU_EVENTQ_BASE	 0xa0u /* 64 */
#define SMMU_EVENTQ_PROD	 0x100a8u
#define SMMU_EVENTQ_CONS	 0x100acu
#define SMMU_EVENTQ_OVERFLOW	 (1u << 31)
#define SMMU_QUEUE_RA_WA	 SMMU_BIT(62)

/* --- stream table (5.1, 5.2) */

#define SMMU_STE_WORDS	8u
#define SMMU_STE_SIZE	64u
#define SMMU_SPLIT	8u /* streams of a second-level table: 2^8 */
#define SMMU_L1_SPAN	(SMMU_SPLIT + 1)
#define SMMU_STE_V	SMMU_BIT(0)
#define SMMU_STE_ABORT	((uint64_t)0 << 1)
#define SMMU_STE_BYPASS ((uint64_t)4 << 1)
#define SMMU_STE_STAGE1 ((uint64_t)5 << 1)
#define SMMU_STE_S1CIR	SMMU_BIT(2) /* word 1: write-back, allocating */
#define SMMU_STE_S1COR	SMMU_BIT(4)
#define SMMU_STE_S1CSH	((uint64_t)3 << 6)
#define SMMU_STE_SHCFG	SMMU_BIT(44) /* as the request says */

/* --- context descriptor (5.4) */

#define SMMU_CD_WORDS	       8u
#define SMMU_CD_SIZE	       64u
#define SMMU_CD_T0SZ(n)	       ((uint64_t)(n))
#define SMMU_CD_TG0(n)	       ((uint64_t)(n) << 6) /* 0 4 KiB, 1 64 KiB, 2 16 KiB */
#define SMMU_CD_WALK_CACHEABLE ((uint64_t)1 << 8 | (uint64_t)1 << 10 | (uint64_t)3 << 12)
#define SMMU_CD_EPD1	       SMMU_BIT(30)
#define SMMU_CD_V	       SMMU_BIT(31)
#define SMMU_CD_IPS(n)	       ((uint64_t)(n) << 32)
#define SMMU_CD_AA64	       SMMU_BIT(41)
#define SMMU_CD_R	       SMMU_BIT(45)
#define SMMU_CD_A	       SMMU_BIT(46)
#define SMMU_CD_ASET	       SMMU_BIT(47)
#define SMMU_CD_ASID(n)	       ((uint64_t)(n) << 48)
#define SMMU_CD_TTB0	       1u /* words */
#define SMMU_CD_MAIR	       3u

/* --- commands: the first word (4.3, 4.4, 4.7) */

#define SMMU_CMD_CFGI_STE      0x03u
#define SMMU_CMD_CFGI_ALL      0x04u
#define SMMU_CMD_CFGI_CD       0x05u
#define SMMU_CMD_TLBI_NH_ASID  0x11u
#define SMMU_CMD_TLBI_NH_VA    0x12u
#define SMMU_CMD_TLBI_EL2_ALL  0x20u
#define SMMU_CMD_TLBI_NSNH_ALL 0x30u
#define SMMU_CMD_SYNC	       0x46u

#define SMMU_CMD_SID(n)	  ((uint64_t)(n) << 32)
#define SMMU_CMD_ASID(n)  ((uint64_t)(n) << 48)
#define SMMU_CMD_NUM(n)	  ((uint64_t)(n) << 12)
#define SMMU_CMD_SCALE(n) ((uint64_t)(n) << 20)
#define SMMU_CMD_ALL_SIDS 31u			/* second word of CFGI_ALL */
#define SMMU_CMD_LEAF	  SMMU_BIT(0)		/* second word */
#define SMMU_CMD_TG(n)	  ((uint64_t)(n) << 10) /* second word: 1 4 KiB, 2 16 KiB, 3 64 KiB */
#define SMMU_CMD_ADDRESS  (~(uint64_t)0xfff)

/* --- events (7.3): four words of 64 bits */

#define SMMU_EVENT_WORDS       4u
#define SMMU_EVENT_SIZE	       32u
#define SMMU_EVENT_TYPE	       0xffu
#define SMMU_EVENT_SID_SHIFT   32
#define SMMU_EVENT_INSTRUCTION SMMU_BIT(34) /* word 1 */
#define SMMU_EVENT_READ	       SMMU_BIT(35) /* word 1 */

#define SMMU_F_UUT		0x01u
#define SMMU_C_BAD_STREAMID	0x02u
#define SMMU_F_STE_FETCH	0x03u
#define SMMU_C_BAD_STE		0x04u
#define SMMU_F_BAD_ATS_TREQ	0x05u
#define SMMU_F_STREAM_DISABLED	0x06u
#define SMMU_F_TRANSL_FORBIDDEN 0x07u
#define SMMU_C_BAD_SUBSTREAMID	0x08u
#define SMMU_F_CD_FETCH		0x09u
#define SMMU_C_BAD_CD		0x0au
#define SMMU_F_WALK_EABT	0x0bu
#define SMMU_F_TRANSLATION	0x10u
#define SMMU_F_ADDR_SIZE	0x11u
#define SMMU_F_ACCESS		0x12u
#define SMMU_F_PERMISSION	0x13u
#define SMMU_F_TLB_CONFLICT	0x20u
#define SMMU_F_CFG_CONFLICT	0x21u
#define SMMU_E_PAGE_REQUEST	0x24u

#endif

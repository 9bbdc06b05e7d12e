/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-d remapping hardware, as its registers, tables and descriptors are laid out (Intel VT-d architecture
 * specification 4.1: registers chapter 11, tables chapter 9, invalidation 6.5, faults 7). Legacy mode only. A name ends
 * in the width of its register where that is 32 bits; the others have 64.
 */
#ifndef DMAMAP_HW_VTD_REGS_H
#define DMAMAP_HW_VTD_REGS_H

#include <stdint.h>

#define VTD_BIT(n) ((uint64_t)1 << (n))

/* --- registers: offsets */

#define VTD_VER_32     0x00u
#define VTD_CAP	       0x08u
#define VTD_ECAP       0x10u
#define VTD_GCMD_32    0x18u
#define VTD_GSTS_32    0x1cu
#define VTD_RTADDR     0x20u
#define VTD_CCMD       0x28u
#define VTD_FSTS_32    0x34u
#define VTD_FECTL_32   0x38u
#define VTD_FEDATA_32  0x3cu
#define VTD_FEADDR_32  0x40u
#define VTD_FEUADDR_32 0x44u
#define VTD_PMEN_32    0x64u
#define VTD_IQH	       0x80u
#define VTD_IQT	       0x88u
#define VTD_IQA	       0x90u

/* CAP (11.4.2) */
#define VTD_CAP_ND(cap)	   (4u + 2u * (unsigned int)((cap)&7)) /* log2 of the number of domains */
#define VTD_CAP_RWBF	   VTD_BIT(4)
#define VTD_CAP_PLMR	   VTD_BIT(5)
#define VTD_CAP_PHMR	   VTD_BIT(6)
#define VTD_CAP_CM	   VTD_BIT(7)
#define VTD_CAP_SAGAW(cap) ((unsigned int)((cap) >> 8) & 31) /* bit n: n + 2 levels */
#define VTD_CAP_MGAW(cap)  (((unsigned int)((cap) >> 16) & 63) + 1)
#define VTD_CAP_FRO(cap)   ((unsigned int)((cap) >> 24 & 0x3ff) * 16)
#define VTD_CAP_2MB	   VTD_BIT(34)
#define VTD_CAP_1GB	   VTD_BIT(35)
#define VTD_CAP_PSI	   VTD_BIT(39)
#define VTD_CAP_NFR(cap)   (((unsigned int)((cap) >> 40) & 255) + 1)
#define VTD_CAP_MAMV(cap)  ((unsigned int)((cap) >> 48) & 63)
#define VTD_CAP_DWD	   VTD_BIT(54)
#define VTD_CAP_DRD	   VTD_BIT(55)

/* ECAP (11.4.3) */
#define VTD_ECAP_COHERENT  VTD_BIT(0)
#define VTD_ECAP_QI	   VTD_BIT(1)
#define VTD_ECAP_SC	   VTD_BIT(7)
#define VTD_ECAP_IRO(ecap) ((unsigned int)((ecap) >> 8 & 0x3ff) * 16)

/* GCMD and GSTS (11.4.4): the same bit asks for a thing and says that it is so */
#define VTD_G_TE    0x80000000u
#define VTD_G_SRTP  0x40000000u
#define VTD_G_EAFL  0x10000000u
#define VTD_G_WBF   0x08000000u
#define VTD_G_QIE   0x04000000u
#define VTD_G_IRE   0x02000000u
#define VTD_G_CFI   0x00800000u
#define VTD_G_LEVEL (VTD_G_TE | VTD_G_EAFL | VTD_G_QIE | VTD_G_IRE | VTD_G_CFI)

/* RTADDR (11.4.5) */
#define VTD_RTADDR_MODE 0xc00u /* 0: legacy */

/* CCMD (11.4.6.1) */
#define VTD_CCMD_ICC	VTD_BIT(63)
#define VTD_CCMD_G(g)	((uint64_t)(g) << 61)
#define VTD_CCMD_SID(s) ((uint64_t)(s) << 16)

/* IVA and IOTLB, at ECAP.IRO (11.4.6.2) */
#define VTD_IVA	      0u
#define VTD_IOTLB     8u
#define VTD_IVA_IH    VTD_BIT(6)
#define VTD_IVT	      VTD_BIT(63)
#define VTD_IIRG(g)   ((uint64_t)(g) << 60)
#define VTD_IAIG(v)   ((unsigned int)((v) >> 57) & 3)
#define VTD_IO_DR     VTD_BIT(49)
#define VTD_IO_DW     VTD_BIT(48)
#define VTD_IO_DID(d) ((uint64_t)(d) << 32)

/* Granularities of both caches */
#define VTD_GLOBAL 1u
#define VTD_DOMAIN 2u
#define VTD_DEVICE 3u /* context cache */
#define VTD_PAGES  3u /* IOTLB */

/* FSTS and FECTL (11.4.7.1, 11.4.7.2) */
#define VTD_FSTS_PFO	 0x01u
#define VTD_FSTS_PPF	 0x02u
#define VTD_FSTS_IQE	 0x10u
#define VTD_FSTS_ICE	 0x20u
#define VTD_FSTS_ITE	 0x40u
#define VTD_FSTS_FRI(v)	 ((unsigned int)((v) >> 8) & 255)
#define VTD_FECTL_MASKED 0x80000000u

/* FRCD (11.4.7.6): 16 bytes a record, at CAP.FRO */
#define VTD_FRCD_BYTES	    16u
#define VTD_FRCD_HIGH	    8u
#define VTD_FRCD_TOP_32	    12u
#define VTD_FRCD_F_32	    0x80000000u /* in the top 32 bits */
#define VTD_FRCD_F	    VTD_BIT(63)
#define VTD_FRCD_READ	    VTD_BIT(62)
#define VTD_FRCD_EXE	    VTD_BIT(29)
#define VTD_FRCD_SID(high)  ((uint32_t)(high)&0xffff)
#define VTD_FRCD_CODE(high) ((unsigned int)((high) >> 32) & 255)
#define VTD_FRCD_ADDR	    0xfffffffffffff000u

/* PMEN (11.4.8.1) */
#define VTD_PMEN_EPM 0x80000000u
#define VTD_PMEN_PRS 0x00000001u

/* IQH, IQT, IQA (11.4.9) */
#define VTD_IQ_SHIFT	4u
#define VTD_IQ_POINTER	0x7fff0u
#define VTD_IQA_ADDR	0xfffffffffffff000u
#define VTD_IQA_SIZE(v) ((unsigned int)((v)&7) + 8) /* log2 of the number of descriptors */
#define VTD_IQA_WIDE	VTD_BIT(11)

/* --- descriptors (6.5.2): two words of 64 bits */

#define VTD_INV_CONTEXT	 1u
#define VTD_INV_IOTLB	 2u
#define VTD_INV_WAIT	 5u
#define VTD_INV_G(g)	 ((uint64_t)(g) << 4)
#define VTD_INV_DID(d)	 ((uint64_t)(d) << 16)
#define VTD_INV_SID(s)	 ((uint64_t)(s) << 32)
#define VTD_INV_DW	 VTD_BIT(6)
#define VTD_INV_DR	 VTD_BIT(7)
#define VTD_INV_IH	 VTD_BIT(6) /* high word; 5:0 is the mask */
#define VTD_WAIT_STATUS	 VTD_BIT(5)
#define VTD_WAIT_DATA(d) ((uint64_t)(d) << 32)

/* --- root and context entries (9.1, 9.3): two words of 64 bits */

#define VTD_PRESENT		 VTD_BIT(0)
#define VTD_TABLE		 0xfffffffffffff000u
#define VTD_CONTEXT_DID(d)	 ((uint64_t)(d) << 8) /* high word; 2:0 is the width */
#define VTD_CONTEXT_DID_OF(high) ((unsigned int)((high) >> 8) & 0xffff)

/* --- reasons of faults (7.2.3) */

#define VTD_FAULT_ROOT_NOT_PRESENT    0x1u
#define VTD_FAULT_CONTEXT_NOT_PRESENT 0x2u
#define VTD_FAULT_CONTEXT_INVALID     0x3u
#define VTD_FAULT_WIDTH		      0x4u
#define VTD_FAULT_WRITE		      0x5u
#define VTD_FAULT_READ		      0x6u
#define VTD_FAULT_TABLE_ACCESS	      0x7u
#define VTD_FAULT_ROOT_ACCESS	      0x8u
#define VTD_FAULT_CONTEXT_ACCESS      0x9u
#define VTD_FAULT_ROOT_RESERVED	      0xau
#define VTD_FAULT_CONTEXT_RESERVED    0xbu
#define VTD_FAULT_PAGING_RESERVED     0xcu
#define VTD_FAULT_BLOCKED	      0xdu
#define VTD_FAULT_INTERRUPT_RANGE     0xeu

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD-Vi: registers, device table entries, commands and events (AMD I/O Virtualization Technology specification 48882,
 * rev 3: 3.4, 2.2.2, 2.4, 2.5). Registers are 64 bits wide.
 */
#ifndef DMAMAP_HW_AMDVI_REGS_H
#define DMAMAP_HW_AMDVI_REGS_H

#include <stdint.h>

#define AMDVI_BIT(n) ((uint64_t)1 << (n))

#define AMDVI_DEVTAB	   0x0000u /* base 51:12, pages - 1 8:0 */
#define AMDVI_CMDBASE	   0x0008u /* base 51:12, log2 of entries 59:56 */
#define AMDVI_EVTBASE	   0x0010u
#define AMDVI_CONTROL	   0x0018u
#define AMDVI_EFR	   0x0030u
#define AMDVI_CMDHEAD	   0x2000u /* byte offsets */
#define AMDVI_CMDTAIL	   0x2008u
#define AMDVI_EVTHEAD	   0x2010u
#define AMDVI_EVTTAIL	   0x2018u
#define AMDVI_STATUS	   0x2020u
#define AMDVI_LENGTH(log2) ((uint64_t)(log2) << 56)
#define AMDVI_POINTER	   0x7fff0u

#define AMDVI_CONTROL_ENABLE	 AMDVI_BIT(0)
#define AMDVI_CONTROL_EVENTS	 AMDVI_BIT(2)
#define AMDVI_CONTROL_EVENT_INT	 AMDVI_BIT(3)
#define AMDVI_CONTROL_WAIT_INT	 AMDVI_BIT(4)
#define AMDVI_CONTROL_COHERENT	 AMDVI_BIT(10)
#define AMDVI_CONTROL_COMMANDS	 AMDVI_BIT(12)
#define AMDVI_CONTROL_PPR	 (AMDVI_BIT(13) | AMDVI_BIT(14) | AMDVI_BIT(15))
#define AMDVI_EFR_INVALIDATE_ALL AMDVI_BIT(6)
#define AMDVI_EFR_HATS_SHIFT	 10 /* 2 bits: 4 levels and as many more */
#define AMDVI_STATUS_OVERFLOW	 AMDVI_BIT(0)
#define AMDVI_STATUS_EVENT	 AMDVI_BIT(1)
#define AMDVI_STATUS_COMMANDS	 AMDVI_BIT(4) /* it runs them */

/* --- device table entry: four words (2.2.2.1) */

#define AMDVI_DTE_WORDS	  4u
#define AMDVI_DTE_SIZE	  32u
#define AMDVI_DTE_V	  AMDVI_BIT(0)
#define AMDVI_DTE_TV	  AMDVI_BIT(1)
#define AMDVI_DTE_MODE(n) ((uint64_t)(n) << 9)
#define AMDVI_DTE_IR	  AMDVI_BIT(61)
#define AMDVI_DTE_IW	  AMDVI_BIT(62)

/* --- commands: two words, the code in 63:60 of the first (2.4) */

#define AMDVI_CMD(code)		    ((uint64_t)(code) << 60)
#define AMDVI_CMD_COMPLETION_WAIT   AMDVI_CMD(1)
#define AMDVI_CMD_INVALIDATE_DEVICE AMDVI_CMD(2)
#define AMDVI_CMD_INVALIDATE_PAGES  AMDVI_CMD(3)
#define AMDVI_CMD_INVALIDATE_ALL    AMDVI_CMD(8)
#define AMDVI_CMD_STORE		    AMDVI_BIT(0)
#define AMDVI_CMD_DOMAIN(n)	    ((uint64_t)(n) << 32)
#define AMDVI_PAGES_SIZED	    AMDVI_BIT(0) /* second word */
#define AMDVI_PAGES_TABLES	    AMDVI_BIT(1)
#define AMDVI_PAGES_ALL		    0x7ffffffffffff000u

/* --- events: two words, the code in 63:60 of the first (2.5) */

#define AMDVI_EVENT_CODE_SHIFT	60
#define AMDVI_EVENT_DEVICE	0xffffu
#define AMDVI_EVENT_INTERRUPT	AMDVI_BIT(51)
#define AMDVI_EVENT_PRESENT	AMDVI_BIT(52)
#define AMDVI_EVENT_WRITE	AMDVI_BIT(53)
#define AMDVI_EVENT_RESERVED	AMDVI_BIT(55)
#define AMDVI_EVENT_ILLEGAL_DTE 1u
#define AMDVI_EVENT_PAGE_FAULT	2u
#define AMDVI_EVENT_DTE_ERROR	3u
#define AMDVI_EVENT_TABLE_ERROR 4u
#define AMDVI_EVENT_ILLEGAL_CMD 5u
#define AMDVI_EVENT_CMD_ERROR	6u
#define AMDVI_EVENT_IOTLB	7u
#define AMDVI_EVENT_BAD_REQUEST 8u
#define AMDVI_EVENT_BAD_PPR	9u
#define AMDVI_EVENT_COUNTER	10u
#define AMDVI_EVENT_GUEST	11u

#endif

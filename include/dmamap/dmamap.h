/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmamap: the Linux DMA-mapping layer as a library. This header is all of the public API; each concept has its own.
 */
#ifndef DMAMAP_DMAMAP_H
#define DMAMAP_DMAMAP_H

#include <dmamap/alloc.h>
#include <dmamap/amdvi.h>
#include <dmamap/bounce.h>
#include <dmamap/device.h>
#include <dmamap/dmapool.h>
#include <dmamap/dmar.h>
#include <dmamap/domain.h>
#include <dmamap/event.h>
#include <dmamap/exposure.h>
#include <dmamap/fault.h>
#include <dmamap/history.h>
#include <dmamap/host.h>
#include <dmamap/inline.h>
#include <dmamap/iova.h>
#include <dmamap/ivrs.h>
#include <dmamap/linux.h>
#include <dmamap/mapping.h>
#include <dmamap/ops.h>
#include <dmamap/p2p.h>
#include <dmamap/page.h>
#include <dmamap/pagetable.h>
#include <dmamap/reason.h>
#include <dmamap/requester.h>
#include <dmamap/smmuv3.h>
#include <dmamap/types.h>
#include <dmamap/vec.h>
#include <dmamap/viot.h>
#include <dmamap/virtio_iommu.h>
#include <dmamap/vtd.h>

#define DMAMAP_VERSION "0.1.0"

#endif

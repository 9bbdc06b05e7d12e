/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on their way up: whoever sees one reports it here, and rooms above hear of it as an event
 * (docs/semantics.md, "Faults").
 */
#include <dmamap/event.h>

#include "domain.h"
#include "host.h"

struct fault_text {
	const char *name;
	const char *what;
};

static const struct fault_text reasons[] = {
#define FAULT_TEXT(sym, name, what) { name, what },
	DMA_FAULT_REASONS(FAULT_TEXT)
#undef FAULT_TEXT
};

static const struct fault_text unknown_reason = { "unknown", "the reason has no name" };

static const struct fault_text *fault_text(enum dma_fault_reason reason)
{
	return (unsigned int)reason < DMA_FAULT_REASON_COUNT ? &reasons[reason] : &unknown_reason;
}

const char *dmamap_fault_reason_name(enum dma_fault_reason reason)
{
	return fault_text(reason)->name;
}

const char *dmamap_fault_reason_what(enum dma_fault_reason reason)
{
	return fault_text(reason)->what;
}

void dmamap_domain_set_fault_handler(struct dma_domain *domain, dma_fault_handler handler,
				     void *arg)
{
	struct dmamap_domain_head *head = dmamap_domain_head(domain);

	head->fault_handler = handler;
	head->fault_arg = arg;
}

/** An event like the kernel's, which records faults of domains only. */
static void report_event(struct dma_host *host, const struct dma_fault *fault)
{
	const struct dma_event event = {
		.type = DMA_EVENT_IOMMU_FAULT,
		.kernel_silent = !fault->domain,
		.dev = fault->device,
		.route = fault->domain ? DMA_ROUTE_IOMMU : DMA_ROUTE_NONE,
		.dma_addr = fault->dma_addr,
		.fault = fault,
	};

	dmamap_report(host, &event);
}

int dmamap_fault_report(struct dma_host *host, const struct dma_fault *fault)
{
	const struct dmamap_domain_head *head;
	struct dma_fault full;
	int err = -DMAMAP_ENOSYS;

	if (!host || !fault || fault->size != sizeof(*fault) ||
	    (fault->device && dev_host(fault->device) != host))
		return -DMAMAP_EINVAL;
	full = *fault;
	if (!full.domain && full.device)
		full.domain = dmamap_dev(full.device)->domain;
	if (!full.time_ns)
		full.time_ns = dmamap_time(host);
	head = full.domain ? dmamap_domain_head(full.domain) : NULL;
	if (head && head->fault_handler)
		err = head->fault_handler(full.domain, &full, head->fault_arg);
	if (host_observed(host))
		report_event(host, &full);
	return err;
}

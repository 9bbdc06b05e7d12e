/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From pairs of functions to devices and segments: what the routes and drivers ask.
 */
#include "p2p.h"

static enum dma_p2p_type refuse(enum dma_reason *why, enum dma_reason reason)
{
	*why = reason;
	return DMA_P2P_NOT_SUPPORTED;
}

/** The type for @dev and function @provider, which provides memory. */
static enum dma_p2p_type type_for(const struct dma_pci_topology *t, int provider,
				  const struct dma_device *dev, enum dma_reason *why)
{
	int client = dmamap_p2p_node_of(t, dev, false);
	struct dma_p2p_answer answer;

	if (client < 0)
		return refuse(why, DMA_REASON_P2P_NOT_PCI);
	dmamap_p2p_query(t, provider, client, &answer);
	*why = answer.reason;
	return answer.type;
}

enum dma_p2p_type dmamap_p2p_map_type(struct dma_host *host, int provider, struct dma_device *dev,
				      enum dma_reason *why)
{
	enum dma_reason ignored;

	if (!why)
		why = &ignored;
	*why = DMA_REASON_NONE;
	if (!host || !host->pci)
		return refuse(why, DMA_REASON_P2P_REFUSED);
	if (!p2p_function(host->pci, provider))
		return refuse(why, DMA_REASON_P2P_NO_PROVIDER);
	return type_for(host->pci, provider, dev, why);
}

/* --- distances */

/** The distance, or -1 and *@why. */
static int distance_to(const struct dma_pci_topology *t, int provider, const struct dma_device *dev,
		       struct dma_error *why)
{
	int client = dmamap_p2p_node_of(t, dev, true);
	struct dma_p2p_answer answer;

	*why = (struct dma_error){ .reason = DMA_REASON_P2P_NOT_PCI, .err = -DMAMAP_EREMOTEIO };
	if (client < 0 || dmamap_p2p_query(t, provider, client, &answer))
		return -1;
	why->reason = answer.reason;
	return answer.type == DMA_P2P_NOT_SUPPORTED ? -1 : answer.distance;
}

int dmamap_p2p_distance_many(struct dma_host *host, int provider, struct dma_device *const *clients,
			     unsigned int n, bool verbose)
{
	struct dma_error why;
	bool refused = !n;
	int sum = 0;

	if (!host || !host->pci || !p2p_is_function(host->pci, provider))
		return -1;
	for (unsigned int i = 0; i < n; i++) {
		int distance = distance_to(host->pci, provider, clients[i], &why);

		if (distance >= 0) {
			sum += distance;
			continue;
		}
		refused = true;
		if (verbose)
			dmamap_log(host, DMA_LOG_WARNING, clients[i],
				   "cannot reach a peer's memory", &why);
		if (!verbose || why.reason == DMA_REASON_P2P_NOT_PCI)
			break;
	}
	return refused ? -1 : sum;
}

/* --- segments */

static bool holds(const struct dma_p2p_provider *provider, phys_addr_t phys)
{
	return provider && phys - provider->base < provider->size;
}

/** The provider of @phys, from @state if it is still the same; then *@known. */
static const struct dma_p2p_provider *provider_of(const struct dma_p2p_state *state,
						  const struct dma_pci_topology *t,
						  phys_addr_t phys, bool *known)
{
	*known = holds(state->provider, phys) && state->type != DMA_P2P_UNKNOWN &&
		 state->generation == p2p_generation(t);
	return *known ? state->provider : dmamap_p2p_provider_at(t, phys);
}

static enum dma_p2p_type classify_mmio(struct dma_p2p_state *state, struct dma_device *dev,
				       phys_addr_t phys)
{
	const struct dma_pci_topology *t = dev_host(dev)->pci;
	const struct dma_p2p_provider *provider;
	bool known;

	if (!t)
		return refuse(&state->reason, DMA_REASON_P2P_REFUSED);
	provider = provider_of(state, t, phys, &known);
	if (!provider)
		return refuse(&state->reason, DMA_REASON_P2P_NO_PROVIDER);
	if (known)
		return state->type;
	state->generation = p2p_generation(t);
	state->provider = provider;
	state->computed++;
	state->type = type_for(t, provider->node, dev, &state->reason);
	return state->type;
}

enum dma_p2p_type dmamap_p2p_classify(struct dma_p2p_state *state, struct dma_device *dev,
				      phys_addr_t phys)
{
	struct dma_memory memory;

	dmamap_describe(dev_host(dev), phys, 1, &memory);
	return memory.kind == DMA_MEMORY_MMIO ? classify_mmio(state, dev, phys) : DMA_P2P_NONE;
}

/** Is [phys, phys + len) of one kind to its end? @memory: its beginning. Most hosts answer for all of it at once. */
static bool is_one_kind(struct dma_host *host, phys_addr_t phys, uint64_t len,
			const struct dma_memory *memory)
{
	struct dma_memory next = *memory;

	for (uint64_t done = next.len; done < len; done += next.len) {
		dmamap_describe(host, phys + done, len - done, &next);
		if (next.kind != memory->kind || !next.len)
			return false;
	}
	return true;
}

enum dma_p2p_type dmamap_p2p_element(struct dma_p2p_state *state, struct dma_device *dev,
				     phys_addr_t phys, uint64_t len, dma_addr_t *bus,
				     struct dma_error *why)
{
	struct dma_memory memory;
	enum dma_p2p_type type;
	enum dma_reason reason;
	uint64_t last = len - 1;

	dmamap_describe(dev_host(dev), phys, len, &memory);
	if (memory.kind != DMA_MEMORY_MMIO) {
		if (is_one_kind(dev_host(dev), phys, len, &memory))
			return DMA_P2P_NONE;
		fail_range(why, dev, DMA_REASON_MIXED_MEMORY, -DMAMAP_EREMOTEIO, phys, len);
		return DMA_P2P_NOT_SUPPORTED;
	}
	type = classify_mmio(state, dev, phys);
	reason = state->reason;
	if (type != DMA_P2P_NOT_SUPPORTED && !holds(state->provider, phys + last))
		type = refuse(&reason, DMA_REASON_P2P_NO_PROVIDER);
	if (type == DMA_P2P_BUS_ADDR) {
		*bus = dmamap_p2p_bus_addr(state->provider, phys);
		if (*bus + last > dev_mask(dmamap_dev(dev)))
			type = refuse(&reason, DMA_REASON_BEYOND_MASK);
	}
	if (type == DMA_P2P_NOT_SUPPORTED)
		fail_range(why, dev, reason, -DMAMAP_EREMOTEIO, phys, len);
	return type;
}

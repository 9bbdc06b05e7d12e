/* SPDX-License-Identifier: BSD-2-Clause */
/* The reachability matrix as JSON, schema dmamap.p2p/1 (docs/json.md). */
#include <inttypes.h>
#include <string.h>

#include "cmd.h"
#include "p2p.h"

static json_t *address_json(const struct p2p_tree *tree, int node)
{
	char address[P2P_ADDRESS];

	if (node < 0)
		return json_null();
	p2p_address(&tree->topology.nodes[node], address);
	return json_string(address);
}

static json_t *hex_json(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

static json_t *id_json(const struct dma_pci_node *n)
{
	return json_sprintf("%04x:%04x", n->vendor, n->device);
}

static json_t *acs_json(uint16_t acs)
{
	json_t *list = json_array();

	if (acs & DMA_PCI_ACS_REQUEST_REDIRECT)
		json_array_append_new(list, json_string("request-redirect"));
	if (acs & DMA_PCI_ACS_COMPLETION_REDIRECT)
		json_array_append_new(list, json_string("completion-redirect"));
	if (acs & DMA_PCI_ACS_EGRESS_CONTROL)
		json_array_append_new(list, json_string("egress-control"));
	return list;
}

static json_t *bars_json(const struct dma_pci_node *n)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < n->nr_bars; i++)
		if (!n->bars[i].io)
			json_array_append_new(
				list,
				json_pack("{s:i, s:o, s:o, s:o}", "index", n->bars[i].index, "cpu",
					  hex_json(n->bars[i].cpu), "bus", hex_json(n->bars[i].bus),
					  "size", json_integer((json_int_t)n->bars[i].size)));
	return list;
}

static json_t *function_json(const struct p2p_tree *tree, const struct p2p_options *options,
			     size_t i)
{
	static const char *const kinds[] = { "host-bridge", "root-port", "upstream",
					     "downstream",  "bridge",	 "endpoint" };
	const struct dma_pci_node *n = &tree->topology.nodes[i];

	return json_pack("{s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:b}", "address",
			 address_json(tree, (int)i), "kind", kinds[n->kind], "id", id_json(n),
			 "name", tree->functions[i].what, "parent", address_json(tree, n->parent),
			 "acs", acs_json(n->acs), "bars", bars_json(n), "shown",
			 p2p_shown(tree, options, i));
}

static json_t *bridge_json(const struct p2p_tree *tree, int bridge)
{
	int id = dma_pci_bridge_id(&tree->topology, bridge);

	return json_pack("{s:o, s:o, s:o}", "address", address_json(tree, bridge), "identified_by",
			 address_json(tree, id), "id",
			 id < 0 ? json_null() : id_json(&tree->topology.nodes[id]));
}

static json_t *redirects_json(const struct p2p_tree *tree, const struct dma_p2p_answer *a)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < a->nr_redirects && i < DMA_P2P_REDIRECTS; i++)
		json_array_append_new(list, address_json(tree, a->redirects[i]));
	return list;
}

static json_t *pair_json(const struct p2p_tree *tree, size_t provider, size_t client)
{
	static const char *const types[] = { "", "", "refused", "bus", "host-bridge" };
	struct dma_p2p_answer a;

	dma_p2p_query(&tree->topology, (int)provider, (int)client, &a);
	return json_pack(
		"{s:o, s:o, s:s, s:i, s:o, s:o, s:o}", "provider",
		address_json(tree, (int)provider), "client", address_json(tree, (int)client),
		"type", types[a.type], "distance", a.distance, "reason",
		a.reason == DMA_REASON_NONE ? json_null() : json_string(dma_reason_name(a.reason)),
		"redirects", redirects_json(tree, &a), "refused_by",
		address_json(tree, a.refused_by));
}

static json_t *pairs_json(const struct p2p_tree *tree, const struct p2p_options *options)
{
	json_t *list = json_array();

	for (size_t i = 0; i < tree->n; i++)
		for (size_t j = 0; j < tree->n; j++)
			if (i != j && p2p_memory(tree, i) && p2p_shown(tree, options, i) &&
			    p2p_shown(tree, options, j))
				json_array_append_new(list, pair_json(tree, i, j));
	return list;
}

int p2p_report_json(const struct p2p_tree *tree, const struct p2p_options *options)
{
	json_t *functions = json_array(), *bridges = json_array();

	for (unsigned int i = 0; i < tree->topology.nr_nodes; i++)
		if (i < tree->n)
			json_array_append_new(functions, function_json(tree, options, i));
		else
			json_array_append_new(bridges, bridge_json(tree, (int)i));
	return cmd_print_json(json_pack("{s:s, s:s, s:b, s:i, s:i, s:i, s:o, s:o, s:o}", "schema",
					"dmamap.p2p/1", "form", tree->form, "cpu_amd_zen",
					tree->topology.cpu_amd_zen, "access_denied", tree->denied,
					"regions_left_out", tree->left_out, "without_ids",
					tree->without_ids, "functions", functions, "host_bridges",
					bridges, "pairs", pairs_json(tree, options)));
}

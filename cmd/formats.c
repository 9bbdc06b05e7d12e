/* SPDX-License-Identifier: BSD-2-Clause */
/* See formats.h. A name is a format, then what differs from the usual depth and granule. */
#include "cmd.h"
#include "formats.h"

const struct cmd_format cmd_formats[] = {
	{ "vtd-ss", { .format = DMA_PT_VTD_SECOND_STAGE, .levels = 4 } },
	{ "vtd-ss-3", { .format = DMA_PT_VTD_SECOND_STAGE, .levels = 3 } },
	{ "vtd-ss-5", { .format = DMA_PT_VTD_SECOND_STAGE, .levels = 5 } },
	{ "vtd-fs", { .format = DMA_PT_VTD_FIRST_STAGE, .levels = 4 } },
	{ "vtd-fs-5", { .format = DMA_PT_VTD_FIRST_STAGE, .levels = 5 } },
	{ "amdv1", { .format = DMA_PT_AMD_V1, .levels = 4 } },
	{ "amdv1-3", { .format = DMA_PT_AMD_V1, .levels = 3 } },
	{ "amdv1-5", { .format = DMA_PT_AMD_V1, .levels = 5 } },
	{ "amdv1-6", { .format = DMA_PT_AMD_V1, .levels = 6 } },
	{ "lpae-s1", { .format = DMA_PT_LPAE_STAGE1, .input_bits = 48 } },
	{ "lpae-s1-3", { .format = DMA_PT_LPAE_STAGE1, .input_bits = 39 } },
	{ "lpae-s1-16k", { .format = DMA_PT_LPAE_STAGE1, .input_bits = 48, .granule_bits = 14 } },
	{ "lpae-s1-64k", { .format = DMA_PT_LPAE_STAGE1, .input_bits = 48, .granule_bits = 16 } },
	{ "lpae-s2", { .format = DMA_PT_LPAE_STAGE2, .input_bits = 48 } },
	{ "lpae-s2-3", { .format = DMA_PT_LPAE_STAGE2, .input_bits = 40 } },
	{ "lpae-s2-16k", { .format = DMA_PT_LPAE_STAGE2, .input_bits = 48, .granule_bits = 14 } },
	{ "lpae-s2-64k", { .format = DMA_PT_LPAE_STAGE2, .input_bits = 48, .granule_bits = 16 } },
	{ "riscv-sv39", { .format = DMA_PT_RISCV, .levels = 3 } },
	{ "riscv-sv48", { .format = DMA_PT_RISCV, .levels = 4 } },
	{ "riscv-sv57", { .format = DMA_PT_RISCV, .levels = 5 } },
	{ "command", { .command = true } },
	{ NULL, { 0 } },
};

const struct cmd_format *cmd_format_find(const char *verb, const char *name)
{
	const char *names[sizeof(cmd_formats) / sizeof(cmd_formats[0])];
	int i;

	for (i = 0; cmd_formats[i].name; i++)
		names[i] = cmd_formats[i].name;
	names[i] = NULL;
	i = cmd_choose(verb, "--format", name, names);
	return i < 0 ? NULL : &cmd_formats[i];
}

uint64_t cmd_format_page_size(const struct cmd_format *format)
{
	unsigned int bits = format->iommu.granule_bits;

	return bits ? (uint64_t)1 << bits : DMAMAP_PAGE_SIZE;
}

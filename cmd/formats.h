/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IOMMUs that the command can simulate, by the names of `dmamap replay --format'.
 */
#ifndef DMAMAP_CMD_FORMATS_H
#define DMAMAP_CMD_FORMATS_H

#include <dmamap/sim.h>

struct cmd_format {
	const char *name;
	/* Without size; the rest of it is up to the caller. */
	struct sim_iommu_config iommu;
};

/** Terminated by a name of NULL; the first is the default. */
extern const struct cmd_format cmd_formats[];

/** The format of that name; NULL after a message that lists them. */
const struct cmd_format *cmd_format_find(const char *verb, const char *name);
/** The page that a host must have: the format's granule. */
uint64_t cmd_format_page_size(const struct cmd_format *format);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds of machines, by file. */
#ifndef TESTS_CONFORMANCE_TARGETS_H
#define TESTS_CONFORMANCE_TARGETS_H

#include "target.h"

/* sim.c */
extern const struct target_kind target_sim_vtd;
extern const struct target_kind target_sim_x86;
extern const struct target_kind target_sim_amd;
extern const struct target_kind target_sim_lpae1;
extern const struct target_kind target_sim_lpae2;
extern const struct target_kind target_sim_riscv;
extern const struct target_kind target_sim_command;
extern const struct target_kind target_sim_caches;

/* qemu.c */
extern const struct target_kind target_qemu_vtd;
extern const struct target_kind target_qemu_vtd48;
extern const struct target_kind target_qemu_vtd_caching;
extern const struct target_kind target_qemu_amd;
extern const struct target_kind target_qemu_virtio;
extern const struct target_kind target_qemu_virtio_arm;
extern const struct target_kind target_qemu_smmuv3;

#endif

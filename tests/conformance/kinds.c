/* SPDX-License-Identifier: BSD-2-Clause */
#include "targets.h"

const struct target_kind *const target_kinds[] = {
	&target_sim_vtd,     &target_sim_x86,	      &target_sim_amd,		&target_sim_lpae1,
	&target_sim_lpae2,   &target_sim_riscv,	      &target_sim_command,	&target_sim_caches,
	&target_qemu_vtd,    &target_qemu_vtd48,      &target_qemu_vtd_caching, &target_qemu_amd,
	&target_qemu_virtio, &target_qemu_virtio_arm, &target_qemu_smmuv3,	NULL,
};

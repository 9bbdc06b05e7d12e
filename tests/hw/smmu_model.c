/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model of an SMMUv3: see smmu_model.h. Offsets are written out here on purpose: the driver's header is what is
 * tested.
 */
#include "smmu_model.h"

#include <string.h>

/* --- commands */

static bool known(unsigned int code)
{
	static const unsigned char codes[] = { 0x03, 0x04, 0x05, 0x11, 0x12, 0x20, 0x30, 0x46 };

	return memchr(codes, (int)code, sizeof(codes));
}

static bool refused(struct smmu_model *m, uint64_t low)
{
	if ((low & 0xff) == 0x46)
		return false;
	if (m->refuse_after && !--m->refuse_after)
		return true;
	return m->refuse_all || !known(low & 0xff);
}

static void perform_all(struct smmu_model *m)
{
	unsigned int bits = m->cmdq & 31;
	uint32_t mask = (2u << bits) - 1;

	if (!(m->cr0 & 8) || m->fault == SMMU_SILENT)
		return;
	if (m->fault == SMMU_CMDQ_ABORT) {
		m->cmdq_cons |= 2u << 24;
		m->gerror ^= 1;
		return;
	}
	while (((m->cmdq_cons ^ m->cmdq_prod) & mask) && !((m->gerror ^ m->gerrorn) & 1)) {
		uint64_t base = m->cmdq & 0x000fffffffffffe0u;
		const uint64_t *c =
			board_ptr(m->board, base + 16 * (m->cmdq_cons & (mask >> 1)), 16);

		if (refused(m, c[0])) {
			m->cmdq_cons = (m->cmdq_cons & mask) | 1u << 24;
			m->gerror ^= 1;
			return;
		}
		m->diary[m->n_commands++ % SMMU_DIARY] = (struct smmu_command){ c[0], c[1] };
		m->cmdq_cons = (m->cmdq_cons + 1) & mask;
	}
	if (m->fault == SMMU_BAD_CONS)
		m->cmdq_cons = (m->cmdq_cons + 77) & mask;
}

int smmu_model_find(const struct smmu_model *m, unsigned int from, uint64_t low, uint64_t high)
{
	for (unsigned int i = from; i < m->n_commands; i++)
		if (m->diary[i % SMMU_DIARY].low == low && m->diary[i % SMMU_DIARY].high == high)
			return (int)i;
	return -1;
}

/* --- events */

bool smmu_model_event(struct smmu_model *m, const uint64_t event[4])
{
	unsigned int bits = m->evtq & 31;
	uint32_t mask = (2u << bits) - 1;
	uint64_t base = m->evtq & 0x000fffffffffffe0u;

	assert_true(m->cr0 & 4);
	if (((m->evtq_prod - m->evtq_cons) & mask) == 1u << bits) {
		if (!((m->evtq_prod ^ m->evtq_cons) & 1u << 31))
			m->evtq_prod ^= 1u << 31;
		return false;
	}
	memcpy(board_ptr(m->board, base + 32 * (m->evtq_prod & (mask >> 1)), 32), event, 32);
	m->evtq_prod = (m->evtq_prod & 1u << 31) | ((m->evtq_prod + 1) & mask);
	return true;
}

/* --- the stream table */

const uint64_t *smmu_model_ste(struct smmu_model *m, uint32_t sid)
{
	unsigned int bits = m->strtab_cfg & 63;
	unsigned int split = m->strtab_cfg >> 6 & 31;
	uint64_t base = m->strtab & 0x000fffffffffffc0u;
	const uint64_t *first;

	if (sid >> bits)
		return NULL;
	if (!(m->strtab_cfg >> 16 & 3))
		return board_ptr(m->board, base + 64 * (uint64_t)sid, 64);
	first = board_ptr(m->board, base + 8 * (uint64_t)(sid >> split), 8);
	if (!(*first & 31) || (sid & ((1u << split) - 1)) >> ((*first & 31) - 1))
		return NULL;
	assert_int_equal(*first & ((64u << split) - 1) & ~(uint64_t)31,
			 0); /* aligned to its size */
	return board_ptr(
		m->board,
		(*first & 0x000fffffffffffc0u) + 64 * (uint64_t)(sid & ((1u << split) - 1)), 64);
}

const uint64_t *smmu_model_cd(struct smmu_model *m, uint32_t sid)
{
	const uint64_t *ste = smmu_model_ste(m, sid);

	if (!ste || !(ste[0] & 1) || (ste[0] >> 1 & 7) != 5)
		return NULL;
	return board_ptr(m->board, ste[0] & 0x000fffffffffffc0u, 64);
}

/* --- registers */

#define AT(offset, width) ((offset) << 4 | (width))

static uint64_t model_read(void *model, uint64_t offset, unsigned int width)
{
	struct smmu_model *m = model;

	if (m->fault == SMMU_GONE)
		return ~(uint64_t)0;
	switch (AT(offset, width)) {
	case AT(0x00, 4):
	case AT(0x04, 4):
	case AT(0x0c, 4):
	case AT(0x14, 4):
		return m->idr[offset / 4];
	case AT(0x20, 4):
		return m->cr0;
	case AT(0x24, 4):
		return m->fault == SMMU_NO_ACK ? ~m->cr0 & 0xff : m->cr0;
	case AT(0x44, 4):
		return m->gbpa;
	case AT(0x54, 4):
		return m->irq;
	case AT(0x60, 4):
		return m->gerror;
	case AT(0x64, 4):
		return m->gerrorn;
	case AT(0x9c, 4):
		return m->cmdq_cons;
	case AT(0x100a8, 4):
		return m->evtq_prod;
	case AT(0x100ac, 4):
		return m->evtq_cons;
	default:
		fail_msg("read of %u bytes at %#x", width, (unsigned int)offset);
		return 0;
	}
}

/** What the specification says must not change while it is on (6.3). */
static void must_be_off(const struct smmu_model *m, uint32_t enable)
{
	assert_int_equal(m->cr0 & enable, 0);
}

static void write_cr0(struct smmu_model *m, uint32_t value)
{
	m->cr0_history[m->n_cr0++ % 16] = value;
	m->cr0 = value;
	perform_all(m);
}

static void model_write(void *model, uint64_t offset, unsigned int width, uint64_t value)
{
	struct smmu_model *m = model;

	switch (AT(offset, width)) {
	case AT(0x20, 4):
		write_cr0(m, (uint32_t)value);
		break;
	case AT(0x28, 4):
		must_be_off(m, 13);
		m->cr1 = (uint32_t)value;
		break;
	case AT(0x2c, 4):
		must_be_off(m, 1);
		m->cr2 = (uint32_t)value;
		break;
	case AT(0x44, 4):
		m->gbpa = value & ~(uint32_t)(1u << 31);
		break;
	case AT(0x50, 4):
		m->irq = (uint32_t)value;
		break;
	case AT(0x64, 4):
		m->gerrorn = (uint32_t)value;
		if (!((m->gerror ^ m->gerrorn) & 1))
			m->cmdq_cons &= 0x00ffffff;
		perform_all(m);
		break;
	case AT(0x80, 8):
		must_be_off(m, 1);
		m->strtab = value;
		break;
	case AT(0x88, 4):
		must_be_off(m, 1);
		m->strtab_cfg = (uint32_t)value;
		break;
	case AT(0x90, 8):
		must_be_off(m, 8);
		assert_int_equal(value & ((16u << (value & 31)) - 1) & ~(uint64_t)31, 0);
		m->cmdq = value;
		break;
	case AT(0x98, 4):
		m->cmdq_prod = (uint32_t)value;
		m->kicks++;
		perform_all(m);
		break;
	case AT(0x9c, 4):
		must_be_off(m, 8);
		m->cmdq_cons = (uint32_t)value;
		break;
	case AT(0xa0, 8):
		must_be_off(m, 4);
		m->evtq = value;
		break;
	case AT(0x100a8, 4):
		must_be_off(m, 4);
		m->evtq_prod = (uint32_t)value;
		break;
	case AT(0x100ac, 4):
		m->evtq_cons = (uint32_t)value;
		break;
	default:
		fail_msg("write of %u bytes at %#x", width, (unsigned int)offset);
	}
}

void smmu_model_init(struct smmu_model *m, struct board *board)
{
	*m = (struct smmu_model){
		.board = board,
		.idr = { 0x0d40101a, 0x02730010, 0, 0x1404, 0, 0x74 },
		.gbpa = 0x1000,
	};
	board->read = model_read;
	board->write = model_write;
	board->model = m;
}

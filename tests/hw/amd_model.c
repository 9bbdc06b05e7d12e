/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model of AMD-Vi: see amd_model.h. Offsets are written out here on purpose: the driver's header is what is tested.
 */
#include "amd_model.h"

#include <string.h>

#define BASE 0x000ffffffffff000u

static uint64_t entries(uint64_t base)
{
	return (uint64_t)1 << (base >> 56 & 15);
}

/* --- commands */

/** Reserved bits are zero, and the code exists. */
static bool acceptable(const uint64_t *c)
{
	switch (c[0] >> 60) {
	case 1:
		return !(c[0] & 0x0ff0000000000000u);
	case 2:
		return !(c[0] & 0x0fffffffffff0000u) && !c[1];
	case 3:
		return !(c[0] & 0x0fff0000ffffffffu) && !(c[1] & 0xff8);
	case 8:
		return !(c[0] << 4) && !c[1];
	default:
		return false;
	}
}

static bool refused(struct amd_model *m, const uint64_t *c)
{
	if (m->refuse_after && !--m->refuse_after)
		return true;
	return m->refuse_all || !acceptable(c);
}

static void store(struct amd_model *m, const uint64_t *c)
{
	uint64_t value = m->fault == AMD_BAD_STORE ? ~c[1] : c[1];

	memcpy(board_ptr(m->board, c[0] & 0x000ffffffffffff8u, 8), &value, 8);
}

static void perform_all(struct amd_model *m)
{
	if ((m->control & 0x1001) != 0x1001 || m->fault == AMD_SILENT || !(m->status & 16))
		return;
	while (m->cmd_head != m->cmd_tail) {
		const uint64_t *c = board_ptr(m->board, (m->cmdbase & BASE) + m->cmd_head, 16);

		if (refused(m, c)) {
			m->status &= ~(uint64_t)16; /* it stands still (2.4) */
			return;
		}
		m->diary[m->n_commands++ % AMD_DIARY] = (struct amd_command){ c[0], c[1] };
		if (c[0] >> 60 == 1 && (c[0] & 1))
			store(m, c);
		m->cmd_head = (m->cmd_head + 16) % (16 * entries(m->cmdbase));
	}
}

int amd_model_find(const struct amd_model *m, unsigned int from, uint64_t low, uint64_t high)
{
	for (unsigned int i = from; i < m->n_commands; i++) {
		const struct amd_command *c = &m->diary[i % AMD_DIARY];

		if (low >> 60 == 1 ? c->low >> 60 == 1 : c->low == low && c->high == high)
			return (int)i;
	}
	return -1;
}

/* --- events */

bool amd_model_event(struct amd_model *m, uint64_t low, uint64_t high)
{
	uint64_t next = (m->evt_tail + 16) % (16 * entries(m->evtbase));
	uint64_t *entry;

	assert_int_equal(m->control & 5, 5);
	if (next == m->evt_head) {
		m->status |= 1;
		return false;
	}
	entry = board_ptr(m->board, (m->evtbase & BASE) + m->evt_tail, 16);
	if (m->fault != AMD_LATE_EVENTS) {
		entry[0] = low;
		entry[1] = high;
	}
	m->evt_tail = next;
	m->status |= 2;
	return true;
}

const uint64_t *amd_model_entry(struct amd_model *m, uint32_t id)
{
	uint64_t size = ((m->devtab & 0x1ff) + 1) * 4096;

	if (32 * (uint64_t)id >= size)
		return NULL;
	return board_ptr(m->board, (m->devtab & BASE) + 32 * (uint64_t)id, 32);
}

/* --- registers: 64 bits only */

static uint64_t model_read(void *model, uint64_t offset, unsigned int width)
{
	struct amd_model *m = model;

	assert_int_equal(width, 8);
	if (m->fault == AMD_GONE)
		return ~(uint64_t)0;
	switch (offset) {
	case 0x18:
		return m->control;
	case 0x30:
		return m->efr;
	case 0x2018:
		return m->evt_tail;
	case 0x2020:
		return m->status;
	default:
		fail_msg("read at %#x", (unsigned int)offset);
		return 0;
	}
}

static void write_control(struct amd_model *m, uint64_t value)
{
	if (m->fault == AMD_ALWAYS_ON)
		value |= m->control & 1;
	m->control = value;
	if ((value & 0x1001) == 0x1001)
		m->status |= 16;
	else
		m->status &= ~(uint64_t)16;
	perform_all(m);
}

static void model_write(void *model, uint64_t offset, unsigned int width, uint64_t value)
{
	struct amd_model *m = model;

	assert_int_equal(width, 8);
	switch (offset) {
	case 0x00:
		assert_int_equal(m->control & 1, 0);
		m->devtab = value;
		break;
	case 0x08:
		assert_int_equal(m->control & 0x1000, 0);
		m->cmdbase = value;
		break;
	case 0x10:
		assert_int_equal(m->control & 4, 0);
		m->evtbase = value;
		break;
	case 0x18:
		write_control(m, value);
		break;
	case 0x2000:
		assert_int_equal(m->control & 0x1000, 0);
		m->cmd_head = value;
		break;
	case 0x2008:
		assert_true(value % 16 == 0 && value < 16 * entries(m->cmdbase));
		m->cmd_tail = value;
		m->kicks++;
		perform_all(m);
		break;
	case 0x2010:
		assert_true(value % 16 == 0 && value < 16 * entries(m->evtbase));
		m->evt_head = value;
		break;
	case 0x2018:
		assert_int_equal(m->control & 4, 0);
		m->evt_tail = value;
		break;
	case 0x2020:
		m->status &= ~(value & 7); /* 1 clears */
		break;
	default:
		fail_msg("write at %#x", (unsigned int)offset);
	}
}

void amd_model_init(struct amd_model *m, struct board *board)
{
	*m = (struct amd_model){ .board = board, .efr = 0x29d3 };
	board->read = model_read;
	board->write = model_write;
	board->model = m;
}

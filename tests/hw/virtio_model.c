/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model of a virtio IOMMU: see virtio_model.h. Offsets are written out here on purpose: the driver's header is what
 * is tested.
 */
#include "virtio_model.h"

#include <string.h>

/* In the BAR: common configuration, device configuration, notifications with a multiplier of 4. */
#define COMMON 0x0000u
#define DEVICE 0x2000u
#define NOTIFY 0x3000u

static uint16_t get16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t get32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void put(void *p, uint64_t v, size_t n)
{
	memcpy(p, &v, n); /* little-endian, as the device is */
}

/* --- requests */

static struct model_endpoint *endpoint_of(struct virtio_model *m, uint32_t id)
{
	for (unsigned int i = 0; i < MODEL_ENDPOINTS; i++)
		if (m->endpoints[i].id == id)
			return &m->endpoints[i];
	return NULL;
}

static bool domain_exists(const struct virtio_model *m, uint32_t domain)
{
	for (unsigned int i = 0; i < MODEL_ENDPOINTS; i++)
		if (m->endpoints[i].attached && m->endpoints[i].domain == domain)
			return true;
	return false;
}

/** A domain is made by its first ATTACH and lives as long as an endpoint is in it (5.13.6.3.2). */
static void forget_domain(struct virtio_model *m, uint32_t domain)
{
	unsigned int kept = 0;

	if (domain_exists(m, domain))
		return;
	for (unsigned int i = 0; i < m->n_mappings; i++)
		if (m->mappings[i].domain != domain)
			m->mappings[kept++] = m->mappings[i];
	m->n_mappings = kept;
}

static uint8_t do_attach(struct virtio_model *m, const unsigned char *p)
{
	struct model_endpoint *e = endpoint_of(m, get32(p + 8));
	uint32_t old;

	if (!e)
		return 6;
	if (get32(p + 12) & ~1u || get32(p + 16))
		return 4;
	old = e->domain;
	e->domain = get32(p + 4);
	if (e->attached && old != e->domain)
		forget_domain(m, old);
	e->attached = true;
	return 0;
}

static uint8_t do_detach(struct virtio_model *m, const unsigned char *p)
{
	struct model_endpoint *e = endpoint_of(m, get32(p + 8));

	if (!e)
		return 6;
	if (get32(p + 12) || get32(p + 16))
		return 4;
	if (!e->attached || e->domain != get32(p + 4))
		return 4;
	e->attached = false;
	forget_domain(m, e->domain);
	return 0;
}

static uint8_t do_map(struct virtio_model *m, const unsigned char *p)
{
	struct model_mapping new = { get32(p + 4), get64(p + 8), get64(p + 16), get64(p + 24),
				     get32(p + 32) };

	if (m->refuse && !m->refuse_after--)
		return m->refuse;
	if (!domain_exists(m, new.domain))
		return 6;
	if (new.flags & ~7u || !(new.flags & 3) || (new.flags & 4 && !(m->accepted & 0x20)))
		return 4;
	if (new.last < new.first || (new.first | (new.last + 1) | new.phys) & 0xfff)
		return 5;
	for (unsigned int i = 0; i < m->n_mappings; i++)
		if (m->mappings[i].domain == new.domain && m->mappings[i].first <= new.last &&
		    m->mappings[i].last >= new.first)
			return 4;
	if (m->n_mappings == MODEL_MAPPINGS)
		return 8;
	m->mappings[m->n_mappings++] = new;
	return 0;
}

static uint8_t do_unmap(struct virtio_model *m, const unsigned char *p)
{
	uint32_t domain = get32(p + 4);
	uint64_t first = get64(p + 8);
	uint64_t last = get64(p + 16);
	unsigned int kept = 0;

	if (!domain_exists(m, domain))
		return 6;
	if (last < first || (first | (last + 1)) & 0xfff || get32(p + 24))
		return 5;
	for (unsigned int i = 0; i < m->n_mappings; i++) {
		const struct model_mapping *x = &m->mappings[i];

		if (x->domain == domain && x->first <= last && x->last >= first &&
		    (x->first < first || x->last > last))
			return 5;
	}
	for (unsigned int i = 0; i < m->n_mappings; i++) {
		const struct model_mapping *x = &m->mappings[i];

		if (x->domain != domain || x->first > last || x->last < first)
			m->mappings[kept++] = *x;
	}
	m->n_mappings = kept;
	return 0;
}

static uint8_t perform(struct virtio_model *m, const unsigned char *p, uint32_t size,
		       unsigned char *in)
{
	static const uint32_t sizes[] = { 0, 20, 20, 36, 28, 72 };
	uint8_t type = p[0];

	if (type < 1 || type > 5)
		return 2;
	assert_int_equal(size, sizes[type]);
	assert_int_equal(p[1] | p[2] | p[3], 0);
	memcpy(m->last[type], p, size);
	m->count[type]++;
	switch (type) {
	case 1:
		return do_attach(m, p);
	case 2:
		return do_detach(m, p);
	case 3:
		return do_map(m, p);
	case 4:
		return do_unmap(m, p);
	default:
		if (!endpoint_of(m, get32(p + 4)))
			return 6;
		memcpy(in, endpoint_of(m, get32(p + 4))->properties, 256);
		return 0;
	}
}

/* --- queues */

struct chain {
	uint16_t head;
	unsigned char *out;
	uint32_t out_len;
	unsigned char *in;
	uint32_t in_len;
};

/** The next chain that the driver offers: at most one part to read and one to write. */
static bool next_chain(struct virtio_model *m, struct model_queue *q, struct chain *c)
{
	unsigned char *avail = board_ptr(m->board, q->driver, 6 + 2u * q->size);
	uint16_t at;

	*c = (struct chain){ 0 };
	if (get16(avail + 2) == q->seen)
		return false;
	at = get16(avail + 4 + 2 * (q->seen++ % q->size));
	c->head = at;
	for (;;) {
		unsigned char *d;
		uint16_t flags;

		assert_true(at < q->size);
		d = board_ptr(m->board, q->desc + 16u * at, 16);
		flags = get16(d + 12);
		if (flags & 2) {
			c->in_len = get32(d + 8);
			c->in = board_ptr(m->board, get64(d), c->in_len);
		} else {
			assert_null(c->in); /* read parts come first (2.7.4.2) */
			c->out_len = get32(d + 8);
			c->out = board_ptr(m->board, get64(d), c->out_len);
		}
		if (!(flags & 1))
			return true;
		at = get16(d + 14);
	}
}

static void complete(struct virtio_model *m, struct model_queue *q, uint32_t id, uint32_t len)
{
	unsigned char *used = board_ptr(m->board, q->device, 6 + 8u * q->size);

	put(used + 4 + 8 * (q->used % q->size), id, 4);
	put(used + 8 + 8 * (q->used % q->size), len, 4);
	q->used = (uint16_t)(q->used + (m->fault == MODEL_BAD_INDEX ? 100 : 1));
	put(used + 2, q->used, 2);
}

/** Which descriptor a completed request is said to have begun with. */
static uint32_t named(const struct virtio_model *m, uint16_t head)
{
	if (m->fault == MODEL_BAD_ID)
		return 0xffff0000u;
	return m->fault == MODEL_OTHER_ID ? head + 1u : head;
}

static void serve(struct virtio_model *m)
{
	struct model_queue *q = &m->queues[0];
	struct chain c;

	while (m->fault != MODEL_SILENT && next_chain(m, q, &c)) {
		if (!c.out || !c.in) {
			fail_msg("a request without one of its parts");
			return;
		}
		if (m->fault == MODEL_NO_STATUS) {
			complete(m, q, c.head, 0);
			continue;
		}
		c.in[c.in_len - 4] = perform(m, c.out, c.out_len, c.in);
		complete(m, q, named(m, c.head), c.in_len);
	}
}

bool virtio_model_event(struct virtio_model *m, uint8_t reason, uint32_t flags, uint32_t endpoint,
			uint64_t address)
{
	struct model_queue *q = &m->queues[1];
	struct chain c;

	if (!next_chain(m, q, &c))
		return false;
	if (c.out || !c.in || c.in_len < 24) {
		fail_msg("no buffer for an event");
		return false;
	}
	memset(c.in, 0, 24);
	c.in[0] = reason;
	put(c.in + 4, flags, 4);
	put(c.in + 8, endpoint, 4);
	put(c.in + 16, address, 8);
	complete(m, q, m->fault == MODEL_BAD_ID ? 0x8000u : c.head,
		 m->fault == MODEL_SHORT_EVENT ? 0 : 24);
	return true;
}

/* --- registers */

static void reset(struct virtio_model *m)
{
	m->resets++;
	m->status = m->fault == MODEL_NO_RESET ? 0x0f : 0;
	m->accepted = 0;
	memset(m->queues, 0, sizeof(m->queues));
	m->queues[0].size = m->queues[1].size = m->queue_max;
	for (unsigned int i = 0; i < MODEL_ENDPOINTS; i++)
		m->endpoints[i].attached = false;
	m->n_mappings = 0;
}

/* Offset and width of an access in one number. */
#define AT(offset, width) ((offset) << 4 | (width))

static uint64_t read_common(struct virtio_model *m, uint64_t offset, unsigned int width)
{
	struct model_queue *q = &m->queues[m->queue_select & 1];

	switch (AT(offset, width)) {
	case AT(0x04, 4):
		return (uint32_t)(m->features >> (m->feature_select[0] & 1) * 32);
	case AT(0x12, 2):
		return 2;
	case AT(0x14, 1):
		return m->status;
	case AT(0x15, 1):
		return m->fault == MODEL_NEW_GENERATION ? m->generation++ : m->generation;
	case AT(0x18, 2):
		return q->size;
	case AT(0x1e, 2):
		return m->queue_select;
	default:
		fail_msg("read of %u bytes at %#x", width, (unsigned int)offset);
		return 0;
	}
}

static void set_status(struct virtio_model *m, uint8_t status)
{
	if (!status) {
		reset(m);
		return;
	}
	assert_int_equal(m->status & ~status, 0); /* bits are never cleared (2.1.1) */
	if ((status & 8) && m->fault == MODEL_NO_FEATURES)
		status &= (uint8_t)~8u;
	if (status & 4)
		assert_true(m->queues[0].enabled && m->queues[1].enabled);
	m->status = status;
}

static void set_half(uint64_t *word, uint64_t offset, uint64_t value)
{
	unsigned int shift = offset & 4 ? 32 : 0;

	*word = (*word & ~((uint64_t)0xffffffff << shift)) | value << shift;
}

static void write_common(struct virtio_model *m, uint64_t offset, unsigned int width,
			 uint64_t value)
{
	struct model_queue *q = &m->queues[m->queue_select & 1];

	switch (AT(offset, width)) {
	case AT(0x00, 4):
		m->feature_select[0] = (uint32_t)value;
		break;
	case AT(0x08, 4):
		m->feature_select[1] = (uint32_t)value;
		break;
	case AT(0x0c, 4):
		set_half(&m->accepted, m->feature_select[1] & 1 ? 4 : 0, value);
		assert_int_equal(m->accepted & ~m->features, 0);
		break;
	case AT(0x14, 1):
		set_status(m, (uint8_t)value);
		break;
	case AT(0x16, 2):
		assert_true(value < 2);
		m->queue_select = (uint16_t)value;
		break;
	case AT(0x18, 2):
		assert_true(value && value <= m->queue_max);
		q->size = (uint16_t)value;
		break;
	case AT(0x1a, 2):
		assert_int_equal(value, 0xffff);
		break;
	case AT(0x1c, 2):
		assert_int_equal(value, 1);
		q->enabled = 1;
		break;
	case AT(0x20, 4):
	case AT(0x24, 4):
		set_half(&q->desc, offset, value);
		break;
	case AT(0x28, 4):
	case AT(0x2c, 4):
		set_half(&q->driver, offset, value);
		break;
	case AT(0x30, 4):
	case AT(0x34, 4):
		set_half(&q->device, offset, value);
		break;
	default:
		fail_msg("write of %u bytes at %#x", width, (unsigned int)offset);
	}
}

static uint64_t model_read(void *model, uint64_t offset, unsigned int width)
{
	struct virtio_model *m = model;
	uint64_t value = 0;

	if (offset < DEVICE)
		return read_common(m, offset - COMMON, width);
	assert_true(offset - DEVICE + width <= sizeof(m->device));
	memcpy(&value, m->device + (offset - DEVICE), width);
	return value;
}

static void model_write(void *model, uint64_t offset, unsigned int width, uint64_t value)
{
	struct virtio_model *m = model;

	if (offset < DEVICE) {
		write_common(m, offset - COMMON, width, value);
	} else if (offset < NOTIFY) {
		assert_int_equal(offset - DEVICE, 36);
		assert_int_equal(width, 1);
		assert_true(m->accepted & 0x40);
		m->device[36] = (unsigned char)value;
	} else {
		assert_int_equal(width, 2);
		assert_true(value < 2);
		assert_int_equal(offset - NOTIFY, value * 4);
		assert_true(m->status & 4); /* not before DRIVER_OK (3.1.1) */
		m->notified[value]++;
		if (!value)
			serve(m);
	}
}

static uint32_t config_read(void *arg, unsigned int offset)
{
	struct virtio_model *m = arg;

	assert_true(offset < 256 && offset % 4 == 0);
	return m->config[offset / 4];
}

static void config_write(void *arg, unsigned int offset, uint32_t value)
{
	struct virtio_model *m = arg;

	assert_int_equal(offset, 4);
	assert_int_equal(value >> 16, 0); /* a 1 in the status clears it */
	m->config[1] = (m->config[1] & 0xffff0000u) | value;
}

static void put_cap(struct virtio_model *m, unsigned int at, unsigned int next, unsigned int type,
		    uint32_t offset, uint32_t length)
{
	m->config[at / 4] = 0x09u | next << 8 | (type == 2 ? 20u : 16u) << 16 | type << 24;
	m->config[at / 4 + 1] = 4;
	m->config[at / 4 + 2] = offset;
	m->config[at / 4 + 3] = length;
	if (type == 2)
		m->config[at / 4 + 4] = 4;
}

void virtio_model_init(struct virtio_model *m, struct board *board)
{
	/* RESV_MEM, 20 bytes: MSI, 0xfee00000 to 0xfeefffff */
	static const unsigned char msi[] = { 1, 0, 20, 0, 1,	0,    0,    0,	  0, 0, 0xe0, 0xfe,
					     0, 0, 0,  0, 0xff, 0xff, 0xef, 0xfe, 0, 0, 0,    0 };

	*m = (struct virtio_model){ .board = board, .features = 0x10130000077u, .queue_max = 256 };
	board->read = model_read;
	board->write = model_write;
	board->model = m;
	m->config[0] = 0x10571af4u;
	m->config[1] = 0x00100000u;
	m->config[0x34 / 4] = 0x98;
	m->config[0x98 / 4] = 0x11u | 0x84u << 8; /* MSI-X */
	put_cap(m, 0x84, 0x70, 5, 0, 0);	  /* configuration access: no window */
	put_cap(m, 0x70, 0x60, 2, NOTIFY, 0x1000);
	put_cap(m, 0x60, 0x50, 4, DEVICE, 0x1000);
	put_cap(m, 0x50, 0x40, 3, 0x1000, 0x1000); /* interrupt status */
	put_cap(m, 0x40, 0, 1, COMMON, 0x1000);
	put(m->device, 0xfffffffffffff000u, 8);
	put(m->device + 16, ~(uint64_t)0, 8);
	put(m->device + 28, 0xffffffffu, 4);
	put(m->device + 32, 512, 4);
	m->device[36] = 1;
	m->endpoints[0].id = 8;
	m->endpoints[1].id = 16;
	m->endpoints[2].id = 24;
	m->endpoints[3].id = 0xffffffffu;
	for (unsigned int i = 0; i < MODEL_ENDPOINTS; i++)
		memcpy(m->endpoints[i].properties, msi, sizeof(msi));
	m->queues[0].size = m->queues[1].size = m->queue_max;
}

struct dma_pci_function virtio_model_function(struct virtio_model *m)
{
	struct dma_pci_function f = { .read32 = config_read, .write32 = config_write, .arg = m };

	f.bars[4].phys = BOARD_MMIO;
	f.bars[4].size = 0x4000;
	return f;
}

bool virtio_model_translate(const struct virtio_model *m, uint32_t endpoint, uint64_t iova,
			    bool write, uint64_t *phys)
{
	const struct model_endpoint *e = NULL;

	for (unsigned int i = 0; i < MODEL_ENDPOINTS; i++)
		if (m->endpoints[i].id == endpoint)
			e = &m->endpoints[i];
	*phys = iova;
	if (!e || !e->attached)
		return m->device[36];
	for (unsigned int i = 0; i < m->n_mappings; i++) {
		const struct model_mapping *x = &m->mappings[i];

		if (x->domain != e->domain || iova < x->first || iova > x->last)
			continue;
		*phys = x->phys + (iova - x->first);
		return x->flags & (write ? 2u : 1u);
	}
	return false;
}

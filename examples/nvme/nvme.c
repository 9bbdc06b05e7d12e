/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The NVMe driver: queues, one command, and the way from vectors to descriptors. nvme.h tells what it is for.
 *
 * Read nvme_start() first, then command(), then describe(): there is not much more to it.
 */
#include "nvme.h"
#include "regs.h"

#include <string.h>

#define PAGE 4096u

/* --- registers */

static uint32_t read32(struct nvme *n, unsigned int reg)
{
	return n->host->read32(n->host, n->regs + reg);
}

static uint64_t read64(struct nvme *n, unsigned int reg)
{
	return n->host->read64(n->host, n->regs + reg);
}

static void write32(struct nvme *n, unsigned int reg, uint32_t value)
{
	n->host->write32(n->host, n->regs + reg, value);
}

static void write64(struct nvme *n, unsigned int reg, uint64_t value)
{
	n->host->write64(n->host, n->regs + reg, value);
}

static bool late(struct nvme *n, uint64_t start)
{
	return n->host->time_ns(n->host) - start > n->timeout_ns;
}

/** Wait until CSTS.RDY is @ready. */
static int wait_ready(struct nvme *n, uint32_t ready)
{
	uint64_t start = n->host->time_ns(n->host);

	for (;;) {
		uint32_t status = read32(n, NVME_CSTS);

		if (status == ~0u || (status & NVME_CSTS_FATAL))
			return -DMAMAP_EIO;
		if ((status & NVME_CSTS_READY) == ready)
			return 0;
		if (late(n, start))
			return -DMAMAP_ETIMEDOUT;
	}
}

/* --- queues: memory that both sides use all the time is coherent memory */

static int make_queue(struct nvme *n, struct nvme_queue *q, unsigned int id)
{
	*q = (struct nvme_queue){ .id = id, .phase = 1 };
	q->commands = dma_alloc_coherent(n->dev, PAGE, &q->commands_dma, GFP_KERNEL);
	q->completions = dma_alloc_coherent(n->dev, PAGE, &q->completions_dma, GFP_KERNEL);
	return q->commands && q->completions ? 0 : -DMAMAP_ENOMEM;
}

static void free_coherent(struct nvme *n, void **memory, dma_addr_t dma)
{
	if (*memory)
		dma_free_coherent(n->dev, PAGE, *memory, dma);
	*memory = NULL;
}

static void free_queue(struct nvme *n, struct nvme_queue *q)
{
	free_coherent(n, &q->commands, q->commands_dma);
	free_coherent(n, &q->completions, q->completions_dma);
}

static void ring(struct nvme *n, const struct nvme_queue *q, bool completion, uint32_t value)
{
	write32(n, NVME_DOORBELLS + (2 * q->id + completion) * n->doorbell_stride, value);
}

/** The completion of the next command, which the controller marks with the phase bit when all of it is there. */
static int wait_completion(struct nvme *n, struct nvme_queue *q, uint16_t id)
{
	struct nvme_completion *c = (struct nvme_completion *)q->completions + q->head;
	uint64_t start = n->host->time_ns(n->host);
	uint16_t status;

	do {
		status = __atomic_load_n(&c->status, __ATOMIC_ACQUIRE);
		if ((status & 1) != q->phase && late(n, start))
			return -DMAMAP_ETIMEDOUT;
	} while ((status & 1) != q->phase);
	n->status = status >> 1;
	if (c->id != id)
		return -DMAMAP_EIO; /* the controller answers what nobody asked */
	q->head = (q->head + 1) % NVME_ENTRIES;
	q->phase ^= !q->head;
	ring(n, q, true, q->head);
	return n->status ? -DMAMAP_EIO : 0;
}

/** Submit one command and wait for it. The entry must be in memory before the doorbell tells of it. */
static int command(struct nvme *n, struct nvme_queue *q, struct nvme_command *cmd)
{
	cmd->id = n->next_id++;
	memcpy((struct nvme_command *)q->commands + q->tail, cmd, sizeof(*cmd));
	q->tail = (q->tail + 1) % NVME_ENTRIES;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ring(n, q, false, q->tail);
	return wait_completion(n, q, cmd->id);
}

/* --- start and stop */

static int identify(struct nvme *n, uint32_t what, uint32_t nsid)
{
	struct nvme_command cmd = { .opcode = NVME_IDENTIFY, .nsid = nsid, .dw10 = what };

	memset(n->page, 0, PAGE);
	cmd.prp[0] = n->page_dma;
	return command(n, &n->admin, &cmd);
}

/** Text fields are padded with blanks, not terminated. */
static void copy_text(char *to, const uint8_t *from, size_t size)
{
	memcpy(to, from, size);
	while (size && to[size - 1] == ' ')
		size--;
	to[size] = '\0';
}

static int identify_controller(struct nvme *n)
{
	const uint8_t *data = n->page;
	int err = identify(n, NVME_IDENTIFY_CONTROLLER, 0);

	if (err)
		return err;
	copy_text(n->serial, data + 4, 20);
	copy_text(n->model, data + 24, 40);
	n->sgl = data[536] & 3; /* SGLS: supported */
	return 0;
}

static int identify_namespace(struct nvme *n)
{
	const uint8_t *data = n->page;
	int err = identify(n, NVME_IDENTIFY_NAMESPACE, 1);
	unsigned int shift;

	if (err)
		return err;
	memcpy(&n->blocks, data, sizeof(n->blocks));
	shift = data[128 + 4 * (data[26] & 0xf) +
		     2]; /* LBA format in use: log2 of the block size */
	if (shift < 9 || shift > 12)
		return -DMAMAP_EIO;
	n->block_size = 1u << shift;
	return 0;
}

/** The I/O queues: first the one that completions go to. */
static int create_io_queues(struct nvme *n)
{
	struct nvme_command cq = { .opcode = NVME_CREATE_CQ, .dw11 = 1 /* contiguous */ };
	struct nvme_command sq = { .opcode = NVME_CREATE_SQ, .dw11 = 1u << 16 /* CQ */ | 1 };
	int err = make_queue(n, &n->io, 1);

	cq.dw10 = sq.dw10 = (NVME_ENTRIES - 1) << 16 | n->io.id;
	cq.prp[0] = n->io.completions_dma;
	sq.prp[0] = n->io.commands_dma;
	if (!err)
		err = command(n, &n->admin, &cq);
	return err ? err : command(n, &n->admin, &sq);
}

static int enable(struct nvme *n)
{
	uint64_t cap = read64(n, NVME_CAP);
	int err;

	if (cap == ~(uint64_t)0)
		return -DMAMAP_EIO; /* nobody is there */
	n->doorbell_stride = 4u << NVME_CAP_STRIDE(cap);
	n->timeout_ns = (NVME_CAP_TIMEOUT(cap) + 1) * 500000000;
	write32(n, NVME_CC, 0);
	err = wait_ready(n, 0);
	if (err)
		return err;
	write32(n, NVME_AQA, (NVME_ENTRIES - 1) << 16 | (NVME_ENTRIES - 1));
	write64(n, NVME_ASQ, n->admin.commands_dma);
	write64(n, NVME_ACQ, n->admin.completions_dma);
	write32(n, NVME_CC, NVME_CC_ENABLE | NVME_CC_ENTRY_SIZES);
	return wait_ready(n, NVME_CSTS_READY);
}

/** Disable it, whatever state it is in. False: it does not stop, and may go on touching memory. */
static bool stop(struct nvme *n)
{
	uint64_t start = n->host->time_ns(n->host);
	uint32_t status;

	write32(n, NVME_CC, 0);
	do {
		status = read32(n, NVME_CSTS);
		if (status == ~0u || !(status & NVME_CSTS_READY)) /* gone, or off */
			return true;
	} while (!late(n, start));
	return false;
}

/** Memory is given back when the controller does not touch it any more; if it does not stop, never. */
static void release(struct nvme *n)
{
	dma_device_set_parms(n->dev, NULL);
	if (!stop(n))
		return;
	free_queue(n, &n->io);
	free_queue(n, &n->admin);
	free_coherent(n, &n->page, n->page_dma);
}

int nvme_start(struct nvme *nvme, struct dma_device *dev, phys_addr_t regs)
{
	int err;

	*nvme = (struct nvme){ .dev = dev, .host = dma_device_host(dev), .regs = regs };
	nvme->timeout_ns = 500000000; /* until the controller says how long it may take */
	/* Descriptors that end where a page ends are what a page list needs. */
	nvme->parms.segment_boundary_mask = PAGE - 1;
	dma_device_set_parms(dev, &nvme->parms);
	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (err)
		return err;
	nvme->page = dma_alloc_coherent(dev, PAGE, &nvme->page_dma, GFP_KERNEL);
	err = nvme->page ? make_queue(nvme, &nvme->admin, 0) : -DMAMAP_ENOMEM;
	if (!err)
		err = enable(nvme);
	if (!err)
		err = identify_controller(nvme);
	if (!err)
		err = identify_namespace(nvme);
	if (!err)
		err = create_io_queues(nvme);
	if (err)
		release(nvme);
	return err;
}

void nvme_stop(struct nvme *nvme)
{
	uint64_t start = nvme->host->time_ns(nvme->host);

	write32(nvme, NVME_CC, NVME_CC_ENABLE | NVME_CC_ENTRY_SIZES | NVME_CC_SHUTDOWN);
	while (NVME_CSTS_SHUTDOWN(read32(nvme, NVME_CSTS)) != 2 && !late(nvme, start))
		;
	release(nvme);
}

/* --- from vectors to descriptors */

/** Everything that one command needs to know of its data. */
struct pieces {
	struct dma_vec_seg seg[NVME_DESCRIPTORS];
	unsigned int count;
};

/**
 * A page list says only where pages are: every piece but the first must begin with a page, every one but the last must
 * end with one.
 */
static bool fits_prp(const struct pieces *p)
{
	for (unsigned int i = 0; i < p->count; i++) {
		if (i && p->seg[i].addr % PAGE)
			return false;
		if (i + 1 < p->count && (p->seg[i].addr + p->seg[i].len) % PAGE)
			return false;
	}
	return true;
}

/** One page: in the command. Two: too. More: a list of all but the first. */
static void describe_prp(struct nvme *n, const struct pieces *p, struct nvme_command *cmd)
{
	uint64_t *list = n->page;

	cmd->prp[0] = p->seg[0].addr;
	if (p->count == 2)
		cmd->prp[1] = p->seg[1].addr;
	if (p->count <= 2)
		return;
	for (unsigned int i = 1; i < p->count; i++)
		list[i - 1] = p->seg[i].addr;
	cmd->prp[1] = n->page_dma;
}

static void describe_sgl(struct nvme *n, const struct pieces *p, struct nvme_command *cmd)
{
	struct nvme_sgl *list = n->page;

	cmd->flags |= NVME_FLAGS_SGL;
	for (unsigned int i = 0; i < p->count; i++)
		list[i] = (struct nvme_sgl){ .addr = p->seg[i].addr,
					     .len = (uint32_t)p->seg[i].len,
					     .type = NVME_SGL_DATA };
	cmd->sgl = p->count == 1 ? list[0]
				 : (struct nvme_sgl){ .addr = n->page_dma,
						      .len = p->count * (uint32_t)sizeof(*list),
						      .type = NVME_SGL_LAST_SEGMENT };
}

static int describe(struct nvme *n, struct dma_vec_map *map, struct nvme_command *cmd)
{
	struct pieces p = { .count = 0 };
	struct dma_vec_seg seg;
	int got;

	while ((got = dma_vec_map_next(map, &seg)) > 0) {
		if (p.count == NVME_DESCRIPTORS)
			return -DMAMAP_EINVAL;
		p.seg[p.count++] = seg;
	}
	if (got)
		return got;
	n->used_prp = fits_prp(&p);
	if (!n->used_prp && !n->sgl)
		return -DMAMAP_EINVAL;
	if (n->used_prp)
		describe_prp(n, &p, cmd);
	else
		describe_sgl(n, &p, cmd);
	return 0;
}

/* --- reading and writing */

static int transfer(struct nvme *n, uint8_t opcode, uint64_t block, struct dma_phys_vec *vecs,
		    size_t count)
{
	struct nvme_command cmd = { .opcode = opcode, .nsid = 1 };
	enum dma_data_direction dir = opcode == NVME_READ ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct dma_vec_map map;
	int err = dma_vec_map_start(n->dev, &map, vecs, count, dir, 0);

	if (err)
		return err;
	if (!map.bytes || map.bytes % n->block_size || map.bytes / n->block_size > 65536)
		err = -DMAMAP_EINVAL;
	if (!err)
		err = describe(n, &map, &cmd);
	if (!err) {
		cmd.dw10 = (uint32_t)block;
		cmd.dw11 = (uint32_t)(block >> 32);
		cmd.dw12 = (uint32_t)(map.bytes / n->block_size - 1);
		err = command(n, &n->io, &cmd);
	}
	/* What the controller has not written must not be taken for data. */
	dma_vec_unmap(&map, err ? DMA_ATTR_SKIP_CPU_SYNC : 0);
	return err;
}

int nvme_read(struct nvme *nvme, uint64_t block, struct dma_phys_vec *vecs, size_t n)
{
	return transfer(nvme, NVME_READ, block, vecs, n);
}

int nvme_write(struct nvme *nvme, uint64_t block, struct dma_phys_vec *vecs, size_t n)
{
	return transfer(nvme, NVME_WRITE, block, vecs, n);
}

/* --- the controller memory buffer */

/**
 * What the two registers say, put to the test: a controller that lies must not have its peers sent to memory that is not
 * its own.
 */
static bool locate_cmb(const struct nvme_bar bars[6], uint32_t where, uint32_t size,
		       struct nvme_cmb *cmb)
{
	unsigned int scale = size >> 8 & 0xf;
	uint64_t unit = (uint64_t)PAGE << 4 * (scale & 7);
	uint64_t offset = (where >> 12) * unit;
	const struct nvme_bar *bar = &bars[where & 7];

	if ((size & NVME_CMBSZ_DATA) != NVME_CMBSZ_DATA || (where & 7) > 5 || scale > 6)
		return false;
	cmb->size = (size >> 12) * unit;
	cmb->phys = bar->phys + offset;
	return cmb->size && cmb->size <= bar->size && offset <= bar->size - cmb->size;
}

int nvme_enable_cmb(struct nvme *nvme, const struct nvme_bar bars[6], dma_addr_t bus,
		    struct nvme_cmb *cmb)
{

	if (!(read64(nvme, NVME_CAP) & NVME_CAP_CMB))
		return -DMAMAP_ENODEV;
	/* Its registers read as 0 until they are switched on. */
	write32(nvme, NVME_CMBMSC, NVME_CMBMSC_REGISTERS);
	if (!locate_cmb(bars, read32(nvme, NVME_CMBLOC), read32(nvme, NVME_CMBSZ), cmb))
		return -DMAMAP_ENODEV;
	cmb->bus = bus;
	/* In halves, the enable bit last: not every controller takes the upper one with it. */
	write32(nvme, NVME_CMBMSC + 4, (uint32_t)(bus >> 32));
	write32(nvme, NVME_CMBMSC, (uint32_t)bus | NVME_CMBMSC_ENABLE | NVME_CMBMSC_REGISTERS);
	return 0;
}

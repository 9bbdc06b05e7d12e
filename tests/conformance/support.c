/* SPDX-License-Identifier: BSD-2-Clause */
#include "cases.h"

#define CHUNK 65536u

/* --- memory */

unsigned char ram_byte(uint64_t i, unsigned char salt)
{
	return (unsigned char)((i * 31 + i / 251 + salt * 7u) % 255 + 1);
}

static void make_bytes(unsigned char *buf, uint64_t at, size_t len, unsigned char salt)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = ram_byte(at + i, salt);
}

static void compare(const unsigned char *buf, uint64_t at, size_t len, unsigned char salt)
{
	for (size_t i = 0; i < len; i++)
		if (buf[i] != ram_byte(at + i, salt))
			fail_msg("byte %llu is %#x, not %#x", (unsigned long long)(at + i), buf[i],
				 ram_byte(at + i, salt));
}

void ram_put(struct target *t, phys_addr_t phys, uint64_t at, uint64_t len, unsigned char salt)
{
	unsigned char *buf = malloc(CHUNK);

	assert_non_null(buf);
	for (uint64_t done = 0; done < len; done += CHUNK) {
		size_t n = len - done < CHUNK ? (size_t)(len - done) : CHUNK;

		make_bytes(buf, at + done, n, salt);
		t->kind->cpu_write(t, phys + done, buf, n);
	}
	free(buf);
}

void ram_fill(struct target *t, phys_addr_t phys, uint64_t size, unsigned char salt)
{
	ram_put(t, phys, 0, size, salt);
}

phys_addr_t ram_make(struct target *t, uint64_t size, unsigned char salt)
{
	uint64_t align = size >= 2u << 20 ? 2u << 20 : PAGE;
	phys_addr_t phys = t->kind->alloc(t, size, align);

	assert_true(phys != DMAMAP_PHYS_NONE);
	ram_fill(t, phys, size, salt);
	return phys;
}

void ram_free(struct target *t, phys_addr_t phys, uint64_t size)
{
	t->kind->free(t, phys, size);
}

void ram_check(struct target *t, phys_addr_t phys, uint64_t at, uint64_t len, unsigned char salt)
{
	unsigned char *buf = malloc(len + 1);

	assert_non_null(buf);
	t->kind->cpu_read(t, phys, buf, len);
	compare(buf, at, len, salt);
	free(buf);
}

void ram_expect(struct target *t, phys_addr_t phys, uint64_t at, uint64_t len, unsigned char salt)
{
	ram_check(t, phys + at, at, len, salt);
}

/* --- the device */

void target_enter(struct target *t)
{
	if (t->kind->enter)
		t->kind->enter(t);
}

void target_leave(struct target *t)
{
	if (t->kind->leave)
		t->kind->leave(t);
}

void dev_expect(struct target *t, dma_addr_t addr, uint64_t at, uint64_t len, unsigned char salt)
{
	unsigned char *buf = malloc(len + 1);

	assert_non_null(buf);
	t->kind->dev_read(t, addr, buf, len);
	expect_no_fault(t);
	compare(buf, at, len, salt);
	free(buf);
}

void dev_fill(struct target *t, dma_addr_t addr, uint64_t at, uint64_t len, unsigned char salt)
{
	unsigned char *buf = malloc(len + 1);

	assert_non_null(buf);
	make_bytes(buf, at, len, salt);
	t->kind->dev_write(t, addr, buf, len);
	expect_no_fault(t);
	free(buf);
}

/* --- faults */

static void poll_faults(struct target *t)
{
	if (t->kind->poll)
		t->kind->poll(t);
}

void expect_no_fault(struct target *t)
{
	poll_faults(t);
	if (t->nr_faults)
		fail_msg("fault: %s at %#llx", dma_fault_reason_name(t->faults[0].reason),
			 (unsigned long long)t->faults[0].dma_addr);
}

void expect_fault(struct target *t, dma_addr_t addr, bool write)
{
	const struct dma_fault *f = &t->faults[0];

	poll_faults(t);
	if (t->kind->limits & SILENT) {
		assert_int_equal(t->nr_faults, 0);
		return;
	}
	assert_true(t->nr_faults > 0);
	t->nr_faults = 0;
	if (f->device != t->dma || f->dma_addr / PAGE != addr / PAGE ||
	    (f->access != (write ? DMA_FAULT_WRITE : DMA_FAULT_READ) &&
	     !(t->kind->limits & NO_ACCESS && f->reason == DMA_FAULT_REASON_NOT_PRESENT)))
		fail_msg("fault: %s at %#llx by %s, access %u; expected at %#llx",
			 dma_fault_reason_name(f->reason), (unsigned long long)f->dma_addr,
			 f->device ? "a device" : "nobody", f->access, (unsigned long long)addr);
}

void expect_no_read(struct target *t, dma_addr_t addr)
{
	static const unsigned char zeros[16];
	unsigned char buf[16];

	t->kind->dev_read(t, addr, buf, sizeof(buf));
	assert_memory_equal(buf, zeros, sizeof(buf));
	expect_fault(t, addr, false);
}

void try_write(struct target *t, dma_addr_t addr)
{
	static const unsigned char bytes[16] = "never to be seen";

	t->kind->dev_write(t, addr, bytes, sizeof(bytes));
	expect_fault(t, addr, true);
}

uint64_t next_random(struct target *t)
{
	uint64_t z = t->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults: reported by the machine, seen by the domain's handler and by observers, in the words of both dialects. */
#include "world.h"

/** What was seen, in the order of time. */
struct seen {
	struct dma_observer observer;
	struct dma_fault fault;
	struct dma_domain *domain;
	const void *arg;
	struct text text;
	struct text linux_text;
	unsigned int handled;
	unsigned int events;
	/** Handler calls when the event came. */
	unsigned int handled_before;
	bool kernel_silent;
	int answer;
};

static void observe(struct dma_observer *observer, const struct dma_event *event)
{
	struct seen *s = (struct seen *)(void *)observer;

	if (event->type != DMA_EVENT_IOMMU_FAULT)
		return;
	s->events++;
	s->handled_before = s->handled;
	s->fault = *event->fault;
	s->kernel_silent = event->kernel_silent;
	s->text.len = 0;
	s->linux_text.len = 0;
	dma_event_format(event, DMA_DIALECT_DMAMAP, put_text, &s->text);
	if (!dma_event_format(event, DMA_DIALECT_LINUX, put_text, &s->linux_text))
		s->linux_text.s[0] = '\0';
}

static int handle(struct dma_domain *domain, const struct dma_fault *fault, void *arg)
{
	struct seen *s = arg;

	assert_ptr_equal(fault->domain, domain);
	s->domain = domain;
	s->handled++;
	return s->answer;
}

/** Device, address, access, reason and time arrive; the handler is called first. */
static void fault_is_reported(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct seen s = { .observer.event = observe };
	dma_addr_t addr = world_map(w, w->ram, PAGE, DMA_TO_DEVICE);
	char text[MAX_TEXT];

	(void)state;
	assert_int_equal(dma_observer_attach(w->host, &s.observer), 0);
	dma_domain_set_fault_handler(w->domain, handle, &s);
	sim_set_time(w->m, 5000);
	expect_access(w->device, addr + 16, 8, true, SIM_FAULT_WRITE_DENIED);
	assert_int_equal(s.events, 1);
	assert_int_equal(s.handled_before, 1);
	assert_ptr_equal(s.domain, w->domain);
	assert_ptr_equal(s.fault.device, w->dev);
	assert_ptr_equal(s.fault.domain, w->domain);
	assert_true(s.fault.dma_addr == addr + 16);
	assert_int_equal(s.fault.access, DMA_FAULT_WRITE);
	assert_int_equal(s.fault.reason, DMA_FAULT_REASON_WRITE_DENIED);
	assert_int_equal(s.fault.code, SIM_FAULT_WRITE_DENIED);
	assert_int_equal(s.fault.time_ns, 5000);
	snprintf(text, sizeof(text), "io_page_fault: IOMMU:dmamap nvme0 iova=0x%016llx flags=0x1",
		 (unsigned long long)addr + 16);
	assert_string_equal(s.linux_text.s, text);
	snprintf(text, sizeof(text),
		 "io_page_fault: IOMMU:dmamap nvme0 iova=0x%016llx flags=0x1 reason=write-denied",
		 (unsigned long long)addr + 16);
	assert_string_equal(s.text.s, text);
	dma_unmap_phys(w->dev, addr, PAGE, DMA_TO_DEVICE, 0);
	expect_access(w->device, addr, 8, false, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(s.fault.access, DMA_FAULT_READ);
	assert_int_equal(s.fault.reason, DMA_FAULT_REASON_NOT_PRESENT);
	assert_int_equal(s.handled, 2);
	assert_int_equal(dma_observer_detach(w->host, &s.observer), 0);
	world_end(w);
}

/** What succeeds is no fault; the bytes before a fault are not part of it. */
static void first_refused_byte(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct seen s = { .observer.event = observe };
	dma_addr_t addr = world_map(w, w->ram, 3 * PAGE, DMA_FROM_DEVICE);

	(void)state;
	assert_int_equal(dma_observer_attach(w->host, &s.observer), 0);
	expect_access(w->device, addr, 3 * PAGE, true, SIM_FAULT_NONE);
	assert_int_equal(s.events, 0);
	expect_access(w->device, addr, 3 * PAGE + 1, true, SIM_FAULT_NOT_PRESENT);
	assert_int_equal(s.events, 1);
	assert_true(s.fault.dma_addr == addr + 3 * PAGE);
	assert_int_equal(dma_observer_detach(w->host, &s.observer), 0);
	dma_unmap_phys(w->dev, addr, 3 * PAGE, DMA_FROM_DEVICE, 0);
	world_end(w);
}

/** A device that is cut off has no domain: an event, and none of the kernel's. So has a device without IOMMU. */
static void faults_without_a_domain(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct sim_device *blocked = world_device(w, "blocked", w->iommu);
	struct sim_device *plain = world_device(w, "plain", NULL);
	struct seen s = { .observer.event = observe };

	(void)state;
	assert_int_equal(dma_observer_attach(w->host, &s.observer), 0);
	dma_domain_set_fault_handler(w->domain, handle, &s);
	expect_access(blocked, 0x1000, 8, false, SIM_FAULT_NO_DOMAIN);
	assert_int_equal(s.fault.reason, DMA_FAULT_REASON_BLOCKED);
	assert_null(s.fault.domain);
	assert_true(s.kernel_silent);
	assert_string_equal(s.linux_text.s, "");
	assert_string_equal(s.text.s, "io_page_fault: IOMMU:dmamap blocked iova=0x0000000000001000 "
				      "flags=0x0 reason=blocked");
	expect_access(plain, 0x7ffffff000, 8, true, SIM_FAULT_HOLE);
	assert_int_equal(s.fault.reason, DMA_FAULT_REASON_HOLE);
	assert_int_equal(s.events, 2);
	assert_int_equal(s.handled, 0);
	assert_int_equal(dma_observer_detach(w->host, &s.observer), 0);
	assert_int_equal(sim_device_destroy(blocked), 0);
	assert_int_equal(sim_device_destroy(plain), 0);
	world_end(w);
}

/** A driver of hardware reports by itself: answers of the handler come back, nonsense is refused. */
static void reporting(void **state)
{
	struct world *w = world_new(DMA_INVALIDATION_STRICT);
	struct seen s = { .observer.event = observe, .answer = 0 };
	struct dma_fault fault = { .size = sizeof(fault), .device = w->dev, .time_ns = 77 };
	struct world *other = world_new(DMA_INVALIDATION_STRICT);

	(void)state;
	assert_int_equal(dma_observer_attach(w->host, &s.observer), 0);
	assert_int_equal(dma_fault_report(w->host, &fault), -DMAMAP_ENOSYS);
	dma_domain_set_fault_handler(w->domain, handle, &s);
	assert_int_equal(dma_fault_report(w->host, &fault), 0);
	assert_int_equal(s.fault.time_ns, 77);
	s.answer = -DMAMAP_EIO;
	fault.device = NULL; /* an unknown requester, in a known domain */
	fault.domain = w->domain;
	assert_int_equal(dma_fault_report(w->host, &fault), -DMAMAP_EIO);
	assert_int_equal(s.events, 3);
	assert_non_null(strstr(s.text.s, " unnamed "));
	dma_domain_set_fault_handler(w->domain, NULL, NULL);
	assert_int_equal(dma_fault_report(w->host, &fault), -DMAMAP_ENOSYS);
	assert_int_equal(dma_fault_report(NULL, &fault), -DMAMAP_EINVAL);
	assert_int_equal(dma_fault_report(w->host, NULL), -DMAMAP_EINVAL);
	fault.device = other->dev;
	assert_int_equal(dma_fault_report(w->host, &fault), -DMAMAP_EINVAL);
	fault.device = w->dev;
	fault.size--;
	assert_int_equal(dma_fault_report(w->host, &fault), -DMAMAP_EINVAL);
	assert_int_equal(s.events, 4);
	assert_int_equal(dma_observer_detach(w->host, &s.observer), 0);
	world_end(other);
	world_end(w);
}

static void names(void **state)
{
	(void)state;
	for (int i = 0; i < DMA_FAULT_REASON_COUNT; i++) {
		const char *name = dma_fault_reason_name((enum dma_fault_reason)i);

		assert_true(name[strspn(name, "abcdefghijklmnopqrstuvwxyz-")] == '\0' && *name);
		assert_true(strlen(dma_fault_reason_what((enum dma_fault_reason)i)) > 10);
	}
	assert_string_equal(dma_fault_reason_name(DMA_FAULT_REASON_COUNT), "unknown");
	assert_string_equal(dma_fault_reason_name(DMA_FAULT_REASON_NOT_PRESENT), "not-present");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_is_reported),
		cmocka_unit_test(first_refused_byte),
		cmocka_unit_test(faults_without_a_domain),
		cmocka_unit_test(reporting),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}

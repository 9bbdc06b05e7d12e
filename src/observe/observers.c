/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of observers of a host, and the flag in each of its devices that says that somebody listens.
 */
#include "observe.h"

void dmamap_observe_device(struct dma_device *dev)
{
	if (host_observed(dev_host(dev)))
		__atomic_fetch_or(&dev->flags, DMAMAP_DEV_OBSERVED, __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&dev->flags, ~DMAMAP_DEV_OBSERVED, __ATOMIC_RELEASE);
}

static void observe_devices(struct dmamap_host *h)
{
	for (struct dma_device *dev = h->devices; dev; dev = dmamap_dev(dev)->next)
		dmamap_observe_device(dev);
}

/** The link that points to @observer, or the last one, which is NULL. */
static struct dma_observer **find_link(struct dmamap_host *h, const struct dma_observer *observer)
{
	struct dma_observer **link = &h->observers;

	while (*link && *link != observer)
		link = &(*link)->next;
	return link;
}

int dmamap_observer_attach(struct dma_host *host, struct dma_observer *observer)
{
	struct dmamap_host *h;
	struct dma_observer **link;
	int err = 0;

	if (!host || !observer || !observer->event)
		return -DMAMAP_EINVAL;
	h = dmamap_host(host);
	dmamap_lock(host, &h->lock);
	link = find_link(h, observer);
	if (*link) {
		err = -DMAMAP_EBUSY;
	} else {
		observer->next = NULL;
		__atomic_store_n(link, observer, __ATOMIC_RELEASE);
		observe_devices(h);
	}
	dmamap_unlock(host, &h->lock);
	return err;
}

int dmamap_observer_detach(struct dma_host *host, struct dma_observer *observer)
{
	struct dmamap_host *h;
	struct dma_observer **link;
	int err = -DMAMAP_EINVAL;

	if (!host || !observer)
		return -DMAMAP_EINVAL;
	h = dmamap_host(host);
	dmamap_lock(host, &h->lock);
	link = find_link(h, observer);
	if (*link) {
		__atomic_store_n(link, observer->next, __ATOMIC_RELEASE);
		observe_devices(h);
		err = 0;
	}
	dmamap_unlock(host, &h->lock);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons: their names, their text, and where the latest ones are kept.
 */
#include "fail.h"

#include "host.h"
#include "text.h"

_Static_assert(sizeof(struct dmamap_ctx) <= sizeof(struct dma_ctx),
	       "a context holds what the library keeps in it");

struct reason_text {
	const char *name;
	const char *what;
	const char *help;
};

static const struct reason_text reasons[] = {
#define REASON_TEXT(sym, name, what, help) { name, what, help },
	DMA_REASONS(REASON_TEXT)
#undef REASON_TEXT
};

static const struct reason_text unknown_reason = { "unknown", "the reason has no name",
						   "use a newer library" };

static const struct reason_text *reason_text(enum dma_reason reason)
{
	return (unsigned int)reason < DMA_REASON_COUNT ? &reasons[reason] : &unknown_reason;
}

const char *dmamap_reason_name(enum dma_reason reason)
{
	return reason_text(reason)->name;
}

const char *dmamap_reason_what(enum dma_reason reason)
{
	return reason_text(reason)->what;
}

const char *dmamap_reason_help(enum dma_reason reason)
{
	return reason_text(reason)->help;
}

const char *dmamap_route_name(enum dma_route route)
{
	static const char *const names[] = { "none", "direct", "arch", "iommu", "ops" };

	return (unsigned int)route < sizeof(names) / sizeof(names[0]) ? names[route] : "unknown";
}

void dmamap_record_of_host(struct dma_host *host, const struct dma_error *why)
{
	dma_ctx_state state;
	struct dma_ctx *ctx = dma_ctx_enter(host, &state);

	((struct dmamap_ctx *)(void *)ctx->opaque)->last = *why;
	dma_ctx_leave(host, state);
}

void dmamap_record(struct dma_device *dev, enum dma_route route, struct dma_error *why)
{
	struct dmamap_dev *d = dmamap_dev(dev);
	struct dmamap_host *h = dmamap_host(d->host);

	why->dev = dev;
	why->route = route;
	dmamap_record_of_host(d->host, why);

	dmamap_lock(d->host, &h->lock);
	d->last = *why;
	dmamap_unlock(d->host, &h->lock);
}

int dmamap_last_error(struct dma_device *dev, struct dma_error *err)
{
	dma_ctx_state state;
	struct dma_ctx *ctx;

	if (!dev || !err)
		return -DMAMAP_EINVAL;
	ctx = dma_ctx_enter(dev_host(dev), &state);
	*err = ((struct dmamap_ctx *)(void *)ctx->opaque)->last;
	dma_ctx_leave(dev_host(dev), state);
	return 0;
}

int dmamap_device_last_error(struct dma_device *dev, struct dma_error *err)
{
	struct dma_host *host;

	if (!dev || !err)
		return -DMAMAP_EINVAL;
	host = dev_host(dev);
	dmamap_lock(host, &dmamap_host(host)->lock);
	*err = dmamap_dev(dev)->last;
	dmamap_unlock(host, &dmamap_host(host)->lock);
	return 0;
}

static void put_figure(const struct dmamap_text *t, const char *label, uint64_t v, bool hex)
{
	if (!v)
		return;
	dmamap_put_str(t, label);
	if (hex) {
		dmamap_put_str(t, "0x");
		dmamap_put_hex(t, v);
	} else {
		dmamap_put_dec(t, v);
	}
}

size_t dmamap_error_format(const struct dma_error *err, char *buf, size_t size)
{
	struct dmamap_buffer b = { buf, size, 0 };
	const struct dmamap_text t = { dmamap_buffer_put, &b };

	dmamap_put_str(&t, dmamap_reason_name(err->reason));
	dmamap_put_str(&t, " (");
	dmamap_put_str(&t, dmamap_route_name(err->route));
	dmamap_put_str(&t, " route): ");
	dmamap_put_str(&t, dmamap_reason_what(err->reason));
	dmamap_put_str(&t, "; address 0x");
	dmamap_put_hex(&t, err->addr);
	put_figure(&t, ", size ", err->size, false);
	put_figure(&t, ", mask ", err->mask, true);
	put_figure(&t, ", limit ", err->limit, true);
	put_figure(&t, ", have ", err->have, false);
	if (err->err) {
		dmamap_put_str(&t, ", error ");
		dmamap_put_signed(&t, err->err);
	}
	dmamap_put_str(&t, "; ");
	dmamap_put_str(&t, dmamap_reason_help(err->reason));
	return dmamap_buffer_end(&b);
}

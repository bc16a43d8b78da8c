/* pass_memplan.c: offsets of the workspace's buffers. A buffer's start, end and size are known, so
 * placing them is packing rectangles. First a scan over time with a free list in address order,
 * best fit; for small plans also greedily, at the lowest offset that is free during the buffer's life:
 * the largest first, the largest for the longest first, the longest first; then the buffer that ends
 * highest is placed first, and so on, a few times. The smallest slab wins. Off: every buffer has bytes
 * of its own.
 *
 * ref: Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference",
 *      arXiv:2001.03288 (greedy by size) */
#include "layout.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL_PLAN = 5000, PROMOTIONS = 8 }; /* the greedy placement is quadratic */

struct hole {
    size_t at, bytes;
};

/* Free memory below `top`, in address order; neighbours are joined. */
struct holes {
    struct hole *items;
    size_t n, cap;
    size_t top;
};

/* Takes `bytes` from the smallest hole that fits; grows the slab when none does. */
static size_t take(struct holes *h, size_t bytes)
{
    size_t best = h->n;
    for (size_t i = 0; i < h->n; i++) {
        if (h->items[i].bytes >= bytes &&
            (best == h->n || h->items[i].bytes < h->items[best].bytes)) {
            best = i;
            if (h->items[i].bytes == bytes) {
                break;
            }
        }
    }
    if (best < h->n) {
        size_t at = h->items[best].at;
        h->items[best].at += bytes;
        h->items[best].bytes -= bytes;
        if (h->items[best].bytes == 0) {
            memmove(h->items + best, h->items + best + 1, (--h->n - best) * sizeof *h->items);
        }
        return at;
    }
    if (h->n > 0 && h->items[h->n - 1].at + h->items[h->n - 1].bytes == h->top) {
        h->top = h->items[--h->n].at; /* extend the last hole */
    }
    size_t at = h->top;
    h->top += bytes;
    return at;
}

static bool give(struct holes *h, size_t at, size_t bytes)
{
    size_t low = 0, high = h->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (h->items[mid].at < at) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    bool left = low > 0 && h->items[low - 1].at + h->items[low - 1].bytes == at;
    bool right = low < h->n && at + bytes == h->items[low].at;
    if (left && right) {
        h->items[low - 1].bytes += bytes + h->items[low].bytes;
        memmove(h->items + low, h->items + low + 1, (--h->n - low) * sizeof *h->items);
    } else if (left) {
        h->items[low - 1].bytes += bytes;
    } else if (right) {
        h->items[low].at = at;
        h->items[low].bytes += bytes;
    } else {
        if (!gan__grow(&h->items, &h->cap, h->n + 1, sizeof *h->items)) {
            return false;
        }
        memmove(h->items + low + 1, h->items + low, (h->n++ - low) * sizeof *h->items);
        h->items[low] = (struct hole){at, bytes};
    }
    return true;
}

static bool in_slab(const struct gan__buffer *b)
{
    return b->place == GAN_PLACE_SLAB && b->bytes != 0;
}

/* Buffers are in order of their start; next[]/first[] chain them by their end. */
static gan_status place_scan(struct gan__layout *l, size_t *slab, gan_err *err)
{
    gan_status status = GAN_OK;
    struct holes h = {0};
    uint32_t *first = gan__alloc_array(l->n_steps + 1, sizeof *first);
    uint32_t *next = gan__alloc_array(l->n_buffers + 1, sizeof *next);
    if (!first || !next) {
        status = gan__fail_nomem(err, l->n_buffers * sizeof *next, "the memory plan");
        goto out;
    }
    memset(first, 0xff, (l->n_steps + 1) * sizeof *first);
    int64_t freed = 0; /* ends below this step are back */
    for (size_t i = 0; i < l->n_buffers; i++) {
        struct gan__buffer *b = &l->buffers[i];
        if (!in_slab(b)) {
            continue;
        }
        for (; freed < b->start; freed++) {
            for (uint32_t j = first[freed]; j != UINT32_MAX; j = next[j]) {
                if (!give(&h, l->buffers[j].at, gan__round_up(l->buffers[j].bytes))) {
                    status = gan__fail_nomem(err, h.n * sizeof *h.items, "the memory plan");
                    goto out;
                }
            }
        }
        b->at = take(&h, gan__round_up(b->bytes));
        next[i] = first[b->end];
        first[b->end] = (uint32_t)i;
    }
    *slab = h.top;
out:
    gan__free(first);
    gan__free(next);
    gan__free(h.items);
    return status;
}

/* Largest first; earliest first among equals, so that the result does not depend on the sort. */
static int by_size(const void *pa, const void *pb)
{
    const struct gan__buffer *const *a = pa, *const *b = pb;
    if ((*a)->bytes != (*b)->bytes) {
        return (*a)->bytes < (*b)->bytes ? 1 : -1;
    }
    return *a < *b ? -1 : *a > *b;
}

/* Bytes times steps. */
static double area(const struct gan__buffer *b)
{
    return (double)b->bytes * (double)(b->end - b->start + 1);
}

static int by_area(const void *pa, const void *pb)
{
    const struct gan__buffer *const *a = pa, *const *b = pb;
    double left = area(*a), right = area(*b);
    return left < right ? 1 : left > right ? -1 : by_size(pa, pb);
}

static int by_life(const void *pa, const void *pb)
{
    const struct gan__buffer *const *a = pa, *const *b = pb;
    int64_t left = (*a)->end - (*a)->start, right = (*b)->end - (*b)->start;
    return left < right ? 1 : left > right ? -1 : by_size(pa, pb);
}

/* What the greedy placements work with. */
struct greedy {
    const struct gan__layout *l;
    const struct gan__buffer **order,
        **placed;   /* n in the order they get their place; by address */
    size_t *offset; /* by buffer */
    size_t n, slab;
};

/* Gives the buffers their places in the order they stand in; returns the one that ends highest. */
static size_t place_greedy(struct greedy *p)
{
    size_t n_placed = 0, highest = 0;
    p->slab = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct gan__buffer *b = p->order[i];
        size_t bytes = gan__round_up(b->bytes), at = 0, slot = 0;
        for (size_t j = 0; j < n_placed; j++) {
            const struct gan__buffer *q = p->placed[j];
            size_t low = p->offset[q - p->l->buffers];
            if (q->start > b->end || q->end < b->start) {
                continue;
            }
            if (low >= at + bytes) {
                break;
            }
            size_t high = low + gan__round_up(q->bytes);
            at = high > at ? high : at;
        }
        while (slot < n_placed && p->offset[p->placed[slot] - p->l->buffers] < at) {
            slot++;
        }
        memmove(p->placed + slot + 1, p->placed + slot, (n_placed++ - slot) * sizeof *p->placed);
        p->placed[slot] = b;
        p->offset[b - p->l->buffers] = at;
        if (at + bytes > p->slab) {
            p->slab = at + bytes;
            highest = i;
        }
    }
    return highest;
}

static void take_places(struct gan__layout *l, const struct greedy *p)
{
    l->slab_bytes = p->slab;
    for (size_t i = 0; i < l->n_buffers; i++) {
        if (in_slab(&l->buffers[i])) {
            l->buffers[i].at = p->offset[i];
        }
    }
}

/* Keeps the best of the placements from one order and from those that follow from it. */
static void improve(struct gan__layout *l, struct greedy *p)
{
    int tries = p->n < SMALL_PLAN / 4 ? 1 + PROMOTIONS : 1;
    for (int i = 0; i < tries && l->slab_bytes > l->live_bytes; i++) {
        size_t highest = place_greedy(p);
        if (p->slab < l->slab_bytes) {
            take_places(l, p);
        }
        const struct gan__buffer *first = p->order[highest];
        memmove(p->order + 1, p->order, highest * sizeof *p->order);
        p->order[0] = first;
    }
}

static gan_status place_small(struct gan__layout *l, gan_err *err)
{
    static int (*const orders[])(const void *pa, const void *pb) = {by_size, by_area, by_life};
    gan_status status = GAN_OK;
    struct greedy p = {.l = l,
                       .order = gan__alloc_array(l->n_buffers + 1, sizeof *p.order),
                       .placed = gan__alloc_array(l->n_buffers + 1, sizeof *p.placed),
                       .offset = gan__alloc_array(l->n_buffers + 1, sizeof *p.offset)};
    if (!p.order || !p.placed || !p.offset) {
        status = gan__fail_nomem(err, l->n_buffers * sizeof *p.order, "the memory plan");
        goto out;
    }
    for (size_t i = 0; i < l->n_buffers; i++) {
        if (in_slab(&l->buffers[i])) {
            p.order[p.n++] = &l->buffers[i];
        }
    }
    for (size_t k = 0; k < sizeof orders / sizeof *orders && p.n > 0; k++) {
        qsort(p.order, p.n, sizeof *p.order, orders[k]);
        improve(l, &p);
    }
out:
    gan__free(p.order);
    gan__free(p.placed);
    gan__free(p.offset);
    return status;
}

/* No placement can be smaller than what is alive in one step. */
static gan_status find_live(struct gan__layout *l, gan_err *err)
{
    int64_t *change = gan__alloc_array(l->n_steps + 2, sizeof *change);
    if (!change) {
        return gan__fail_nomem(err, l->n_steps * sizeof *change, "the memory plan");
    }
    for (size_t i = 0; i < l->n_buffers; i++) {
        const struct gan__buffer *b = &l->buffers[i];
        if (in_slab(b)) {
            change[b->start] += (int64_t)gan__round_up(b->bytes);
            change[b->end + 1] -= (int64_t)gan__round_up(b->bytes);
        }
    }
    int64_t alive = 0, most = 0;
    for (size_t t = 0; t < l->n_steps; t++) {
        alive += change[t];
        most = alive > most ? alive : most;
    }
    l->live_bytes = (size_t)most;
    gan__free(change);
    return GAN_OK;
}

gan_status gan__memplan(struct gan__layout *l, gan_err *err)
{
    GAN_TRY(find_live(l, err));
    if (!l->memplan) {
        for (size_t i = 0; i < l->n_buffers; i++) {
            if (in_slab(&l->buffers[i])) {
                l->buffers[i].at = l->slab_bytes;
                l->slab_bytes += gan__round_up(l->buffers[i].bytes);
            }
        }
        return GAN_OK;
    }
    GAN_TRY(place_scan(l, &l->slab_bytes, err));
    return l->n_buffers < SMALL_PLAN ? place_small(l, err) : GAN_OK;
}

GAN_PASS(memplan) = {
    .name = "memplan",
    .doc = "let values that do not live at the same time share memory",
    .rank = 101,
};

/* alloc.c: the one place that calls malloc.
 *
 * Each block carries a small prefix just before the pointer handed out: the requested bytes (for
 * the counters) and the distance back to what malloc gave (for aligned blocks). */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "alloc.h"

#include "err.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct prefix {
    size_t bytes;  /* as requested */
    size_t offset; /* from malloc's pointer to ours */
};

/* Keeps malloc's own alignment of 16 for the ordinary block. */
#define PREFIX_ROOM 16
_Static_assert(sizeof(struct prefix) <= PREFIX_ROOM, "prefix fits before a 16-byte boundary");

static _Atomic uint64_t n_calls;
static _Atomic uint64_t n_live;
static _Atomic uint64_t n_live_bytes;
static _Atomic uint64_t n_peak_bytes;
static _Atomic uint64_t fail_countdown; /* 0 off; 1 fails now; k fails after k-1 more */
static _Atomic bool fail_single;        /* the hook is off again after one failure */

/* True when the failing hook says no to this allocation. */
static bool refused(void)
{
    uint64_t left = atomic_load(&fail_countdown);
    while (left > 1 && !atomic_compare_exchange_weak(&fail_countdown, &left, left - 1)) {
    }
    if (left == 1 && atomic_load(&fail_single)) {
        return atomic_compare_exchange_strong(&fail_countdown, &left, 0);
    }
    return left == 1;
}

static void count_bytes(size_t bytes)
{
    uint64_t now = atomic_fetch_add(&n_live_bytes, bytes) + bytes;
    uint64_t peak = atomic_load(&n_peak_bytes);
    while (now > peak && !atomic_compare_exchange_weak(&n_peak_bytes, &peak, now)) {
    }
}

/* Writes the prefix before base + offset and counts the block. */
static void *adopt(void *base, size_t offset, size_t bytes)
{
    unsigned char *p = (unsigned char *)base + offset;
    struct prefix pre = {.bytes = bytes, .offset = offset};
    memcpy(p - sizeof pre, &pre, sizeof pre);
    atomic_fetch_add(&n_calls, 1);
    atomic_fetch_add(&n_live, 1);
    count_bytes(bytes);
    return p;
}

static struct prefix prefix_of(const void *p)
{
    struct prefix pre;
    memcpy(&pre, (const unsigned char *)p - sizeof pre, sizeof pre);
    return pre;
}

bool gan__mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *out = a * b;
    return true;
}

bool gan__add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b) {
        return false;
    }
    *out = a + b;
    return true;
}

void *gan__alloc(size_t bytes)
{
    size_t total;
    if (refused() || !gan__add(bytes, PREFIX_ROOM, &total)) {
        return NULL;
    }
    void *base = calloc(1, total);
    return base == NULL ? NULL : adopt(base, PREFIX_ROOM, bytes);
}

void *gan__alloc_array(size_t count, size_t size)
{
    size_t bytes;
    return gan__mul(count, size, &bytes) ? gan__alloc(bytes) : NULL;
}

void *gan__alloc_aligned(size_t align, size_t bytes)
{
    gan__assert(align >= 16 && (align & (align - 1)) == 0);
    size_t total;
    if (refused() || !gan__add(bytes, align, &total)) {
        return NULL;
    }
    void *base = NULL;
    if (posix_memalign(&base, align, total) != 0) {
        return NULL;
    }
    return adopt(base, align, bytes);
}

void *gan__realloc(void *p, size_t bytes)
{
    if (p == NULL) {
        return gan__alloc(bytes);
    }
    struct prefix old = prefix_of(p);
    size_t total;
    if (old.offset != PREFIX_ROOM) { /* an aligned block: its alignment is its offset */
        void *q = gan__alloc_aligned(old.offset, bytes);
        if (q != NULL) {
            memcpy(q, p, old.bytes < bytes ? old.bytes : bytes);
            gan__free(p);
        }
        return q;
    }
    if (refused() || !gan__add(bytes, PREFIX_ROOM, &total)) {
        return NULL;
    }
    void *base = realloc((unsigned char *)p - PREFIX_ROOM, total);
    if (base == NULL) {
        return NULL;
    }
    atomic_fetch_sub(&n_live, 1);
    atomic_fetch_sub(&n_live_bytes, old.bytes);
    return adopt(base, PREFIX_ROOM, bytes);
}

void gan__free(void *p)
{
    if (p == NULL) {
        return;
    }
    struct prefix pre = prefix_of(p);
    atomic_fetch_sub(&n_live, 1);
    atomic_fetch_sub(&n_live_bytes, pre.bytes);
    free((unsigned char *)p - pre.offset);
}

char *gan__strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = gan__alloc(n);
    if (p != NULL) {
        memcpy(p, s, n);
    }
    return p;
}

bool gan__grow(void *items_pp, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) {
        return true;
    }
    size_t want = *cap < 8 ? 8 : *cap;
    while (want < need) {
        if (!gan__mul(want, 2, &want)) {
            return false;
        }
    }
    size_t bytes;
    void *items;
    if (!gan__mul(want, size, &bytes)) {
        return false;
    }
    memcpy(&items, items_pp, sizeof items); /* *items_pp is a pointer of some object type */
    items = gan__realloc(items, bytes);
    if (items == NULL) {
        return false;
    }
    memcpy(items_pp, &items, sizeof items);
    *cap = want;
    return true;
}

struct gan__alloc_stats gan__alloc_stats(void)
{
    struct gan__alloc_stats s = {
        .calls = atomic_load(&n_calls),
        .live = atomic_load(&n_live),
        .live_bytes = atomic_load(&n_live_bytes),
        .peak_bytes = atomic_load(&n_peak_bytes),
    };
    return s;
}

void gan__alloc_fail_at(uint64_t n)
{
    atomic_store(&fail_single, false);
    atomic_store(&fail_countdown, n);
}

void gan__alloc_fail_once(uint64_t n)
{
    atomic_store(&fail_single, true);
    atomic_store(&fail_countdown, n);
}

bool gan__alloc_failing(void)
{
    return atomic_load(&fail_countdown) != 0;
}

/* alloc.h: the one place that calls malloc.
 *
 * Every allocation is counted, may be made to fail (the oom suite fails each in turn), and every
 * size product goes through gan__mul. gan__alloc returns zeroed memory: objects start empty, so a
 * half-built one can be freed. */
#ifndef GAN_BASE_ALLOC_H
#define GAN_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *gan__alloc(size_t bytes); /* zeroed; NULL on failure; 0 bytes gives a unique pointer */
void *gan__alloc_array(size_t count, size_t size); /* zeroed; checks the product */
void *gan__realloc(void *p, size_t bytes); /* not zeroed; old block stays valid on failure */
void *
gan__alloc_aligned(size_t align,
                   size_t bytes); /* not zeroed; align a power of two >= 16; free with gan__free */
void gan__free(void *p);          /* NULL is fine */
char *gan__strdup(const char *s);
bool gan__mul(size_t a, size_t b, size_t *out); /* false on overflow */
bool gan__add(size_t a, size_t b, size_t *out); /* false on overflow */

/* Doubles the room of a growing array held in *items (elements of `size` bytes) so that it holds
 * at least `need`; *cap is updated. false when memory is short (array untouched). */
bool gan__grow(void *items_pp, size_t *cap, size_t need, size_t size);

/* Counters and the failing hook, for tests and for the "running allocates nothing" promise. */
struct gan__alloc_stats {
    uint64_t calls;      /* successful allocations since start */
    uint64_t live;       /* blocks not yet freed */
    uint64_t live_bytes; /* their requested bytes */
    uint64_t peak_bytes; /* maximum of live_bytes */
};
struct gan__alloc_stats gan__alloc_stats(void);

/* The n-th allocation from now (1 = the next) and all after it fail; 0 switches it off. */
void gan__alloc_fail_at(uint64_t n);

/* The n-th allocation from now fails, the ones after it do not. */
void gan__alloc_fail_once(uint64_t n);

/* True while one of them is set: arenas then make a block for each piece, so that each can fail. */
bool gan__alloc_failing(void);

#endif

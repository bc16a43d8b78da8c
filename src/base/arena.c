/* arena.c: chained blocks, bump allocation. A request larger than half a block gets a block of its
 * own behind the newest, so that the newest keeps its free room. */
#include "arena.h"

#include "alloc.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif
#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#define GAP 16 /* bytes left poisoned between two pieces */
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#define GAP 0
#endif

#define DEFAULT_BLOCK ((size_t)64 * 1024)
#define ALIGN ((size_t)16)

struct gan__arena_block {
    struct gan__arena_block *next;
    size_t used;
    size_t cap;
    size_t pad; /* keeps the bytes behind at a multiple of 16 */
};

static unsigned char *block_bytes(struct gan__arena_block *b)
{
    return (unsigned char *)(b + 1);
}

static struct gan__arena_block *block_new(size_t cap)
{
    size_t total;
    if (!gan__add(cap, sizeof(struct gan__arena_block), &total)) {
        return NULL;
    }
    struct gan__arena_block *b = gan__alloc(total);
    if (b != NULL) {
        b->cap = cap;
        POISON(block_bytes(b), cap);
    }
    return b;
}

void *gan__arena_alloc(struct gan__arena *a, size_t bytes)
{
    size_t room;
    if (!gan__add(bytes == 0 ? 1 : bytes, ALIGN - 1 + GAP, &room)) {
        return NULL;
    }
    room &= ~(ALIGN - 1);
    size_t ordinary = a->block_bytes != 0 ? a->block_bytes : DEFAULT_BLOCK;
    struct gan__arena_block *b = a->head;
    bool failing = gan__alloc_failing();
    if (failing || b == NULL || b->cap - b->used < room) {
        bool own = failing || room > ordinary / 2;
        struct gan__arena_block *fresh = block_new(own ? room : ordinary);
        if (fresh == NULL) {
            return NULL;
        }
        if (own && b != NULL) {
            fresh->next = b->next;
            b->next = fresh;
        } else {
            fresh->next = b;
            a->head = fresh;
        }
        b = fresh;
    }
    unsigned char *p = block_bytes(b) + b->used; /* still zero from gan__alloc */
    b->used += room;
    a->used_bytes += bytes;
    UNPOISON(p, bytes);
    return p;
}

void *gan__arena_array(struct gan__arena *a, size_t count, size_t size)
{
    size_t bytes;
    return gan__mul(count, size, &bytes) ? gan__arena_alloc(a, bytes) : NULL;
}

void *gan__arena_copy(struct gan__arena *a, const void *src, size_t bytes)
{
    void *p = gan__arena_alloc(a, bytes);
    if (p != NULL && bytes != 0) {
        memcpy(p, src, bytes);
    }
    return p;
}

char *gan__arena_strdup(struct gan__arena *a, const char *s)
{
    return gan__arena_copy(a, s, strlen(s) + 1);
}

char *gan__arena_printf(struct gan__arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0) {
        return NULL;
    }
    size_t bytes = (size_t)n + 1;
    char *p = gan__arena_alloc(a, bytes);
    if (p != NULL) {
        va_start(args, fmt);
        (void)vsnprintf(p, bytes, fmt, args);
        va_end(args);
    }
    return p;
}

void gan__arena_release(struct gan__arena *a)
{
    struct gan__arena_block *b = a->head;
    while (b != NULL) {
        struct gan__arena_block *next = b->next;
        UNPOISON(block_bytes(b), b->cap);
        gan__free(b);
        b = next;
    }
    a->head = NULL;
    a->used_bytes = 0;
}

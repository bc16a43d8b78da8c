/* arena.h: memory that ends together. Blocks are chained; nothing is freed singly. */
#ifndef GAN_BASE_ARENA_H
#define GAN_BASE_ARENA_H

#include <gan/status.h>

#include <stdarg.h>
#include <stddef.h>

struct gan__arena {
    struct gan__arena_block *head; /* newest block, NULL while empty */
    size_t block_bytes;            /* size of ordinary blocks; 0 means 64 KiB */
    size_t used_bytes;             /* sum of what was handed out */
};

void *gan__arena_alloc(struct gan__arena *a,
                       size_t bytes); /* zeroed, 16-byte aligned; NULL when short */
void *gan__arena_array(struct gan__arena *a, size_t count, size_t size);
char *gan__arena_strdup(struct gan__arena *a, const char *s);
char *gan__arena_printf(struct gan__arena *a, const char *fmt, ...) GAN_PRINTF(2, 3);
void *gan__arena_copy(struct gan__arena *a, const void *src, size_t bytes);
void gan__arena_release(struct gan__arena *a); /* frees all; ready for reuse */

#endif

/* blob.c: gzip'ed files are inflated once, into a cache file that is mapped from then on.
 *
 * A cache file is the payload and a seal of 64 bytes behind it (so that the payload can be written
 * as it comes and starts on a page), little-endian:
 *     0  "GANCACHE"          8  u32 version (1)       12  u32 seal bytes (64)
 *    16  u64 source bytes   24  i64 source mtime s    32  i64 source mtime ns
 *    40  u64 payload bytes  48  u64 payload checksum  56  u64 checksum of bytes 0..55
 * Its name holds a hash of the source's absolute path, size and time. Everything in it is checked
 * at every opening: a damaged, old or foreign file is made anew. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "blob.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "inflate.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CACHE_MAGIC "GANCACHE"
#define CACHE_VERSION 1u
#define CACHE_SEAL ((size_t)64)

/* What a cache file must have come from. */
struct origin {
    uint64_t size;
    int64_t mtime_s, mtime_ns;
};

/* Running 64-bit checksum of a byte stream, 32 bytes at a time in four lanes. Not a secret: it
 * finds damage. Every step is a bijection of its lane, so one wrong word is always seen. */
struct sum {
    uint64_t lane[4];
    uint64_t bytes;
    unsigned char tail[32];
};

#define SUM_PRIME 0x9E3779B185EBCA87u

static uint64_t load_le64(const unsigned char *p)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 8; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

static void store_le64(unsigned char *p, uint64_t v)
{
    for (size_t i = 0; i < 8; i++) {
        p[i] = (unsigned char)(v >> (8 * i));
    }
}

static uint64_t turn(uint64_t x)
{
    return x << 29 | x >> 35;
}

static void sum_block(struct sum *s, const unsigned char *p)
{
    for (size_t k = 0; k < 4; k++) {
        s->lane[k] = turn(s->lane[k] ^ load_le64(p + 8 * k)) * SUM_PRIME;
    }
}

static void sum_add(struct sum *s, const unsigned char *p, size_t n)
{
    size_t held = (size_t)(s->bytes % 32);
    s->bytes += n;
    if (held > 0) {
        size_t take = n < 32 - held ? n : 32 - held;
        memcpy(s->tail + held, p, take);
        p += take;
        n -= take;
        if (held + take < 32) {
            return;
        }
        sum_block(s, s->tail);
    }
    for (; n >= 32; p += 32, n -= 32) {
        sum_block(s, p);
    }
    memcpy(s->tail, p, n);
}

static uint64_t sum_end(struct sum *s)
{
    size_t held = (size_t)(s->bytes % 32);
    memset(s->tail + held, 0, 32 - held);
    sum_block(s, s->tail);
    uint64_t h = s->bytes;
    for (size_t k = 0; k < 4; k++) {
        h = gan__hash_mix(h, s->lane[k]);
    }
    return h;
}

static void make_seal(unsigned char *h, const struct origin *o, uint64_t bytes, uint64_t sum)
{
    memcpy(h, CACHE_MAGIC, 8);
    store_le64(h + 8, (uint64_t)CACHE_VERSION | (uint64_t)CACHE_SEAL << 32);
    store_le64(h + 16, o->size);
    store_le64(h + 24, (uint64_t)o->mtime_s);
    store_le64(h + 32, (uint64_t)o->mtime_ns);
    store_le64(h + 40, bytes);
    store_le64(h + 48, sum);
    store_le64(h + 56, gan__hash_bytes(0, h, 56));
}

/* Takes the inflated bytes: counts, checks the total the head promises, and passes them on to the
 * cache file or to memory. */
struct intake {
    const char *path;
    gan__blob_size_fn *size_of;
    unsigned char head[64];
    uint64_t total; /* promised; 0 not known yet */
    struct sum sum;
    struct gan__writer *file; /* or NULL: into memory */
    bool file_failed;         /* the cache, not the source, is at fault */
    unsigned char *memory;
    size_t used, cap;
};

static gan_status check_promise(struct intake *in, const unsigned char *p, size_t n, gan_err *err)
{
    uint64_t before = in->sum.bytes;
    if (in->size_of == NULL) {
        return GAN_OK;
    }
    if (in->total == 0 && before < sizeof in->head) {
        size_t room = sizeof in->head - (size_t)before;
        memcpy(in->head + before, p, n < room ? n : room);
        size_t have = (size_t)before + (n < room ? n : room);
        GAN_TRY(in->size_of(in->path, in->head, have, &in->total, err));
    }
    if (in->total != 0 && before + n > in->total) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: its header promises %" PRIu64 " bytes, more than that follow",
                         in->path, in->total);
    }
    return GAN_OK;
}

static gan_status intake_put(void *ctx, const unsigned char *p, size_t n, gan_err *err)
{
    struct intake *in = ctx;
    GAN_TRY(check_promise(in, p, n, err));
    sum_add(&in->sum, p, n);
    if (in->file != NULL) {
        gan_status status = gan__writer_put(in->file, p, n, err);
        in->file_failed = status != GAN_OK;
        return status;
    }
    size_t need;
    if (!gan__add(in->used, n, &need) || !gan__grow(&in->memory, &in->cap, need, 1)) {
        return gan__fail_nomem(err, in->used, in->path);
    }
    memcpy(in->memory + in->used, p, n);
    in->used = need;
    return GAN_OK;
}

/* The promise held to the end. */
static gan_status check_end(const char *path, gan__blob_size_fn *size_of, uint64_t total,
                            uint64_t bytes, gan_err *err)
{
    if (size_of == NULL || (total != 0 && bytes == total)) {
        return GAN_OK;
    }
    if (total == 0) {
        return gan__fail(err, GAN_E_FORMAT, "%s: %" PRIu64 " bytes are too few for a header", path,
                         bytes);
    }
    return gan__fail(err, GAN_E_FORMAT, "%s: its header promises %" PRIu64 " bytes, found %" PRIu64,
                     path, total, bytes);
}

static gan_status inflate_all(struct intake *in, const struct gan__map *gz, gan_err *err)
{
    struct gan__sink sink = {.put = intake_put, .ctx = in};
    GAN_TRY(gan__inflate(in->path, gz->data, gz->size, &sink, err));
    return check_end(in->path, in->size_of, in->total, in->sum.bytes, err);
}

/* Maps a cache file when it is whole and made from this very source; false otherwise. */
static bool open_cached(struct gan__blob *b, const char *cache, const struct origin *o)
{
    unsigned char want[CACHE_SEAL];
    if (gan__map_open(&b->map, cache, NULL) != GAN_OK) {
        return false;
    }
    const struct gan__map *m = &b->map;
    if (m->size > CACHE_SEAL) {
        struct sum s = {0};
        sum_add(&s, m->data, m->size - CACHE_SEAL);
        uint64_t sum = sum_end(&s);
        make_seal(want, o, m->size - CACHE_SEAL, sum);
        if (memcmp(want, m->data + m->size - CACHE_SEAL, CACHE_SEAL) == 0) {
            b->data = m->data;
            b->size = m->size - CACHE_SEAL;
            return true;
        }
    }
    gan__map_close(&b->map);
    return false;
}

/* Inflates into a cache file. *cache_fault tells a cache that cannot be written (the caller goes on
 * in memory) from a source that is damaged. */
static gan_status write_cache(const char *cache, const struct gan__map *gz, struct intake *in,
                              const struct origin *o, bool *cache_fault, gan_err *err)
{
    struct gan__writer w;
    unsigned char seal[CACHE_SEAL];
    *cache_fault = true;
    GAN_TRY(gan__writer_open(&w, cache, err));
    in->file = &w;
    gan_status status = inflate_all(in, gz, err);
    in->file = NULL;
    if (status != GAN_OK) {
        *cache_fault = in->file_failed;
        gan__writer_abort(&w);
        return status;
    }
    uint64_t bytes = in->sum.bytes;
    make_seal(seal, o, bytes, sum_end(&in->sum));
    GAN_TRY(gan__writer_put(&w, seal, sizeof seal, err)); /* a failed put has released w */
    return gan__writer_commit(&w, err);
}

/* Name of the cache file of a source: a hash of its absolute path, size and time. */
static gan_status cache_name(char *dst, size_t cap, const char *path, const struct origin *o,
                             gan_err *err)
{
    char dir[PATH_MAX], full[PATH_MAX], name[32];
    GAN_TRY(gan__cache_dir(dir, sizeof dir, err));
    if (realpath(path, full) == NULL) {
        return gan__fail_errno(err, "cannot find", path);
    }
    uint64_t h = gan__hash_mix(gan__hash_text(full), o->size);
    h = gan__hash_mix(gan__hash_mix(h, (uint64_t)o->mtime_s), (uint64_t)o->mtime_ns);
    (void)gan__format(name, sizeof name, "%016" PRIx64 ".cache", h);
    return gan__path_join(dst, cap, dir, name, err);
}

static gan_status open_in_memory(struct gan__blob *b, const struct gan__map *gz, struct intake *in,
                                 gan_err *err)
{
    gan_status status = inflate_all(in, gz, err);
    if (status != GAN_OK) {
        gan__free(in->memory);
        return status;
    }
    b->memory = in->memory;
    b->data = in->memory;
    b->size = in->used;
    return GAN_OK;
}

static gan_status open_gz(struct gan__blob *b, const char *path, const struct gan__map *gz,
                          const struct origin *o, gan__blob_size_fn *size_of, gan_err *err)
{
    char cache[PATH_MAX];
    gan_err trouble = {0};
    if (cache_name(cache, sizeof cache, path, o, &trouble) == GAN_OK) {
        if (open_cached(b, cache, o)) {
            return GAN_OK;
        }
        bool cache_fault;
        struct intake in = {.path = path, .size_of = size_of};
        gan_status status = write_cache(cache, gz, &in, o, &cache_fault, &trouble);
        if (status == GAN_OK && open_cached(b, cache, o)) {
            return GAN_OK;
        }
        if (status != GAN_OK && !cache_fault) {
            return gan__fail_at(err, status, trouble.where, "%s", trouble.message);
        }
    }
    gan__log(GAN_LOG_WARNING, "%s is inflated into memory, its cache cannot be used: %s", path,
             trouble.message[0] != '\0' ? trouble.message : "it does not read back");
    struct intake in = {.path = path, .size_of = size_of};
    return open_in_memory(b, gz, &in, err);
}

/* Wherever the bytes came from, also from the cache: they hold what their head promises. */
static gan_status check_whole(const struct gan__blob *b, const char *path,
                              gan__blob_size_fn *size_of, gan_err *err)
{
    uint64_t total = 0;
    if (size_of != NULL) {
        GAN_TRY(size_of(path, b->data, b->size, &total, err));
    }
    return check_end(path, size_of, total, b->size, err);
}

gan_status gan__blob_open(struct gan__blob *b, const char *path, gan__blob_size_fn *size_of,
                          gan_err *err)
{
    struct stat st;
    *b = (struct gan__blob){0};
    struct gan__map source;
    GAN_TRY(gan__map_open(&source, path, err));
    gan_status status;
    if (source.size < 2 || source.data[0] != 0x1f || source.data[1] != 0x8b) {
        *b = (struct gan__blob){.data = source.data, .size = source.size, .map = source};
        status = GAN_OK;
    } else if (stat(path, &st) != 0) {
        status = gan__fail_errno(err, "cannot examine", path);
        gan__map_close(&source);
    } else {
        struct origin o = {.size = source.size,
                           .mtime_s = (int64_t)st.st_mtim.tv_sec,
                           .mtime_ns = (int64_t)st.st_mtim.tv_nsec};
        status = open_gz(b, path, &source, &o, size_of, err);
        gan__map_close(&source);
    }
    if (status == GAN_OK) {
        status = check_whole(b, path, size_of, err);
    }
    if (status != GAN_OK) {
        gan__blob_release(b);
    }
    return status;
}

void gan__blob_release(struct gan__blob *b)
{
    gan__map_close(&b->map);
    gan__free(b->memory);
    *b = (struct gan__blob){0};
}

/* checkpoint.c: a store as a safetensors file, and back.
 *
 * Bytes depend on state and metadata alone: tensors are ordered by size of element (so that each is
 * aligned), then by name; metadata by key. */
#include "checkpoint.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "digest.h"
#include "safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_VERSION "1"

/* Blocks, directory entry and journal of the file system besides the file's own bytes. */
static const uint64_t space_margin = 1 << 20;

struct gan_checkpoint {
    char *path;
    struct gan__map map;
    struct gan__arena arena;
    struct gan__st_header header;
};

/* --- writing ------------------------------------------------------------------------------------ */

struct layout {
    const gan_state **state; /* in file order */
    struct gan__st_tensor *tensor;
    size_t n;
    struct gan_meta *meta;
    size_t n_meta;
    char digest[GAN__DIGEST_TEXT];
    char *header;
    size_t header_bytes;
    uint64_t data_bytes;
};

static void layout_release(struct layout *l)
{
    gan__free(l->state);
    gan__free(l->tensor);
    gan__free(l->meta);
    gan__free(l->header);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct gan_meta *)a)->key, ((const struct gan_meta *)b)->key);
}

static int by_size_and_name(const void *a, const void *b)
{
    const gan_state *x = *(const gan_state *const *)a, *y = *(const gan_state *const *)b;
    size_t sx = gan_dtype_size(x->value.dtype), sy = gan_dtype_size(y->value.dtype);
    return sx != sy ? (sx > sy ? -1 : 1) : strcmp(x->name, y->name);
}

/* Frozen weights stay in the file they came from. */
static void place_tensors(struct layout *l, const gan_store *st)
{
    l->n = 0;
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_state *s = gan_store_at(st, i);
        if (s->kind != GAN_STATE_FROZEN) {
            l->state[l->n++] = s;
        }
    }
    qsort(l->state, l->n, sizeof *l->state, by_size_and_name);
    for (size_t i = 0; i < l->n; i++) {
        const gan_state *s = l->state[i];
        uint64_t begin = l->data_bytes;
        l->data_bytes += gan_tensor_bytes(&s->value);
        l->tensor[i] =
            (struct gan__st_tensor){s->name, s->value.dtype, s->value.shape, begin, l->data_bytes};
    }
}

static void sum_data(struct layout *l)
{
    struct gan__digest d;
    gan__digest_init(&d);
    for (size_t i = 0; i < l->n; i++) {
        gan__digest_add(&d, l->state[i]->value.data, gan_tensor_bytes(&l->state[i]->value));
    }
    gan__digest_text(&d, l->digest);
}

static gan_status lay_out(struct layout *l, const gan_store *st, const struct gan_meta *meta,
                          size_t n_meta, gan_err *err)
{
    enum { OWN = 3 };
    *l = (struct layout){.n = (size_t)gan_store_count(st), .n_meta = n_meta + OWN};
    l->state = gan__alloc_array(l->n, sizeof *l->state);
    l->tensor = gan__alloc_array(l->n, sizeof *l->tensor);
    l->meta = gan__alloc_array(l->n_meta, sizeof *l->meta);
    if (l->state == NULL || l->tensor == NULL || l->meta == NULL) {
        return gan__fail_nomem(err, l->n * sizeof *l->tensor, "the layout of a checkpoint");
    }
    place_tensors(l, st);
    sum_data(l);
    l->meta[0] = (struct gan_meta){"libgan.format", FORMAT_VERSION};
    l->meta[1] = (struct gan_meta){"libgan.version", gan_version()};
    l->meta[2] = (struct gan_meta){"libgan.digest", l->digest};
    for (size_t i = 0; i < n_meta; i++) {
        l->meta[OWN + i] = meta[i];
    }
    qsort(l->meta, l->n_meta, sizeof *l->meta, by_key);
    for (size_t i = 1; i < l->n_meta; i++) {
        if (strcmp(l->meta[i - 1].key, l->meta[i].key) == 0) {
            return gan__fail(err, GAN_E_ARG, "metadata \"%s\" is given twice", l->meta[i].key);
        }
    }
    l->header = gan__st_format(l->tensor, l->n, l->meta, l->n_meta, &l->header_bytes);
    if (l->header == NULL) {
        return gan__fail_nomem(err, 0, "the header of a checkpoint");
    }
    return GAN_OK;
}

gan_status gan__checkpoint_space(const char *path, uint64_t bytes, gan_err *err)
{
    uint64_t free_bytes;
    GAN_TRY(gan__free_space(path, &free_bytes, err));
    if (free_bytes < bytes + space_margin) {
        return gan__fail(err, GAN_E_IO,
                         "cannot write %s: needs %" PRIu64 " bytes and %" PRIu64
                         " to spare, free are %" PRIu64,
                         path, bytes, space_margin, free_bytes);
    }
    return GAN_OK;
}

gan_status gan_checkpoint_save(const gan_store *st, const struct gan_meta *meta, size_t n_meta,
                               const char *path, gan_err *err)
{
    struct layout l;
    struct gan__writer w = {.fd = -1};
    gan_status status = lay_out(&l, st, meta, n_meta, err);
    if (status == GAN_OK) {
        status = gan__checkpoint_space(path, l.header_bytes + l.data_bytes, err);
    }
    if (status == GAN_OK) {
        status = gan__writer_open(&w, path, err);
    }
    if (status == GAN_OK) {
        status = gan__writer_put(&w, l.header, l.header_bytes, err);
    }
    for (size_t i = 0; i < l.n && status == GAN_OK; i++) {
        const gan_tensor *t = &l.state[i]->value;
        status = gan__writer_put(&w, t->data, gan_tensor_bytes(t), err);
    }
    if (status == GAN_OK) {
        status = gan__writer_commit(&w, err);
    }
    gan__writer_abort(&w);
    layout_release(&l);
    return status;
}

uint64_t gan_checkpoint_bytes(const gan_store *st, const struct gan_meta *meta, size_t n_meta)
{
    struct layout l;
    gan_status status = lay_out(&l, st, meta, n_meta, NULL);
    uint64_t bytes = status == GAN_OK ? l.header_bytes + l.data_bytes : 0;
    layout_release(&l);
    return bytes;
}

/* --- reading ------------------------------------------------------------------------------------ */

static gan_status check_digest(const gan_checkpoint *c, gan_err *err)
{
    const char *format = gan_checkpoint_meta(c, "libgan.format");
    const char *digest = gan_checkpoint_meta(c, "libgan.digest");
    if (format == NULL) {
        return GAN_OK; /* another program's file */
    }
    if (strcmp(format, FORMAT_VERSION) != 0) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s: checkpoint of format version %.32s, this libgan reads %s", c->path,
                         format, FORMAT_VERSION);
    }
    if (digest == NULL) {
        return gan__fail(err, GAN_E_FORMAT, "%s: checkpoint without libgan.digest", c->path);
    }
    struct gan__digest d;
    char found[GAN__DIGEST_TEXT];
    gan__digest_init(&d);
    gan__digest_add(&d, c->map.data + c->header.header_bytes,
                    c->map.size - (size_t)c->header.header_bytes);
    gan__digest_text(&d, found);
    if (strcmp(digest, found) != 0) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: damaged: the digest of the data is %s, the header says %.40s",
                         c->path, found, digest);
    }
    return GAN_OK;
}

gan_status gan_checkpoint_open(const char *path, gan_checkpoint **out, gan_err *err)
{
    *out = NULL;
    gan_checkpoint *c = gan__alloc(sizeof *c);
    if (c == NULL || (c->path = gan__strdup(path)) == NULL) {
        gan__free(c);
        return gan__fail_nomem(err, sizeof *c, "a checkpoint");
    }
    gan_status status = gan__map_open(&c->map, path, err);
    if (status == GAN_OK) {
        status = gan__st_read(path, c->map.data, c->map.size, &c->arena, &c->header, err);
    }
    if (status == GAN_OK) {
        status = check_digest(c, err);
    }
    if (status != GAN_OK) {
        gan_checkpoint_close(c);
        return status;
    }
    *out = c;
    return GAN_OK;
}

void gan_checkpoint_close(gan_checkpoint *c)
{
    if (c != NULL) {
        gan__map_close(&c->map);
        gan__arena_release(&c->arena);
        gan__free(c->path);
        gan__free(c);
    }
}

const char *gan__checkpoint_path(const gan_checkpoint *c)
{
    return c->path;
}

const char *gan_checkpoint_meta(const gan_checkpoint *c, const char *key)
{
    size_t lo = 0, hi = c->header.n_meta;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(c->header.meta[mid].key, key);
        if (order == 0) {
            return c->header.meta[mid].value;
        }
        if (order < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

bool gan_checkpoint_meta_at(const gan_checkpoint *c, size_t i, struct gan_meta *out)
{
    if (i >= c->header.n_meta) {
        return false;
    }
    *out = c->header.meta[i];
    return true;
}

size_t gan_checkpoint_count(const gan_checkpoint *c)
{
    return c->header.n_tensors;
}

bool gan_checkpoint_tensor(const gan_checkpoint *c, size_t i, const char **name, gan_tensor *value)
{
    if (i >= c->header.n_tensors) {
        return false;
    }
    const struct gan__st_tensor *t = &c->header.tensor[i];
    union {
        const unsigned char *from;
        void *to;
    } data = {.from = c->map.data + c->header.header_bytes + t->begin};
    *name = t->name;
    *value = (gan_tensor){t->dtype, t->shape, data.to};
    return true;
}

bool gan__checkpoint_find(const gan_checkpoint *c, const char *name, gan_tensor *value)
{
    size_t lo = 0, hi = c->header.n_tensors;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const char *found;
        int order = strcmp(c->header.tensor[mid].name, name);
        if (order == 0) {
            return gan_checkpoint_tensor(c, mid, &found, value);
        }
        if (order < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

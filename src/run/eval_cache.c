/* eval_cache.c: features of data sets are kept: GAN_CACHE/features/KEY.npy, one row a sample: features,
 * class scores, the class. The key is a hash of all they depend on; a file that does not fit is made
 * anew. */
#include "eval_side.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum { VERSION = 2, PATH = 4096 };

static uint64_t key_of(const struct gan__eval_source *s, const struct gan__eval_take *take)
{
    const struct gan_features_info *f = gan_features_about(take->network);
    const struct gan_dataset_info *d = gan_dataset_about(s->data);
    struct stat st = {0};
    int64_t numbers[] = {VERSION,
                         take->n,
                         (int64_t)take->seed,
                         take->height,
                         take->width,
                         take->channels,
                         d->count,
                         d->height,
                         d->width,
                         (int64_t)f->filter,
                         0,
                         0,
                         (int64_t)d->stamp};
    if (d->file[0] != '\0' && stat(d->file, &st) == 0) {
        numbers[10] = (int64_t)st.st_mtime;
        numbers[11] = (int64_t)st.st_size;
    }
    uint64_t h = gan__hash_bytes(0, numbers, sizeof numbers);
    h = gan__hash_mix(h, take->resize ? 1 : 0);
    h = gan__hash_mix(h, gan__hash_text(s->spec));
    h = gan__hash_mix(h, gan__hash_text(d->file));
    h = gan__hash_mix(h, gan__hash_text(f->name));
    return gan__hash_mix(h, gan__hash_text(f->hash));
}

static bool applies(const struct gan__eval_source *s, const struct gan__eval_take *take)
{
    return s->kind == GAN__EVAL_DATA && !s->points && take->network != NULL &&
           gan_dataset_about(s->data)->file[0] != '\0';
}

static gan_status path_of(const struct gan__eval_source *s, const struct gan__eval_take *take,
                          char dst[PATH], gan_err *err)
{
    char dir[PATH];
    GAN_TRY(gan__cache_dir(dir, sizeof dir, err));
    if (!gan__format(dst, PATH, "%s/features", dir)) {
        return gan__fail(err, GAN_E_IO, "the path of the cache is too long");
    }
    GAN_TRY(gan__mkdirs(dst, err));
    return gan__format(dst, PATH, "%s/features/%016" PRIx64 ".npy", dir, key_of(s, take))
               ? GAN_OK
               : gan__fail(err, GAN_E_IO, "the path of the cache is too long");
}

static void copy_row(const struct gan__eval_arrays *a, int64_t i, float *row, bool out)
{
    size_t size = (size_t)a->side.size, classes = (size_t)a->side.classes;
    float *f = a->features + (size_t)i * size,
          *l = a->logits != NULL ? a->logits + (size_t)i * classes : NULL;
    if (out) {
        memcpy(row, f, size * sizeof *row);
        if (l != NULL) {
            memcpy(row + size, l, classes * sizeof *row);
        }
        row[size + classes] = (float)a->labels[i];
        return;
    }
    memcpy(f, row, size * sizeof *row);
    if (l != NULL) {
        memcpy(l, row + size, classes * sizeof *row);
    }
    a->labels[i] = (int32_t)row[size + classes];
}

gan_status gan__eval_cache_read(const struct gan__eval_source *s, const struct gan__eval_take *take,
                                struct gan__eval_arrays *a, bool *hit, gan_err *err)
{
    char path[PATH];
    gan_shape shape;
    float *data = NULL;
    gan_err own = {0};
    int64_t width = a->side.size + a->side.classes + 1;
    *hit = false;
    (void)err;
    if (!applies(s, take) || a->features == NULL || path_of(s, take, path, &own) != GAN_OK ||
        !gan__path_exists(path) || gan_npy_read(path, &shape, &data, &own) != GAN_OK) {
        return GAN_OK; /* a cache that cannot be read is no cache */
    }
    if (shape.rank == 2 && shape.dim[0] == take->n && shape.dim[1] == width) {
        for (int64_t i = 0; i < take->n; i++) {
            copy_row(a, i, data + i * width, false);
        }
        *hit = true;
    }
    gan_array_free(data);
    return GAN_OK;
}

void gan__eval_cache_write(const struct gan__eval_source *s, const struct gan__eval_take *take,
                           const struct gan__eval_arrays *a)
{
    char path[PATH];
    gan_err own = {0};
    int64_t width = a->side.size + a->side.classes + 1;
    if (!applies(s, take) || path_of(s, take, path, &own) != GAN_OK) {
        return;
    }
    float *data = gan__alloc_array((size_t)(take->n * width), sizeof *data);
    if (data == NULL) {
        return;
    }
    for (int64_t i = 0; i < take->n; i++) {
        copy_row(a, i, data + i * width, true);
    }
    gan_shape shape = {.rank = 2, .dim = {take->n, width}};
    (void)gan_npy_write(path, &shape, data, &own); /* without room there is no cache */
    gan__free(data);
}

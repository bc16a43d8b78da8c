/* image_set.c: files are decoded and resized once, into a cache file that is mapped from then on: a
 * broken file is found before training begins, and epochs cost no decoding.
 *
 * A cache file, little-endian: 64 bytes of header:
 *     0  "GANIMAGE"       8  u64 key            16  u64 n        24  u64 height
 *    32  u64 width       40  u64 channels       48  u64 skipped  56  u64 hash of bytes 0..55
 * then u32 [n], the positions of the images in the list, padded to 64 bytes; then the pixels. The key
 * hashes paths, sizes and times of all files and every option, and is part of the file's name. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "image_set.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HEADER = 64, VERSION = 2, MANY = 1000, NAMED = 10 };
enum { CROP, STRETCH, PAD }; /* list->fit */

struct making {
    const struct gan__image_list *list;
    int64_t height, width, channels;
    unsigned char *usable; /* [list->n] */
    size_t n, skipped;
    char first_skipped[sizeof((gan_err *)0)->message];
};

static void store_le(unsigned char *p, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        p[i] = (unsigned char)(v >> (8 * i));
    }
}

static uint64_t load_le(const unsigned char *p, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

static size_t index_bytes(size_t n)
{
    return (4 * n + 63) / 64 * 64;
}

/* --- key ---------------------------------------------------------------------------------------- */

static uint64_t hash_i64(uint64_t h, int64_t v)
{
    unsigned char bytes[8];
    store_le(bytes, (uint64_t)v, sizeof bytes);
    return gan__hash_bytes(h, bytes, sizeof bytes);
}

static uint64_t key_of(const struct gan__image_list *l)
{
    uint64_t h = hash_i64(0, VERSION);
    h = hash_i64(h, l->size);
    h = hash_i64(h, l->channels);
    h = hash_i64(h, (int64_t)l->filter * 4 + (l->fit == STRETCH) * 2 + l->skip_broken);
    if (l->fit == PAD || l->part != 0) {
        h = hash_i64(h, l->fit * 4 + l->part);
    }
    h = gan__hash_bytes(h, l->background, sizeof l->background);
    for (size_t i = 0; i < l->n; i++) {
        struct stat about = {0};
        char real[PATH_MAX];
        (void)stat(l->paths[i], &about); /* what is not there is told when it is read */
        const char *path = i == 0 && realpath(l->paths[i], real) != NULL ? real : l->paths[i];
        h = gan__hash_bytes(h, path, strlen(path) + 1);
        h = hash_i64(h, (int64_t)about.st_size);
        h = hash_i64(h, (int64_t)about.st_mtim.tv_sec);
        h = hash_i64(h, (int64_t)about.st_mtim.tv_nsec);
    }
    return h;
}

/* --- an existing file --------------------------------------------------------------------------- */

static bool adopt(struct gan__image_set *s, const char *path, uint64_t key)
{
    if (!gan__path_exists(path) || gan__map_open(&s->map, path, NULL) != GAN_OK) {
        return false;
    }
    const unsigned char *p = s->map.data;
    bool good = s->map.size > HEADER && memcmp(p, "GANIMAGE", 8) == 0 && load_le(p + 8, 8) == key &&
                load_le(p + 56, 8) == gan__hash_bytes(0, p, 56);
    if (good) {
        s->n = (int64_t)load_le(p + 16, 8);
        s->height = (int64_t)load_le(p + 24, 8);
        s->width = (int64_t)load_le(p + 32, 8);
        s->channels = (int64_t)load_le(p + 40, 8);
        s->skipped = (size_t)load_le(p + 48, 8);
        s->key = key;
        s->file = p + HEADER;
        s->pixels = s->file + index_bytes((size_t)s->n);
        good = s->map.size == HEADER + index_bytes((size_t)s->n) +
                                  (size_t)(s->n * s->height * s->width * s->channels);
    }
    if (!good) {
        gan__image_set_close(s);
    }
    return good;
}

/* The first file of the list that the array is without. */
static size_t first_absent(const struct gan__image_set *s)
{
    size_t at = 0;
    while (at < (size_t)s->n && gan__image_set_file(s, (int64_t)at) == at) {
        at++;
    }
    return at;
}

/* --- making one --------------------------------------------------------------------------------- */

/* File i cannot be read: passed over, counted, or the end. */
static gan_status broken(struct making *m, size_t i, const gan_err *why, gan_err *err)
{
    if (m->list->skip_broken && why->code != GAN_E_NOMEM && why->code != GAN_E_UNSUPPORTED) {
        if (m->skipped++ == 0) {
            (void)gan__copy(m->first_skipped, sizeof m->first_skipped, why->message);
        }
        if (m->skipped <= NAMED) {
            gan__log(GAN_LOG_WARNING, "%s (image %zu of %zu, skipped)", why->message, i + 1,
                     m->list->n);
        }
        m->n -= m->usable[i];
        m->usable[i] = 0;
        return GAN_OK;
    }
    return gan__fail(err, why->code, "%s (image %zu of %zu; skip-broken=yes goes on without)",
                     why->message, i + 1, m->list->n);
}

/* Two images side by side: the width is that of one. */
static gan_status halve(const char *path, struct gan_image *image, gan_err *err)
{
    if (image->width % 2 != 0) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s is %" PRId64
                         " pixels wide: two images side by side need an even width",
                         path, image->width);
    }
    image->width /= 2;
    return GAN_OK;
}

/* Headers of all files: the size they share, and whether any has colour. */
static gan_status probe_all(struct making *m, gan_err *err)
{
    const struct gan__image_list *l = m->list;
    const char *first = NULL;
    for (size_t i = 0; i < l->n; i++) {
        struct gan_image head;
        gan_err why = {0};
        gan_status status = gan_image_probe(l->paths[i], &head, &why);
        if (status == GAN_OK && l->part != 0) {
            status = halve(l->paths[i], &head, &why);
        }
        if (status != GAN_OK) {
            GAN_TRY(broken(m, i, &why, err));
            continue;
        }
        m->usable[i] = 1;
        m->n++;
        if (first == NULL) {
            first = l->paths[i];
            m->height = head.height;
            m->width = head.width;
        }
        if (l->size == 0 && (head.height != m->height || head.width != m->width)) {
            return gan__fail(err, GAN_E_SHAPE,
                             "%s is %" PRId64 "x%" PRId64 ", %s is %" PRId64 "x%" PRId64
                             ": say one size for all, as in ?size=64",
                             l->paths[i], head.width, head.height, first, m->width, m->height);
        }
        m->channels = head.channels > m->channels ? head.channels : m->channels;
    }
    m->channels = l->channels > 0 ? l->channels : m->channels;
    m->height = l->size > 0 ? l->size : m->height;
    m->width = l->size > 0 ? l->size : m->width;
    return GAN_OK;
}

/* The size before cropping or padding: the smallest of the same proportions that covers the target,
 * the largest within it, or the target. */
static void scaled_size(const struct making *m, const struct gan_image *image, int64_t *height,
                        int64_t *width)
{
    int64_t by_height = (image->width * m->height + image->height / 2) / image->height;
    int64_t by_width = (image->height * m->width + image->width / 2) / image->width;
    *height = m->height;
    *width = m->width;
    if (m->list->fit == STRETCH || m->list->size == 0) {
        return;
    }
    bool tall = m->height * image->width >= m->width * image->height; /* than the target is */
    if (m->list->fit == CROP && tall) {
        *width = by_height < m->width ? m->width : by_height;
    } else if (m->list->fit == CROP) {
        *height = by_width < m->height ? m->height : by_width;
    } else if (tall) {
        *height = by_width > m->height ? m->height : by_width < 1 ? 1 : by_width;
    } else {
        *width = by_height > m->width ? m->width : by_height < 1 ? 1 : by_height;
    }
}

/* Copies what the scaled image [h,w,c] and the target share, both centred. */
static void place(const struct making *m, const uint8_t *scaled, int64_t h, int64_t w, int64_t c,
                  uint8_t *dst)
{
    int64_t rows = h < m->height ? h : m->height, columns = w < m->width ? w : m->width;
    int64_t from_y = (h - rows) / 2, from_x = (w - columns) / 2;
    int64_t to_y = (m->height - rows) / 2, to_x = (m->width - columns) / 2;
    if (rows < m->height || columns < m->width) {
        for (int64_t i = 0; i < m->height * m->width; i++) {
            gan_image_channels(m->list->background, 3, 1, m->channels, dst + i * m->channels);
        }
    }
    for (int64_t y = 0; y < rows; y++) {
        gan_image_channels(scaled + ((from_y + y) * w + from_x) * c, c, columns, m->channels,
                           dst + ((to_y + y) * m->width + to_x) * m->channels);
    }
}

/* Keeps the left or the right half of the pixels, in place. */
static gan_status take_half(const char *path, struct gan_image *image, int part, gan_err *err)
{
    int64_t whole = image->width * image->channels;
    GAN_TRY(halve(path, image, err));
    int64_t half = image->width * image->channels;
    for (int64_t y = 0; y < image->height; y++) {
        memmove(image->data + y * half, image->data + y * whole + (part == 2 ? half : 0),
                (size_t)half);
    }
    return GAN_OK;
}

/* A decoded image to its place: resized, cropped or padded, in the set's channels. */
static gan_status fit_image(const struct making *m, const struct gan_image *image, uint8_t *dst,
                            gan_err *err)
{
    int64_t h, w, c = image->channels;
    scaled_size(m, image, &h, &w);
    size_t bytes = (size_t)(h * w * c);
    uint8_t *scaled = gan__alloc(bytes);
    if (scaled == NULL) {
        return gan__fail_nomem(err, bytes, "an image");
    }
    gan_status status = gan_image_resize(image->data, image->height, image->width, c, h, w,
                                         m->list->filter, scaled, err);
    if (status == GAN_OK) {
        place(m, scaled, h, w, c, dst);
    }
    gan__free(scaled);
    return status;
}

/* Decodes every file to the pixels of the array; positions go to `index`. */
static gan_status decode_all(struct making *m, struct gan__writer *w, unsigned char *index,
                             uint8_t *pixels, gan_err *err)
{
    size_t bytes = (size_t)(m->height * m->width * m->channels), done = 0;
    for (size_t i = 0; i < m->list->n; i++) {
        struct gan_image image = {0};
        gan_err why = {0};
        if (!m->usable[i]) {
            continue;
        }
        gan_status status = gan_image_read(m->list->paths[i], m->list->background, &image, &why);
        if (status == GAN_OK && m->list->part != 0) {
            status = take_half(m->list->paths[i], &image, m->list->part, &why);
        }
        if (status == GAN_OK) {
            status = fit_image(m, &image, pixels, &why);
        }
        gan_image_release(&image);
        if (status != GAN_OK) {
            GAN_TRY(broken(m, i, &why, err));
            continue;
        }
        store_le(index + 4 * done++, i, 4);
        GAN_TRY(gan__writer_put(w, pixels, bytes, err));
    }
    return GAN_OK;
}

/* The pixels go to a file of their own first: how many there are is known at the end. */
static gan_status write_array(struct making *m, uint64_t key, const char *path,
                              const unsigned char *index, const char *body, gan_err *err)
{
    unsigned char head[HEADER];
    struct gan__writer w;
    struct gan__map map;
    memcpy(head, "GANIMAGE", 8);
    store_le(head + 8, key, 8);
    store_le(head + 16, m->n, 8);
    store_le(head + 24, (uint64_t)m->height, 8);
    store_le(head + 32, (uint64_t)m->width, 8);
    store_le(head + 40, (uint64_t)m->channels, 8);
    store_le(head + 48, m->skipped, 8);
    store_le(head + 56, gan__hash_bytes(0, head, 56), 8);
    GAN_TRY(gan__map_open(&map, body, err));
    gan_status status = gan__writer_open(&w, path, err);
    if (status == GAN_OK) {
        status = gan__writer_put(&w, head, sizeof head, err);
        status = status == GAN_OK ? gan__writer_put(&w, index, index_bytes(m->n), err) : status;
        status = status == GAN_OK ? gan__writer_put(&w, map.data, map.size, err) : status;
        status = status == GAN_OK ? gan__writer_commit(&w, err) : status;
        gan__writer_abort(&w);
    }
    gan__map_close(&map);
    return status;
}

static gan_status make_body(struct making *m, const char *body, unsigned char *index, gan_err *err)
{
    struct gan__writer w;
    size_t bytes = (size_t)(m->height * m->width * m->channels);
    uint8_t *pixels = gan__alloc(bytes);
    if (pixels == NULL) {
        return gan__fail_nomem(err, bytes, "an image");
    }
    gan_status status = gan__writer_open(&w, body, err);
    if (status == GAN_OK) {
        status = decode_all(m, &w, index, pixels, err);
        if (status == GAN_OK && m->n == 0) {
            status = gan__fail(err, GAN_E_FORMAT, "none of %zu images can be read; the first: %s",
                               m->list->n, m->first_skipped);
        }
        status = status == GAN_OK ? gan__writer_commit(&w, err) : status;
        gan__writer_abort(&w);
    }
    gan__free(pixels);
    return status;
}

static gan_status make(struct making *m, uint64_t key, const char *path, gan_err *err)
{
    char body[PATH_MAX];
    unsigned char *index = gan__alloc(index_bytes(m->list->n) + 64);
    m->usable = gan__alloc(m->list->n + 1);
    gan_status status = index != NULL && m->usable != NULL
                            ? probe_all(m, err)
                            : gan__fail_nomem(err, m->list->n * 5, "a list of images");
    if (status == GAN_OK && !gan__format(body, sizeof body, "%s.pixels", path)) {
        status = gan__fail(err, GAN_E_ARG, "path too long: %.200s", path);
    }
    if (status == GAN_OK && m->n == 0) {
        status = gan__fail(err, GAN_E_FORMAT, "none of %zu images can be read; the first: %s",
                           m->list->n, m->first_skipped);
    }
    if (status == GAN_OK) {
        if (m->n >= MANY) {
            gan__log(GAN_LOG_INFO,
                     "decoding %zu images to %" PRId64 "x%" PRId64 "x%" PRId64 ", once", m->n,
                     m->width, m->height, m->channels);
        }
        status = make_body(m, body, index, err);
        if (status == GAN_OK) {
            status = write_array(m, key, path, index, body, err);
            (void)gan__remove(body, NULL);
        }
    }
    if (status == GAN_OK && m->skipped > 0) {
        gan__log(GAN_LOG_WARNING, "%zu of %zu images skipped; the first: %s", m->skipped,
                 m->list->n, m->first_skipped);
    }
    gan__free(index);
    gan__free(m->usable);
    return status;
}

gan_status gan__image_set_open(struct gan__image_set *s, const struct gan__image_list *list,
                               gan_err *err)
{
    char dir[PATH_MAX], name[64], path[PATH_MAX];
    struct making m = {.list = list};
    uint64_t key = key_of(list);
    *s = (struct gan__image_set){.n = 0};
    GAN_TRY(gan__cache_dir(dir, sizeof dir, err));
    (void)gan__format(name, sizeof name, "images-%016" PRIx64, key);
    GAN_TRY(gan__path_join(path, sizeof path, dir, name, err));
    if (adopt(s, path, key)) {
        if (s->skipped > 0) {
            gan__log(GAN_LOG_WARNING,
                     "%zu of %zu images are left out, they cannot be read; the first: %s",
                     s->skipped, list->n, list->paths[first_absent(s)]);
        }
        return GAN_OK;
    }
    GAN_TRY(make(&m, key, path, err));
    if (!adopt(s, path, key)) {
        return gan__fail(err, GAN_E_IO, "%s: what was written cannot be read back", path);
    }
    return GAN_OK;
}

void gan__image_set_close(struct gan__image_set *s)
{
    gan__map_close(&s->map);
    *s = (struct gan__image_set){.n = 0};
}

void gan__image_set_copy(const struct gan__image_set *s, int64_t i, uint8_t *hwc)
{
    size_t bytes = (size_t)(s->height * s->width * s->channels);
    memcpy(hwc, s->pixels + (size_t)i * bytes, bytes);
}

size_t gan__image_set_file(const struct gan__image_set *s, int64_t i)
{
    return (size_t)load_le(s->file + 4 * i, 4);
}

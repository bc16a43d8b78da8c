/* apng.c: animated PNG, chunk by chunk over zlib: libspng writes no animations.
 *
 * W3C, PNG specification (third edition), chunks acTL, fcTL and fdAT. A chunk is length, type, data
 * and the CRC of type and data, numbers big-endian. Every frame fills the canvas and replaces the
 * one before; rows are filtered by "up", which suits grids of flat gaps and small images. */
#include "apng.h"

#include "base/alloc.h"
#include "base/err.h"

#include "gan_config.h"

#include <inttypes.h>
#include <string.h>

#if GAN_HAVE_ZLIB

#include <limits.h>
#include <zlib.h>

enum { MAX_SIDE = 32768, SEQUENCE = 4, FILTER_UP = 2 };

static void put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)(v & 255);
}

static gan_status put_chunk(struct gan__apng *a, const char *type, const uint8_t *data, size_t n,
                            gan_err *err)
{
    uint8_t head[8], tail[4];
    if (n > INT32_MAX) {
        return gan__fail(err, GAN_E_RANGE, "a PNG chunk of %zu bytes, allowed %d", n, INT_MAX);
    }
    put_u32(head, (uint32_t)n);
    memcpy(head + 4, type, 4);
    uLong crc = crc32(crc32(0, Z_NULL, 0), head + 4, 4);
    crc = n > 0 ? crc32(crc, data, (uInt)n) : crc;
    put_u32(tail, (uint32_t)crc);
    GAN_TRY(gan__writer_put(&a->writer, head, sizeof head, err));
    GAN_TRY(gan__writer_put(&a->writer, data, n, err));
    return gan__writer_put(&a->writer, tail, sizeof tail, err);
}

static gan_status put_head(struct gan__apng *a, gan_err *err)
{
    static const uint8_t magic[8] = {137, 'P', 'N', 'G', 13, 10, 26, 10};
    uint8_t ihdr[13] = {0}, actl[8] = {0};
    put_u32(ihdr, (uint32_t)a->width);
    put_u32(ihdr + 4, (uint32_t)a->height);
    ihdr[8] = 8;                        /* bits */
    ihdr[9] = a->channels == 1 ? 0 : 2; /* gray, truecolour */
    put_u32(actl, a->frames);           /* played for ever: 0 times */
    GAN_TRY(gan__writer_put(&a->writer, magic, sizeof magic, err));
    GAN_TRY(put_chunk(a, "IHDR", ihdr, sizeof ihdr, err));
    return put_chunk(a, "acTL", actl, sizeof actl, err);
}

gan_status gan__apng_open(struct gan__apng *a, const char *path, const struct gan__image *size,
                          uint32_t frames, uint16_t delay_ms, gan_err *err)
{
    *a = (struct gan__apng){.writer = {.fd = -1},
                            .height = size->height,
                            .width = size->width,
                            .channels = size->channels,
                            .frames = frames,
                            .delay_ms = delay_ms};
    if (a->width < 1 || a->height < 1 || a->width > MAX_SIDE || a->height > MAX_SIDE ||
        (a->channels != 1 && a->channels != 3) || frames < 1) {
        return gan__fail(err, GAN_E_RANGE,
                         "%s: %" PRIu32 " frames of %" PRId64 "x%" PRId64 "x%" PRId64
                         " cannot be written, allowed 1 to %d on a side, 1 or 3 channels",
                         path, frames, a->height, a->width, a->channels, MAX_SIDE);
    }
    a->row_bytes = (size_t)(a->width * a->channels) + 1;
    size_t bytes = a->row_bytes * (size_t)a->height;
    a->packed_cap = compressBound((uLong)bytes);
    a->rows = gan__alloc(bytes);
    a->packed = gan__alloc(a->packed_cap + SEQUENCE);
    if (a->rows == NULL || a->packed == NULL) {
        return gan__fail_nomem(err, bytes + a->packed_cap, "an animation");
    }
    GAN_TRY(gan__writer_open(&a->writer, path, err));
    return put_head(a, err);
}

gan_status gan__apng_text(struct gan__apng *a, const struct gan__png_text *text, gan_err *err)
{
    uint8_t data[512];
    size_t key = strlen(text->key), value = strlen(text->value);
    if (key < 1 || key > 79 || key + 1 + value > sizeof data) {
        return gan__fail(err, GAN_E_RANGE, "a PNG text of %zu bytes, allowed %zu", value,
                         sizeof data - key - 1);
    }
    memcpy(data, text->key, key + 1);
    memcpy(data + key + 1, text->value, value);
    return put_chunk(a, "tEXt", data, key + 1 + value, err);
}

static void filter_rows(struct gan__apng *a, const uint8_t *hwc)
{
    size_t n = a->row_bytes - 1;
    for (size_t y = 0; y < (size_t)a->height; y++) {
        uint8_t *dst = a->rows + y * a->row_bytes;
        const uint8_t *row = hwc + y * n;
        dst[0] = FILTER_UP;
        for (size_t i = 0; i < n; i++) {
            dst[i + 1] = (uint8_t)(row[i] - (y > 0 ? row[i - n] : 0));
        }
    }
}

static gan_status put_control(struct gan__apng *a, gan_err *err)
{
    uint8_t fctl[26] = {0}; /* offset 0,0; dispose none, blend source */
    put_u32(fctl, a->sequence++);
    put_u32(fctl + 4, (uint32_t)a->width);
    put_u32(fctl + 8, (uint32_t)a->height);
    put_u16(fctl + 20, a->delay_ms);
    put_u16(fctl + 22, 1000);
    return put_chunk(a, "fcTL", fctl, sizeof fctl, err);
}

gan_status gan__apng_put(struct gan__apng *a, const uint8_t *hwc, gan_err *err)
{
    uLongf n = (uLongf)a->packed_cap;
    filter_rows(a, hwc);
    int rc = compress2(a->packed + SEQUENCE, &n, a->rows, (uLong)(a->row_bytes * (size_t)a->height),
                       Z_DEFAULT_COMPRESSION);
    if (rc != Z_OK) {
        return gan__fail(err, rc == Z_MEM_ERROR ? GAN_E_NOMEM : GAN_E_INTERNAL,
                         "zlib cannot deflate a frame: error %d", rc);
    }
    GAN_TRY(put_control(a, err));
    if (a->written++ == 0) {
        return put_chunk(a, "IDAT", a->packed + SEQUENCE, n, err);
    }
    put_u32(a->packed, a->sequence++);
    return put_chunk(a, "fdAT", a->packed, n + SEQUENCE, err);
}

gan_status gan__apng_commit(struct gan__apng *a, gan_err *err)
{
    if (a->written != a->frames) {
        return gan__fail(err, GAN_E_INTERNAL, "%" PRIu32 " of %" PRIu32 " frames were written",
                         a->written, a->frames);
    }
    GAN_TRY(put_chunk(a, "IEND", NULL, 0, err));
    return gan__writer_commit(&a->writer, err);
}

#else

gan_status gan__apng_open(struct gan__apng *a, const char *path, const struct gan__image *size,
                          uint32_t frames, uint16_t delay_ms, gan_err *err)
{
    *a = (struct gan__apng){.writer = {.fd = -1}, .height = size->height, .frames = frames};
    a->delay_ms = delay_ms;
    return gan__fail(err, GAN_E_UNSUPPORTED, "%s: this build has no animations (zlib)", path);
}

gan_status gan__apng_text(struct gan__apng *a, const struct gan__png_text *text, gan_err *err)
{
    (void)a;
    return gan__fail(err, GAN_E_UNSUPPORTED, "%s: no animations without zlib", text->key);
}

gan_status gan__apng_put(struct gan__apng *a, const uint8_t *hwc, gan_err *err)
{
    (void)hwc;
    a->written = 0;
    return gan__fail(err, GAN_E_UNSUPPORTED, "no animations without zlib");
}

gan_status gan__apng_commit(struct gan__apng *a, gan_err *err)
{
    a->written = 0;
    return gan__fail(err, GAN_E_UNSUPPORTED, "no animations without zlib");
}

#endif

void gan__apng_release(struct gan__apng *a)
{
    gan__writer_abort(&a->writer);
    gan__free(a->rows);
    gan__free(a->packed);
    *a = (struct gan__apng){.writer = {.fd = -1}};
}

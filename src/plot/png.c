/* png.c: PNG through libspng, with our allocation and our atomic writer. */
#include "png.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include "gan_config.h"

#if GAN_HAVE_SPNG

#include <inttypes.h>
#include <spng.h>
#include <stdbool.h>
#include <string.h>

#define MAX_SIDE 32768
#define MAX_FILE ((size_t)1 << 30)
#define MAX_PIXELS ((uint64_t)1 << 28)
#define MAX_TEXTS 32
#define DEFLATE_RATIO 1032 /* zlib's limit: no byte of deflate data stands for more */

/* libspng reports a failed allocation inside zlib as damaged data, and its allocators have no
 * context: whether memory ran short is noted here, by thread. */
static _Thread_local bool starved;

static void *noted(void *p)
{
    starved = starved || p == NULL;
    return p;
}

static void *png_malloc(size_t bytes)
{
    return noted(gan__alloc(bytes));
}

static void *png_calloc(size_t count, size_t size)
{
    return noted(gan__alloc_array(count, size));
}

static void *png_realloc(void *p, size_t bytes)
{
    return noted(gan__realloc(p, bytes));
}

static spng_ctx *context_new(int flags)
{
    struct spng_alloc alloc = {.malloc_fn = png_malloc,
                               .realloc_fn = png_realloc,
                               .calloc_fn = png_calloc,
                               .free_fn = gan__free};
    starved = false;
    return spng_ctx_new2(&alloc, flags);
}

static gan_status fail_png(gan_err *err, gan_status code, const char *path, int rc)
{
    if (rc == SPNG_EMEM || starved) {
        return gan__fail(err, GAN_E_NOMEM, "%s: not enough memory for the image", path);
    }
    return gan__fail(err, code, "%s: %s", path, spng_strerror(rc));
}

/* The stream libspng writes into: our writer and what it said. */
struct stream {
    struct gan__writer writer;
    gan_status status;
    gan_err *err;
};

static int stream_put(spng_ctx *ctx, void *user, void *src, size_t n)
{
    struct stream *s = user;
    (void)ctx;
    s->status = gan__writer_put(&s->writer, src, n, s->err);
    return s->status == GAN_OK ? 0 : SPNG_IO_ERROR;
}

static bool is_ascii(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s >= 0x80) {
            return false;
        }
    }
    return true;
}

/* libspng wants writable strings: `copies` holds them until the file is written. */
static int set_texts(spng_ctx *ctx, const struct gan__png_text *texts, size_t n, char **copies,
                     char *empty)
{
    struct spng_text chunks[MAX_TEXTS] = {0};
    for (size_t i = 0; i < n; i++) {
        copies[i] = gan__strdup(texts[i].value);
        if (copies[i] == NULL) {
            return SPNG_EMEM;
        }
        if (!gan__copy(chunks[i].keyword, sizeof chunks[i].keyword, texts[i].key)) {
            return SPNG_ETEXT_KEYWORD;
        }
        chunks[i].type = is_ascii(copies[i]) ? SPNG_TEXT : SPNG_ITXT;
        chunks[i].text = copies[i];
        chunks[i].length = strlen(copies[i]);
        chunks[i].language_tag = empty;
        chunks[i].translated_keyword = empty;
    }
    return n == 0 ? 0 : spng_set_text(ctx, chunks, (uint32_t)n);
}

static int encode(spng_ctx *ctx, struct stream *s, const struct gan__image *image,
                  const struct gan__png_text *texts, size_t n_texts)
{
    char *copies[MAX_TEXTS] = {0};
    char empty[1] = "";
    struct spng_ihdr ihdr = {
        .width = (uint32_t)image->width,
        .height = (uint32_t)image->height,
        .bit_depth = 8,
        .color_type = (uint8_t)(image->channels == 1   ? SPNG_COLOR_TYPE_GRAYSCALE
                                : image->channels == 3 ? SPNG_COLOR_TYPE_TRUECOLOR
                                                       : SPNG_COLOR_TYPE_TRUECOLOR_ALPHA),
    };
    size_t bytes = (size_t)(image->width * image->height * image->channels);
    int rc = spng_set_png_stream(ctx, stream_put, s);
    rc = rc != 0 ? rc : spng_set_ihdr(ctx, &ihdr);
    rc = rc != 0 ? rc : set_texts(ctx, texts, n_texts, copies, empty);
    rc = rc != 0 ? rc
                 : spng_encode_image(ctx, image->data, bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    for (size_t i = 0; i < n_texts; i++) {
        gan__free(copies[i]);
    }
    return rc;
}

gan_status gan__png_write(const char *path, const struct gan__image *image,
                          const struct gan__png_text *texts, size_t n_texts, gan_err *err)
{
    int64_t c = image->channels;
    if (image->width < 1 || image->height < 1 || image->width > MAX_SIDE ||
        image->height > MAX_SIDE || (c != 1 && c != 3 && c != 4) || n_texts > MAX_TEXTS) {
        return gan__fail(err, GAN_E_RANGE,
                         "%s: an image of %" PRId64 "x%" PRId64 "x%" PRId64
                         " cannot be written, allowed 1 to %d on a side, 1, 3 or 4 channels",
                         path, image->height, image->width, c, MAX_SIDE);
    }
    struct stream s = {.err = err};
    GAN_TRY(gan__writer_open(&s.writer, path, err));
    spng_ctx *ctx = context_new(SPNG_CTX_ENCODER);
    gan_status status = GAN_OK;
    if (ctx == NULL) {
        status = gan__fail_nomem(err, 1, "a PNG encoder");
    } else {
        int rc = encode(ctx, &s, image, texts, n_texts);
        if (s.status != GAN_OK) {
            status = s.status;
        } else if (rc != 0) {
            status = fail_png(err, GAN_E_INTERNAL, path, rc);
        }
        spng_ctx_free(ctx);
    }
    if (status == GAN_OK) {
        return gan__writer_commit(&s.writer, err);
    }
    gan__writer_abort(&s.writer);
    return status;
}

/* A header may promise more than its file can hold: seen before memory is asked for. */
static gan_status check_size(const char *path, const struct spng_ihdr *h, size_t file_bytes,
                             gan_err *err)
{
    static const uint8_t samples[7] = {1, 0, 3, 1, 2, 0, 4}; /* by colour type */
    uint64_t bits = (uint64_t)h->width * h->bit_depth * samples[h->color_type % 7];
    uint64_t raw = (bits + 7) / 8 * h->height;
    if ((uint64_t)h->width * h->height > MAX_PIXELS) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: %" PRIu32 "x%" PRIu32 " pixels, at most %" PRIu64
                         " in all can be read",
                         path, h->width, h->height, MAX_PIXELS);
    }
    if (raw > (uint64_t)file_bytes * DEFLATE_RATIO) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: its header promises %" PRIu32 "x%" PRIu32
                         " pixels, more than its %zu bytes can hold",
                         path, h->width, h->height, file_bytes);
    }
    return GAN_OK;
}

/* A decoder over a file in memory, header read and checked. */
static gan_status open_decoder(const char *path, char **bytes, spng_ctx **ctx,
                               struct spng_ihdr *ihdr, gan_err *err)
{
    size_t size;
    *ctx = NULL;
    GAN_TRY(gan__file_read(path, MAX_FILE, bytes, &size, err));
    *ctx = context_new(0);
    if (*ctx == NULL) {
        return gan__fail_nomem(err, 1, "a PNG decoder");
    }
    int rc = spng_set_image_limits(*ctx, MAX_SIDE, MAX_SIDE);
    rc = rc != 0 ? rc : spng_set_chunk_limits(*ctx, (size_t)1 << 24, (size_t)1 << 26);
    rc = rc != 0 ? rc : spng_set_png_buffer(*ctx, *bytes, size);
    rc = rc != 0 ? rc : spng_get_ihdr(*ctx, ihdr);
    return rc == 0 ? check_size(path, ihdr, size, err) : fail_png(err, GAN_E_FORMAT, path, rc);
}

/* 16 bits to the nearest of 8, in place: libspng would cut the lower byte off. */
static void to_bytes(uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t v;
        memcpy(&v, data + 2 * i, sizeof v);
        data[i] = (uint8_t)((v * 255u + 32767u) / 65535u);
    }
}

static gan_status decode(const char *path, spng_ctx *ctx, const struct spng_ihdr *ihdr,
                         struct gan__image *image, gan_err *err)
{
    size_t bytes = 0;
    struct spng_trns trns;
    bool wide = ihdr->bit_depth == 16;
    int format = wide ? SPNG_FMT_RGBA16 : SPNG_FMT_RGBA8;
    int rc = spng_decoded_image_size(ctx, format, &bytes);
    if (rc != 0) {
        return fail_png(err, GAN_E_FORMAT, path, rc);
    }
    uint8_t *data = gan__alloc(bytes);
    if (data == NULL) {
        return gan__fail_nomem(err, bytes, path);
    }
    rc = spng_decode_image(ctx, data, bytes, format, SPNG_DECODE_TRNS);
    if (rc != 0) {
        gan__free(data);
        return fail_png(err, GAN_E_FORMAT, path, rc);
    }
    if (wide) {
        bytes /= 2;
        to_bytes(data, bytes);
    }
    *image = (struct gan__image){
        .data = data, .height = ihdr->height, .width = ihdr->width, .channels = 4};
    if (ihdr->color_type == SPNG_COLOR_TYPE_GRAYSCALE && spng_get_trns(ctx, &trns) != 0) {
        for (size_t i = 0; i < bytes / 4; i++) {
            data[i] = data[4 * i]; /* red = green = blue, alpha = 255 */
        }
        image->channels = 1;
    }
    return GAN_OK;
}

gan_status gan__png_read(const char *path, struct gan__image *image, gan_err *err)
{
    char *bytes = NULL;
    spng_ctx *ctx;
    struct spng_ihdr ihdr;
    *image = (struct gan__image){0};
    gan_status status = open_decoder(path, &bytes, &ctx, &ihdr, err);
    if (status == GAN_OK) {
        status = decode(path, ctx, &ihdr, image, err);
    }
    spng_ctx_free(ctx);
    gan__free(bytes);
    return status;
}

static gan_status find_text(const char *path, spng_ctx *ctx, const char *key, char *dst, size_t cap,
                            gan_err *err)
{
    uint32_t n = 0;
    int rc = spng_get_text(ctx, NULL, &n); /* how many there are */
    if (rc != 0 && rc != SPNG_ECHUNKAVAIL) {
        return fail_png(err, GAN_E_FORMAT, path, rc);
    }
    n = rc == 0 ? n : 0;
    struct spng_text *chunks = gan__alloc_array(n, sizeof *chunks);
    if (chunks == NULL) {
        return gan__fail_nomem(err, n * sizeof *chunks, path);
    }
    rc = n > 0 ? spng_get_text(ctx, chunks, &n) : 0;
    gan_status status = rc == 0 ? GAN_E_NOTFOUND : fail_png(err, GAN_E_FORMAT, path, rc);
    for (uint32_t i = 0; rc == 0 && i < n && status == GAN_E_NOTFOUND; i++) {
        if (strcmp(chunks[i].keyword, key) == 0) {
            bool fits = gan__format(dst, cap, "%.*s", (int)chunks[i].length, chunks[i].text);
            status = fits ? GAN_OK
                          : gan__fail(err, GAN_E_RANGE, "%s: text '%s' is longer than %zu bytes",
                                      path, key, cap - 1);
        }
    }
    gan__free(chunks);
    if (status == GAN_E_NOTFOUND) {
        (void)gan__fail(err, status, "%s has no text '%s'", path, key);
    }
    return status;
}

gan_status gan__png_text(const char *path, const char *key, char *dst, size_t cap, gan_err *err)
{
    char *bytes = NULL;
    spng_ctx *ctx;
    struct spng_ihdr ihdr;
    gan_status status = open_decoder(path, &bytes, &ctx, &ihdr, err);
    if (status == GAN_OK) {
        status = find_text(path, ctx, key, dst, cap, err);
    }
    spng_ctx_free(ctx);
    gan__free(bytes);
    return status;
}

#else

static gan_status fail_absent(const char *path, gan_err *err)
{
    return gan__fail(err, GAN_E_UNSUPPORTED, "%s: this build has no PNG (libspng)", path);
}

gan_status gan__png_write(const char *path, const struct gan__image *image,
                          const struct gan__png_text *texts, size_t n_texts, gan_err *err)
{
    (void)image;
    (void)texts;
    (void)n_texts;
    return fail_absent(path, err);
}

gan_status gan__png_read(const char *path, struct gan__image *image, gan_err *err)
{
    *image = (struct gan__image){0};
    return fail_absent(path, err);
}

gan_status gan__png_text(const char *path, const char *key, char *dst, size_t cap, gan_err *err)
{
    (void)key;
    (void)dst;
    (void)cap;
    return fail_absent(path, err);
}

#endif

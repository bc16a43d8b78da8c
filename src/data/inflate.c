/* inflate.c: the only user of zlib in this room. */
#include "inflate.h"

#include "base/alloc.h"
#include "base/err.h"

#include "gan_config.h"

#if GAN_HAVE_ZLIB

#include <limits.h>
#include <zlib.h>

#define PIECE ((size_t)1 << 16)

static voidpf zlib_alloc(voidpf ctx, uInt count, uInt size)
{
    (void)ctx;
    return gan__alloc_array(count, size);
}

static void zlib_free(voidpf ctx, voidpf p)
{
    (void)ctx;
    gan__free(p);
}

static gan_status fail_stream(const char *path, int rc, const z_stream *z, gan_err *err)
{
    if (rc == Z_MEM_ERROR) {
        return gan__fail_nomem(err, PIECE, "inflating");
    }
    if (rc == Z_BUF_ERROR || rc == Z_OK) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: the gzip data end too early, the file is truncated", path);
    }
    return gan__fail(err, GAN_E_FORMAT, "%s: damaged gzip data (%s)", path,
                     z->msg != NULL ? z->msg : "wrong header");
}

/* Feeds the next piece of input; zlib counts in unsigned int. */
static void feed(z_stream *z, const unsigned char **src, size_t *n)
{
    if (z->avail_in == 0 && *n > 0) {
        uInt part = *n > UINT_MAX / 2 ? UINT_MAX / 2 : (uInt)*n;
        union {
            const unsigned char *in;
            Bytef *out;
        } p = {.in = *src}; /* zlib reads only, its field is not const */
        z->next_in = p.out;
        z->avail_in = part;
        *src += part;
        *n -= part;
    }
}

static gan_status run(const char *path, z_stream *z, const unsigned char *src, size_t n,
                      unsigned char *piece, const struct gan__sink *sink, gan_err *err)
{
    for (;;) {
        feed(z, &src, &n);
        z->next_out = piece;
        z->avail_out = (uInt)PIECE;
        int rc = inflate(z, Z_NO_FLUSH);
        size_t got = PIECE - z->avail_out;
        if (got > 0) {
            GAN_TRY(sink->put(sink->ctx, piece, got, err));
        }
        if (rc == Z_STREAM_END) {
            if (z->avail_in == 0 && n == 0) {
                return GAN_OK;
            }
            if (inflateReset(z) != Z_OK) {
                return gan__fail(err, GAN_E_INTERNAL, "%s: zlib cannot go on", path);
            }
            feed(z, &src, &n);
            if (z->next_in[0] != 0x1f) { /* another member, or rubbish */
                return gan__fail(err, GAN_E_FORMAT, "%s: %zu bytes follow the end of the gzip data",
                                 path, (size_t)z->avail_in + n);
            }
        } else if (rc != Z_OK || (got == 0 && z->avail_in == 0 && n == 0)) {
            return fail_stream(path, rc, z, err);
        }
    }
}

gan_status gan__inflate(const char *path, const unsigned char *src, size_t n,
                        const struct gan__sink *sink, gan_err *err)
{
    z_stream z = {.zalloc = zlib_alloc, .zfree = zlib_free};
    unsigned char *piece = gan__alloc(PIECE);
    if (piece == NULL) {
        return gan__fail_nomem(err, PIECE, "inflating");
    }
    gan_status status;
    int rc = inflateInit2(&z, 15 + 16); /* the largest window, a gzip wrapper */
    if (rc != Z_OK) {
        status = fail_stream(path, rc, &z, err);
    } else {
        status = run(path, &z, src, n, piece, sink, err);
        (void)inflateEnd(&z);
    }
    gan__free(piece);
    return status;
}

#else

gan_status gan__inflate(const char *path, const unsigned char *src, size_t n,
                        const struct gan__sink *sink, gan_err *err)
{
    (void)src;
    (void)n;
    (void)sink;
    return gan__fail(err, GAN_E_UNSUPPORTED, "%s is gzip'ed and this build has no zlib: gunzip it",
                     path);
}

#endif

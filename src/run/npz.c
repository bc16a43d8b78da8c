/* npz.c: the parts of zip that NumPy writes: the end record, the central directory, local headers;
 * sizes below 4 GiB, methods 0 and 8. Every offset is checked against the file. */
#include "npz.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "gan_config.h"
#include "npy.h"

#include <limits.h>
#include <string.h>

#if GAN_HAVE_ZLIB
#include <zlib.h>
#endif

enum { END = 22, ENTRY = 46, LOCAL = 30, MOST_MEMBERS = 64, MOST_BYTES = 1 << 30 };

static uint32_t u16(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const unsigned char *p)
{
    return u16(p) | u16(p + 2) << 16;
}

static gan_status broken(const struct gan__npz *z, const char *what, gan_err *err)
{
    return gan__fail(err, GAN_E_FORMAT, "%s: not a .npz file: %s", z->path, what);
}

gan_status gan__npz_open(struct gan__npz *z, const char *path, gan_err *err)
{
    *z = (struct gan__npz){.path = path};
    GAN_TRY(gan__map_open(&z->map, path, err));
    size_t size = z->map.size, at = size >= END ? size - END : 0;
    const unsigned char *p = z->map.data;
    while (size >= END && at > 0 && size - at < 65536 + END && u32(p + at) != 0x06054b50) {
        at--;
    }
    gan_status status = GAN_OK;
    if (size < END || u32(p + at) != 0x06054b50) {
        status = broken(z, "no end record", err);
    } else {
        z->members = (int)u16(p + at + 10);
        z->directory = u32(p + at + 16);
        if (z->directory > at || z->members > MOST_MEMBERS) {
            status = broken(z, "the directory lies outside, or has more than 64 members", err);
        }
    }
    if (status != GAN_OK) {
        gan__npz_close(z);
    }
    return status;
}

void gan__npz_close(struct gan__npz *z)
{
    gan__map_close(&z->map);
    *z = (struct gan__npz){0};
}

/* Entry i of the directory, NULL when it does not lie in the file. */
static const unsigned char *entry(const struct gan__npz *z, int i)
{
    size_t at = z->directory;
    for (int k = 0; k < z->members; k++) {
        if (z->map.size < ENTRY || at > z->map.size - ENTRY ||
            u32(z->map.data + at) != 0x02014b50) {
            return NULL;
        }
        const unsigned char *e = z->map.data + at;
        size_t length = ENTRY + (size_t)u16(e + 28) + u16(e + 30) + u16(e + 32);
        if (length > z->map.size - at) {
            return NULL;
        }
        if (k == i) {
            return e;
        }
        at += length;
    }
    return NULL;
}

bool gan__npz_name(const struct gan__npz *z, int i, char *dst, size_t cap)
{
    const unsigned char *e = entry(z, i);
    if (e == NULL) {
        return false;
    }
    (void)gan__format(dst, cap, "%.*s", (int)u16(e + 28), (const char *)(e + ENTRY));
    size_t n = strlen(dst);
    if (gan__ends_with(dst, ".npy")) {
        dst[n - 4] = '\0';
    }
    return true;
}

static gan_status inflate_raw(const struct gan__npz *z, const unsigned char *src, size_t n,
                              unsigned char *dst, size_t size, gan_err *err)
{
#if GAN_HAVE_ZLIB
    z_stream s = {0};
    union {
        const unsigned char *in;
        Bytef *out;
    } p = {.in = src}; /* zlib reads only, its field is not const */
    s.next_in = p.out;
    s.avail_in = (uInt)n;
    s.next_out = dst;
    s.avail_out = (uInt)size;
    if (inflateInit2(&s, -MAX_WBITS) != Z_OK) {
        return gan__fail_nomem(err, size, "inflating");
    }
    int rc = inflate(&s, Z_FINISH);
    bool whole = rc == Z_STREAM_END && s.avail_out == 0;
    (void)inflateEnd(&s);
    return whole ? GAN_OK : broken(z, "damaged compressed data", err);
#else
    (void)src, (void)n, (void)dst, (void)size;
    return gan__fail(err, GAN_E_UNSUPPORTED,
                     "%s: compressed members need zlib, which this build lacks", z->path);
#endif
}

/* The bytes of a member: in the file, or inflated into *own. */
static gan_status member(const struct gan__npz *z, const unsigned char *e, unsigned char **own,
                         const unsigned char **p, size_t *n, gan_err *err)
{
    size_t packed = u32(e + 20), size = u32(e + 24), at = u32(e + 42), file = z->map.size;
    uint32_t method = u16(e + 10);
    if (file < LOCAL || at > file - LOCAL || u32(z->map.data + at) != 0x04034b50) {
        return broken(z, "a member lies outside the file", err);
    }
    at += LOCAL + (size_t)u16(z->map.data + at + 26) + u16(z->map.data + at + 28);
    if (at > file || packed > file - at || size > MOST_BYTES) {
        return broken(z, "a member lies outside the file, or has more than 1 GiB", err);
    }
    *p = z->map.data + at;
    *n = size;
    if (method == 0 && packed == size) {
        return GAN_OK;
    }
    if (method != 8) {
        return broken(z, "a member is neither stored nor deflated", err);
    }
    *own = gan__alloc(size);
    if (*own == NULL) {
        return gan__fail_nomem(err, size, z->path);
    }
    *p = *own;
    return inflate_raw(z, z->map.data + at, packed, *own, size, err);
}

gan_status gan__npz_array(const struct gan__npz *z, const char *name, gan_shape *shape,
                          double **wide, float **data, gan_err *err)
{
    char text[128];
    for (int i = 0; gan__npz_name(z, i, text, sizeof text); i++) {
        if (strcmp(text, name) != 0) {
            continue;
        }
        unsigned char *own = NULL;
        const unsigned char *p = NULL;
        size_t n = 0;
        gan_status status = member(z, entry(z, i), &own, &p, &n, err);
        if (status == GAN_OK) {
            status = gan__npy_parse(z->path, p, n, shape, wide, data, err);
        }
        gan__free(own);
        return status;
    }
    return gan__fail(err, GAN_E_NOTFOUND, "%s: no array '%.60s'", z->path, name);
}

/* npy.c: NumPy's array files, version 1.0: magic, a header that is a Python dictionary, the bytes.
 * Only what latents and images need: little-endian f4 and f8, C order. */
#include "npy.h"

#include <gan/sample.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

static const char magic[6] = "\x93NUMPY";

enum { PREFIX = 10, ALIGN = 64, MAX_RANK = GAN_MAX_RANK };

/* A file that is mapped, and the header text in it. */
struct npy {
    const char *path;
    struct gan__map map;
    char *header;
    size_t data_at;
    bool f64;
    gan_shape shape;
};

static gan_status read_prefix(struct npy *f, gan_err *err)
{
    const unsigned char *p = f->map.data;
    size_t length, at = PREFIX;
    if (f->map.size < PREFIX || memcmp(p, magic, sizeof magic) != 0) {
        return gan__fail(err, GAN_E_FORMAT, "%s: not a .npy file", f->path);
    }
    if (p[6] != 1 && p[6] != 2 && p[6] != 3) {
        return gan__fail(err, GAN_E_FORMAT, "%s: .npy version %d, known are 1 to 3", f->path, p[6]);
    }
    length = p[8] | (size_t)p[9] << 8;
    if (p[6] > 1) {
        if (f->map.size < PREFIX + 2) {
            return gan__fail(err, GAN_E_FORMAT, "%s: truncated header", f->path);
        }
        length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
        at = PREFIX + 2;
    }
    if (length > f->map.size - at) {
        return gan__fail(err, GAN_E_FORMAT, "%s: a header of %zu bytes in a file of %zu", f->path,
                         length, f->map.size);
    }
    f->data_at = at + length;
    f->header = gan__alloc(length + 1);
    if (f->header == NULL) {
        return gan__fail_nomem(err, length, "a .npy header");
    }
    memcpy(f->header, p + at, length);
    return GAN_OK;
}

/* Text after 'KEY': in the header, NULL when there is none. */
static const char *value_of(const struct npy *f, const char *key)
{
    const char *at = strstr(f->header, key);
    if (at == NULL) {
        return NULL;
    }
    at += strlen(key);
    while (*at == ' ' || *at == ':') {
        at++;
    }
    return at;
}

static gan_status read_shape(struct npy *f, gan_err *err)
{
    const char *at = value_of(f, "'shape'");
    if (at == NULL || *at != '(') {
        return gan__fail(err, GAN_E_FORMAT, "%s: the header has no shape", f->path);
    }
    at++;
    f->shape = (gan_shape){0};
    while (*at != ')') {
        char number[24];
        int64_t v;
        size_t n = strspn(at, "0123456789");
        if (n == 0 || !gan__format(number, sizeof number, "%.*s", (int)n, at) ||
            !gan__parse_i64(number, &v) || f->shape.rank == MAX_RANK) {
            return gan__fail(err, GAN_E_FORMAT, "%s: the shape cannot be read", f->path);
        }
        f->shape.dim[f->shape.rank++] = v;
        at += n;
        at += strspn(at, ", ");
    }
    return GAN_OK;
}

static gan_status read_header(struct npy *f, gan_err *err)
{
    GAN_TRY(read_prefix(f, err));
    const char *descr = value_of(f, "'descr'"), *order = value_of(f, "'fortran_order'");
    if (descr == NULL || order == NULL) {
        return gan__fail(err, GAN_E_FORMAT, "%s: the header is not a .npy dictionary", f->path);
    }
    f->f64 = gan__starts_with(descr, "'<f8'");
    if (!f->f64 && !gan__starts_with(descr, "'<f4'")) {
        return gan__fail(err, GAN_E_FORMAT, "%s: elements are %.8s, '<f4' or '<f8' are expected",
                         f->path, descr);
    }
    if (!gan__starts_with(order, "False")) {
        return gan__fail(err, GAN_E_FORMAT, "%s: Fortran order, C order is expected", f->path);
    }
    GAN_TRY(read_shape(f, err));
    size_t size = f->f64 ? 8 : 4, bytes;
    int64_t count = gan_shape_count(&f->shape);
    size_t have = f->map.size - f->data_at;
    if (count < 0 || !gan__mul((size_t)count, size, &bytes) || bytes != have) {
        char text[96];
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: %zu bytes of data do not make %s of %zu bytes "
                         "each",
                         f->path, have, gan_shape_text(&f->shape, text, sizeof text), size);
    }
    return GAN_OK;
}

/* To one of the two. */
static void copy_elements(const struct npy *f, double *wide, float *narrow)
{
    const unsigned char *src = f->map.data + f->data_at;
    int64_t n = gan_shape_count(&f->shape);
    for (int64_t i = 0; i < n; i++) {
        double v;
        float single;
        if (f->f64) {
            memcpy(&v, src + (size_t)i * sizeof v, sizeof v);
            single = (float)v;
        } else {
            memcpy(&single, src + (size_t)i * sizeof single, sizeof single);
            v = (double)single;
        }
        if (wide != NULL) {
            wide[i] = v;
        } else {
            narrow[i] = single;
        }
    }
}

gan_status gan__npy_parse(const char *path, const unsigned char *p, size_t n, gan_shape *shape,
                          double **wide, float **data, gan_err *err)
{
    struct npy f = {.path = path, .map = {p, n}};
    void *dst = NULL;
    *shape = (gan_shape){0};
    gan_status status = read_header(&f, err);
    if (status == GAN_OK) {
        size_t count = (size_t)gan_shape_count(&f.shape);
        dst = gan__alloc_array(count, wide != NULL ? sizeof **wide : sizeof **data);
        if (dst == NULL) {
            status = gan__fail_nomem(err, count * sizeof(float), path);
        }
    }
    if (status == GAN_OK) {
        copy_elements(&f, wide != NULL ? dst : NULL, wide != NULL ? NULL : dst);
        *shape = f.shape;
    }
    if (wide != NULL) {
        *wide = dst;
    } else {
        *data = dst;
    }
    gan__free(f.header);
    return status;
}

gan_status gan_npy_read(const char *path, gan_shape *shape, float **data, gan_err *err)
{
    struct gan__map map;
    *data = NULL;
    *shape = (gan_shape){0};
    GAN_TRY(gan__map_open(&map, path, err));
    gan_status status = gan__npy_parse(path, map.data, map.size, shape, NULL, data, err);
    gan__map_close(&map);
    return status;
}

void gan_array_free(float *data)
{
    gan__free(data);
}

gan_status gan__npy_begin(struct gan__writer *w, const char *path, const gan_shape *shape,
                          gan_err *err)
{
    struct gan__str s = {0};
    gan__str_addn(&s, magic, sizeof magic);
    gan__str_addn(&s, "\x01\x00??", 4);
    gan__str_add(&s, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int64_t k = 0; k < shape->rank; k++) {
        gan__str_printf(&s, k + 1 < shape->rank ? "%" PRId64 ", " : "%" PRId64, shape->dim[k]);
    }
    gan__str_add(&s, shape->rank == 1 ? ",), }" : "), }");
    while (!s.bad && (s.len + 1) % ALIGN != 0) {
        gan__str_add(&s, " ");
    }
    gan__str_add(&s, "\n");
    gan_status status = GAN_OK;
    if (s.bad) {
        status = gan__fail_nomem(err, s.len, "a .npy header");
    } else {
        s.p[8] = (char)((s.len - PREFIX) & 0xff);
        s.p[9] = (char)((s.len - PREFIX) >> 8);
        status = gan__writer_open(w, path, err);
    }
    if (status == GAN_OK) {
        status = gan__writer_put(w, s.p, s.len, err);
    }
    gan__str_release(&s);
    return status;
}

gan_status gan_npy_write(const char *path, const gan_shape *shape, const float *data, gan_err *err)
{
    int64_t n = gan_shape_count(shape);
    if (n < 0) {
        return gan__fail(err, GAN_E_SHAPE, "%s: the shape is negative or too large", path);
    }
    struct gan__writer w = {.fd = -1};
    gan_status status = gan__npy_begin(&w, path, shape, err);
    if (status == GAN_OK) {
        status = gan__writer_put(&w, data, (size_t)n * sizeof *data, err);
    }
    if (status == GAN_OK) {
        status = gan__writer_commit(&w, err);
    }
    gan__writer_abort(&w);
    return status;
}

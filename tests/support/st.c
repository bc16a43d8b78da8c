/* st.c: a reader for the golden files. The header is JSON of a known form: one object of objects whose
 * values are texts and arrays of whole numbers. */
#include "st.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NAME_MAX_LENGTH = 128, FILE_LIMIT = 1 << 28 };

struct entry {
    char name[NAME_MAX_LENGTH];
    gan_tensor t;
};

struct st {
    char *bytes;
    size_t size, data; /* data: where the tensors begin */
    struct entry *items;
    size_t n, cap;
};

/* Reads on in the header text. */
struct scan {
    const char *p, *end;
};

static void expect(struct scan *s, char c)
{
    if (s->p >= s->end || *s->p != c) {
        fail_msg("golden file: '%c' expected at \"%.40s\"", c, s->p);
    }
    s->p++;
}

static void text(struct scan *s, char *dst, size_t cap)
{
    size_t n = 0;
    expect(s, '"');
    for (; s->p < s->end && *s->p != '"'; s->p++) {
        s->p += *s->p == '\\';
        if (n + 1 < cap) {
            dst[n++] = *s->p;
        }
    }
    dst[n] = '\0';
    expect(s, '"');
}

/* [1,2,3] -> values, their number */
static int numbers(struct scan *s, int64_t *values, int cap)
{
    int n = 0;
    expect(s, '[');
    while (s->p < s->end && *s->p != ']') {
        char *after;
        long long v = strtoll(s->p, &after, 10);
        assert_true(after != s->p && n < cap);
        values[n++] = v;
        s->p = after + (*after == ',');
    }
    expect(s, ']');
    return n;
}

static void skip_metadata(struct scan *s)
{
    char ignored[8];
    expect(s, '{');
    while (*s->p != '}') {
        text(s, ignored, sizeof ignored);
        expect(s, ':');
        text(s, ignored, sizeof ignored);
        s->p += *s->p == ',';
    }
    expect(s, '}');
}

static void tensor_entry(struct st *f, struct scan *s, struct entry *e)
{
    int64_t offsets[2] = {0}, dims[GAN_MAX_RANK];
    char key[16], type[8] = "";
    expect(s, '{');
    while (*s->p != '}') {
        text(s, key, sizeof key);
        expect(s, ':');
        if (strcmp(key, "dtype") == 0) {
            text(s, type, sizeof type);
        } else if (strcmp(key, "shape") == 0) {
            int n = numbers(s, dims, GAN_MAX_RANK);
            e->t.shape = gan_shape_of(n, dims);
        } else {
            assert_int_equal(numbers(s, offsets, 2), 2);
        }
        s->p += *s->p == ',';
    }
    expect(s, '}');
    e->t.dtype = strcmp(type, "F64") == 0 ? GAN_F64 : GAN_I64;
    assert_true(e->t.dtype == GAN_F64 || strcmp(type, "I64") == 0);
    assert_true(offsets[0] >= 0 && f->data + (size_t)offsets[1] <= f->size);
    assert_int_equal(gan_tensor_bytes(&e->t), offsets[1] - offsets[0]);
    e->t.data = f->bytes + f->data + offsets[0];
}

struct st *st_open(const char *name)
{
    char path[1024];
    gan_err err = {0};
    struct st *f = gan__alloc(sizeof *f);
    assert_non_null(f);
    assert_true(gan__format(path, sizeof path, "%s/tests/golden/data/%s.safetensors",
                            GAN_SOURCE_DIR, name));
    if (gan__file_read(path, FILE_LIMIT, &f->bytes, &f->size, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
    uint64_t header = 0;
    assert_true(f->size > 8);
    memcpy(&header, f->bytes, 8); /* little-endian, as the machines the tests run on */
    assert_true(header < f->size);
    f->data = 8 + (size_t)header;
    struct scan s = {f->bytes + 8, f->bytes + f->data};
    expect(&s, '{');
    while (*s.p != '}') {
        struct entry e = {0};
        text(&s, e.name, sizeof e.name);
        expect(&s, ':');
        if (strcmp(e.name, "__metadata__") == 0) {
            skip_metadata(&s);
        } else {
            tensor_entry(f, &s, &e);
            assert_true(gan__grow(&f->items, &f->cap, f->n + 1, sizeof e));
            f->items[f->n++] = e;
        }
        s.p += *s.p == ',';
    }
    return f;
}

void st_close(struct st *f)
{
    gan__free(f->items);
    gan__free(f->bytes);
    gan__free(f);
}

static const struct entry *find(const struct st *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->items[i].name, name) == 0) {
            return &f->items[i];
        }
    }
    return NULL;
}

bool st_has(const struct st *f, const char *name)
{
    return find(f, name) != NULL;
}

gan_tensor st_tensor(const struct st *f, const char *name)
{
    const struct entry *e = find(f, name);
    if (e == NULL) {
        fail_msg("the golden file has no tensor %s", name);
    }
    return e->t;
}

gan_tensor st_get(const struct st *f, const char *fmt, ...)
{
    char buffer[NAME_MAX_LENGTH];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buffer, sizeof buffer, fmt, ap);
    va_end(ap);
    assert_true(n > 0 && (size_t)n < sizeof buffer);
    return st_tensor(f, buffer);
}

int st_count(const struct st *f)
{
    return (int)f->n;
}

const char *st_name(const struct st *f, int i)
{
    return i >= 0 && (size_t)i < f->n ? f->items[i].name : NULL;
}

void st_close_to(const char *what, const gan_tensor *got, const gan_tensor *want, double tolerance)
{
    char a[96], b[96];
    if (!gan_shape_equal(&got->shape, &want->shape)) {
        fail_msg("%s: shape %s, expected %s", what, gan_shape_text(&got->shape, a, sizeof a),
                 gan_shape_text(&want->shape, b, sizeof b));
    }
    int64_t n = gan_shape_count(&want->shape);
    for (int64_t i = 0; i < n; i++) {
        double x = gan_tensor_get(got, i), y = gan_tensor_get(want, i);
        if (!(fabs(x - y) <= tolerance * (1 + fabs(y)))) {
            fail_msg("%s[%lld] is %.17g, expected %.17g (tolerance %g)", what, (long long)i, x, y,
                     tolerance);
        }
    }
}

/* tensor.c: shapes, element types and element access. Nothing here knows graphs. */
#include "gan/tensor.h"

#include "base/err.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gan_shape gan_shape_of(int64_t rank, const int64_t *dim)
{
    gan_shape s = {0};
    if (rank < 0 || rank > GAN_MAX_RANK) {
        s.rank = -1;
        return s;
    }
    s.rank = rank;
    for (int64_t i = 0; i < rank; i++) {
        s.dim[i] = dim[i];
    }
    return s;
}

gan_shape gan_shape_scalar(void)
{
    return (gan_shape){0};
}

int64_t gan_shape_count(const gan_shape *s)
{
    if (s->rank < 0 || s->rank > GAN_MAX_RANK) {
        return -1;
    }
    int64_t n = 1;
    bool empty = false;
    for (int64_t i = 0; i < s->rank; i++) {
        int64_t d = s->dim[i];
        if (d < 0) {
            return -1;
        }
        if (d == 0) {
            empty = true;
            continue;
        }
        if (n > INT64_MAX / 8 / d) { /* 8: the widest element must still have a byte count */
            return -1;
        }
        n *= d;
    }
    return empty ? 0 : n;
}

bool gan_shape_equal(const gan_shape *a, const gan_shape *b)
{
    if (a->rank != b->rank) {
        return false;
    }
    for (int64_t i = 0; i < a->rank; i++) {
        if (a->dim[i] != b->dim[i]) {
            return false;
        }
    }
    return true;
}

char *gan_shape_text(const gan_shape *s, char *dst, size_t cap)
{
    size_t used = 0;
    if (cap == 0) {
        return dst;
    }
    dst[0] = 0;
    for (int64_t i = -1; i <= s->rank; i++) {
        char part[32];
        if (i < 0) {
            snprintf(part, sizeof part, "[");
        } else if (i == s->rank) {
            snprintf(part, sizeof part, "]");
        } else {
            snprintf(part, sizeof part, i ? ",%lld" : "%lld", (long long)s->dim[i]);
        }
        size_t len = strlen(part);
        if (used + len + 1 > cap) {
            break;
        }
        memcpy(dst + used, part, len + 1);
        used += len;
    }
    return dst;
}

gan_status gan_shape_parse(const char *text, gan_shape *out, gan_err *err)
{
    gan_shape s = {0};
    const char *p = text;
    bool good = *p++ == '[';
    while (good && *p != ']') {
        char *end = NULL;
        long long d = strtoll(p, &end, 10);
        good = end != p && d >= 0 && s.rank < GAN_MAX_RANK && (*end == ',' || *end == ']');
        if (good) {
            s.dim[s.rank++] = d;
            p = end + (*end == ',');
            good = !(*end == ',' && *p == ']');
        }
    }
    if (!good || p[1] != 0 || gan_shape_count(&s) < 0) {
        return gan__fail(err, GAN_E_ARG, "shape '%s' is not of the form [2,3] with at most %d axes",
                         text, GAN_MAX_RANK);
    }
    *out = s;
    return GAN_OK;
}

size_t gan_dtype_size(gan_dtype d)
{
    static const size_t size[] = {[GAN_F32] = 4, [GAN_F64] = 8, [GAN_BF16] = 2, [GAN_I32] = 4,
                                  [GAN_I64] = 8, [GAN_U8] = 1,  [GAN_BOOL] = 1};
    return (unsigned)d <= GAN_BOOL ? size[d] : 0;
}

const char *gan_dtype_name(gan_dtype d)
{
    static const char *const name[] = {
        [GAN_F32] = "f32", [GAN_F64] = "f64", [GAN_BF16] = "bf16", [GAN_I32] = "i32",
        [GAN_I64] = "i64", [GAN_U8] = "u8",   [GAN_BOOL] = "bool"};
    return (unsigned)d <= GAN_BOOL ? name[d] : "?";
}

bool gan_dtype_is_real(gan_dtype d)
{
    return d == GAN_F32 || d == GAN_F64 || d == GAN_BF16;
}

size_t gan_tensor_bytes(const gan_tensor *t)
{
    int64_t n = gan_shape_count(&t->shape);
    return n < 0 ? 0 : (size_t)n * gan_dtype_size(t->dtype);
}

static double bf16_get(uint16_t h)
{
    uint32_t u = (uint32_t)h << 16;
    float f;
    memcpy(&f, &u, sizeof f);
    return (double)f;
}

static uint16_t bf16_of(double v)
{
    float f = (float)v;
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    if (isnan(f)) {
        return (uint16_t)((u >> 16) | 0x40);
    }
    u += 0x7fff + ((u >> 16) & 1); /* to nearest, ties to even */
    return (uint16_t)(u >> 16);
}

double gan_tensor_get(const gan_tensor *t, int64_t i)
{
    switch (t->dtype) {
    case GAN_F32:
        return (double)((const float *)t->data)[i];
    case GAN_F64:
        return ((const double *)t->data)[i];
    case GAN_BF16:
        return bf16_get(((const uint16_t *)t->data)[i]);
    case GAN_I32:
        return (double)((const int32_t *)t->data)[i];
    case GAN_I64:
        return (double)((const int64_t *)t->data)[i];
    case GAN_U8:
    case GAN_BOOL:
        return (double)((const uint8_t *)t->data)[i];
    }
    return 0;
}

void gan_tensor_set(const gan_tensor *t, int64_t i, double v)
{
    switch (t->dtype) {
    case GAN_F32:
        ((float *)t->data)[i] = (float)v;
        break;
    case GAN_F64:
        ((double *)t->data)[i] = v;
        break;
    case GAN_BF16:
        ((uint16_t *)t->data)[i] = bf16_of(v);
        break;
    case GAN_I32:
        ((int32_t *)t->data)[i] = (int32_t)v;
        break;
    case GAN_I64:
        ((int64_t *)t->data)[i] = (int64_t)v;
        break;
    case GAN_U8:
        ((uint8_t *)t->data)[i] = (uint8_t)v;
        break;
    case GAN_BOOL:
        ((uint8_t *)t->data)[i] = v != 0;
        break;
    }
}

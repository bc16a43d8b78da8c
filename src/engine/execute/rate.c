/* rate.c: shapes of heavy steps, and the rate of memory (STREAM's triad, McCalpin 1995). */
#include "gan_config.h"
#include "rate.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/compile/fused.h"
#include "steps.h"

#include <omp.h>
#include <string.h>

enum { TRIAD_FLOATS = 1 << 24, TRIAD_ROUNDS = 8 }; /* 64 MiB an array */

static int64_t at_least_1(int64_t v)
{
    return v > 0 ? v : 1;
}

static void set_geometry(struct gan__heavy *h, const struct gan_conv *c)
{
    h->stride_h = at_least_1(c->stride_h);
    h->stride_w = at_least_1(c->stride_w);
    h->pad_top = c->pad_top;
    h->pad_bottom = c->pad_bottom;
    h->pad_left = c->pad_left;
    h->pad_right = c->pad_right;
    h->dilation_h = at_least_1(c->dilation_h);
    h->dilation_w = at_least_1(c->dilation_w);
    h->groups = at_least_1(c->groups);
}

static void set_conv(struct gan__heavy *h, const gan_shape *x, const gan_shape *w,
                     const gan_shape *y)
{
    h->n = x->dim[0];
    h->h = x->dim[1];
    h->w = x->dim[2];
    h->i = x->dim[3];
    h->oh = y->dim[1];
    h->ow = y->dim[2];
    h->o = y->dim[3];
    h->kh = w->dim[2];
    h->kw = w->dim[3];
}

static void set_matmul(struct gan__heavy *h, const struct gan__step *s, bool ta, bool tb)
{
    const gan_shape *a = &s->in[0].shape, *y = &s->out[0].shape;
    h->kind = GAN_HEAVY_MATMUL;
    h->batch = 1;
    for (int64_t d = 0; d + 2 < y->rank; d++) {
        h->batch *= y->dim[d];
    }
    h->m = y->dim[y->rank - 2];
    h->n = y->dim[y->rank - 1];
    h->k = a->dim[ta ? a->rank - 2 : a->rank - 1];
    h->ta = ta;
    h->tb = tb;
}

/* The convolution of a step, by the name of its op; false when it is another op. */
static bool read_conv(const struct gan__step *s, struct gan__heavy *h)
{
    static const struct {
        const char *op;
        enum gan__heavy_kind kind;
        bool post;
    } table[] = {{"conv2d", GAN_HEAVY_FORWARD, false},
                 {"conv2d_post", GAN_HEAVY_FORWARD, true},
                 {"conv2d_input_grad", GAN_HEAVY_DATA, false},
                 {"conv2d_input_grad_post", GAN_HEAVY_DATA, true},
                 {"conv2d_weight_grad", GAN_HEAVY_WEIGHTS, false}};
    const gan_shape *a = &s->in[0].shape, *b = &s->in[1].shape, *y = &s->out[0].shape;
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        if (strcmp(s->op->name, table[k].op) != 0) {
            continue;
        }
        const struct gan__attr_post *post = s->call.attr;
        const struct gan__attr_conv *plain = s->call.attr;
        h->kind = table[k].kind;
        set_geometry(h, table[k].post ? &post->conv.c : &plain->c);
        if (table[k].kind == GAN_HEAVY_FORWARD) {
            set_conv(h, a, b, y);
        } else if (table[k].kind == GAN_HEAVY_DATA) {
            set_conv(h, y, b, a);
        } else {
            set_conv(h, a, y, b);
        }
        return true;
    }
    return false;
}

bool gan__heavy_of(const gan_plan *p, int64_t i, struct gan__heavy *out)
{
    memset(out, 0, sizeof *out);
    if (i < 0 || i >= (int64_t)p->n_steps || (p->steps[i].op->flags & GAN_OP_HEAVY) == 0) {
        return false;
    }
    const struct gan__step *s = &p->steps[i];
    out->flops = s->flops;
    out->bf16 = s->in[0].dtype == GAN_BF16;
    if (read_conv(s, out)) {
        return true;
    }
    if (strcmp(s->op->name, "matmul") == 0) {
        const struct gan__attr_matmul *a = s->call.attr;
        set_matmul(out, s, a->ta != 0, a->tb != 0);
        return true;
    }
    if (strcmp(s->op->name, "matmul_post") == 0) {
        const struct gan__attr_post *a = s->call.attr;
        set_matmul(out, s, a->ta != 0, a->tb != 0);
        return true;
    }
    return false;
}

struct gan__heavy gan__heavy_conv(enum gan__heavy_kind kind, const int64_t n_hw_i_o[4], int64_t k,
                                  int64_t stride, int64_t pad)
{
    struct gan__heavy h;
    memset(&h, 0, sizeof h);
    h.kind = kind;
    h.n = n_hw_i_o[0];
    h.h = h.w = n_hw_i_o[1];
    h.i = n_hw_i_o[2];
    h.o = n_hw_i_o[3];
    h.kh = h.kw = k;
    h.oh = h.ow = (h.h + 2 * pad - k) / stride + 1;
    h.stride_h = h.stride_w = stride;
    h.pad_top = h.pad_bottom = h.pad_left = h.pad_right = pad;
    h.dilation_h = h.dilation_w = h.groups = 1;
    h.flops = 2.0 * (double)(h.n * h.oh * h.ow * h.o) * (double)(h.i * k * k);
    return h;
}

const char *gan__heavy_text(const struct gan__heavy *h, char *dst, size_t cap)
{
    static const char *const name[] = {"forward", "data", "weights"};
    const char *type = h->bf16 ? " bf16" : "";
    if (h->kind == GAN_HEAVY_MATMUL) {
        (void)gan__format(dst, cap, "product %lldx(%lldx%lld)(%lldx%lld)%s", (long long)h->batch,
                          (long long)h->m, (long long)h->k, (long long)h->k, (long long)h->n, type);
        return dst;
    }
    (void)gan__format(dst, cap, "%s %lldx%lldx%lld %lld->%lld k%lld s%lld%s", name[h->kind],
                      (long long)h->n, (long long)h->h, (long long)h->w, (long long)h->i,
                      (long long)h->o, (long long)h->kh, (long long)h->stride_h, type);
    return dst;
}

double gan__rate_triad(int threads)
{
    size_t bytes = (size_t)TRIAD_FLOATS * sizeof(float);
    float *a = gan__alloc_aligned(64, bytes), *b = gan__alloc_aligned(64, bytes);
    float *c = gan__alloc_aligned(64, bytes);
    double best = 0;
    for (int round = 0; a != NULL && b != NULL && c != NULL && round < TRIAD_ROUNDS; round++) {
        double before = gan__now_s();
        float s = (float)round;
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t i = 0; i < TRIAD_FLOATS; i++) {
            if (round == 0) {
                b[i] = c[i] = 1;
            }
            a[i] = b[i] + s * c[i];
        }
        double rate = 3 * (double)bytes / (gan__now_s() - before);
        best = round > 0 && rate > best ? rate : best;
    }
    gan__free(a);
    gan__free(b);
    gan__free(c);
    return best;
}

#if !GAN_HAVE_ONEDNN
double gan__rate_seconds(const struct gan__heavy *h, bool blocked, int threads)
{
    (void)h;
    (void)blocked;
    (void)threads;
    return 0;
}
#endif

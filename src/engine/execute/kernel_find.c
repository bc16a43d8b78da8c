/* kernel_find.c: which registered kernel serves an op. */
#include "kernel.h"

#include "steps.h"
#include <gan/plan.h>

#include <string.h>

/* The rule of kernels without `match`: f32 values and boolean masks. */
static bool plain_types(const struct gan__type *t, int n)
{
    for (int i = 0; i < n; i++) {
        if (t[i].dtype != GAN_F32 && t[i].dtype != GAN_BOOL) {
            return false;
        }
    }
    return true;
}

bool gan__match_f32(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                    const void *attr)
{
    (void)attr;
    bool f32 = n_out == 1 && out[0].dtype == GAN_F32 && gan_shape_count(&out[0].shape) > 0;
    for (int i = 0; i < n_in; i++) {
        f32 = f32 && in[i].dtype == GAN_F32;
    }
    return f32;
}

bool gan__match_mixed(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                      int half, bool half_out)
{
    const bool halves = n_in > 0 && in[0].dtype == GAN_BF16;
    bool ok = n_out == 1 && gan_shape_count(&out[0].shape) > 0 &&
              (out[0].dtype == GAN_F32 || (halves && half_out && out[0].dtype == GAN_BF16));
    for (int i = 0; i < n_in; i++) {
        const gan_dtype want = halves && i < half ? GAN_BF16 : GAN_F32;
        ok = ok && in[i].dtype == want && gan_shape_count(&in[i].shape) > 0;
    }
    return ok && (!halves || gan_bf16_works());
}

static bool serves(const struct gan__kernel *k, const char *backend, const char *op)
{
    return k->op[0] == op[0] && strcmp(k->op, op) == 0 && strcmp(k->backend, backend) == 0;
}

/* Lowest rank among the kernels that serve; with_tile: by a tile function, else by `run`. */
static const struct gan__kernel *find(const char *backend, const struct gan__op *op,
                                      const struct gan__prepare *t, bool with_tile, bool exact)
{
    const struct gan__kernel *best = NULL;
    for (const struct gan__kernel *const *p = gan__kernels; *p; p++) {
        const struct gan__kernel *k = *p;
        if ((with_tile ? !k->tile : !k->run) || !serves(k, backend, op->name) ||
            (exact && k->approximate) || (best && best->rank <= k->rank)) {
            continue;
        }
        bool plain = plain_types(t->in, t->n_in) && plain_types(t->out, t->n_out);
        if (with_tile && !plain) {
            continue;
        }
        if (k->match ? k->match(t->in, t->n_in, t->out, t->n_out, t->attr) : plain) {
            best = k;
        }
    }
    return best;
}

const struct gan__kernel *gan__kernel_find(const char *backend, const struct gan__op *op,
                                           const struct gan__type *in, int n_in,
                                           const struct gan__type *out, int n_out, const void *attr,
                                           bool exact)
{
    struct gan__prepare t = {.in = in, .n_in = n_in, .out = out, .n_out = n_out, .attr = attr};
    return find(backend, op, &t, false, exact);
}

const struct gan__kernel *gan__kernel_tile(const char *backend, const struct gan__op *op,
                                           const struct gan__type *in, int n_in,
                                           const struct gan__type *out, int n_out, const void *attr)
{
    struct gan__prepare t = {.in = in, .n_in = n_in, .out = out, .n_out = n_out, .attr = attr};
    return find(backend, op, &t, true, false);
}

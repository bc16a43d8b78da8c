/* profile.c: what each step of a plan is and how long it takes. The run loop asks once per run
 * whether timing is on; off, nothing else is paid. */
#include "steps.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"

#include <string.h>

struct gan_plan_step gan_plan_step_at(const gan_plan *p, int64_t i)
{
    struct gan_plan_step out = {.op = "", .backend = "", .scope = ""};
    if (i < 0 || i >= (int64_t)p->n_steps) {
        return out;
    }
    const struct gan__step *s = &p->steps[i];
    out = (struct gan_plan_step){.op = s->op->name,
                                 .backend = s->kernel != NULL ? s->kernel->backend : "ref",
                                 .scope = s->scope,
                                 .flops = s->flops,
                                 .bytes = s->bytes,
                                 .heavy = (s->op->flags & GAN_OP_HEAVY) != 0};
    out.dtype = s->call.n_in > 0 ? s->in[0].dtype : GAN_F32;
    if (s->call.n_out > 0) {
        out.shape = s->out[0].shape;
    }
    return out;
}

struct gan_plan_copy gan_plan_copy_at(const gan_plan *p, int64_t i)
{
    struct gan_plan_copy out = {.scope = ""};
    for (size_t t = 0; t < p->n_steps && i >= 0; t++) {
        const struct gan__step *s = &p->steps[t];
        if (s->copy_from != (int64_t)t || i-- > 0) {
            continue;
        }
        out = (struct gan_plan_copy){s->scope, s->in[s->copy.input].shape, s->copy.bytes, 0};
        for (size_t u = t; u < p->n_steps; u++) {
            out.uses += p->steps[u].copy_from == (int64_t)t;
        }
    }
    return out;
}

const char *gan_plan_step_name(const gan_plan *p, int64_t i, char *dst, size_t cap)
{
    if (i >= 0 && i < (int64_t)p->n_steps) {
        return gan__step_name(&p->steps[i], dst, cap);
    }
    if (cap > 0) {
        dst[0] = '\0';
    }
    return dst;
}

gan_status gan_plan_profile(gan_plan *p, bool on, gan_err *err)
{
    if (!on) {
        gan__free(p->seconds);
        p->seconds = NULL;
        return GAN_OK;
    }
    size_t n = p->n_steps + 1;
    if (p->seconds == NULL) {
        p->seconds = gan__alloc_array(n, sizeof *p->seconds);
        if (p->seconds == NULL) {
            return gan__fail_nomem(err, n * sizeof *p->seconds, "the times of a plan");
        }
    }
    memset(p->seconds, 0, n * sizeof *p->seconds);
    return GAN_OK;
}

double gan_plan_step_seconds(const gan_plan *p, int64_t i)
{
    return p->seconds != NULL && i >= 0 && i < (int64_t)p->n_steps ? p->seconds[i] : 0;
}

void gan__run_timed(gan_plan *p)
{
    double before = gan__now_s();
    for (size_t i = 0; i < p->n_steps; i++) {
        p->steps[i].run(&p->steps[i].call);
        double now = gan__now_s();
        p->seconds[i] += now - before;
        before = now;
    }
}

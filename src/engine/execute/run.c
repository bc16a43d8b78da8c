/* run.c: running a plan. Feeds are matched by name, with the place of the last run tried first, so
 * that a run of the same caller compares each name once. */
#include "steps.h"

#include "base/alloc.h"
#include "base/err.h"

#include <omp.h>
#include <string.h>

gan_workspace *gan_workspace_new(size_t bytes)
{
    gan_workspace *w = gan__alloc(sizeof *w);
    if (w && bytes != 0) {
        w->base = gan__alloc_aligned(GAN__ALIGN, bytes);
        w->bytes = bytes;
        if (!w->base) {
            gan__free(w);
            return NULL;
        }
    }
    return w;
}

void gan_workspace_free(gan_workspace *w)
{
    if (w) {
        gan__free(w->base);
        gan__free(w);
    }
}

/* Workspace of the run, large enough; pointers into it. */
static gan_status bind_workspace(gan_plan *p, gan_workspace *w, gan_err *err)
{
    size_t need = p->info.workspace_bytes;
    if (!w && !p->mine) {
        p->mine = gan_workspace_new(need);
        if (!p->mine) {
            return gan__fail_nomem(err, need, "the workspace");
        }
    }
    w = w ? w : p->mine;
    if (w->bytes < need) {
        void *base = gan__alloc_aligned(GAN__ALIGN, need);
        if (!base) {
            return gan__fail_nomem(err, need, "the workspace");
        }
        gan__free(w->base);
        w->base = base;
        w->bytes = need;
    }
    if (p->bound != w->base) {
        for (size_t i = 0; i < p->n_refs; i++) {
            *p->refs[i].data = w->base ? (unsigned char *)w->base + p->refs[i].at : NULL;
        }
        p->bound = w->base;
    }
    return GAN_OK;
}

static gan_status bind_feed(struct gan__plan_feed *f, const struct gan_run *args, gan_err *err)
{
    size_t i = f->hint;
    if (i >= args->n_feeds || strcmp(args->feeds[i].name, f->name) != 0) {
        for (i = 0; i < args->n_feeds && strcmp(args->feeds[i].name, f->name) != 0; i++) {
        }
    }
    if (i == args->n_feeds) {
        return f->needed ? gan__fail(err, GAN_E_ARG, "feed %s is missing", f->name) : GAN_OK;
    }
    f->hint = i;
    const gan_tensor *t = &args->feeds[i].value;
    if (t->dtype != f->type.dtype || !gan_shape_equal(&t->shape, &f->type.shape)) {
        char is[96], want[96];
        return gan__fail(err, GAN_E_ARG, "feed %s is %s %s, the graph wants %s %s", f->name,
                         gan_dtype_name(t->dtype), gan_shape_text(&t->shape, is, sizeof is),
                         gan_dtype_name(f->type.dtype),
                         gan_shape_text(&f->type.shape, want, sizeof want));
    }
    if (!t->data && f->needed && gan_shape_count(&t->shape) > 0) {
        return gan__fail(err, GAN_E_ARG, "feed %s has no data", f->name);
    }
    for (size_t j = 0; j < f->n_refs; j++) {
        *f->refs[j] = t->data;
    }
    return GAN_OK;
}

static gan_status bind_scalar(gan_plan *p, size_t index, const struct gan_run *args, gan_err *err)
{
    struct gan__plan_scalar *s = &p->scalars[index];
    size_t i = s->hint;
    if (i >= args->n_scalars || strcmp(args->scalars[i].name, s->name) != 0) {
        for (i = 0; i < args->n_scalars && strcmp(args->scalars[i].name, s->name) != 0; i++) {
        }
    }
    if (i == args->n_scalars) {
        return s->needed ? gan__fail(err, GAN_E_ARG, "scalar feed %s is missing", s->name) : GAN_OK;
    }
    s->hint = i;
    p->scalar_values[index] = args->scalars[i].value;
    if (s->needed) {
        gan_tensor_set(&s->value, 0, args->scalars[i].value);
    }
    return GAN_OK;
}

/* Names the graph does not know. */
static gan_status check_unknown(const gan_plan *p, const struct gan_run *args, gan_err *err)
{
    for (size_t i = 0; i < args->n_feeds; i++) {
        bool known = false;
        for (size_t j = 0; j < p->n_feeds && !known; j++) {
            known = strcmp(args->feeds[i].name, p->feeds[j].name) == 0;
        }
        if (!known) {
            return gan__fail(err, GAN_E_ARG, "the graph has no feed %s", args->feeds[i].name);
        }
    }
    for (size_t i = 0; i < args->n_scalars; i++) {
        bool known = false;
        for (size_t j = 0; j < p->n_scalars && !known; j++) {
            known = strcmp(args->scalars[i].name, p->scalars[j].name) == 0;
        }
        if (!known) {
            return gan__fail(err, GAN_E_ARG, "the graph has no scalar feed %s",
                             args->scalars[i].name);
        }
    }
    return GAN_OK;
}

gan_status gan__run_begin(gan_plan *p, const struct gan_run *args, gan_err *err)
{
    GAN_TRY(check_unknown(p, args, err));
    for (size_t i = 0; i < p->n_feeds; i++) {
        GAN_TRY(bind_feed(&p->feeds[i], args, err));
    }
    for (size_t i = 0; i < p->n_scalars; i++) {
        GAN_TRY(bind_scalar(p, i, args, err));
    }
    GAN_TRY(bind_workspace(p, args->workspace, err));
    p->run.seed = args->seed;
    p->run.iteration = args->iteration;
    p->run.run = args->run;
    p->run.sample = args->sample;
    return GAN_OK;
}

/* Copies that last are there from now on. */
static void keep_copies(gan_plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++) {
        p->steps[i].call.make_copy = p->steps[i].call.make_copy && !p->steps[i].copy_lasts;
    }
    p->filled = true;
}

gan_status gan_plan_run(gan_plan *p, const struct gan_run *args, gan_err *err)
{
    const struct gan_run none = {0};
    GAN_TRY(gan__run_begin(p, args ? args : &none, err));
    int before = omp_get_max_threads();
    omp_set_num_threads(p->run.threads); /* oneDNN asks OpenMP how many there are */
    if (p->seconds != NULL) {
        gan__run_timed(p);
    } else {
        for (size_t i = 0; i < p->n_steps; i++) {
            p->steps[i].run(&p->steps[i].call);
        }
    }
    omp_set_num_threads(before);
    if (p->frozen && !p->filled) {
        keep_copies(p);
    }
    return GAN_OK;
}

/* find_nonfinite.c: which node made the first value that is not finite. The graph is compiled
 * without the passes that merge or drop nodes, and the store is left alone. What the state sets
 * need is looked at first: that is what broke the update; everything else comes after. */
#include "steps.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <math.h>
#include <omp.h>

static bool all_finite(const gan_tensor *t)
{
    int64_t n = gan_shape_count(&t->shape);
    if (!gan_dtype_is_real(t->dtype)) {
        return true;
    }
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(gan_tensor_get(t, i))) {
            return false;
        }
    }
    return true;
}

static void describe(char *name, size_t cap, const char *what, const char *which,
                     const gan_tensor *t)
{
    char shape[96];
    (void)gan__format(name, cap, "%s%s%s %s", what, *which ? " " : "", which,
                      gan_shape_text(&t->shape, shape, sizeof shape));
}

/* Feeds and state that came in bad. */
static bool bad_source(const gan_graph *g, const gan_plan *p, const struct gan_run *args,
                       char *name, size_t cap)
{
    for (size_t i = 0; i < p->n_feeds; i++) {
        if (p->feeds[i].needed && !all_finite(&args->feeds[p->feeds[i].hint].value)) {
            describe(name, cap, "feed", p->feeds[i].name, &args->feeds[p->feeds[i].hint].value);
            return true;
        }
    }
    for (size_t i = 0; i < p->n_scalars; i++) {
        if (p->scalars[i].needed && !all_finite(&p->scalars[i].value)) {
            describe(name, cap, "scalar feed", p->scalars[i].name, &p->scalars[i].value);
            return true;
        }
    }
    for (size_t e = 0; e < g->n_states; e++) {
        const gan_state *s = gan_store_at(g->store, (int)e);
        if (gan_ok(g->states[e].first) && !all_finite(&s->value)) {
            describe(name, cap, "state", s->name, &s->value);
            return true;
        }
    }
    return false;
}

/* Runs the plan up to the first bad step. */
static gan_status probe(const gan_graph *g, gan_plan *p, const struct gan_run *args, char *name,
                        size_t cap, gan_err *err)
{
    GAN_TRY(gan__run_begin(p, args, err));
    if (bad_source(g, p, args, name, cap)) {
        return GAN_OK;
    }
    int before = omp_get_max_threads();
    omp_set_num_threads(p->run.threads);
    for (size_t i = 0; i < p->n_steps && !*name; i++) {
        const struct gan__step *s = &p->steps[i];
        s->run(&s->call);
        for (int k = 0; k < s->call.n_out && !*name; k++) {
            if (!all_finite(&s->out[k])) {
                char op[64];
                describe(name, cap, gan__step_name(s, op, sizeof op), s->scope, &s->out[k]);
            }
        }
    }
    omp_set_num_threads(before);
    return GAN_OK;
}

static gan_status probe_graph(struct gan__build *b, const struct gan_run *args, char *name,
                              size_t cap, gan_err *err)
{
    gan_err local = {0};
    gan_plan *p = gan__plan_build(b, err ? err : &local);
    if (!p) {
        return err ? err->code : local.code;
    }
    gan_status status = probe(b->g, p, args, name, cap, err);
    gan_plan_free(p);
    return status;
}

gan_status gan_plan_find_nonfinite(const gan_graph *g, const struct gan_run *args,
                                   const struct gan_plan_opts *opts, char *name, size_t cap,
                                   gan_err *err)
{
    const struct gan_run none = {0};
    struct gan__build b = {.g = g,
                           .backend = opts && opts->backend ? opts->backend : "cpu",
                           .without = "fold,simplify,cse,fuse,epilogue,order",
                           .threads = opts ? opts->threads : 0};
    if (cap == 0) {
        return gan__fail(err, GAN_E_ARG, "there is no room for a name");
    }
    name[0] = '\0';
    GAN_TRY(gan_graph_status(g, err));
    args = args ? args : &none;
    gan_val *roots = gan__alloc_array(g->n_states + 1, sizeof *roots);
    if (!roots) {
        return gan__fail_nomem(err, g->n_states * sizeof *roots, "the probe");
    }
    for (size_t e = 0; e < g->n_states; e++) {
        if (gan_ok(g->states[e].set)) {
            roots[b.n_outputs++] = g->nodes[g->states[e].set.node].in[0];
        }
    }
    b.outputs = roots;
    gan_status status = GAN_OK;
    if (b.n_outputs > 0) {
        status = probe_graph(&b, args, name, cap, err);
    }
    gan__free(roots);
    if (status == GAN_OK && !*name) {
        b.outputs = NULL;
        b.n_outputs = 0;
        b.without = "fold,simplify,cse,dce,fuse,epilogue";
        status = probe_graph(&b, args, name, cap, err);
    }
    return status;
}

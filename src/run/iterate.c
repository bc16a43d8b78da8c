/* iterate.c: one iteration of training. */
#include "feeds.h"
#include "session.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static bool is_guard(const struct gan__report *r)
{
    return gan__starts_with(r->name, "ok.");
}

int gan__session_reports(const struct gan__session *s, const char *names[GAN__MAX_VALUES])
{
    int n = 0;
    for (int i = 0; i < s->n_phases; i++) {
        const struct gan__segment *seg = s->phase[i].segment;
        for (int k = 0; k < seg->n_reports; k++) {
            if (!is_guard(&seg->report[k])) {
                names[n++] = seg->report[k].name;
            }
        }
    }
    return n;
}

/* Learning rates and bias corrections of the update this run will make. */
static void fill_scalars(struct gan__session *s, struct gan__phase *p, int64_t iteration)
{
    const struct gan_moment now = {.iteration = iteration,
                                   .steps = s->steps,
                                   .images = gan__session_count(s, s->images),
                                   .batch = s->recipe->run.batch};
    size_t at = 0;
    for (int u = 0; u < p->segment->n_updates; u++) {
        const struct gan_optim *o = p->segment->update[u].optim;
        double values[GAN_OPTIM_MAX_SCALARS];
        int64_t update = gan__session_count(s, p->counter[u]) + 1;
        for (int ahead = 0; ahead <= p->segment->update[u].ahead; ahead++) {
            gan_optim_scalars(o, update + ahead, p->horizon[u] > 0 ? p->horizon[u] : 1, values);
            for (int k = 0; k < gan_optim_scalar_count(o); k++) {
                p->scalars[at++].value = values[k];
            }
        }
    }
    for (int k = 0; k < p->segment->n_scalars; k++) {
        const struct gan__scalar_info *info = &p->segment->scalar[k];
        p->scalars[at++].value = info->value(info->arg, &now);
    }
}

/* First report that says something is wrong; NULL when all is well. */
static const char *bad_report(const struct gan__phase *p)
{
    for (int k = 0; k < p->segment->n_reports; k++) {
        const struct gan__report *r = &p->segment->report[k];
        double v = gan_tensor_get(gan_plan_output(p->plan, k), 0);
        if (!isfinite(v) || (is_guard(r) && v < 0.5)) {
            return r->name;
        }
    }
    return NULL;
}

/* Replays the run, unfused, and names the first node whose value is not finite. */
static gan_status fail_diverged(struct gan__session *s, const struct gan__phase *p,
                                const struct gan_run *run, const char *report, gan_err *err)
{
    char node[200] = "";
    gan_err own = {0};
    struct gan_plan_opts opts = {.threads = s->threads};
    (void)gan_plan_find_nonfinite(p->segment->graph, run, &opts, node, sizeof node, &own);
    bool guard = gan__starts_with(report, "ok.");
    (void)gan__copy(s->bad.report, sizeof s->bad.report, report);
    (void)gan__copy(s->bad.node, sizeof s->bad.node, node);
    return gan__fail(err, GAN_E_DIVERGED,
                     "training diverged in iteration %" PRIu64 ": %s%s is not finite%s%s",
                     run->iteration + 1, guard ? "the gradient of " : "",
                     guard ? report + strlen("ok.") : report,
                     node[0] != '\0' ? "; the first bad value is of " : "", node);
}

static gan_status run_phase(struct gan__session *s, struct gan__phase *p, int64_t iteration,
                            int64_t k, gan_err *err)
{
    const struct gan__segment *seg = p->segment;
    const struct gan_batch *b = NULL;
    struct gan_feed_data feeds[GAN__MAX_FIELDS];
    int64_t seen = gan__session_count(s, s->images);
    if (seg->fields != 0 && s->fixed != NULL) {
        b = s->fixed;
    } else if (seg->fields != 0) {
        GAN_TRY(gan_loader_next(s->loader, &b, err));
    }
    size_t n_feeds = b != NULL ? gan__batch_feeds(b, seg->fields, feeds) : 0;
    fill_scalars(s, p, iteration);
    struct gan_run run = {
        .seed = gan__session_seed(s),
        .iteration = (uint64_t)iteration,
        .run = (uint64_t)k,
        .sample = (uint64_t)seen,
        .feeds = feeds,
        .n_feeds = n_feeds,
        .scalars = p->scalars,
        .n_scalars = p->n_scalars,
        .workspace = s->workspace,
    };
    GAN_TRY(gan_plan_run(p->plan, &run, err));
    const char *bad = bad_report(p);
    if (bad != NULL) {
        return fail_diverged(s, p, &run, bad, err);
    }
    for (int u = 0; u < seg->n_updates; u++) {
        int64_t made = 1 + seg->update[u].again;
        gan__session_set_count(s, p->counter[u], gan__session_count(s, p->counter[u]) + made);
    }
    if (b != NULL) {
        gan__session_set_count(s, s->images, seen + b->n);
    }
    return GAN_OK;
}

gan_status gan__session_step(struct gan__session *s, double *values, gan_err *err)
{
    int64_t iteration = gan__session_count(s, s->iteration);
    int n = 0;
    for (int i = 0; i < s->n_phases; i++) {
        struct gan__phase *p = &s->phase[i];
        const struct gan__segment *seg = p->segment;
        int64_t runs = seg->repeated ? gan__runs_at(&seg->runs, iteration) : 1;
        for (int64_t k = 0; k < runs; k++) {
            GAN_TRY(run_phase(s, p, iteration, k, err));
        }
        for (int k = 0; k < seg->n_reports; k++) {
            if (!is_guard(&seg->report[k])) {
                values[n++] =
                    runs > 0 ? gan_tensor_get(gan_plan_output(p->plan, k), 0) : (double)NAN;
            }
        }
    }
    gan__session_set_count(s, s->iteration, iteration + 1);
    return GAN_OK;
}

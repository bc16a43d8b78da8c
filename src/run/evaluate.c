/* evaluate.c: two sides are opened, brought to one size, collected; every metric that was asked for is
 * run; what belongs to the figures is written down beside them. */
#include <gan/evaluate.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "eval_side.h"

#include <gan/machine.h>
#include <gan/measure.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_SAMPLES = 10000 };

struct gan_evaluation {
    struct gan_eval_report report;
    struct gan__eval_source fake, real, held;
    struct gan__eval_arrays fake_arrays, real_arrays, held_arrays;
    gan_features *network;
    unsigned needs;
    int threads;
};

const char *gan_eval_features(void)
{
    return "pixels:16";
}

static void warn(struct gan_eval_report *r, const char *fmt, ...) GAN_PRINTF(2, 3);

static void warn(struct gan_eval_report *r, const char *fmt, ...)
{
    if (r->n_warnings < GAN_EVAL_WARNINGS) {
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(r->warning[r->n_warnings++], sizeof r->warning[0], fmt, args);
        va_end(args);
    }
}

/* --- names -------------------------------------------------------------------------------------- */

static gan_status read_metrics(const char *text, struct gan_eval_report *r, gan_err *err)
{
    const char *at = text != NULL ? text : "";
    while (*at != '\0') {
        char name[64];
        size_t n = strcspn(at, ",");
        if (!gan__format(name, sizeof name, "%.*s", (int)n, at)) {
            return gan__fail(err, GAN_E_ARG, "--metrics: a name of %zu bytes", n);
        }
        if (r->n == GAN_EVAL_METRICS) {
            return gan__fail(err, GAN_E_ARG, "--metrics: more than %d", (int)GAN_EVAL_METRICS);
        }
        r->metric[r->n] = gan_metric_find(name, err);
        if (r->metric[r->n] == NULL) {
            return GAN_E_ARG;
        }
        r->n++;
        at += n + (at[n] == ',');
    }
    return r->n > 0 ? GAN_OK
                    : gan__fail(err, GAN_E_ARG, "no metric is named: --metrics fid,kid,...");
}

static bool needs_real(const struct gan_eval_report *r)
{
    for (int i = 0; i < r->n; i++) {
        if ((r->metric[i]->needs & GAN_NEED_NO_REAL) == 0) {
            return true;
        }
    }
    return false;
}

gan_status gan_eval_check(const struct gan_eval_cfg *cfg, gan_err *err)
{
    struct gan_eval_report r = {0};
    GAN_TRY(read_metrics(cfg->metrics, &r, err));
    if (needs_real(&r) && cfg->data == NULL) {
        return gan__fail(err, GAN_E_ARG, "--data is missing: what to compare with");
    }
    return cfg->features != NULL ? gan_features_check(cfg->features, err) : GAN_OK;
}

/* --- sides -------------------------------------------------------------------------------------- */

static bool has_pixels(const struct gan__eval_source *s)
{
    return (s->kind == GAN__EVAL_RUN || s->kind == GAN__EVAL_DATA || s->kind == GAN__EVAL_IMAGES) &&
           !s->points;
}

static void describe(struct gan_eval_side *side, const struct gan__eval_source *s)
{
    static const char *const kinds[] = {"run", "data", "images", "features", "statistics"};
    (void)gan__copy(side->text, sizeof side->text, s->text);
    (void)gan__copy(side->kind, sizeof side->kind, kinds[s->kind]);
    (void)gan__copy(side->codec, sizeof side->codec, s->codec);
    if (s->kind == GAN__EVAL_DATA) {
        gan__eval_split(s->spec, side->split, sizeof side->split);
    }
    if (s->kind == GAN__EVAL_RUN) {
        const struct gan_sampler_info *a = gan_sampler_about(s->sampler);
        (void)gan__copy(side->hash, sizeof side->hash, a->hash);
        side->step = a->step;
    }
}

static gan_status open_sides(gan_evaluation *e, const struct gan_eval_cfg *cfg, gan_err *err)
{
    GAN_TRY(gan__eval_open(&e->fake, cfg->what, e->threads, cfg->skip_broken, err));
    describe(&e->report.fake, &e->fake);
    e->report.has_real = cfg->data != NULL;
    if (cfg->data != NULL) {
        GAN_TRY(gan__eval_open(&e->real, cfg->data, e->threads, cfg->skip_broken, err));
        describe(&e->report.real, &e->real);
        if (e->real.points != e->fake.points) {
            return gan__fail(err, GAN_E_SHAPE, "%s are %s, %s are %s: they cannot be compared",
                             cfg->data, e->real.points ? "points" : "images", cfg->what,
                             e->fake.points ? "points" : "images");
        }
    }
    return cfg->held != NULL
               ? gan__eval_open(&e->held, cfg->held, e->threads, cfg->skip_broken, err)
               : GAN_OK;
}

static gan_status open_network(gan_evaluation *e, const struct gan_eval_cfg *cfg, gan_err *err)
{
    const unsigned looks =
        GAN_NEED_FEATURES | GAN_NEED_LOGITS | GAN_NEED_LAYERS | GAN_NEED_OFFERED_LOGITS;
    const struct gan__eval_source *s = has_pixels(&e->fake)   ? &e->fake
                                       : has_pixels(&e->real) ? &e->real
                                                              : NULL;
    struct gan_eval_report *r = &e->report;
    r->features = r->layer = r->hash = r->filter = "";
    if (s == NULL || (e->needs & looks) == 0) {
        if (!e->fake.points && e->fake.size > 0) {
            r->features = "as given";
            r->n_features = e->fake.size;
        }
        return GAN_OK;
    }
    bool mixed = !has_pixels(&e->fake) || (r->has_real && !has_pixels(&e->real));
    if (mixed && cfg->features == NULL) {
        return gan__fail(err, GAN_E_ARG,
                         "%s are features already: name the network they are of "
                         "with --features, to compare them with images",
                         has_pixels(&e->fake) ? cfg->data : cfg->what);
    }
    struct gan_features_cfg how = {
        .height = s->height, .width = s->width, .channels = s->channels, .threads = e->threads};
    const char *name = cfg->features != NULL ? cfg->features : gan_eval_features();
    GAN_TRY(gan_features_open(name, &how, &e->network, err));
    const struct gan_features_info *a = gan_features_about(e->network);
    r->features = a->name;
    r->layer = a->layer != NULL ? a->layer : "";
    r->hash = a->hash != NULL ? a->hash : "";
    r->filter = gan_filter_name(a->filter);
    r->n_features = a->features;
    return GAN_OK;
}

static gan_status collect(gan_evaluation *e, struct gan__eval_source *s,
                          const struct gan_eval_cfg *cfg, struct gan__eval_arrays *out,
                          struct gan_eval_side *side, gan_err *err)
{
    const struct gan__eval_source *size = has_pixels(&e->fake) ? &e->fake : s;
    int64_t want = cfg->n > 0 ? cfg->n : DEFAULT_SAMPLES;
    /* each side draws on its own: two subsets of one data set are two samples */
    uint64_t order =
        side == &e->report.fake ? cfg->seed : gan__hash_mix(cfg->seed, side != NULL ? 1 : 2);
    struct gan__eval_take take = {.n = want < s->n || s->kind == GAN__EVAL_STATISTICS ? want : s->n,
                                  .seed = order,
                                  .height = size->height,
                                  .width = size->width,
                                  .channels = size->channels,
                                  .resize = e->fake.kind == GAN__EVAL_RUN &&
                                            gan_sampler_about(e->fake.sampler)->resize,
                                  .needs = e->needs,
                                  .network = e->network,
                                  .threads = e->threads,
                                  .cache = !cfg->no_cache};
    GAN_TRY(gan__eval_collect(s, &take, out, err));
    if (side != NULL) {
        side->n = out->side.n;
        side->height = out->side.height;
        side->width = out->side.width;
        side->channels = out->side.channels;
        side->cached = out->cached;
        (void)gan__copy(side->resize, sizeof side->resize, out->resize);
    }
    return GAN_OK;
}

/* --- what belongs to the figures ---------------------------------------------------------------- */

static void tell_caveats(gan_evaluation *e)
{
    struct gan_eval_report *r = &e->report;
    if (!r->has_real) {
        return;
    }
    bool same_kind = e->real.kind == GAN__EVAL_DATA &&
                     strcmp(gan_dataset_about(e->real.data)->kind, e->fake.trained_on) == 0;
    if (strcmp(r->real.split, "train") == 0) {
        warn(r, "the reals are the training split: a model that repeats them looks perfect");
    } else if (same_kind && r->real.split[0] != '\0' && strcmp(r->real.split, "any") != 0 &&
               strcmp(r->real.split, e->fake.trained_split) == 0) {
        warn(r, "the run was trained on split %s: a model that repeats it looks perfect",
             r->real.split);
    } else if (strcmp(r->real.split, "test") != 0 && same_kind && !e->real.points) {
        warn(r, "the run was trained on data of this kind: the reals may be its training images");
    }
    bool a = gan__starts_with(r->real.resize, "resized"),
         b = gan__starts_with(r->fake.resize, "resized");
    if (a != b) {
        warn(r,
             "the sides were resized differently (reals: %s, fakes: %s): this alone moves FID "
             "by points",
             r->real.resize, r->fake.resize);
    }
    if (r->real.n > 0 && r->fake.n > 0 && r->real.n != r->fake.n) {
        warn(r, "%" PRId64 " reals against %" PRId64 " fakes: compare models at equal N only",
             r->real.n, r->fake.n);
    }
}

/* "ring8" of "toy:ring8?..". */
static const char *mixture_of(const struct gan__eval_source *s, char dst[64])
{
    struct gan_mode_set set;
    if (s->spec == NULL || !gan__starts_with(s->spec, "toy:")) {
        return NULL;
    }
    (void)gan__format(dst, 64, "%.*s", (int)strcspn(s->spec + 4, "?"), s->spec + 4);
    return gan_toy_modes(dst, &set, NULL) == GAN_OK ? dst : NULL;
}

/* Modes of several classifiers side by side: one for each choice of a class in each. */
static int64_t modes_of(const gan_features *network)
{
    const struct gan_features_info *a = network != NULL ? gan_features_about(network) : NULL;
    int64_t modes = 1;
    for (int64_t k = 0; a != NULL && k < a->groups; k++) {
        modes *= a->logits / a->groups;
    }
    return modes > 1 ? modes : 0;
}

static gan_status measure(gan_evaluation *e, const struct gan_eval_cfg *cfg, gan_err *err)
{
    struct gan_eval_report *r = &e->report;
    char mixture[64];
    struct gan_metric_input in = {.real = e->real_arrays.side,
                                  .fake = e->fake_arrays.side,
                                  .held = e->held_arrays.side,
                                  .network = e->network,
                                  .mixture = mixture_of(&e->real, mixture),
                                  .seed = cfg->seed,
                                  .threads = e->threads,
                                  .bootstrap = cfg->bootstrap,
                                  .n_modes = modes_of(e->network)};
    for (int i = 0; i < r->n; i++) {
        GAN_TRY(gan_metric_run(r->metric[i], &in, &r->result[i], err));
    }
    return GAN_OK;
}

static gan_status evaluate(gan_evaluation *e, const struct gan_eval_cfg *cfg, gan_err *err)
{
    struct gan_machine machine;
    gan_machine_about(&machine);
    e->threads = cfg->threads > 0 ? cfg->threads : machine.threads;
    e->report.seed = cfg->seed;
    GAN_TRY(read_metrics(cfg->metrics, &e->report, err));
    GAN_TRY(gan_eval_check(cfg, err));
    for (int i = 0; i < e->report.n; i++) {
        e->needs |= e->report.metric[i]->needs;
    }
    GAN_TRY(open_sides(e, cfg, err));
    GAN_TRY(open_network(e, cfg, err));
    GAN_TRY(collect(e, &e->fake, cfg, &e->fake_arrays, &e->report.fake, err));
    if (e->report.has_real) {
        GAN_TRY(collect(e, &e->real, cfg, &e->real_arrays, &e->report.real, err));
    }
    if (cfg->held != NULL) {
        GAN_TRY(collect(e, &e->held, cfg, &e->held_arrays, NULL, err));
    }
    tell_caveats(e);
    return measure(e, cfg, err);
}

gan_status gan_evaluate(const struct gan_eval_cfg *cfg, gan_evaluation **out, gan_err *err)
{
    double before = gan__now_s();
    *out = NULL;
    gan_evaluation *e = gan__alloc(sizeof *e);
    if (e == NULL) {
        return gan__fail_nomem(err, sizeof *e, "an evaluation");
    }
    gan_status status = evaluate(e, cfg, err);
    if (status != GAN_OK) {
        gan_evaluation_free(e);
        return status;
    }
    e->report.time_s = gan__now_s() - before;
    *out = e;
    return GAN_OK;
}

const struct gan_eval_report *gan_evaluation_report(const gan_evaluation *e)
{
    return &e->report;
}

void gan_evaluation_free(gan_evaluation *e)
{
    if (e == NULL) {
        return;
    }
    gan__eval_arrays_release(&e->fake_arrays);
    gan__eval_arrays_release(&e->real_arrays);
    gan__eval_arrays_release(&e->held_arrays);
    gan_features_close(e->network);
    gan__eval_close(&e->fake);
    gan__eval_close(&e->real);
    gan__eval_close(&e->held);
    gan__free(e);
}

/* eval_train.c: reals are collected once (their features come from the cache where they are there),
 * fakes of the same latents every time. */
#include "eval_train.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "metrics/metrics.h"

#include <gan/measure.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LATENTS = 0x6576616c }; /* samples of other latents than those of the grids */

/* --- what to measure ---------------------------------------------------------------------------- */

static gan_status add_metric(struct gan__evaluator *e, const char *name, gan_err *err)
{
    const struct gan_metric *m = gan_metric_find(name, err);
    if (m == NULL) {
        return GAN_E_ARG;
    }
    for (int i = 0; i < e->n_metrics; i++) {
        if (e->metric[i] == m) {
            return GAN_OK;
        }
    }
    if (e->n_metrics == GAN__EVAL_IN_TRAINING) {
        return gan__fail(err, GAN_E_ARG, "--metrics: more than %d", (int)GAN__EVAL_IN_TRAINING);
    }
    if ((m->needs & (GAN_NEED_PAIRS | GAN_NEED_HELD)) != 0) {
        return gan__fail(err, GAN_E_ARG, "--metrics: %s has no meaning while training", m->name);
    }
    if (strcmp(m->name, "kid") == 0) {
        e->kid = e->n_metrics;
    }
    e->metric[e->n_metrics++] = m;
    e->needs |= m->needs;
    return GAN_OK;
}

static gan_status read_metrics(struct gan__evaluator *e, const char *text, gan_err *err)
{
    e->kid = -1;
    for (const char *at = text; *at != '\0';) {
        char name[64];
        size_t n = strcspn(at, ",");
        if (!gan__format(name, sizeof name, "%.*s", (int)n, at)) {
            return gan__fail(err, GAN_E_ARG, "--metrics: a name of %zu bytes", n);
        }
        GAN_TRY(add_metric(e, name, err));
        at += n + (at[n] == ',');
    }
    return e->kid < 0 ? add_metric(e, "kid", err) : GAN_OK;
}

/* Have the metrics enough samples? `what` says whose number n is. */
static gan_status enough(const struct gan__evaluator *e, const char *what, int64_t n, gan_err *err)
{
    for (int i = 0; i < e->n_metrics; i++) {
        if (n < e->metric[i]->least) {
            return gan__fail(err, GAN_E_ARG,
                             "%s %" PRId64 ": %s needs at least %" PRId64 " samples on each side",
                             what, n, e->metric[i]->name, e->metric[i]->least);
        }
    }
    return GAN_OK;
}

gan_status gan__evaluator_check(const char *metrics, const char *features, int64_t n, gan_err *err)
{
    struct gan__evaluator e = {0};
    GAN_TRY(read_metrics(&e, metrics, err));
    GAN_TRY(enough(&e, "--eval-n", n, err));
    return features[0] != '\0' ? gan_features_check(features, err) : GAN_OK;
}

/* --- the reals ---------------------------------------------------------------------------------- */

static gan_status collect_reals(struct gan__evaluator *e, const struct gan__session *s,
                                gan_err *err)
{
    struct gan__eval_source source;
    const struct gan__generator *g = &s->generator;
    GAN_TRY(gan__eval_open(&source, s->recipe->data, s->threads, false, err));
    struct gan__eval_take take = {.n = e->n < source.n ? e->n : source.n,
                                  .seed = (uint64_t)s->recipe->run.seed,
                                  .height = g->height,
                                  .resize = s->resize,
                                  .width = g->width,
                                  .channels = g->channels,
                                  .needs = e->needs,
                                  .network = e->network,
                                  .threads = s->threads,
                                  .cache = true};
    gan_status status = gan__eval_collect(&source, &take, &e->real, err);
    gan__eval_close(&source);
    return status;
}

static gan_status allocate_fakes(struct gan__evaluator *e, const struct gan__session *s,
                                 gan_err *err)
{
    const struct gan_side *real = &e->real.side;
    size_t n = (size_t)e->n, pixels = (size_t)(real->height * real->width * real->channels);
    struct gan__eval_arrays *f = &e->fake;
    f->features = gan__alloc_array(n, (size_t)real->size * sizeof *f->features);
    f->logits =
        real->classes > 0 ? gan__alloc_array(n, (size_t)real->classes * sizeof *f->logits) : NULL;
    f->images = real->images != NULL ? gan__alloc_array(n, pixels) : NULL;
    f->labels = gan__alloc_array(n, sizeof *f->labels);
    e->bytes = gan__alloc_array((size_t)s->generator.batch, pixels);
    if (f->features == NULL || f->labels == NULL || e->bytes == NULL ||
        (real->classes > 0 && f->logits == NULL) || (real->images != NULL && f->images == NULL)) {
        return gan__fail_nomem(err, n * (size_t)real->size * sizeof *f->features, "features");
    }
    f->side = *real;
    f->side.n = e->n;
    f->side.features = f->features;
    f->side.logits = f->logits;
    f->side.images = f->images;
    f->side.labels = s->generator.classes > 0 ? f->labels : NULL;
    return GAN_OK;
}

gan_status gan__evaluator_start(struct gan__evaluator *e, struct gan__session *s, gan_err *err)
{
    const struct gan__run_opts *o = &s->recipe->run;
    const struct gan__generator *g = &s->generator;
    *e = (struct gan__evaluator){
        .every = o->eval_every, .n = o->eval_n, .threads = s->threads, .best_step = -1};
    if (e->every == 0) {
        return GAN_OK;
    }
    if (g->fields != 0) {
        return gan__fail(err, GAN_E_ARG,
                         "--eval-every: model %s makes images from images, not from latents",
                         s->recipe->model->name);
    }
    GAN_TRY(read_metrics(e, o->metrics, err));
    bool points = gan_dataset_about(s->data)->points;
    if (points) {
        struct gan_mode_set set;
        const char *name = gan__starts_with(s->recipe->data, "toy:") ? s->recipe->data + 4 : "";
        (void)gan__format(e->mixture, sizeof e->mixture, "%.*s", (int)strcspn(name, "?"), name);
        if (gan_toy_modes(e->mixture, &set, NULL) != GAN_OK) {
            e->mixture[0] = '\0';
        }
    } else {
        struct gan_features_cfg how = {
            .height = g->height, .width = g->width, .channels = g->channels, .threads = s->threads};
        const char *name = o->eval_features[0] != '\0' ? o->eval_features : gan_eval_features();
        GAN_TRY(gan_features_open(name, &how, &e->network, err));
    }
    GAN_TRY(collect_reals(e, s, err));
    GAN_TRY(enough(e, "--eval-every: images of the data:", e->real.side.n, err));
    return allocate_fakes(e, s, err);
}

void gan__evaluator_release(struct gan__evaluator *e)
{
    gan__eval_arrays_release(&e->real);
    gan__eval_arrays_release(&e->fake);
    gan_features_close(e->network);
    gan__free(e->bytes);
    *e = (struct gan__evaluator){0};
}

/* --- the fakes ---------------------------------------------------------------------------------- */

struct put {
    struct gan__evaluator *e;
    const struct gan__session *s;
};

static gan_status put_fakes(void *ctx, int64_t first, int64_t n, const float *hwc, gan_err *err)
{
    const struct put *p = ctx;
    struct gan__evaluator *e = p->e;
    struct gan__eval_arrays *f = &e->fake;
    int64_t size = f->side.height * f->side.width * f->side.channels;
    int64_t classes = p->s->generator.classes;
    for (int64_t i = 0; i < n; i++) {
        f->labels[first + i] = classes > 0 ? (int32_t)((first + i) % classes) : -1;
    }
    if (e->network == NULL) {
        memcpy(f->features + first * size, hwc, (size_t)(n * size) * sizeof *hwc);
        return GAN_OK;
    }
    GAN_TRY(gan__eval_bytes(hwc, n * size, p->s->task->range, e->bytes, err));
    if (f->images != NULL) {
        memcpy(f->images + first * size, e->bytes, (size_t)(n * size));
    }
    struct gan_image_set set = {n, f->side.height, f->side.width, f->side.channels, e->bytes, NULL};
    struct gan_features_out out = {.features = f->features + first * f->side.size,
                                   .logits = f->logits != NULL ? f->logits + first * f->side.classes
                                                               : NULL};
    return gan_features_run(e->network, &set, &out, err);
}

/* --- the figures -------------------------------------------------------------------------------- */

static void say(const struct gan__evaluator *e, int64_t step, bool better, bool equal)
{
    const struct gan_metric_value *v = &e->last[e->kid].value[0];
    if (e->best_step < 0) {
        gan__log(GAN_LOG_INFO, "kid %.4g [%.4g, %.4g] at iteration %" PRId64 ": the first measured",
                 v->value, v->low, v->high, step);
        return;
    }
    gan__log(GAN_LOG_INFO,
             "kid %.4g [%.4g, %.4g] at iteration %" PRId64 ": %s%s, %.4g [%.4g, %.4g] at %" PRId64,
             v->value, v->low, v->high, step,
             equal ? "statistically equal to the best so far"
                   : (better ? "better than the best so far" : "worse than the best so far"),
             equal && better ? " (kept as lower)" : "", e->best.value, e->best.low, e->best.high,
             e->best_step);
}

/* Samples of the generator as it is. GAN_E_FORMAT: they are not finite or all alike, so that a metric
 * has nothing to measure. */
static gan_status collect_fakes(struct gan__evaluator *e, struct gan__session *s, gan_err *err)
{
    struct put put = {e, s};
    struct gan__generate what = {.seed = gan__hash_mix((uint64_t)s->recipe->run.seed, LATENTS),
                                 .n = e->n,
                                 .workspace = s->workspace};
    GAN_TRY(
        gan__generator_run(&s->generator, &what, &(struct gan__image_sink){put_fakes, &put}, err));
    for (int i = 0; i < e->n_metrics; i++) {
        const struct gan_metric *m = e->metric[i];
        GAN_TRY(gan__metric_check(m, "fakes", &e->fake.side, m->needs, err));
    }
    return GAN_OK;
}

static gan_status measure(struct gan__evaluator *e, gan_err *err)
{
    struct gan_metric_input in = {.real = e->real.side,
                                  .fake = e->fake.side,
                                  .network = e->network,
                                  .mixture = e->mixture[0] != '\0' ? e->mixture : NULL,
                                  .threads = e->threads};
    for (int i = 0; i < e->n_metrics; i++) {
        GAN_TRY(gan_metric_run(e->metric[i], &in, &e->last[i], err));
    }
    return GAN_OK;
}

gan_status gan__evaluator_run(struct gan__evaluator *e, struct gan__session *s, bool *better,
                              gan_err *err)
{
    int64_t step = gan__session_count(s, s->iteration);
    gan_err why = {0};
    gan_status status = collect_fakes(e, s, &why);
    *better = false;
    e->measured = status == GAN_OK;
    if (status == GAN_E_FORMAT) { /* whether that is a divergence is for the training to say */
        gan__log(GAN_LOG_WARNING, "no metrics at iteration %" PRId64 ": %s", step, why.message);
        return GAN_OK;
    }
    if (status != GAN_OK) {
        return gan__fail(err, status, "%s", why.message);
    }
    GAN_TRY(measure(e, err));
    const struct gan_metric_value *kid = &e->last[e->kid].value[0];
    *better = e->best_step < 0 || kid->value < e->best.value;
    bool equal = e->best_step >= 0 && kid->low <= e->best.high && e->best.low <= kid->high;
    say(e, step, *better, equal);
    if (*better) {
        e->best = *kid;
        e->best_step = step;
    }
    return GAN_OK;
}

gan_status gan__evaluator_log(const struct gan__evaluator *e, struct gan__runlog *l, int64_t step,
                              double time_s, gan_err *err)
{
    if (!e->measured) {
        return GAN_OK;
    }
    gan__runlog_begin(l, step);
    gan__runlog_number(l, "time_s", time_s);
    for (int i = 0; i < e->n_metrics; i++) {
        for (int k = 0; k < e->last[i].n; k++) {
            const struct gan_metric_value *v = &e->last[i].value[k];
            char name[64];
            (void)gan__format(name, sizeof name, "eval.%s", v->name);
            gan__runlog_number(l, name, v->value);
            if (isfinite(v->low)) {
                (void)gan__format(name, sizeof name, "eval.%s.low", v->name);
                gan__runlog_number(l, name, v->low);
                (void)gan__format(name, sizeof name, "eval.%s.high", v->name);
                gan__runlog_number(l, name, v->high);
            }
        }
    }
    return gan__runlog_end(l, err);
}

/* --- the best state ----------------------------------------------------------------------------- */

static gan_status add_number(struct gan__meta *meta, const char *key, double v, gan_err *err)
{
    char text[48];
    (void)gan__format_f64(text, sizeof text, v);
    return gan__meta_add(meta, key, text, err);
}

gan_status gan__evaluator_meta(const struct gan__evaluator *e, struct gan__meta *meta, gan_err *err)
{
    const char *hash = e->network != NULL ? gan_features_about(e->network)->hash : "points";
    GAN_TRY(add_number(meta, "eval.kid", e->best.value, err));
    GAN_TRY(add_number(meta, "eval.kid.low", e->best.low, err));
    GAN_TRY(add_number(meta, "eval.kid.high", e->best.high, err));
    return gan__meta_add(meta, "eval.features", hash, err);
}

static bool read_number(const gan_checkpoint *c, const char *key, double *v)
{
    const char *text = gan_checkpoint_meta(c, key);
    return text != NULL && gan__parse_f64(text, v);
}

gan_status gan__evaluator_remember(struct gan__evaluator *e, const char *dir, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    gan_checkpoint *c = NULL;
    if (e->every == 0) {
        return GAN_OK;
    }
    if (!gan__format(path, sizeof path, "%s/best.safetensors", dir)) {
        return gan__fail(err, GAN_E_ARG, "the path of the run is too long");
    }
    gan_err own = {0};
    if (gan_checkpoint_open(path, &c, &own) != GAN_OK) {
        if (own.code != GAN_E_NOTFOUND) {
            gan__log(GAN_LOG_WARNING, "%s: the best state is looked for anew", own.message);
        }
        return GAN_OK;
    }
    const char *hash = gan_checkpoint_meta(c, "eval.features");
    const char *mine = e->network != NULL ? gan_features_about(e->network)->hash : "points";
    int64_t step = -1;
    struct gan_metric_value best = {.name = "kid", .unit = ""};
    if (hash != NULL && strcmp(hash, mine) == 0 && read_number(c, "eval.kid", &best.value) &&
        read_number(c, "eval.kid.low", &best.low) && read_number(c, "eval.kid.high", &best.high) &&
        gan__meta_i64(c, "libgan.iteration", &step, NULL) == GAN_OK) {
        e->best = best;
        e->best_step = step;
    } else {
        gan__log(GAN_LOG_WARNING,
                 "%s was measured by other features: the best state is looked for anew", path);
    }
    gan_checkpoint_close(c);
    return GAN_OK;
}

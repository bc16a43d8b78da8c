/* bench_sample.c: latency and throughput of sampling, and the rate of a loader. */
#include "bench.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "resume.h"

#include <gan/sample.h>

#include <omp.h>

enum { DEFAULT_BATCH = 64, DEFAULT_ITERS = 10, DEFAULT_WARM_UP = 3 };

/* A sampler of a file, or a generator of a session with fresh weights. */
struct source {
    gan_sampler *sampler;
    float *images;
    struct gan__bench bench;
    struct gan__generator generator;
};

static gan_status drop(void *ctx, int64_t first, int64_t n, const float *hwc, gan_err *err)
{
    (void)ctx;
    (void)first;
    (void)n;
    (void)hwc;
    (void)err;
    return GAN_OK;
}

static gan_status open_file(struct source *s, const char *path, int64_t batch, int threads,
                            struct gan_bench_sample *r, gan_err *err)
{
    struct gan_sampler_opts opts = {.threads = threads, .batch = batch};
    GAN_TRY(gan_sampler_open(path, &opts, &s->sampler, err));
    const struct gan_sampler_info *info = gan_sampler_about(s->sampler);
    (void)gan__copy(r->model, sizeof r->model, info->model);
    r->height = info->height;
    r->width = info->width;
    r->channels = info->channels;
    size_t n = (size_t)(batch * info->height * info->width * info->channels);
    s->images = gan__alloc_array(n, sizeof *s->images);
    return s->images != NULL ? GAN_OK : gan__fail_nomem(err, n * sizeof *s->images, "images");
}

static gan_status open_model(struct source *s, const struct gan_train_cfg *what, int64_t batch,
                             const struct gan_bench_how *how, struct gan_bench_sample *r,
                             gan_err *err)
{
    struct gan__bench *b = &s->bench;
    GAN_TRY(gan__new_recipe(what, &b->recipe, err));
    GAN_TRY(gan__session_build(&b->session, &b->recipe, err));
    GAN_TRY(gan__session_init_weights(&b->session, err));
    struct gan__generator_cfg cfg = {.model = b->recipe.model,
                                     .opts = b->recipe.opts,
                                     .store = b->session.store,
                                     .nets = &b->session.nets,
                                     .mode = GAN_EVAL,
                                     .batch = batch,
                                     .threads = how->threads,
                                     .frozen = true};
    GAN_TRY(gan__generator_init(&s->generator, &cfg, err));
    (void)gan__copy(r->model, sizeof r->model, b->recipe.model->name);
    r->height = s->generator.height;
    r->width = s->generator.width;
    r->channels = s->generator.channels;
    return GAN_OK;
}

static gan_status run_source(struct source *s, int64_t batch, gan_err *err)
{
    if (s->sampler != NULL) {
        return gan_sampler_images(s->sampler, 1, 0, batch, s->images, err);
    }
    struct gan__generate what = {.seed = 1, .n = batch};
    struct gan__image_sink sink = {.put = drop};
    return gan__generator_run(&s->generator, &what, &sink, err);
}

static void close_source(struct source *s)
{
    gan_sampler_close(s->sampler);
    gan__free(s->images);
    gan__generator_release(&s->generator);
    gan__bench_close(&s->bench);
    *s = (struct source){0};
}

/* Times of `batch` images at a time. */
static gan_status measure(const char *path, const struct gan_train_cfg *what, int64_t batch,
                          const struct gan_bench_how *how, struct gan_bench_sample *r,
                          struct gan_bench_time *time, gan_err *err)
{
    struct source s = {0};
    double *ms = gan__alloc_array((size_t)how->iters, sizeof *ms), before = gan__now_s();
    gan_status st = ms == NULL     ? gan__fail_nomem(err, (size_t)how->iters * sizeof *ms, "times")
                    : path != NULL ? open_file(&s, path, batch, how->threads, r, err)
                                   : open_model(&s, what, batch, how, r, err);
    r->open_ms = 1e3 * (gan__now_s() - before);
    for (int64_t i = -how->warm_up; st == GAN_OK && i < how->iters; i++) {
        before = gan__now_s();
        st = run_source(&s, batch, err);
        if (i >= 0) {
            ms[i] = 1e3 * (gan__now_s() - before);
        }
    }
    if (st == GAN_OK) {
        *time = gan__bench_time(ms, how->iters);
    }
    close_source(&s);
    gan__free(ms);
    return st;
}

static struct gan_bench_how fill_how(const struct gan_bench_how *how)
{
    return (struct gan_bench_how){
        .threads = how->threads > 0 ? how->threads : omp_get_num_procs(),
        .iters = how->iters > 0 ? how->iters : DEFAULT_ITERS,
        .warm_up = how->warm_up > 0 ? how->warm_up : DEFAULT_WARM_UP,
    };
}

gan_status gan_bench_sample(const char *path, const struct gan_train_cfg *what, int64_t batch,
                            const struct gan_bench_how *how, struct gan_bench_sample *out,
                            gan_err *err)
{
    struct gan_bench_how h = fill_how(how);
    struct gan_bench_how many = h;
    gan_err own = {0};
    h.iters *= 5; /* one image is quick */
    *out =
        (struct gan_bench_sample){.batch = batch > 0 ? batch : DEFAULT_BATCH, .threads = h.threads};
    gan_status st = measure(path, what, out->batch, &many, out, &out->many, &own);
    if (st == GAN_OK) {
        st = measure(path, what, 1, &h, out, &out->one, &own);
    }
    if (st != GAN_OK) {
        return gan__fail(err, st, "%s", own.message);
    }
    out->images_per_s = 1e3 * (double)out->batch / out->many.median_ms;
    return GAN_OK;
}

/* --- loader ------------------------------------------------------------------------------------- */

static gan_status run_loader(gan_loader *l, const struct gan_bench_how *h, double before,
                             struct gan_bench_loader *out, double *ms, gan_err *err)
{
    const struct gan_batch *b = NULL;
    GAN_TRY(gan_loader_next(l, &b, err));
    out->first_ms = 1e3 * (gan__now_s() - before);
    for (int64_t i = 1; i < h->warm_up; i++) {
        GAN_TRY(gan_loader_next(l, &b, err));
    }
    double start = gan__now_s();
    for (int64_t i = 0; i < h->iters; i++) {
        before = gan__now_s();
        GAN_TRY(gan_loader_next(l, &b, err));
        ms[i] = 1e3 * (gan__now_s() - before);
    }
    out->images_per_s = (double)(b->n * h->iters) / (gan__now_s() - start);
    out->height = b->height;
    out->width = b->width;
    out->channels = b->channels;
    out->batch = b->n;
    out->time = gan__bench_time(ms, h->iters);
    return GAN_OK;
}

gan_status gan_bench_loader(const char *spec, const struct gan_loader_cfg *cfg,
                            const struct gan_bench_how *how, struct gan_bench_loader *out,
                            gan_err *err)
{
    struct gan_bench_how h = fill_how(how);
    gan_err own = {0};
    gan_dataset *ds = NULL;
    gan_loader *l = NULL;
    h.iters = how->iters > 0 ? how->iters : 200;
    *out = (struct gan_bench_loader){.threads = cfg->threads > 0 ? cfg->threads : 1};
    double before = gan__now_s();
    double *ms = gan__alloc_array((size_t)h.iters, sizeof *ms);
    gan_status st = ms != NULL ? gan_dataset_open(spec, &ds, &own)
                               : gan__fail_nomem(&own, (size_t)h.iters * sizeof *ms, "times");
    if (st == GAN_OK) {
        st = gan_loader_new(ds, cfg, &l, &own);
    }
    if (st == GAN_OK) {
        st = run_loader(l, &h, before, out, ms, &own);
    }
    gan_loader_free(l);
    gan_dataset_close(ds);
    gan__free(ms);
    return st == GAN_OK ? GAN_OK : gan__fail(err, st, "%s", own.message);
}

/* bench_session.c: a training session for measurements. */
#include "bench.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/philox.h"
#include "resume.h"

#include <omp.h>
#include <stdlib.h>

enum { DEFAULT_ITERS = 10, DEFAULT_WARM_UP = 3 };

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

double gan__bench_median(double *v, int64_t n)
{
    if (n < 1) {
        return 0;
    }
    qsort(v, (size_t)n, sizeof *v, by_value);
    return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

struct gan_bench_time gan__bench_time(double *ms, int64_t n)
{
    struct gan_bench_time t = {.median_ms = gan__bench_median(ms, n), .runs = n};
    if (n > 0) {
        t.least_ms = ms[0];
        t.most_ms = ms[n - 1];
    }
    return t;
}

double gan__bench_runs(const struct gan__bench *b, int i)
{
    const struct gan__segment *seg = b->session.phase[i].segment;
    return seg->repeated ? (double)gan__runs_at(&seg->runs, seg->runs.warm_until + 1) : 1;
}

/* A batch of random pixels; classes in turn, attributes too. */
static gan_status make_batch(struct gan__bench *b, gan_err *err)
{
    const struct gan_task *t = b->session.task;
    int64_t n = b->recipe.run.batch;
    size_t pixels = (size_t)(n * t->height * t->width);
    size_t first = pixels * (size_t)t->channels;
    size_t count = first + pixels * (size_t)t->channels_b; /* first images, then second */
    size_t facts = (size_t)(n * t->attributes), all = count + (size_t)n + facts;
    struct gan__rng rng;
    gan__rng_init(&rng, 1);
    b->images = gan__alloc_aligned(64, all * sizeof *b->images);
    b->labels = gan__alloc_array((size_t)n, sizeof *b->labels);
    if (b->images == NULL || b->labels == NULL) {
        return gan__fail_nomem(err, count * sizeof *b->images, "a batch");
    }
    for (size_t i = 0; i < count; i++) {
        double u = gan__rng_uniform(&rng);
        b->images[i] = (float)(t->range == GAN_RANGE_SIGNED ? 2 * u - 1 : u);
    }
    for (int64_t i = 0; i < n; i++) { /* every other pair is known */
        b->images[count + (size_t)i] = (float)(i % 2);
    }
    for (size_t i = 0; i < facts; i++) {
        b->images[all - facts + i] = i % 2 == 0 ? 1 : -1;
    }
    for (int64_t i = 0; i < n && t->classes > 0; i++) {
        b->labels[i] = (int32_t)(i % t->classes);
    }
    b->batch = (struct gan_batch){.images = b->images,
                                  .labels = b->labels,
                                  .attributes = t->attributes > 0 ? b->images + all - facts : NULL,
                                  .n_attributes = t->attributes,
                                  .n = n,
                                  .height = t->height,
                                  .width = t->width,
                                  .channels = t->channels,
                                  .images_b = t->channels_b > 0 ? b->images + first : NULL,
                                  .channels_b = t->channels_b,
                                  .known = b->images + count};
    b->session.fixed = &b->batch;
    return GAN_OK;
}

/* Past the iterations that are special to the beginning. */
static void skip_beginning(struct gan__session *s)
{
    int64_t first = 1;
    for (int i = 0; i < s->n_phases; i++) {
        const struct gan_runs *r = &s->phase[i].segment->runs;
        first = s->phase[i].segment->repeated && r->warm_until >= first ? r->warm_until + 1 : first;
    }
    gan__session_set_count(s, s->iteration, first);
}

gan_status gan__bench_open(struct gan__bench *b, const struct gan_train_cfg *what,
                           const struct gan_bench_how *how, gan_err *err)
{
    struct gan__session *s = &b->session;
    b->iters = how->iters > 0 ? how->iters : DEFAULT_ITERS;
    b->warm_up = how->warm_up > 0 ? how->warm_up : DEFAULT_WARM_UP;
    GAN_TRY(what->resume != NULL ? gan__resume_recipe(what, &b->recipe, err)
                                 : gan__new_recipe(what, &b->recipe, err));
    GAN_TRY(gan__session_build(s, &b->recipe, err));
    s->threads = how->threads > 0 ? how->threads : s->threads;
    if (s->data == NULL) {
        GAN_TRY(make_batch(b, err));
    }
    GAN_TRY(gan__session_init_weights(s, err));
    GAN_TRY(gan__session_compile(s, err));
    GAN_TRY(gan__session_start(s, err));
    skip_beginning(s);
    return GAN_OK;
}

void gan__bench_close(struct gan__bench *b)
{
    gan__session_release(&b->session);
    gan__recipe_release(&b->recipe);
    gan__free(b->images);
    gan__free(b->labels);
}

gan_status gan__bench_iterate(struct gan__bench *b, double *ms, gan_err *err)
{
    double before = gan__now_s();
    GAN_TRY(gan__session_step(&b->session, b->values, err));
    *ms = 1e3 * (gan__now_s() - before);
    return GAN_OK;
}

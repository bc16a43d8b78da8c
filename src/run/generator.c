/* generator.c: images by whole batches; the last one is filled up and cut, so that an image does
 * not depend on how many are asked for. */
#include "generator.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/philox.h"
#include "base/str.h"
#include "base/normal.h"
#include "feeds.h"

#include <math.h>
#include <string.h>

static gan_status check_images(struct gan__generator *g, const gan_step *step, gan_val images,
                               const struct gan_task *task, gan_err *err)
{
    gan_shape s = gan_shape_get(gan__step_segment(step, 0)->graph, images);
    if (s.rank != 4 || s.dim[0] != g->batch) {
        char text[96];
        return gan__fail(err, GAN_E_INTERNAL, "a model samples %s, [%lld,H,W,C] is expected",
                         gan_shape_text(&s, text, sizeof text), (long long)g->batch);
    }
    g->height = s.dim[1];
    g->width = s.dim[2];
    g->channels = s.dim[3];
    gan_shape z = gan__step_latent_shape(step);
    g->z = z.rank == 2 ? z.dim[1] : 0;
    g->fields = gan__step_segment(step, 0)->fields;
    if (g->fields == GAN_FIELD_LABEL) { /* of a batch of images the labels come with it */
        g->fields = 0;
        g->classes = task->classes;
    }
    g->uniform = gan__step_latent_uniform(step);
    return GAN_OK;
}

gan_status gan__generator_init(struct gan__generator *g, const struct gan__generator_cfg *cfg,
                               gan_err *err)
{
    *g = (struct gan__generator){.batch = cfg->batch, .model = cfg->model->name};
    struct gan__step_cfg step_cfg = {
        .model = cfg->model,
        .opts = cfg->opts,
        .store = cfg->store,
        .nets = cfg->nets,
        .real = GAN_F32,
        .batch = cfg->batch,
        .mode = cfg->mode,
    };
    gan_val images = GAN_NONE;
    gan_err own = {0};
    gan_step *step = gan__step_build_sample(&step_cfg, cfg->show, &images, &own);
    gan_status status = step != NULL ? check_images(g, step, images, cfg->opts, &own) : own.code;
    if (status == GAN_OK) {
        struct gan_plan_opts opts = {.threads = cfg->threads, .frozen = cfg->frozen};
        g->plan = gan_plan_new(gan__step_segment(step, 0)->graph, &images, 1, &opts, &own);
        g->latents = gan__alloc_array((size_t)(g->batch * (g->z > 0 ? g->z : 1)), sizeof(float));
        g->labels = gan__alloc_array((size_t)g->batch, sizeof *g->labels);
        status = g->plan == NULL ? own.code : GAN_OK;
    }
    if (status == GAN_OK && (g->latents == NULL || g->labels == NULL)) {
        status = gan__fail_nomem(&own, (size_t)(g->batch * g->z) * sizeof(float), "latents");
    }
    gan__step_free(step);
    if (status != GAN_OK) {
        gan__generator_release(g);
        return gan__fail(err, status, "%s", own.message);
    }
    return GAN_OK;
}

void gan__generator_release(struct gan__generator *g)
{
    gan_plan_free(g->plan);
    gan__free(g->latents);
    gan__free(g->labels);
    *g = (struct gan__generator){0};
}

/* Four latents of one block of words: normal, or uniform with mean 0 and variance 1. */
static void latent4(bool uniform, const uint32_t word[4], float out[4])
{
    if (!uniform) {
        gan__normal4(word, out);
        return;
    }
    const float width = 3.4641016f; /* 2 sqrt 3 */
    for (int k = 0; k < 4; k++) {
        out[k] = (gan__u01(word[k]) - 0.5f) * width;
    }
}

void gan__generator_latents(const struct gan__generator *g, uint64_t seed, int64_t first, int64_t n,
                            float *z)
{
    uint64_t key = gan__stream_key(seed, 0, 0, gan__hash_text("sample"));
    for (int64_t i = 0; i < n; i++) {
        float *dst = z + i * g->z;
        for (int64_t k = 0; k < g->z; k += 4) {
            uint32_t word[4];
            float four[4];
            gan__stream_block(key, (uint64_t)(first + i), (uint64_t)(k / 4), word);
            latent4(g->uniform, word, four);
            int64_t take = g->z - k < 4 ? g->z - k : 4;
            memcpy(dst + k, four, (size_t)take * sizeof(float));
        }
    }
}

/* Latents of the images done, done+1, ... of a job; behind the last those that a longer job would
 * have, or the given ones again: where a norm goes by the batch, they count. */
static void fill_latents(struct gan__generator *g, const struct gan__generate *what, int64_t done)
{
    int64_t each = what->shared && g->classes > 0 ? g->classes : 1;
    for (int64_t i = 0; i < g->batch; i++) {
        float *dst = g->latents + i * g->z;
        if (what->z != NULL) {
            memcpy(dst, what->z + (done + i) % what->n / each * g->z, (size_t)g->z * sizeof *dst);
        } else {
            gan__generator_latents(g, what->seed, what->first + (done + i) / each, 1, dst);
        }
    }
}

int64_t gan__generator_label(const struct gan__generator *g, const struct gan__generate *what,
                             int64_t i)
{
    if (g->classes == 0 || what->only > 0) {
        return what->only - 1;
    }
    if (what->labels != NULL && i < what->n) {
        return what->labels[i];
    }
    return (what->shared ? i : what->first + i) % g->classes;
}

static void fill_labels(struct gan__generator *g, const struct gan__generate *what, int64_t done)
{
    for (int64_t i = 0; i < g->batch && g->classes > 0; i++) {
        g->labels[i] = (int32_t)gan__generator_label(g, what, done + i);
    }
}

static gan_status run_batch(struct gan__generator *g, const struct gan__generate *what,
                            int64_t done, gan_err *err)
{
    fill_latents(g, what, done);
    fill_labels(g, what, done);
    struct gan_feed_data feeds[GAN__MAX_FIELDS + 2];
    size_t n_feeds = what->from != NULL ? gan__batch_feeds(what->from, g->fields, feeds) : 0;
    if (g->classes > 0) {
        feeds[n_feeds++] =
            (struct gan_feed_data){"label", {GAN_I32, GAN_SHAPE(g->batch), g->labels}};
    }
    if (g->z > 0) {
        feeds[n_feeds++] =
            (struct gan_feed_data){"z", {GAN_F32, GAN_SHAPE(g->batch, g->z), g->latents}};
    }
    struct gan_run run = {
        .seed = what->seed,
        .sample = (uint64_t)(what->first + done),
        .feeds = feeds,
        .n_feeds = n_feeds,
        .workspace = what->workspace,
    };
    return gan_plan_run(g->plan, &run, err);
}

static gan_status check_labels(const struct gan__generator *g, const struct gan__generate *what,
                               gan_err *err)
{
    if (g->classes == 0 && (what->only > 0 || what->labels != NULL)) {
        return gan__fail(err, GAN_E_ARG, "model %s was trained without classes, none can be chosen",
                         g->model);
    }
    if (what->only > g->classes) {
        return gan__fail(err, GAN_E_RANGE, "class %lld, allowed are 0 to %lld",
                         (long long)(what->only - 1), (long long)(g->classes - 1));
    }
    for (int64_t i = 0; what->labels != NULL && i < what->n; i++) {
        if (what->labels[i] < 0 || what->labels[i] >= g->classes) {
            return gan__fail(err, GAN_E_RANGE, "label %lld is %d, allowed are 0 to %lld",
                             (long long)i, (int)what->labels[i], (long long)(g->classes - 1));
        }
    }
    return GAN_OK;
}

gan_status gan__generator_run(struct gan__generator *g, const struct gan__generate *what,
                              const struct gan__image_sink *sink, gan_err *err)
{
    bool given = what->from != NULL && what->from->n == g->batch && what->n <= g->batch;
    if (g->fields != 0 && !given) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "model %s makes images from images, not from noise", g->model);
    }
    GAN_TRY(check_labels(g, what, err));
    for (int64_t done = 0; done < what->n; done += g->batch) {
        int64_t n = what->n - done < g->batch ? what->n - done : g->batch;
        GAN_TRY(run_batch(g, what, done, err));
        const gan_tensor *out = gan_plan_output(g->plan, 0);
        GAN_TRY(sink->put(sink->ctx, what->first + done, n, out->data, err));
    }
    return GAN_OK;
}

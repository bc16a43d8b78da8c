/* bench_step.c: one whole DCGAN iteration (both phases, both updates) on random data in memory, as
 * bench/peers/dcgan_torch.py times it. Prints one JSON line.
 *
 *     bench_step --size 64 --channels 3 --width 64 --batch 64 --threads 2 --iters 30 [--dump]
 *                [--precision bf16] */
#include "base/alloc.h"
#include "base/file.h"
#include "base/philox.h"
#include "base/str.h"
#include "models/step.h"
#include <gan/plan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 5, MAX_ITERS = 10000 };

struct args {
    int64_t size, channels, width, batch, microbatch, threads, iters;
    bool dump;
    const char *without, *precision;
};

struct bench {
    struct args a;
    void *opts;
    gan_store *store;
    struct gan_net_list nets;
    gan_step *step;
    gan_plan *plan;
    float *images;
    gan_err err;
};

static bool parse(int argc, char **argv, struct args *a)
{
    const struct {
        const char *name;
        int64_t *value;
    } table[] = {{"--size", &a->size},
                 {"--channels", &a->channels},
                 {"--width", &a->width},
                 {"--batch", &a->batch},
                 {"--threads", &a->threads},
                 {"--iters", &a->iters},
                 {"--microbatch", &a->microbatch}};
    for (int i = 1; i < argc; i++) {
        size_t k = 0, n = sizeof table / sizeof *table;
        if (strcmp(argv[i], "--dump") == 0) {
            a->dump = true;
            continue;
        }
        if (strcmp(argv[i], "--without") == 0 && i + 1 < argc) {
            a->without = argv[++i];
            continue;
        }
        if (strcmp(argv[i], "--precision") == 0 && i + 1 < argc) {
            a->precision = argv[++i];
            continue;
        }
        while (k < n && strcmp(argv[i], table[k].name) != 0) {
            k++;
        }
        if (k == n || i + 1 == argc || !gan__parse_i64(argv[i + 1], table[k].value)) {
            fprintf(stderr, "bench_step: bad argument %s\n", argv[i]);
            return false;
        }
        i++;
    }
    return a->iters > 0 && a->iters <= MAX_ITERS;
}

static gan_status set(const struct gan_model *m, void *opts, const char *name, int64_t v,
                      gan_err *err)
{
    char text[32];
    (void)gan__format(text, sizeof text, "%lld", (long long)v);
    return gan_opt_set(m->opts, opts, name, text, err);
}

static bool build(struct bench *b)
{
    const struct gan_model *m = gan_model_find("dcgan", &b->err);
    const struct args *a = &b->a;
    b->opts = m ? gan__alloc(m->size) : NULL;
    b->store = gan_store_new();
    if (!b->opts || !b->store || gan_opt_defaults(m->opts, b->opts, &b->err) != GAN_OK ||
        set(m, b->opts, "width", a->width, &b->err) != GAN_OK) {
        return false;
    }
    struct gan_task *t = b->opts;
    t->height = t->width = a->size;
    t->channels = a->channels;
    if (m->fit(b->opts, true, &b->err) != GAN_OK ||
        gan_model_declare(m, b->opts, b->store, GAN_F32, &b->nets, &b->err) != GAN_OK ||
        gan_model_init(m, b->opts, b->store, &b->nets, 1, &b->err) != GAN_OK) {
        return false;
    }
    struct gan__step_cfg cfg = {.model = m,
                                .opts = b->opts,
                                .store = b->store,
                                .nets = &b->nets,
                                .real = GAN_F32,
                                .batch = a->batch,
                                .microbatch = a->microbatch,
                                .mode = GAN_TRAIN};
    b->step = gan__step_build(&cfg, &b->err);
    if (!b->step) {
        return false;
    }
    const struct gan__segment *seg = gan__step_segment(b->step, 0);
    gan_val outs[GAN__MAX_REPORTS];
    for (int i = 0; i < seg->n_reports; i++) {
        outs[i] = seg->report[i].val;
    }
    struct gan_plan_opts po = {
        .threads = (int)a->threads, .without = a->without, .precision = a->precision};
    b->plan = gan_plan_new(seg->graph, outs, seg->n_reports, &po, &b->err);
    size_t n = (size_t)(a->batch * a->size * a->size * a->channels);
    b->images = gan__alloc_array(n, sizeof *b->images);
    struct gan__rng rng;
    gan__rng_init(&rng, 1);
    for (size_t i = 0; i < n && b->images; i++) {
        b->images[i] = (float)(2 * gan__rng_uniform(&rng) - 1);
    }
    return b->plan && b->images;
}

static bool one(struct bench *b, int64_t it)
{
    const struct gan__segment *seg = gan__step_segment(b->step, 0);
    const struct args *a = &b->a;
    char names[GAN__MAX_UPDATES * GAN_OPTIM_MAX_SCALARS][96];
    struct gan_scalar_data scalars[GAN__MAX_UPDATES * GAN_OPTIM_MAX_SCALARS];
    size_t n = 0;
    for (int u = 0; u < seg->n_updates; u++) {
        double v[GAN_OPTIM_MAX_SCALARS];
        gan_optim_scalars(seg->update[u].optim, it + 1, 1000, v);
        for (int k = 0; k < gan_optim_scalar_count(seg->update[u].optim); k++, n++) {
            (void)gan__format(names[n], sizeof names[n], "%s.%s", seg->update[u].phase,
                              gan_optim_scalar_name(seg->update[u].optim, k));
            scalars[n] = (struct gan_scalar_data){names[n], v[k]};
        }
    }
    struct gan_feed_data feed = {
        "image", {GAN_F32, GAN_SHAPE(a->batch, a->size, a->size, a->channels), b->images}};
    struct gan_run run = {.seed = 1,
                          .iteration = (uint64_t)it,
                          .sample = (uint64_t)(it * a->batch),
                          .feeds = &feed,
                          .n_feeds = 1,
                          .scalars = scalars,
                          .n_scalars = n};
    return gan_plan_run(b->plan, &run, &b->err) == GAN_OK;
}

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static bool measure(struct bench *b)
{
    const struct args *a = &b->a;
    double *ms = gan__alloc_array((size_t)a->iters, sizeof *ms);
    bool good = ms != NULL;
    for (int64_t i = -WARM_UP; i < a->iters && good; i++) {
        double start = gan__now_s();
        good = one(b, i + WARM_UP);
        if (i >= 0) {
            ms[i] = 1e3 * (gan__now_s() - start);
        }
    }
    if (good) {
        struct gan_plan_info info = gan_plan_info(b->plan);
        qsort(ms, (size_t)a->iters, sizeof *ms, by_value);
        double median = ms[a->iters / 2], per = 1e3 * (double)a->batch;
        printf("{\"peer\": \"libgan\", \"version\": \"%s\", \"precision\": \"%s\", \"size\": %lld, "
               "\"images_per_s\": %.1f, "
               "\"spread\": [%.1f, %.1f], \"ms_per_step\": %.2f, \"gflop_per_step\": %.2f, "
               "\"gflops\": %.1f, \"gbytes_per_step\": %.3f, \"workspace_mib\": %.1f, "
               "\"steps\": %lld, \"compile_ms\": %.0f}\n",
               gan_version(), a->precision ? a->precision : "f32", (long long)a->size, per / median,
               per / ms[a->iters - 1], per / ms[0], median, info.heavy_flops * 1e-9,
               info.heavy_flops * 1e-6 / median, info.bytes * 1e-9,
               (double)info.workspace_bytes / 1048576, (long long)info.steps, info.compile_ms);
    }
    gan__free(ms);
    return good;
}

int main(int argc, char **argv)
{
    struct bench b = {
        .a = {.size = 64, .channels = 3, .width = 64, .batch = 64, .threads = 2, .iters = 30}};
    if (!parse(argc, argv, &b.a)) {
        return 2;
    }
    bool good = build(&b);
    if (good && b.a.dump) {
        char *text = gan_plan_dump(b.plan, GAN_DUMP_TEXT);
        printf("%s", text ? text : "");
        gan_text_free(text);
    }
    good = good && measure(&b);
    if (!good) {
        fprintf(stderr, "bench_step: %s\n", b.err.message);
    }
    gan_plan_free(b.plan);
    gan__step_free(b.step);
    gan_net_list_free(&b.nets);
    gan_store_free(b.store);
    gan__free(b.opts);
    gan__free(b.images);
    return good ? 0 : 1;
}

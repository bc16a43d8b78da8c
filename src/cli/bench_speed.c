/* bench_speed.c: gan bench roofline, step, floor, sample, loader: how fast this machine is and how
 * near to it libgan comes. */
#include "bench_entry.h"
#include "find.h"
#include "out.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <gan/bench.h>
#include <gan/machine.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- pieces ------------------------------------------------------------------------------------- */

/* What stands first in every JSON: the machine and the versions. */
static void json_machine(struct gan__json *j, int threads)
{
    struct gan_machine m;
    gan_machine_about(&m);
    gan__json_text(j, "peer", "libgan");
    gan__json_text(j, "version", m.version);
    gan__json_text(j, "cpu", m.cpu);
    gan__json_text(j, "isa", m.isa);
    gan__json_text(j, "onednn", m.onednn);
    gan__json_text(j, "onednn_isa", m.onednn_isa);
    gan__json_i64(j, "threads", threads);
}

static void json_time(struct gan__json *j, const char *key, const struct gan_bench_time *t)
{
    gan__json_open(j, key, '{');
    gan__json_f64(j, "median_ms", t->median_ms);
    gan__json_f64(j, "least_ms", t->least_ms);
    gan__json_f64(j, "most_ms", t->most_ms);
    gan__json_i64(j, "runs", t->runs);
    gan__json_close(j, '}');
}

static void json_size(struct gan__json *j, int64_t h, int64_t w, int64_t c, int64_t batch)
{
    gan__json_i64(j, "height", h);
    gan__json_i64(j, "width", w);
    gan__json_i64(j, "channels", c);
    gan__json_i64(j, "batch", batch);
}

static void print_time(const char *name, const struct gan_bench_time *t)
{
    (void)printf("  %-22s %10.2f ms   (%.2f to %.2f, %" PRId64 " runs)\n", name, t->median_ms,
                 t->least_ms, t->most_ms, t->runs);
}

static void json_roof(struct gan__json *j, const struct gan_bench_roof *r)
{
    gan__json_f64(j, "product_f32_gflops", r->product_f32 * 1e-9);
    gan__json_f64(j, "product_bf16_gflops", r->product_bf16 * 1e-9);
    gan__json_f64(j, "conv_f32_gflops", r->conv_f32 * 1e-9);
    gan__json_text(j, "conv_f32_shape", r->conv_f32_shape);
    gan__json_f64(j, "conv_bf16_gflops", r->conv_bf16 * 1e-9);
    gan__json_text(j, "conv_bf16_shape", r->conv_bf16_shape);
    gan__json_f64(j, "triad_gbytes_per_s", r->triad * 1e-9);
}

/* --- roofline ----------------------------------------------------------------------------------- */

static void rate_line(const char *name, double rate, const char *unit, const char *shape)
{
    if (rate > 0) {
        (void)printf("  %-22s %10.1f %-8s %s\n", name, rate * 1e-9, unit, shape);
    } else {
        (void)printf("  %-22s %10s\n", name, "-");
    }
}

static gan_status bench_roofline(const struct gan__bench_opts *o, gan_err *err)
{
    struct gan__json j = {0};
    struct gan_machine m;
    gan_machine_about(&m);
    int counts[] = {1, o->threads > 0 ? (int)o->threads : 2};
    int first = o->threads == 1 ? 1 : 0;
    if (o->json) {
        gan__json_open(&j, NULL, '{');
        json_machine(&j, counts[1]);
        gan__json_open(&j, "roofline", '[');
    } else {
        (void)printf("%s, oneDNN %s\n\n", m.cpu, m.onednn);
    }
    for (int i = first; i < 2; i++) {
        struct gan_bench_roof r;
        GAN_TRY(gan_bench_roofline(counts[i], &r, err));
        if (o->json) {
            gan__json_open(&j, NULL, '{');
            gan__json_i64(&j, "threads", r.threads);
            json_roof(&j, &r);
            gan__json_close(&j, '}');
            continue;
        }
        char title[32];
        (void)gan__format(title, sizeof title, "%d thread%s", r.threads, r.threads > 1 ? "s" : "");
        gan__out_heading(title);
        rate_line("product f32", r.product_f32, "GFLOP/s", "2048x2048x2048");
        rate_line("product bf16", r.product_bf16, "GFLOP/s", "2048x2048x2048");
        rate_line("convolution f32", r.conv_f32, "GFLOP/s", r.conv_f32_shape);
        rate_line("convolution bf16", r.conv_bf16, "GFLOP/s", r.conv_bf16_shape);
        rate_line("memory triad", r.triad, "GB/s", "");
    }
    if (o->json) {
        gan__json_close(&j, ']');
        gan__json_close(&j, '}');
    }
    return GAN_OK;
}

/* --- step --------------------------------------------------------------------------------------- */

static void json_group(struct gan__json *j, const char *key, const struct gan_bench_group *g,
                       int64_t n)
{
    gan__json_open(j, key, '[');
    for (int64_t i = 0; i < n; i++) {
        gan__json_open(j, NULL, '{');
        gan__json_text(j, "name", g[i].name);
        gan__json_f64(j, "ms", g[i].ms);
        gan__json_f64(j, "flops", g[i].flops);
        gan__json_f64(j, "bytes", g[i].bytes);
        gan__json_i64(j, "nodes", g[i].nodes);
        gan__json_close(j, '}');
    }
    gan__json_close(j, ']');
}

static void json_nodes(struct gan__json *j, const struct gan_bench_step *r)
{
    char shape[96];
    gan__json_open(j, "nodes", '[');
    for (int64_t i = 0; i < r->n_nodes; i++) {
        const struct gan_bench_node *n = &r->node[i];
        gan__json_open(j, NULL, '{');
        gan__json_text(j, "name", n->name);
        gan__json_text(j, "scope", n->scope);
        gan__json_text(j, "shape", gan_shape_text(&n->shape, shape, sizeof shape));
        gan__json_i64(j, "segment", n->segment);
        gan__json_f64(j, "ms", n->ms);
        gan__json_f64(j, "gflops", n->ms > 0 ? n->flops * 1e-6 / n->ms : 0);
        gan__json_f64(j, "bytes", n->bytes);
        gan__json_f64(j, "gbytes_per_s", n->ms > 0 ? n->bytes * 1e-6 / n->ms : 0);
        gan__json_f64(j, "share", n->share);
        gan__json_close(j, '}');
    }
    gan__json_close(j, ']');
}

static void json_step(const struct gan_bench_step *r)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    json_machine(&j, r->threads);
    gan__json_text(&j, "model", r->model);
    json_size(&j, r->height, r->width, r->channels, r->batch);
    json_time(&j, "step", &r->time);
    gan__json_f64(&j, "ms_per_step", r->time.median_ms);
    gan__json_f64(&j, "images_per_s", r->images_per_s);
    gan__json_f64(&j, "open_ms", r->open_ms);
    gan__json_f64(&j, "first_ms", r->first_ms);
    gan__json_f64(&j, "timed_ms", r->timed_ms);
    gan__json_f64(&j, "compile_ms", r->compile_ms);
    gan__json_f64(&j, "gflop_per_step", r->flops * 1e-9);
    gan__json_f64(&j, "heavy_gflop_per_step", r->heavy_flops * 1e-9);
    gan__json_f64(&j, "gbytes_per_step", r->bytes * 1e-9);
    gan__json_i64(&j, "peak_bytes", (int64_t)r->peak_bytes);
    gan__json_i64(&j, "base_bytes", (int64_t)r->base_bytes);
    gan__json_i64(&j, "workspace_bytes", (int64_t)r->workspace_bytes);
    gan__json_open(&j, "roofline", '{');
    json_roof(&j, &r->roof);
    gan__json_close(&j, '}');
    json_group(&j, "phases", r->phase, r->n_phases);
    json_group(&j, "scopes", r->scope, r->n_scopes);
    json_group(&j, "kinds", r->kind, r->n_kinds);
    json_nodes(&j, r);
    gan__json_close(&j, '}');
}

static void print_group(const char *title, const struct gan_bench_group *g, int64_t n, double all)
{
    gan__out_heading(title);
    for (int64_t i = 0; i < n; i++) {
        (void)printf("  %-22.22s %10.2f ms %5.1f %%  %8.1f GFLOP/s %7.2f GB/s  %" PRId64 "\n",
                     g[i].name, g[i].ms, all > 0 ? 100 * g[i].ms / all : 0,
                     g[i].ms > 0 ? g[i].flops * 1e-6 / g[i].ms : 0,
                     g[i].ms > 0 ? g[i].bytes * 1e-6 / g[i].ms : 0, g[i].nodes);
    }
    (void)putchar('\n');
}

static void print_step(const struct gan_bench_step *r, int64_t most)
{
    const struct gan_bench_roof *f = &r->roof;
    char text[96];
    (void)printf("%s, %" PRId64 "x%" PRId64 "x%" PRId64 ", batch %" PRId64 ", %d thread%s\n\n",
                 r->model, r->height, r->width, r->channels, r->batch, r->threads,
                 r->threads > 1 ? "s" : "");
    gan__out_heading("One iteration");
    print_time("time", &r->time);
    (void)printf("  %-22s %10.1f\n", "images per second", r->images_per_s);
    (void)printf("  %-22s %10.2f ms\n", "with nodes timed", r->timed_ms);
    (void)printf("  %-22s %10.2f ms\n", "the first", r->first_ms);
    (void)printf("  %-22s %10.2f ms, %.2f of it compilation\n", "from start to the first",
                 r->open_ms, r->compile_ms);
    (void)printf("  %-22s %10.2f GFLOP, %.1f GFLOP/s\n", "convolutions, products",
                 r->heavy_flops * 1e-9, r->heavy_flops * 1e-6 / r->time.median_ms);
    (void)printf("  %-22s %10.2f GB, %.1f GB/s\n", "read and written", r->bytes * 1e-9,
                 r->bytes * 1e-6 / r->time.median_ms);
    (void)printf("  %-22s %10s\n", "memory beyond idle",
                 gan__text_bytes(text, sizeof text, r->peak_bytes - r->base_bytes));
    (void)printf("  %-22s %10.1f GFLOP/s, memory %.1f GB/s\n\n", "roofline f32",
                 (f->conv_f32 > f->product_f32 ? f->conv_f32 : f->product_f32) * 1e-9,
                 f->triad * 1e-9);
    double all = 0;
    for (int64_t i = 0; i < r->n_kinds; i++) {
        all += r->kind[i].ms;
    }
    print_group("By graph", r->phase, r->n_phases, all);
    print_group("By network", r->scope, r->n_scopes, all);
    print_group("By operation", r->kind, r->n_kinds, all);
    gan__out_heading("Most expensive nodes");
    for (int64_t i = 0; i < r->n_nodes && i < most; i++) {
        const struct gan_bench_node *n = &r->node[i];
        (void)printf("  %-18.18s %-14.14s %-18s %8.2f ms %7.1f GFLOP/s %6.2f GB/s %4.0f %%\n",
                     n->name, n->scope, gan_shape_text(&n->shape, text, sizeof text), n->ms,
                     n->ms > 0 ? n->flops * 1e-6 / n->ms : 0,
                     n->ms > 0 ? n->bytes * 1e-6 / n->ms : 0, 100 * n->share);
    }
}

/* --- floor -------------------------------------------------------------------------------------- */

static void json_floor(const struct gan_bench_floor *r)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    json_machine(&j, r->threads);
    gan__json_text(&j, "model", r->model);
    json_size(&j, r->height, r->width, r->channels, r->batch);
    json_time(&j, "step", &r->time);
    gan__json_f64(&j, "floor_ms", r->floor_ms);
    gan__json_f64(&j, "share", r->share);
    gan__json_f64(&j, "heavy_ms", r->heavy_ms);
    gan__json_f64(&j, "heavy_gflop", r->heavy_flops * 1e-9);
    gan__json_f64(&j, "memory_ms", r->memory_ms);
    gan__json_f64(&j, "norm_bytes", r->norm_bytes);
    gan__json_f64(&j, "state_bytes", r->state_bytes);
    gan__json_f64(&j, "feed_bytes", r->feed_bytes);
    gan__json_f64(&j, "triad_gbytes_per_s", r->triad * 1e-9);
    gan__json_open(&j, "shapes", '[');
    for (int64_t i = 0; i < r->n_shapes; i++) {
        const struct gan_bench_shape *s = &r->shape[i];
        gan__json_open(&j, NULL, '{');
        gan__json_text(&j, "name", s->name);
        gan__json_f64(&j, "runs", s->runs);
        gan__json_f64(&j, "gflop", s->flops * 1e-9);
        gan__json_f64(&j, "plain_gflops", s->plain_s > 0 ? s->flops * 1e-9 / s->plain_s : 0);
        gan__json_f64(&j, "blocked_gflops", s->blocked_s > 0 ? s->flops * 1e-9 / s->blocked_s : 0);
        gan__json_close(&j, '}');
    }
    gan__json_close(&j, ']');
    gan__json_close(&j, '}');
}

static void print_floor(const struct gan_bench_floor *r, int64_t most)
{
    (void)printf("%s, %" PRId64 "x%" PRId64 "x%" PRId64 ", batch %" PRId64 ", %d thread%s\n\n",
                 r->model, r->height, r->width, r->channels, r->batch, r->threads,
                 r->threads > 1 ? "s" : "");
    gan__out_heading("Floor of an iteration");
    (void)printf("  %-26s %10.2f ms   %.2f GFLOP at %.1f GFLOP/s\n", "convolutions, products",
                 r->heavy_ms, r->heavy_flops * 1e-9,
                 r->heavy_ms > 0 ? r->heavy_flops * 1e-6 / r->heavy_ms : 0);
    (void)printf("  %-26s %10.2f ms   %.1f MB of normalisations, %.1f of state, %.1f of data at "
                 "%.1f GB/s\n",
                 "memory", r->memory_ms, r->norm_bytes * 1e-6, r->state_bytes * 1e-6,
                 r->feed_bytes * 1e-6, r->triad * 1e-9);
    (void)printf("  %-26s %10.2f ms\n", "floor", r->floor_ms);
    (void)printf("  %-26s %10.2f ms   (%.2f to %.2f, %" PRId64 " runs)\n", "measured",
                 r->time.median_ms, r->time.least_ms, r->time.most_ms, r->time.runs);
    (void)printf("  %-26s %10.1f %%\n\n", "share of the floor's speed", 100 * r->share);
    gan__out_heading("Library rates, GFLOP/s");
    (void)printf("  %-42s %6s %9s %8s %8s\n", "shape", "runs", "GFLOP", "NHWC", "own");
    for (int64_t i = 0; i < r->n_shapes && i < most; i++) {
        const struct gan_bench_shape *s = &r->shape[i];
        (void)printf("  %-42.42s %6.0f %9.3f %8.1f %8.1f\n", s->name, s->runs, s->flops * 1e-9,
                     s->plain_s > 0 ? s->flops * 1e-9 / s->plain_s : 0,
                     s->blocked_s > 0 ? s->flops * 1e-9 / s->blocked_s : 0);
    }
}

/* --- sample and loader -------------------------------------------------------------------------- */

static gan_status setting_i64(const struct gan__cmdline *a, const char *name, int64_t *value,
                              gan_err *err)
{
    for (size_t i = 0; i < a->n_settings; i++) {
        if (strcmp(a->setting[i].name, name) == 0 &&
            (!gan__parse_i64(a->setting[i].value, value) || *value < 1 || *value > 1000000)) {
            return gan__fail(err, GAN_E_RANGE, "--%s %s: a number from 1 to 1000000 is expected",
                             name, a->setting[i].value);
        }
    }
    return GAN_OK;
}

static gan_status bench_sample(const struct gan__cmdline *a, const struct gan_train_cfg *cfg,
                               const struct gan_bench_how *how, bool json, gan_err *err)
{
    struct gan_bench_sample r;
    struct gan__json j = {0};
    int64_t batch = 64;
    GAN_TRY(setting_i64(a, "batch", &batch, err));
    GAN_TRY(gan_bench_sample(a->model != NULL ? NULL : a->word[1], cfg, batch, how, &r, err));
    if (json) {
        gan__json_open(&j, NULL, '{');
        json_machine(&j, r.threads);
        gan__json_text(&j, "model", r.model);
        json_size(&j, r.height, r.width, r.channels, r.batch);
        json_time(&j, "one", &r.one);
        json_time(&j, "many", &r.many);
        gan__json_f64(&j, "images_per_s", r.images_per_s);
        gan__json_f64(&j, "open_ms", r.open_ms);
        gan__json_close(&j, '}');
        return GAN_OK;
    }
    (void)printf("%s, %" PRId64 "x%" PRId64 "x%" PRId64 ", %d thread%s\n\n", r.model, r.height,
                 r.width, r.channels, r.threads, r.threads > 1 ? "s" : "");
    gan__out_heading("Sampling");
    print_time("one image", &r.one);
    print_time("a batch", &r.many);
    (void)printf("  %-22s %10.1f   in batches of %" PRId64 "\n", "images per second",
                 r.images_per_s, r.batch);
    (void)printf("  %-22s %10.2f ms\n", "to open", r.open_ms);
    return GAN_OK;
}

static gan_status bench_loader(const struct gan__cmdline *a, const struct gan_bench_how *how,
                               bool json, gan_err *err)
{
    struct gan_bench_loader r;
    struct gan__json j = {0};
    int64_t size = 0, channels = 0, batch = 64;
    GAN_TRY(setting_i64(a, "batch", &batch, err));
    GAN_TRY(setting_i64(a, "size", &size, err));
    GAN_TRY(setting_i64(a, "channels", &channels, err));
    struct gan_loader_cfg cfg = {.batch = batch,
                                 .seed = 1,
                                 .height = size,
                                 .width = size,
                                 .channels = channels,
                                 .threads = how->threads > 0 ? how->threads : 1};
    GAN_TRY(gan_bench_loader(a->word[1], &cfg, how, &r, err));
    if (json) {
        gan__json_open(&j, NULL, '{');
        json_machine(&j, r.threads);
        gan__json_text(&j, "data", a->word[1]);
        json_size(&j, r.height, r.width, r.channels, r.batch);
        json_time(&j, "batch_time", &r.time);
        gan__json_f64(&j, "images_per_s", r.images_per_s);
        gan__json_f64(&j, "first_ms", r.first_ms);
        gan__json_close(&j, '}');
        return GAN_OK;
    }
    (void)printf("%s, %" PRId64 "x%" PRId64 "x%" PRId64 ", batch %" PRId64 ", %d thread%s\n\n",
                 a->word[1], r.height, r.width, r.channels, r.batch, r.threads,
                 r.threads > 1 ? "s" : "");
    gan__out_heading("Loader");
    print_time("a batch", &r.time);
    (void)printf("  %-22s %10.0f\n", "images per second", r.images_per_s);
    (void)printf("  %-22s %10.2f ms\n", "to the first batch", r.first_ms);
    return GAN_OK;
}

/* --- entries ------------------------------------------------------------------------------------ */

static gan_status bench_step(const struct gan_train_cfg *cfg, const struct gan_bench_how *how,
                             const struct gan__bench_opts *o, gan_err *err)
{
    struct gan_bench_step *r = NULL;
    GAN_TRY(gan_bench_step(cfg, how, &r, err));
    if (o->json) {
        json_step(r);
    } else {
        print_step(r, o->nodes);
    }
    gan_bench_step_free(r);
    return GAN_OK;
}

static gan_status bench_floor(const struct gan_train_cfg *cfg, const struct gan_bench_how *how,
                              const struct gan__bench_opts *o, gan_err *err)
{
    struct gan_bench_floor *r = NULL;
    GAN_TRY(gan_bench_floor(cfg, how, &r, err));
    if (o->json) {
        json_floor(r);
    } else {
        print_floor(r, o->nodes);
    }
    gan_bench_floor_free(r);
    return GAN_OK;
}

static gan_status need_word(const struct gan__cmdline *a, const char *what, gan_err *err)
{
    return a->n_words > 1 ? GAN_OK
                          : gan__fail(err, GAN_E_ARG, "%s is missing: gan bench %s %s", what,
                                      a->word[0], what);
}

static gan_status need_model(const struct gan__cmdline *a, const struct gan_train_cfg *cfg,
                             gan_err *err)
{
    const struct gan_model *model;
    const struct gan_preset *preset;
    if (a->n_words < 2 && cfg->config == NULL) {
        return need_word(a, "MODEL", err);
    }
    return a->model != NULL || a->n_words < 2 ? GAN_OK
                                              : gan__find_model(a->word[1], &model, &preset, err);
}

static struct gan_bench_how how_of(const struct gan__bench_opts *o)
{
    return (struct gan_bench_how){.threads = (int)o->threads,
                                  .iters = o->iters,
                                  .warm_up = o->warm_up,
                                  .no_roof = !o->roofline};
}

static gan_status run_roofline(const struct gan__cmdline *a, const struct gan__bench_opts *o,
                               gan_err *err)
{
    (void)a;
    return bench_roofline(o, err);
}

GAN_BENCH(roofline) = {
    .name = "roofline",
    .usage = "gan bench roofline [--threads T]",
    .about = "roofline: the best rates of arithmetic and memory.",
    .run = run_roofline,
};

static gan_status run_step(const struct gan__cmdline *a, const struct gan__bench_opts *o,
                           gan_err *err)
{
    struct gan_train_cfg cfg = gan__train_cfg(a, &o->at);
    struct gan_bench_how how = how_of(o);
    GAN_TRY(need_model(a, &cfg, err));
    return bench_step(&cfg, &how, o, err);
}

GAN_BENCH(step) = {
    .name = "step",
    .usage = "gan bench step MODEL [options of the model and of gan train]",
    .about = "step: the time of a training iteration, by network, by operation, by node, and each "
             "node's share of the roofline.",
    .run = run_step,
};

static gan_status run_floor(const struct gan__cmdline *a, const struct gan__bench_opts *o,
                            gan_err *err)
{
    struct gan_train_cfg cfg = gan__train_cfg(a, &o->at);
    struct gan_bench_how how = how_of(o);
    GAN_TRY(need_model(a, &cfg, err));
    return bench_floor(&cfg, &how, o, err);
}

GAN_BENCH(floor) = {
    .name = "floor",
    .usage = "gan bench floor MODEL [options of the model and of gan train]",
    .about = "floor: what an iteration would take if every convolution and matrix product ran at "
             "the library's best rate for its shape and memory were touched only where it must be; "
             "the share is floor over measured time.",
    .run = run_floor,
};

static gan_status run_sample(const struct gan__cmdline *a, const struct gan__bench_opts *o,
                             gan_err *err)
{
    struct gan_train_cfg cfg = gan__train_cfg(a, &o->at);
    struct gan_bench_how how = how_of(o);
    GAN_TRY(need_word(a, "MODEL|RUN", err));
    return bench_sample(a, &cfg, &how, o->json, err);
}

GAN_BENCH(sample) = {
    .name = "sample",
    .usage = "gan bench sample MODEL|RUN|FILE [--batch N]",
    .about = "sample: latency of one image, rate of batches.",
    .run = run_sample,
};

static gan_status run_loader(const struct gan__cmdline *a, const struct gan__bench_opts *o,
                             gan_err *err)
{
    struct gan_bench_how how = how_of(o);
    GAN_TRY(need_word(a, "SPEC", err));
    return bench_loader(a, &how, o->json, err);
}

GAN_BENCH(loader) = {
    .name = "loader",
    .usage = "gan bench loader SPEC [--batch N] [--size N] [--channels N]",
    .about = "loader: images a second.",
    .run = run_loader,
};

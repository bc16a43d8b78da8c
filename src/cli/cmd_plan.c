/* cmd_plan.c: gan plan: what a training would cost; nothing is trained and nothing written. */
#include "out.h"
#include "train_line.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>

struct plan_opts {
    struct gan__train_places at;
    bool json;
};

static const struct gan_opt opts[] = {
    GAN__OPT_DATA(struct plan_opts, at.data),
    GAN__OPT_CONFIG(struct plan_opts, at.config),
    GAN__OPT_PATH(struct plan_opts, at.resume, "resume", "run directory whose training to look at"),
    GAN__OPT_PATH(struct plan_opts, at.out, "out", "taken as by gan train; nothing is written"),
    GAN_OPT_PARSED(struct plan_opts, at.init, "init", "", gan__init_option,
                   "taken as by gan train: FILE or NET=FILE"),
    GAN_OPT_BOOL(struct plan_opts, json, "json", "false", "as JSON"),
    GAN_OPT_END,
};

static int64_t parameters(const struct gan_train_cost *c)
{
    int64_t sum = 0;
    for (int i = 0; i < c->n_nets; i++) {
        sum += c->net[i].params;
    }
    return sum;
}

static void print_json(const struct gan_train_cost *c)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_text(&j, "model", c->model);
    gan__json_i64(&j, "height", c->height);
    gan__json_i64(&j, "width", c->width);
    gan__json_i64(&j, "channels", c->channels);
    gan__json_i64(&j, "batch", c->batch);
    if (c->images != INT64_MAX) {
        gan__json_i64(&j, "images", c->images);
    }
    gan__json_i64(&j, "parameters", parameters(c));
    gan__json_open(&j, "networks", '{');
    for (int i = 0; i < c->n_nets; i++) {
        gan__json_i64(&j, c->net[i].name, c->net[i].params);
    }
    gan__json_close(&j, '}');
    gan__json_f64(&j, "flops_per_step", c->flops);
    gan__json_f64(&j, "heavy_flops_per_step", c->heavy_flops);
    gan__json_f64(&j, "bytes_per_step", c->bytes);
    gan__json_i64(&j, "kernels_per_step", c->kernels);
    gan__json_f64(&j, "compile_ms", c->compile_ms);
    gan__json_f64(&j, "step_ms", c->step_ms);
    gan__json_i64(&j, "peak_bytes", (int64_t)c->peak_bytes);
    gan__json_i64(&j, "base_bytes", (int64_t)c->base_bytes);
    gan__json_i64(&j, "store_bytes", (int64_t)c->store_bytes);
    gan__json_i64(&j, "workspace_bytes", (int64_t)c->workspace_bytes);
    gan__json_f64(&j, "kept_flops_per_step", c->kept_flops);
    gan__json_i64(&j, "kept_workspace_bytes", (int64_t)c->kept_workspace_bytes);
    gan__json_i64(&j, "constant_bytes", (int64_t)c->constant_bytes);
    gan__json_i64(&j, "loader_bytes", (int64_t)c->loader_bytes);
    gan__json_i64(&j, "data_bytes", (int64_t)c->data_bytes);
    gan__json_i64(&j, "sampling_bytes", (int64_t)c->sampling_bytes);
    gan__json_i64(&j, "checkpoint_bytes", (int64_t)c->checkpoint_bytes);
    gan__json_open(&j, "packed_weights", '[');
    for (int i = 0; i < c->n_copies; i++) {
        char shape[96];
        gan__json_open(&j, NULL, '{');
        gan__json_text(&j, "scope", c->copy[i].scope);
        gan__json_text(&j, "shape", gan_shape_text(&c->copy[i].shape, shape, sizeof shape));
        gan__json_i64(&j, "bytes", (int64_t)c->copy[i].bytes);
        gan__json_i64(&j, "uses", c->copy[i].uses);
        gan__json_close(&j, '}');
    }
    gan__json_close(&j, ']');
    gan__json_close(&j, '}');
}

/* Each copy, among the intermediate results from its first use to its last. */
static void print_copies(const struct gan_train_cost *c)
{
    char bytes[32], shape[96];
    if (c->n_copies == 0) {
        return;
    }
    gan__out_heading("Packed weights, among the intermediate results");
    for (int i = 0; i < c->n_copies; i++) {
        (void)printf("  %-22s %14s  %-18s %" PRId64 " use%s\n", c->copy[i].scope,
                     gan__text_bytes(bytes, sizeof bytes, c->copy[i].bytes),
                     gan_shape_text(&c->copy[i].shape, shape, sizeof shape), c->copy[i].uses,
                     c->copy[i].uses == 1 ? "" : "s");
    }
    (void)putchar('\n');
}

static void bytes_line(const char *name, uint64_t bytes)
{
    char text[32];
    (void)printf("  %-22s %14s\n", name, gan__text_bytes(text, sizeof text, bytes));
}

static void print_text(const struct gan_train_cost *c)
{
    char text[32];
    (void)printf("%s, %" PRId64 "x%" PRId64 "x%" PRId64 ", batch %" PRId64 "\n\n", c->model,
                 c->height, c->width, c->channels, c->batch);
    gan__out_heading("Parameters");
    for (int i = 0; i < c->n_nets; i++) {
        (void)printf("  %-22s %14s\n", c->net[i].name,
                     gan__text_count(text, sizeof text, c->net[i].params));
    }
    (void)printf("  %-22s %14s\n\n", "together", gan__text_count(text, sizeof text, parameters(c)));
    gan__out_heading("One iteration");
    (void)printf("  %-22s %14.3f GFLOP\n", "arithmetic", c->flops * 1e-9);
    (void)printf("  %-22s %14.3f GFLOP\n", "in heavy ops", c->heavy_flops * 1e-9);
    if (c->kept_flops != c->flops || c->kept_workspace_bytes != c->workspace_bytes) {
        (void)printf("  %-22s %14.3f GFLOP\n", "without recomputing", c->kept_flops * 1e-9);
    }
    bytes_line("read and written", (uint64_t)c->bytes);
    (void)printf("  %-22s %14" PRId64 "\n", "kernels", c->kernels);
    (void)printf("  %-22s %14.1f ms\n", "predicted time", c->step_ms);
    if (c->step_ms > 0) {
        (void)printf("  %-22s %14.0f\n", "images per second", (double)c->batch / c->step_ms * 1e3);
    }
    (void)printf("  %-22s %14.0f ms\n\n", "compilation, once", c->compile_ms);
    gan__out_heading("Memory");
    bytes_line("program and libraries", c->base_bytes);
    bytes_line("weights and state", c->store_bytes);
    bytes_line("intermediate results", c->workspace_bytes);
    if (c->kept_flops != c->flops || c->kept_workspace_bytes != c->workspace_bytes) {
        bytes_line("without recomputing", c->kept_workspace_bytes);
    }
    bytes_line("outputs, constants", c->constant_bytes);
    bytes_line("batches", c->loader_bytes);
    bytes_line("data set", c->data_bytes);
    bytes_line("sample grids", c->sampling_bytes);
    bytes_line("peak", c->peak_bytes);
    (void)putchar('\n');
    print_copies(c);
    gan__out_heading("Disk");
    bytes_line("a checkpoint", c->checkpoint_bytes);
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct plan_opts *o = a->opts;
    if (a->model == NULL && o->at.config == NULL && o->at.resume == NULL) {
        return gan__fail(err, GAN_E_ARG, "a model is missing: gan plan MODEL --data SPEC");
    }
    if (gan__train_data(a, &o->at) == NULL && o->at.config == NULL && o->at.resume == NULL) {
        return gan__fail(err, GAN_E_ARG, "--data is missing: a SPEC such as fashion-mnist");
    }
    struct gan_train_cfg cfg = gan__train_cfg(a, &o->at);
    struct gan_train_cost cost = {0};
    GAN_TRY(gan_train_plan(&cfg, &cost, err));
    if (o->json) {
        print_json(&cost);
    } else {
        print_text(&cost);
    }
    return GAN_OK;
}

GAN_COMMAND(plan) = {
    .name = "plan",
    .summary = "parameters, arithmetic, peak memory and time of a training, before it runs",
    .usage = "gan plan MODEL --data SPEC [options of gan train] [--json]",
    .opts = opts,
    .size = sizeof(struct plan_opts),
    .max_words = 1,
    .flags = GAN__WORD_IS_MODEL | GAN__TRAIN_OPTIONS,
    .run = run,
};

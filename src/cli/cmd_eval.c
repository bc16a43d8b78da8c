/* cmd_eval.c: gan eval: how good, how diverse, how sure; every figure with its protocol. */
#include "cmdline.h"
#include "out.h"

#include "base/err.h"
#include "base/str.h"

#include <gan/evaluate.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct eval_opts {
    const char *data, *held, *metrics, *features;
    int64_t n, seed, threads, bootstrap;
    bool json, no_cache, skip_broken;
};

static const struct gan_opt opts[] = {
    GAN__OPT_PATH(struct eval_opts, data, "data",
                  "the reals: SPEC, folder, run, .npy or .npz of features or FID statistics"),
    GAN__OPT_PATH(struct eval_opts, metrics, "metrics", "names joined by commas"),
    GAN__OPT_PATH(struct eval_opts, features, "features",
                  "what metrics look through; pixels:16 when not given"),
    GAN__OPT_PATH(struct eval_opts, held, "held",
                  "reals the model never saw: the null of memorisation"),
    GAN_OPT_I64(struct eval_opts, n, "n", "10000", 1, 1e7, "samples of each side, at most"),
    GAN_OPT_I64(struct eval_opts, seed, "seed", "0", 0, 9e15,
                "of latents, choice of reals, subsets, bootstraps"),
    GAN_OPT_I64(struct eval_opts, bootstrap, "bootstrap", "1000", 0, 1e6,
                "replicates of the 95 % intervals; 0: none"),
    GAN_OPT_I64(struct eval_opts, threads, "threads", "0", 0, 1024,
                "compute threads; 0: as many as processors"),
    GAN_OPT_BOOL(struct eval_opts, no_cache, "no-cache", "false",
                 "neither read nor keep features of data sets"),
    GAN_OPT_BOOL(struct eval_opts, skip_broken, "skip-broken", "false",
                 "image files that cannot be read are left out, named and counted"),
    GAN_OPT_BOOL(struct eval_opts, json, "json", "false", "the whole result as JSON"),
    GAN_OPT_END,
};

/* --- JSON --------------------------------------------------------------------------------------- */

static void json_side(struct gan__json *j, const char *key, const struct gan_eval_side *s)
{
    gan__json_open(j, key, '{');
    gan__json_text(j, "source", s->text);
    gan__json_text(j, "kind", s->kind);
    gan__json_i64(j, "n", s->n);
    gan__json_i64(j, "height", s->height);
    gan__json_i64(j, "width", s->width);
    gan__json_i64(j, "channels", s->channels);
    gan__json_text(j, "split", s->split[0] != '\0' ? s->split : NULL);
    gan__json_text(j, "resize", s->resize);
    gan__json_text(j, "codec", s->codec);
    gan__json_text(j, "weights_hash", s->hash[0] != '\0' ? s->hash : NULL);
    gan__json_i64(j, "step", s->step);
    gan__json_bool(j, "cached", s->cached);
    gan__json_close(j, '}');
}

static void json_metric(struct gan__json *j, const struct gan_metric *m,
                        const struct gan_metric_result *r)
{
    for (int i = 0; i < r->n; i++) {
        const struct gan_metric_value *v = &r->value[i];
        gan__json_open(j, NULL, '{');
        gan__json_text(j, "metric", v->name);
        gan__json_f64(j, "value", v->value);
        gan__json_f64(j, "low", v->low);
        gan__json_f64(j, "high", v->high);
        gan__json_f64(j, "std", v->std);
        gan__json_text(j, "unit", v->unit[0] != '\0' ? v->unit : NULL);
        gan__json_text(j, "protocol", r->protocol);
        gan__json_text(j, "ref", m->ref);
        gan__json_close(j, '}');
    }
}

static void json_warnings(struct gan__json *j, const struct gan_eval_report *r)
{
    gan__json_open(j, "warnings", '[');
    for (int i = 0; i < r->n_warnings; i++) {
        gan__json_text(j, NULL, r->warning[i]);
    }
    for (int i = 0; i < r->n; i++) {
        for (int k = 0; k < r->result[i].n_warnings; k++) {
            gan__json_text(j, NULL, r->result[i].warning[k]);
        }
    }
    gan__json_close(j, ']');
}

static void print_json(const struct gan_eval_report *r)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    json_side(&j, "fake", &r->fake);
    if (r->has_real) {
        json_side(&j, "real", &r->real);
    }
    gan__json_open(&j, "features", '{');
    gan__json_text(&j, "name", r->features[0] != '\0' ? r->features : NULL);
    gan__json_text(&j, "layer", r->layer[0] != '\0' ? r->layer : NULL);
    gan__json_text(&j, "hash", r->hash[0] != '\0' ? r->hash : NULL);
    gan__json_i64(&j, "size", r->n_features);
    gan__json_text(&j, "resize_kernel", r->filter[0] != '\0' ? r->filter : NULL);
    gan__json_close(&j, '}');
    gan__json_i64(&j, "seed", (int64_t)r->seed);
    gan__json_open(&j, "results", '[');
    for (int i = 0; i < r->n; i++) {
        json_metric(&j, r->metric[i], &r->result[i]);
    }
    gan__json_close(&j, ']');
    json_warnings(&j, r);
    gan__json_f64(&j, "time_s", r->time_s);
    gan__json_close(&j, '}');
}

/* --- table -------------------------------------------------------------------------------------- */

static void print_side(const char *name, const struct gan_eval_side *s)
{
    (void)printf("%-10s%s: ", name, s->text);
    if (s->n > 0) {
        (void)printf("%" PRId64 " samples", s->n);
    } else {
        (void)printf("statistics");
    }
    if (s->height > 0) {
        (void)printf(" of %" PRId64 "x%" PRId64 "x%" PRId64, s->height, s->width, s->channels);
    }
    if (s->split[0] != '\0') {
        (void)printf(", split %s", s->split);
    }
    if (s->step > 0) {
        (void)printf(", step %" PRId64 ", weights %.12s", s->step, s->hash);
    }
    (void)printf(", resize: %s, codec: %s%s\n", s->resize, s->codec,
                 s->cached ? ", features from the cache" : "");
}

static void print_values(const struct gan_metric_result *r)
{
    for (int i = 0; i < r->n; i++) {
        const struct gan_metric_value *v = &r->value[i];
        (void)printf("%-22s%12.6g", v->name, v->value);
        if (isfinite(v->low)) {
            (void)printf("  [%.6g, %.6g]", v->low, v->high);
        }
        if (isfinite(v->std)) {
            (void)printf("  std %.3g", v->std);
        }
        (void)printf("%s%s\n", v->unit[0] != '\0' ? "  " : "", v->unit);
    }
    (void)printf("  %s\n", r->protocol);
}

static void print_text(const struct gan_eval_report *r)
{
    print_side("fakes", &r->fake);
    if (r->has_real) {
        print_side("reals", &r->real);
    }
    if (r->features[0] != '\0') {
        (void)printf("%-10s%s", "features", r->features);
        if (r->hash[0] != '\0') {
            (void)printf(", %s, hash %s, resize kernel %s", r->layer, r->hash, r->filter);
        }
        (void)printf(", %" PRId64 " numbers\n", r->n_features);
    }
    (void)printf("%-10s%" PRIu64 "\n\n", "seed", r->seed);
    for (int i = 0; i < r->n; i++) {
        print_values(&r->result[i]);
    }
    for (int i = 0; i < r->n_warnings; i++) {
        gan__say("warning: %s", r->warning[i]);
    }
    for (int i = 0; i < r->n; i++) {
        for (int k = 0; k < r->result[i].n_warnings; k++) {
            gan__say("warning: %s", r->result[i].warning[k]);
        }
    }
}

/* --- the command -------------------------------------------------------------------------------- */

static void more(void)
{
    (void)putchar('\n');
    gan__out_heading("Metrics");
    for (size_t i = 0; gan_metric_at(i) != NULL; i++) {
        gan__out_entry(14, gan_metric_at(i)->name, gan_metric_at(i)->help);
    }
    (void)putchar('\n');
    gan__out_heading("Features");
    for (size_t i = 0; gan_feature_net_at(i) != NULL; i++) {
        const struct gan_feature_net *f = gan_feature_net_at(i);
        char name[64];
        const char *argument = f->argument != NULL ? f->argument : "";
        (void)gan__format(name, sizeof name, "%s%s%s%s", f->name,
                          f->argument == NULL  ? ""
                          : f->argument_needed ? ":"
                                               : "[:",
                          argument, f->argument != NULL && !f->argument_needed ? "]" : "");
        gan__out_entry(20, name, f->help);
    }
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct eval_opts *o = a->opts;
    struct gan_eval_cfg cfg = {.what = a->word[0],
                               .data = o->data,
                               .held = o->held,
                               .metrics = o->metrics != NULL ? o->metrics : "fid,kid",
                               .features = o->features,
                               .n = o->n,
                               .seed = (uint64_t)o->seed,
                               .threads = (int)o->threads,
                               .bootstrap = o->bootstrap > 0 ? (int)o->bootstrap : -1,
                               .skip_broken = o->skip_broken,
                               .no_cache = o->no_cache};
    gan_evaluation *e = NULL;
    GAN_TRY(gan_eval_check(&cfg, err));
    GAN_TRY(gan_evaluate(&cfg, &e, err));
    if (o->json) {
        print_json(gan_evaluation_report(e));
    } else {
        print_text(gan_evaluation_report(e));
    }
    gan_evaluation_free(e);
    return GAN_OK;
}

GAN_COMMAND(eval) = {
    .name = "eval",
    .summary = "how good and how diverse samples are, against anything",
    .usage = "gan eval RUN|FILE|DIR|SPEC|X.npy|X.npz --data SPEC --metrics fid,kid,prdc\n"
             "         [--features NAME] [--n N] [--seed S] [--json]",
    .about = "The word is what is judged, --data what it is held against. A result stands alone: "
             "value, 95 % interval, samples of both sides, split, resizing, codec, features and "
             "their hash, seed. Without --metrics: fid,kid. No figure is printed when one of them "
             "cannot be had.",
    .more = more,
    .opts = opts,
    .size = sizeof(struct eval_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};

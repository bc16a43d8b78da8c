/* cmd_train.c: gan train: one command from images to a trained generator. */
#include "interrupt.h"
#include "out.h"
#include "progress.h"
#include "train_line.h"

#include "base/alloc.h"
#include "base/err.h"

#include <inttypes.h>
#include <stdio.h>

struct train_opts {
    struct gan__train_places at;
    bool skip_broken, json;
};

static const struct gan_opt opts[] = {
    GAN__OPT_DATA(struct train_opts, at.data),
    GAN__OPT_PATH(struct train_opts, at.out, "out",
                  "run directory to make; runs/MODEL-DATA-1 or the next free number"),
    GAN__OPT_PATH(struct train_opts, at.resume, "resume",
                  "run directory to continue; nothing else is needed"),
    GAN__OPT_CONFIG(struct train_opts, at.config),
    GAN_OPT_PARSED(struct train_opts, at.init, "init", "", gan__init_option,
                   "weights to start from: FILE, or NET=FILE for one network; may be repeated"),
    GAN_OPT_BOOL(struct train_opts, skip_broken, "skip-broken", "false",
                 "go on without image files that cannot be read; they are named, and counted at "
                 "the end"),
    GAN_OPT_BOOL(struct train_opts, json, "json", "false", "what the run left, as JSON"),
    GAN_OPT_END,
};

static gan_status check(const struct gan__cmdline *a, gan_err *err)
{
    const struct train_opts *o = a->opts;
    const struct gan__train_places *at = &o->at;
    if (at->resume == NULL) {
        if (a->model == NULL && at->config == NULL) {
            return gan__fail(
                err, GAN_E_ARG,
                "a model is missing: gan train MODEL --data SPEC, see gan list models");
        }
        if (gan__train_data(a, at) == NULL && at->config == NULL) {
            return gan__fail(err, GAN_E_ARG, "--data is missing: a SPEC such as fashion-mnist");
        }
        return GAN_OK;
    }
    const char *extra = a->model != NULL     ? a->word[0]
                        : at->data != NULL   ? "--data"
                        : at->config != NULL ? "--config"
                        : at->out != NULL    ? "--out"
                        : at->init.n > 0     ? "--init"
                                             : NULL;
    if (extra != NULL) {
        return gan__fail(err, GAN_E_ARG,
                         "%s does not go with --resume: the run directory says it already", extra);
    }
    return GAN_OK;
}

static bool should_stop(void *ctx)
{
    (void)ctx;
    return gan__interrupted();
}

static void print_json(const struct gan_train_result *r)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_text(&j, "dir", r->dir);
    gan__json_text(&j, "checkpoint", r->checkpoint[0] != '\0' ? r->checkpoint : NULL);
    gan__json_text(&j, "samples", r->samples[0] != '\0' ? r->samples : NULL);
    gan__json_i64(&j, "step", r->step);
    gan__json_i64(&j, "images", r->images);
    gan__json_f64(&j, "time_s", r->time_s);
    gan__json_f64(&j, "images_per_s", r->images_per_s);
    gan__json_open(&j, "alarms", '[');
    for (int kind = 1; kind <= (int)r->alarms; kind *= 2) {
        if ((r->alarms & (uint32_t)kind) != 0) {
            gan__json_text(&j, NULL, gan_alarm_name((gan_alarm_kind)kind));
        }
    }
    gan__json_close(&j, ']');
    gan__json_i64(&j, "rollbacks", r->rollbacks);
    gan__json_i64(&j, "skipped", r->skipped);
    gan__json_close(&j, '}');
}

static void print_text(const struct gan_train_result *r)
{
    char count[32], time[32];
    gan__say("train: %s steps in %s, %.0f images/s", gan__text_count(count, sizeof count, r->step),
             gan__text_time(time, sizeof time, r->time_s), r->images_per_s);
    if (r->skipped > 0) {
        gan__say("train: %" PRId64 " images were skipped", r->skipped);
    }
    (void)printf("run         %s\n", r->dir);
    if (r->samples[0] != '\0') {
        (void)printf("samples     %s\n", r->samples);
    }
    if (r->checkpoint[0] != '\0') {
        (void)printf("checkpoint  %s\n", r->checkpoint);
    }
}

/* What to do next, where the run did not come to its end. */
static void advise(const struct gan_train_result *r, gan_status status, gan_err *err)
{
    if (r->dir[0] == '\0' || r->checkpoint[0] == '\0') {
        return;
    }
    if (status == GAN_E_INTERRUPTED) {
        *err = (gan_err){0}; /* the library's words know no commands */
        (void)gan__fail(err, status,
                        "stopped at step %" PRId64 "; continue with: gan train --resume %s",
                        r->step, r->dir);
    } else if (status == GAN_E_DIVERGED) {
        bool stopped = r->alarms != 0 && (r->alarms & (uint32_t)GAN_ALARM_NAN) == 0;
        gan__say("train: the %s state is in %s", stopped ? "newest" : "last good", r->checkpoint);
    }
}

static gan_status train(const struct gan__cmdline *a, const struct gan_train_cfg *cfg,
                        struct gan_train_result *result, gan_err *err)
{
    const struct train_opts *o = a->opts;
    struct gan__progress progress = {0};
    struct gan_train_watch watch = {
        .ctx = &progress,
        .started = gan__progress_started,
        .progress = gan__progress_step,
        .should_stop = should_stop,
        .alarm = gan__progress_alarm,
    };
    gan__interrupt_watch();
    gan_status status = gan_train(cfg, &watch, result, err);
    gan__interrupt_release();
    gan__progress_clear(&progress);
    advise(result, status, err);
    if (result->dir[0] == '\0' || (status != GAN_OK && status != GAN_E_INTERRUPTED)) {
        return status;
    }
    if (o->json) {
        print_json(result);
    } else {
        print_text(result);
    }
    return status;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct train_opts *o = a->opts;
    char dir[1024], spec[GAN_PATH_TEXT_MAX];
    GAN_TRY(check(a, err));
    struct gan_train_cfg cfg = gan__train_cfg(a, &o->at);
    if (o->skip_broken && cfg.data == NULL) {
        return gan__fail(err, GAN_E_ARG,
                         "--skip-broken goes with --data: elsewhere the SPEC says skip-broken=yes");
    }
    if (o->skip_broken) {
        GAN_TRY(gan_data_spec_add(cfg.data, "skip-broken=yes", spec, sizeof spec, err));
        cfg.data = spec;
    }
    if (cfg.out == NULL && cfg.model != NULL && cfg.data != NULL) {
        GAN_TRY(gan__free_run_dir(dir, sizeof dir, cfg.model, cfg.data, err));
        cfg.out = dir;
    }
    struct gan_train_result *result = gan__alloc(sizeof *result);
    if (result == NULL) {
        return gan__fail_nomem(err, sizeof *result, "the result");
    }
    gan_status status = train(a, &cfg, result, err);
    gan__free(result);
    return status;
}

GAN_COMMAND(train) = {
    .name = "train",
    .summary = "train a model on a data set, or continue a run",
    .usage = "gan train MODEL --data SPEC [--time 2m | --steps N | --epochs N] [options]\n"
             "gan train --resume DIR [--steps N ...]\n"
             "gan train --config FILE [options]",
    .about = "Leaves a run directory with config.yaml, log.jsonl, samples/ and checkpoints/. "
             "Ctrl-C finishes the step and writes a checkpoint (exit code 130); once more stops at "
             "once. An interrupted run that is resumed ends with the same bytes as one that was "
             "not. MODEL is a model or a preset; its options are listed by gan help MODEL.",
    .opts = opts,
    .size = sizeof(struct train_opts),
    .max_words = 1,
    .flags = GAN__WORD_IS_MODEL | GAN__TRAIN_OPTIONS,
    .run = run,
};

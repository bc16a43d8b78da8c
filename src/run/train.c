/* train.c: the loop around the iterations: log, samples, checkpoints, limits, interruption.
 *
 * Order of a step: iterate, log, sample, checkpoint. What is written never feeds back into the
 * state, so how often something is written does not change what is trained. */
#include <gan/train.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "checkpoint.h"
#include "config.h"
#include "eval_train.h"
#include "gan_config.h"
#include "landscape.h"
#include "meta.h"
#include "monitor.h"
#include "picture.h"
#include "resume.h"
#include "rollback.h"
#include "rundir.h"
#include "runlog.h"
#include "session.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_NAMES = 2, SCATTER_POINTS = 512 };

struct trainer {
    struct gan__session s;
    struct gan__recipe recipe;
    struct gan__landscape landscape;
    const struct gan_train_watch *watch;
    struct gan_train_result *result;
    struct gan__runlog log;
    struct gan__monitor monitor;
    struct gan__evaluator evaluator;
    char *memory;    /* of the monitor, out of the checkpoint resumed; or NULL */
    int64_t back_to; /* where the last rollback of this session went, -1: there was none */
    /* "time_s", "images_per_s", then the reports */
    const char *names[FIRST_NAMES + GAN__MAX_VALUES];
    double values[FIRST_NAMES + GAN__MAX_VALUES];
    int n;
    int64_t stop; /* iteration to end at, INT64_MAX: none */
    int64_t logged, sampled, saved;
    double started_s, time_before_s; /* clock at the start; training time of earlier sessions */
    double busy_s;                   /* spent in iterations since the last line of the log */
    double all_busy_s;
    int64_t images_logged, images_started;
    int64_t steps_logged;
};

/* --- writing ------------------------------------------------------------------------------------ */

static int64_t step_now(const struct trainer *t)
{
    return gan__session_count(&t->s, t->s.iteration);
}

static double time_now(const struct trainer *t)
{
    return t->time_before_s + gan__now_s() - t->started_s;
}

/* The session, and what the monitor remembers. */
static gan_status describe(struct trainer *t, struct gan__meta *meta, gan_err *err)
{
    GAN_TRY(gan__meta_of_session(meta, &t->s, err));
    if (t->monitor.every == 0) {
        return GAN_OK;
    }
    char *text = gan__monitor_text(&t->monitor);
    gan_status status = text != NULL ? gan__meta_add(meta, "libgan.monitor", text, err)
                                     : gan__fail_nomem(err, 0, "what the monitor remembers");
    gan__free(text);
    return status;
}

static gan_status save(struct trainer *t, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    int64_t step = step_now(t);
    struct gan__meta meta = {0};
    gan_status status = gan__rundir_checkpoint(path, sizeof path, t->result->dir, step, err);
    if (status == GAN_OK) {
        status = describe(t, &meta, err);
    }
    if (status == GAN_OK) {
        status = gan_checkpoint_save(t->s.store, meta.item, meta.n, path, err);
    }
    gan__meta_release(&meta);
    GAN_TRY(status);
    t->saved = step;
    (void)gan__copy(t->result->checkpoint, sizeof t->result->checkpoint, path);
    GAN_TRY(gan__runlog_sync(&t->log, err));
    return gan__rundir_prune(t->result->dir, t->recipe.run.keep, err);
}

/* DIR/best.safetensors: a checkpoint with the figures it was chosen by. */
static gan_status save_best(struct trainer *t, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    struct gan__meta meta = {0};
    gan_status status = describe(t, &meta, err);
    if (status == GAN_OK) {
        status = gan__evaluator_meta(&t->evaluator, &meta, err);
    }
    if (status == GAN_OK) {
        status = gan__rundir_file(path, sizeof path, t->result->dir, "best.safetensors", err);
    }
    if (status == GAN_OK) {
        status = gan_checkpoint_save(t->s.store, meta.item, meta.n, path, err);
    }
    gan__meta_release(&meta);
    return status;
}

/* Metrics, to the log; the best state so far is kept. */
static gan_status evaluate(struct trainer *t, gan_err *err)
{
    bool better = false;
    GAN_TRY(gan__evaluator_run(&t->evaluator, &t->s, &better, err));
    GAN_TRY(gan__evaluator_log(&t->evaluator, &t->log, step_now(t), time_now(t), err));
    return better ? save_best(t, err) : GAN_OK;
}

/* A grid of the same latents every time, where there are classes a row each; points also as numbers. */
static gan_status sample(struct trainer *t, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX], text[32];
    int64_t step = step_now(t);
    bool points = gan_dataset_about(t->s.data)->points;
    bool png =
        GAN_HAVE_SPNG && (points || t->s.generator.channels == 1 || t->s.generator.channels == 3);
    bool by_class = !points && gan__generator_by_class(&t->s.generator);
    struct gan__generate what = {
        .seed = (uint64_t)t->recipe.run.seed,
        .n = points     ? SCATTER_POINTS
             : by_class ? GAN__GRID_ROWS * t->s.generator.classes
                        : t->s.generator.batch,
        .shared = by_class,
        .from = t->s.generator.fields != 0 ? &t->s.show : NULL,
        .workspace = t->s.workspace,
    };
    if (points || !png) {
        GAN_TRY(gan__rundir_sample(path, sizeof path, t->result->dir, step, "npy", err));
        GAN_TRY(gan__array_write(&t->s.generator, &what, path, err));
    }
    if (t->landscape.on) {
        GAN_TRY(gan__rundir_sample(path, sizeof path, t->result->dir, step, "png", err));
        GAN_TRY(gan__landscape_write(&t->landscape, t->result->dir, step, path, err));
    } else if (png) {
        (void)gan__format(text, sizeof text, "%" PRId64, t->recipe.run.seed);
        struct gan__png_text texts[] = {{"model", t->recipe.model->name}, {"seed", text}};
        struct gan__picture how = {.range = t->s.task->range,
                                   .points = points,
                                   .columns = t->s.generator.fields != 0 ? 1
                                              : by_class                 ? t->s.generator.classes
                                                                         : 0,
                                   .texts = texts,
                                   .n_texts = 2};
        GAN_TRY(gan__rundir_sample(path, sizeof path, t->result->dir, step, "png", err));
        GAN_TRY(gan__picture_write(&t->s.generator, &what, &how, path, err));
    }
    t->sampled = step;
    (void)gan__copy(t->result->samples, sizeof t->result->samples, path);
    return GAN_OK;
}

static gan_status write_film(const struct trainer *t, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    GAN_TRY(gan__rundir_file(path, sizeof path, t->result->dir, "samples/film.png", err));
    return gan__film_write(t->result->dir, step_now(t), path, err);
}

static gan_status write_log(struct trainer *t, gan_err *err)
{
    int64_t step = step_now(t), images = gan__session_count(&t->s, t->s.images);
    gan__runlog_begin(&t->log, step);
    for (int i = 0; i < t->n; i++) {
        gan__runlog_number(&t->log, t->names[i], t->values[i]);
    }
    gan__monitor_log(&t->monitor, &t->log);
    GAN_TRY(gan__runlog_end(&t->log, err));
    t->logged = step;
    t->images_logged = images;
    t->steps_logged = step;
    t->busy_s = 0;
    return GAN_OK;
}

/* --- the loop ----------------------------------------------------------------------------------- */

static void report(struct trainer *t)
{
    struct gan_train_progress p = {
        .step = step_now(t),
        .stop = t->stop < INT64_MAX ? t->stop : 0,
        .time_s = t->values[0],
        .limit_s = t->recipe.run.time_s,
        .steps_per_s = t->busy_s > 0 ? (double)(step_now(t) - t->steps_logged) / t->busy_s : 0,
        .images_per_s = t->values[1],
        .names = t->names + FIRST_NAMES,
        .values = t->values + FIRST_NAMES,
        .n = t->n - FIRST_NAMES,
    };
    if (t->watch->progress != NULL) {
        t->watch->progress(t->watch->ctx, &p);
    }
}

static gan_status iterate(struct trainer *t, gan_err *err)
{
    double before = gan__now_s();
    gan_status status = gan__session_step(&t->s, t->values + FIRST_NAMES, err);
    double took = gan__now_s() - before;
    t->busy_s += took;
    t->all_busy_s += took;
    int64_t images = gan__session_count(&t->s, t->s.images);
    t->values[0] = time_now(t);
    t->values[1] = t->busy_s > 0 ? (double)(images - t->images_logged) / t->busy_s : 0;
    t->result->step = step_now(t);
    t->result->images = images;
    t->result->time_s = t->values[0];
    t->result->images_per_s =
        t->all_busy_s > 0 ? (double)(images - t->images_started) / t->all_busy_s : 0;
    return status;
}

static bool is_over(const struct trainer *t)
{
    return step_now(t) >= t->stop ||
           (t->recipe.run.time_s > 0 && time_now(t) >= t->recipe.run.time_s);
}

/* What every end has in common: the last line, grid and checkpoint, unless they are there. */
static gan_status finish(struct trainer *t, gan_err *err)
{
    int64_t step = step_now(t);
    if (t->logged != step && step > 0) {
        GAN_TRY(write_log(t, err));
    }
    if (t->saved != step) {
        GAN_TRY(save(t, err));
    }
    if (t->sampled != step) {
        GAN_TRY(sample(t, err));
    }
    return t->landscape.on ? write_film(t, err) : GAN_OK;
}

/* Keeps the state the guards protected. A checkpoint of this very step is better: it is whole. */
static gan_status keep_diverged(struct trainer *t)
{
    gan_err own = {0};
    char path[GAN_PATH_TEXT_MAX];
    bool there =
        gan__rundir_checkpoint(path, sizeof path, t->result->dir, step_now(t), &own) == GAN_OK &&
        gan__path_exists(path);
    if (!there && save(t, &own) != GAN_OK) {
        gan__log(GAN_LOG_WARNING, "%s", own.message);
        return GAN_E_DIVERGED;
    }
    (void)gan__copy(t->result->checkpoint, sizeof t->result->checkpoint, path);
    return GAN_E_DIVERGED;
}

/* --- alarms ------------------------------------------------------------------------------------- */

/* To the log and to who watches. */
static gan_status tell_alarms(struct trainer *t, int64_t back_to, gan_err *err)
{
    struct gan__monitor *m = &t->monitor;
    for (int i = 0; i < m->n_alarms; i++) {
        struct gan_train_alarm *a = &m->alarm[i].about;
        a->back_to = a->over ? -1 : back_to;
        if (t->watch->alarm != NULL) {
            t->watch->alarm(t->watch->ctx, a);
        }
        GAN_TRY(gan__alarm_log(&t->log, step_now(t), time_now(t), a, err));
    }
    t->result->alarms = m->stands;
    t->result->alarms_raised = m->raised;
    return GAN_OK;
}

/* The alarm of this look to act upon, NULL when there is none. Gradients of single layers only
 * warn: an optimiser often lives with them. */
static const struct gan_train_alarm *serious(const struct trainer *t)
{
    const uint32_t kinds = GAN_ALARM_COLLAPSE | GAN_ALARM_WON | GAN_ALARM_NAN;
    const struct gan__monitor *m = &t->monitor;
    for (int i = 0; i < m->n_alarms && t->recipe.run.on_alarm != GAN__ALARM_WARN; i++) {
        const struct gan_train_alarm *a = &m->alarm[i].about;
        if (!a->over && ((uint32_t)a->kind & kinds) != 0) {
            return a;
        }
    }
    return NULL;
}

/* State, counters and log as of an older checkpoint, which is written once more: it now says that
 * there was one rollback more, so that a run killed here goes on as this one does. */
static gan_status roll_back(struct trainer *t, const struct gan_train_alarm *a, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    double unused;
    struct gan__monitor *m = &t->monitor;
    int64_t step, limit = a->kind == GAN_ALARM_NAN ? a->step : a->since - m->every;
    GAN_TRY(gan__rollback_target(t->result->dir, limit, t->back_to, &step, err));
    GAN_TRY(gan__rollback(&t->s, t->result->dir, step, &t->memory, err));
    t->back_to = step;
    gan__runlog_close(&t->log);
    GAN_TRY(gan__rundir_file(path, sizeof path, t->result->dir, "log.jsonl", err));
    GAN_TRY(gan__runlog_open(&t->log, path, step, &unused, err));
    GAN_TRY(tell_alarms(t, step, err));
    GAN_TRY(gan__monitor_remember(m, t->memory, err));
    t->result->alarms = m->stands;
    t->result->rollbacks = t->s.rollbacks;
    t->logged = t->sampled = step;
    t->images_logged = gan__session_count(&t->s, t->s.images);
    t->steps_logged = step;
    t->busy_s = 0;
    return save(t, err);
}

/* After an iteration, diverged or not: tells alarms and acts on them. GAN_OK: training goes on. */
static gan_status watch_over(struct trainer *t, gan_status status, gan_err *err)
{
    struct gan__monitor *m = &t->monitor;
    const struct gan__run_opts *o = &t->recipe.run;
    if (status == GAN_OK) {
        GAN_TRY(gan__monitor_look(m, &t->s, err));
    } else if (m->every > 0) {
        gan__monitor_diverged(m, &t->s);
    }
    const struct gan_train_alarm *a = serious(t);
    if (a != NULL && o->on_alarm == GAN__ALARM_ROLLBACK && t->s.rollbacks < o->max_rollbacks) {
        gan_err own = {0};
        gan_status back = roll_back(t, a, &own);
        if (err != NULL) {
            *err = own; /* what diverged is over, or what went wrong on the way back */
        }
        return back;
    }
    GAN_TRY(tell_alarms(t, -1, err));
    if (status == GAN_E_DIVERGED) {
        return keep_diverged(t);
    }
    if (a != NULL) {
        GAN_TRY(finish(t, err));
        return gan__fail(err, GAN_E_DIVERGED,
                         "stopped at iteration %" PRId64 ": %s since iteration %" PRId64
                         ", after %" PRId64 " rollbacks",
                         step_now(t), a->name, a->since, t->s.rollbacks);
    }
    return GAN_OK;
}

static gan_status loop(struct trainer *t, gan_err *err)
{
    const struct gan__run_opts *o = &t->recipe.run;
    if (step_now(t) == 0) {
        GAN_TRY(sample(t, err));
        if (o->on_alarm == GAN__ALARM_ROLLBACK) { /* somewhere to go back to */
            GAN_TRY(save(t, err));
        }
    }
    while (!is_over(t)) {
        if (t->watch->should_stop != NULL && t->watch->should_stop(t->watch->ctx)) {
            GAN_TRY(finish(t, err));
            return gan__fail(err, GAN_E_INTERRUPTED,
                             "interrupted after iteration %" PRId64 "; --resume %s continues",
                             step_now(t), t->result->dir);
        }
        gan_status status = iterate(t, err);
        int64_t before = t->s.rollbacks;
        if (status == GAN_OK || status == GAN_E_DIVERGED) {
            status = watch_over(t, status, err);
        }
        GAN_TRY(status);
        if (t->s.rollbacks > before) {
            continue;
        }
        report(t);
        int64_t step = step_now(t);
        if (step % o->log_every == 0) {
            GAN_TRY(write_log(t, err));
        }
        if (step % o->sample_every == 0) {
            GAN_TRY(sample(t, err));
        }
        if (o->eval_every > 0 && step % o->eval_every == 0) {
            GAN_TRY(evaluate(t, err));
        }
        if (step % o->checkpoint_every == 0) {
            GAN_TRY(save(t, err));
        }
    }
    return finish(t, err);
}

/* --- before and after --------------------------------------------------------------------------- */

static void announce(const struct trainer *t)
{
    int64_t params = 0;
    for (int i = 0; i < t->s.nets.n; i++) {
        params += gan_net_params(t->s.nets.net[i]);
    }
    struct gan_train_start start = {
        .dir = t->result->dir,
        .model = t->recipe.model->name,
        .data = t->recipe.data,
        .height = t->s.task->height,
        .width = t->s.task->width,
        .channels = t->s.task->channels,
        .batch = t->recipe.run.batch,
        .step = step_now(t),
        .threads = t->s.threads,
        .params = params,
        .compile_ms = t->s.compile_ms,
    };
    if (t->watch->started != NULL) {
        t->watch->started(t->watch->ctx, &start);
    }
}

static gan_status load(struct trainer *t, gan_err *err)
{
    gan_checkpoint *c = NULL;
    struct gan__meta meta = {0};
    GAN_TRY(gan__open_newest(t->result->dir, &c, err));
    gan_status status = gan__meta_of_session(&meta, &t->s, err);
    if (status == GAN_OK) {
        status = gan__meta_compare(&meta, c, err);
    }
    if (status == GAN_OK && gan_checkpoint_meta(c, "libgan.rollbacks") != NULL) {
        status = gan__meta_i64(c, "libgan.rollbacks", &t->s.rollbacks, err);
    }
    if (status == GAN_OK) {
        status = gan_checkpoint_load(c, t->s.store, err);
    }
    const char *memory = gan_checkpoint_meta(c, "libgan.monitor");
    if (status == GAN_OK && memory != NULL && (t->memory = gan__strdup(memory)) == NULL) {
        status = gan__fail_nomem(err, strlen(memory), "what the monitor remembers");
    }
    gan__meta_release(&meta);
    gan_checkpoint_close(c);
    return status;
}

/* A disk without room for one checkpoint is told now, not when the first one is due. */
static gan_status check_space(struct trainer *t, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    struct gan__meta meta = {0};
    GAN_TRY(gan__rundir_checkpoint(path, sizeof path, t->result->dir, step_now(t), err));
    gan_status status = describe(t, &meta, err);
    uint64_t bytes = gan_checkpoint_bytes(t->s.store, meta.item, meta.n);
    gan__meta_release(&meta);
    return status == GAN_OK ? gan__checkpoint_space(path, bytes, err) : status;
}

/* A resumed run may have come to its end already. */
static void tell_if_over(const struct trainer *t)
{
    double limit_s = t->recipe.run.time_s;
    if (step_now(t) >= t->stop) {
        gan__log(GAN_LOG_INFO,
                 "%s has done %" PRId64 " of %" PRId64
                 " iterations: nothing is left; --steps makes it longer",
                 t->result->dir, step_now(t), t->stop);
    } else if (limit_s > 0 && t->time_before_s >= limit_s) {
        gan__log(GAN_LOG_INFO,
                 "%s has trained %.1fs of %.1fs: nothing is left; --time makes it longer",
                 t->result->dir, t->time_before_s, limit_s);
    }
}

/* Names of the log, limits, the log itself. */
static gan_status open_run(struct trainer *t, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    const struct gan__run_opts *o = &t->recipe.run;
    t->names[0] = "time_s";
    t->names[1] = "images_per_s";
    t->n = FIRST_NAMES + gan__session_reports(&t->s, t->names + FIRST_NAMES);
    t->stop = t->s.steps >= 0 ? t->s.steps : INT64_MAX;
    t->stop = o->stop_at >= 0 && o->stop_at < t->stop ? o->stop_at : t->stop;
    t->images_logged = t->images_started = gan__session_count(&t->s, t->s.images);
    t->steps_logged = step_now(t);
    t->result->step = step_now(t);
    t->result->images = t->images_started;
    t->result->skipped = t->s.data != NULL ? gan_dataset_about(t->s.data)->skipped : 0;
    GAN_TRY(gan__mkdirs(t->result->dir, err));
    if (step_now(t) < t->stop) {
        GAN_TRY(check_space(t, err));
    }
    GAN_TRY(gan__rundir_make(t->result->dir, err));
    GAN_TRY(gan__rundir_file(path, sizeof path, t->result->dir, "config.yaml", err));
    GAN_TRY(gan__config_write(&t->recipe, t->s.threads, path, err));
    GAN_TRY(gan__rundir_file(path, sizeof path, t->result->dir, "log.jsonl", err));
    return gan__runlog_open(&t->log, path, step_now(t), &t->time_before_s, err);
}

static gan_status run(struct trainer *t, bool resumed, gan_err *err)
{
    if (t->recipe.data == NULL) {
        return gan__fail(err, GAN_E_ARG,
                         "no data set is given: --data SPEC; gan list data names "
                         "them");
    }
    if (!resumed) {
        GAN_TRY(gan__rundir_check_new(t->result->dir, err));
    }
    GAN_TRY(gan__session_build(&t->s, &t->recipe, err));
    GAN_TRY(resumed ? load(t, err) : gan__session_init_weights(&t->s, err));
    GAN_TRY(gan__session_compile(&t->s, err));
    GAN_TRY(gan__monitor_compile(&t->monitor, &t->s, err));
    GAN_TRY(gan__monitor_remember(&t->monitor, t->memory, err));
    GAN_TRY(gan__monitor_start(&t->monitor, &t->s, err));
    t->result->alarms = t->monitor.stands;
    GAN_TRY(gan__session_start(&t->s, err));
    t->result->rollbacks = t->s.rollbacks;
    GAN_TRY(gan__evaluator_start(&t->evaluator, &t->s, err));
    if (resumed) {
        GAN_TRY(gan__evaluator_remember(&t->evaluator, t->result->dir, err));
    }
    GAN_TRY(gan__landscape_init(&t->landscape, &t->s, err));
    GAN_TRY(open_run(t, err));
    if (resumed) {
        t->saved = t->logged = t->sampled = step_now(t);
        tell_if_over(t);
    }
    t->started_s = gan__now_s();
    announce(t);
    return loop(t, err);
}

static gan_status name_dir(struct trainer *t, const struct gan_train_cfg *cfg, gan_err *err)
{
    const char *dir = cfg->resume != NULL ? cfg->resume : cfg->out;
    if (dir == NULL) {
        return gan__rundir_default(t->result->dir, sizeof t->result->dir, t->recipe.model->name,
                                   err);
    }
    if (!gan__copy(t->result->dir, sizeof t->result->dir, dir)) {
        return gan__fail(err, GAN_E_ARG, "the name of the run directory is longer than %d bytes",
                         GAN_PATH_TEXT_MAX - 1);
    }
    return GAN_OK;
}

gan_status gan_train(const struct gan_train_cfg *cfg, const struct gan_train_watch *watch,
                     struct gan_train_result *result, gan_err *err)
{
    static const struct gan_train_watch nobody;
    struct gan_train_result own_result;
    gan_err own = {0};
    struct trainer t = {
        .watch = watch != NULL ? watch : &nobody,
        .result = result != NULL ? result : &own_result,
        .log = {.fd = -1},
        .back_to = -1,
        .logged = -1,
        .sampled = -1,
        .saved = -1,
    };
    *t.result = (struct gan_train_result){0};
    gan_status status = cfg->resume != NULL ? gan__resume_recipe(cfg, &t.recipe, &own)
                                            : gan__new_recipe(cfg, &t.recipe, &own);
    if (status == GAN_OK) {
        status = name_dir(&t, cfg, &own);
    }
    if (status == GAN_OK) {
        status = run(&t, cfg->resume != NULL, &own);
    }
    gan__runlog_close(&t.log);
    gan__free(t.memory);
    gan__monitor_release(&t.monitor);
    gan__evaluator_release(&t.evaluator);
    gan__landscape_release(&t.landscape);
    gan__session_release(&t.s);
    gan__recipe_release(&t.recipe);
    if (status != GAN_OK && err != NULL) {
        *err = own;
    }
    return status;
}

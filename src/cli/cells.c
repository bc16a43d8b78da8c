/* cells.c: trainings side by side, as processes: one plan runs per process, and a crash or a
 * divergence of one leaves the others alone. */
#include "cells.h"

#include "interrupt.h"
#include "out.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <gan/bench.h>
#include <gan/sample.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { WORDS = 2 * GAN__CELL_SETTINGS + 16, NAME_MAX_LENGTH = 80, PROBE = 5 };

void gan__cell_set(struct gan__cell *c, const char *name, const char *value)
{
    if (c->n_set < GAN__CELL_SETTINGS) {
        c->set[c->n_set++] = (struct gan_setting){name, value};
    }
}

gan_status gan__cell_path(const struct gan__cells *e, const struct gan__cell *c, const char *suffix,
                          char *dst, size_t cap, gan_err *err)
{
    return gan__format(dst, cap, "%s/%s%s", e->dir, c->name, suffix)
               ? GAN_OK
               : gan__fail(err, GAN_E_RANGE, "%.60s../%s: the path is too long", e->dir, c->name);
}

void gan__cells_fill(struct gan__cells *e, int64_t jobs, int64_t threads)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    e->threads = threads > 0 ? (int)threads : 1;
    e->jobs = jobs > 0 ? (int)jobs : (int)cores / e->threads;
    e->jobs = e->jobs > 0 ? e->jobs : 1;
}

static bool is_done(const struct gan__cells *e, const struct gan__cell *c)
{
    char path[GAN_PATH_TEXT_MAX];
    return gan__cell_path(e, c, ".done", path, sizeof path, NULL) == GAN_OK &&
           gan__path_exists(path);
}

/* --- one training --------------------------------------------------------------------------------- */

/* A run directory that holds a checkpoint is resumed; one that never came to a checkpoint is moved
 * out of the way. */
static gan_status may_resume(const char *dir, bool *resume, gan_err *err)
{
    char old[GAN_PATH_TEXT_MAX];
    *resume = false;
    if (!gan__path_exists(dir)) {
        return GAN_OK;
    }
    gan_sampler *s = NULL;
    *resume = gan_sampler_open(dir, NULL, &s, NULL) == GAN_OK;
    gan_sampler_close(s);
    for (int i = 1; !*resume && i < 1000; i++) {
        if (gan__format(old, sizeof old, "%s.broken-%d", dir, i) && !gan__path_exists(old)) {
            return rename(dir, old) == 0 ? GAN_OK : gan__fail_errno(err, "cannot move", dir);
        }
    }
    return GAN_OK;
}

/* Words of the command line; texts of options are put into `text`. */
static void words_of(const struct gan__cells *e, const struct gan__cell *c, const char *dir,
                     bool resume, char text[][NAME_MAX_LENGTH], const char **word)
{
    int n = 0;
    word[n++] = "gan";
    word[n++] = "train";
    if (resume) {
        word[n++] = "--resume";
        word[n++] = dir;
        word[n] = NULL;
        return;
    }
    (void)gan__format(text[0], NAME_MAX_LENGTH, "%d", e->threads);
    const char *const fixed[] = {c->model, "--data", c->data, "--out", dir, "--threads", text[0]};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        word[n++] = fixed[i];
    }
    for (size_t i = 0; i < c->n_set; i++) {
        (void)gan__format(text[1 + i], NAME_MAX_LENGTH, "--%s", c->set[i].name);
        word[n++] = text[1 + i];
        word[n++] = c->set[i].value;
    }
    word[n] = NULL;
}

static gan_status start(const struct gan__cells *e, struct gan__cell *c, gan_err *err)
{
    char dir[GAN_PATH_TEXT_MAX], log[GAN_PATH_TEXT_MAX];
    char text[GAN__CELL_SETTINGS + 1][NAME_MAX_LENGTH];
    union {
        const char *word[WORDS];
        char *argv[WORDS]; /* posix_spawn does not write to them */
    } line;
    bool resume;
    pid_t pid;
    posix_spawn_file_actions_t files;
    GAN_TRY(gan__cell_path(e, c, "", dir, sizeof dir, err));
    GAN_TRY(gan__cell_path(e, c, ".log", log, sizeof log, err));
    GAN_TRY(may_resume(dir, &resume, err));
    words_of(e, c, dir, resume, text, line.word);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    (void)posix_spawn_file_actions_adddup2(&files, 1, 2);
    int bad = posix_spawn(&pid, "/proc/self/exe", &files, NULL, line.argv, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    if (bad != 0) {
        return gan__fail(err, GAN_E_IO, "cannot start the training %s: %s", c->name, strerror(bad));
    }
    c->pid = pid;
    c->started_s = gan__now_s();
    return GAN_OK;
}

/* --- all of them ---------------------------------------------------------------------------------- */

static gan_status mark_done(const struct gan__cells *e, struct gan__cell *c, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    GAN_TRY(gan__cell_path(e, c, ".done", path, sizeof path, err));
    int fd = open(path, O_WRONLY | O_CREAT, 0666);
    if (fd < 0 || close(fd) != 0) {
        return gan__fail_errno(err, "cannot write", path);
    }
    c->done = true;
    return GAN_OK;
}

/* Takes back cells that ended. `active` is their number before and after. */
static gan_status reap(struct gan__cells *e, int *active, gan_err *err)
{
    for (int i = 0; i < e->n; i++) {
        struct gan__cell *c = &e->cell[i];
        int state;
        if (c->pid == 0 || waitpid((pid_t)c->pid, &state, WNOHANG) != (pid_t)c->pid) {
            continue;
        }
        c->pid = 0;
        (*active)--;
        c->took_s = gan__now_s() - c->started_s;
        c->exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
        if (c->exit_code == 0) {
            GAN_TRY(mark_done(e, c, err));
        } else if (!gan__interrupted()) {
            c->failed = true;
        }
        char took[32];
        gan__say("%s %s after %s", c->name,
                 c->exit_code == 0    ? "done"
                 : gan__interrupted() ? "interrupted"
                 : c->exit_code == 3  ? "diverged"
                                      : "failed, see its .log",
                 gan__text_time(took, sizeof took, c->took_s));
    }
    return GAN_OK;
}

static void stop_all(const struct gan__cells *e)
{
    for (int i = 0; i < e->n; i++) {
        if (e->cell[i].pid > 0) {
            (void)kill((pid_t)e->cell[i].pid, SIGTERM);
        }
    }
}

static gan_status run_all(struct gan__cells *e, gan_err *err)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    gan_status status = GAN_OK;
    int active = 0, next = 0;
    bool stopping = false;
    for (;;) {
        gan_status reaped = reap(e, &active, err);
        status = status == GAN_OK ? reaped : status;
        while (next < e->n && (e->cell[next].done || e->cell[next].failed)) {
            next++;
        }
        bool stop = gan__interrupted() || status != GAN_OK;
        if (stop && !stopping) {
            stopping = true;
            stop_all(e);
        }
        if (!stop && next < e->n && active < e->jobs) {
            status = start(e, &e->cell[next++], err);
            active += status == GAN_OK;
        } else if (active == 0) {
            return status;
        } else {
            (void)nanosleep(&pause, NULL);
        }
    }
}

gan_status gan__cells_run(struct gan__cells *e, gan_err *err)
{
    GAN_TRY(gan__mkdirs(e->dir, err));
    for (int i = 0; i < e->n; i++) {
        e->cell[i].done = is_done(e, &e->cell[i]);
    }
    gan__interrupt_watch();
    gan_status status = run_all(e, err);
    bool interrupted = gan__interrupted();
    gan__interrupt_release();
    if (status == GAN_OK && interrupted) {
        return gan__fail(err, GAN_E_INTERRUPTED, "interrupted; the same command goes on in %s",
                         e->dir);
    }
    return status;
}

/* --- prediction ----------------------------------------------------------------------------------- */

static const char *setting(const struct gan__cell *c, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < c->n_set; i++) {
        value = strcmp(c->set[i].name, name) == 0 ? c->set[i].value : value;
    }
    return value;
}

/* Cells that differ by their seed alone take equally long. */
static bool same_kind(const struct gan__cell *a, const struct gan__cell *b)
{
    bool same =
        strcmp(a->model, b->model) == 0 && strcmp(a->data, b->data) == 0 && a->n_set == b->n_set;
    for (size_t i = 0; same && i < a->n_set; i++) {
        same =
            strcmp(a->set[i].name, "seed") == 0 || (strcmp(a->set[i].name, b->set[i].name) == 0 &&
                                                    strcmp(a->set[i].value, b->set[i].value) == 0);
    }
    return same;
}

/* Seconds of a cell on idle cores. */
static gan_status probe(const struct gan__cells *e, const struct gan__cell *c, double *seconds,
                        gan_err *err)
{
    const char *steps = setting(c, "steps");
    int64_t n = 0;
    struct gan_bench_step *r = NULL;
    struct gan_train_cfg cfg = {
        .model = c->model, .data = c->data, .set = c->set, .n_set = c->n_set};
    struct gan_bench_how how = {
        .threads = e->threads, .iters = PROBE, .warm_up = 2, .no_roof = true};
    if (steps == NULL || !gan__parse_i64(steps, &n)) {
        *seconds = c->limit_s;
        return GAN_OK;
    }
    GAN_TRY(gan_bench_step(&cfg, &how, &r, err));
    *seconds = (double)n * r->time.median_ms * 1e-3;
    *seconds = c->limit_s > 0 && *seconds > c->limit_s ? c->limit_s : *seconds;
    gan_bench_step_free(r);
    return GAN_OK;
}

gan_status gan__cells_predict(struct gan__cells *e, gan_err *err)
{
    double total = 0, longest = 0;
    int left = 0;
    char text[32];
    for (int i = 0; i < e->n; i++) {
        struct gan__cell *c = &e->cell[i];
        int twin = 0;
        if (is_done(e, c)) {
            continue;
        }
        while (twin < i && !(same_kind(&e->cell[twin], c) && e->cell[twin].took_s > 0)) {
            twin++;
        }
        if (twin < i) {
            c->took_s = e->cell[twin].took_s;
        } else {
            GAN_TRY(probe(e, c, &c->took_s, err));
        }
        total += c->took_s;
        longest = c->took_s > longest ? c->took_s : longest;
        left++;
    }
    double wall = total / e->jobs > longest ? total / e->jobs : longest;
    gan__say("%d of %d trainings left, %d side by side with %d thread%s: about %s", left, e->n,
             e->jobs, e->threads, e->threads > 1 ? "s" : "",
             gan__text_time(text, sizeof text, wall));
    return GAN_OK;
}

/* lab.c: finds experiments, runs them, and keeps what they find: checks, figures, tables. */
#include "theory.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/philox.h"
#include "base/str.h"

#include <math.h>
#include <string.h>

enum { MAX_EXPERIMENTS = 64, MAX_ARRAYS = 128 };

/* The lab with what is freed at its end. */
struct room {
    struct gan__lab lab;
    double *array[MAX_ARRAYS];
    size_t n_arrays;
};

const struct gan_experiment *gan_experiment_at(size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (gan__experiments[k] == NULL) {
            return NULL;
        }
    }
    return gan__experiments[i];
}

const struct gan_experiment *gan_experiment_find(const char *name, gan_err *err)
{
    const char *names[MAX_EXPERIMENTS];
    size_t n = 0;
    for (; gan__experiments[n] != NULL && n < MAX_EXPERIMENTS; n++) {
        names[n] = gan__experiments[n]->name;
        if (strcmp(names[n], name) == 0) {
            return gan__experiments[n];
        }
    }
    const char *near = gan__nearest_name(name, names, n);
    gan__fail(err, GAN_E_ARG, "unknown experiment '%.60s'%s%s%s", name,
              near != NULL ? " (did you mean " : ", see gan list experiments",
              near != NULL ? near : "", near != NULL ? "?)" : "");
    return NULL;
}

/* --- what an experiment says -------------------------------------------------------------------- */

bool gan__lab_ok(struct gan__lab *l, gan_status status)
{
    if (l->status == GAN_OK) {
        l->status = status;
    }
    return l->status == GAN_OK;
}

static void add_check(struct gan__lab *l, struct gan_check c, const char *name)
{
    struct gan_theory_result *r = l->result;
    if (l->status != GAN_OK) {
        return;
    }
    if (r->n_checks >= GAN_THEORY_CHECKS || !gan__copy(c.name, sizeof c.name, name)) {
        l->status = gan__fail(l->err, GAN_E_INTERNAL, "%s: no room for check '%.90s'",
                              r->experiment->name, name);
        return;
    }
    r->n_failed += c.pass ? 0 : 1;
    r->check[r->n_checks++] = c;
}

void gan__lab_equal(struct gan__lab *l, const char *name, double measured, double expected,
                    double tolerance)
{
    const bool same = (isinf(expected) && isinf(measured) && (measured > 0) == (expected > 0)) ||
                      fabs(measured - expected) <= tolerance;
    add_check(l,
              (struct gan_check){.kind = GAN_CHECK_EQUAL,
                                 .measured = measured,
                                 .expected = expected,
                                 .tolerance = tolerance,
                                 .pass = same},
              name);
}

void gan__lab_at_most(struct gan__lab *l, const char *name, double measured, double limit)
{
    add_check(l,
              (struct gan_check){.kind = GAN_CHECK_AT_MOST,
                                 .measured = measured,
                                 .expected = limit,
                                 .pass = measured <= limit},
              name);
}

void gan__lab_at_least(struct gan__lab *l, const char *name, double measured, double limit)
{
    add_check(l,
              (struct gan_check){.kind = GAN_CHECK_AT_LEAST,
                                 .measured = measured,
                                 .expected = limit,
                                 .pass = measured >= limit},
              name);
}

/* Path of DIR/NAME+SUFFIX and a place in the list of files. */
static struct gan_theory_file *add_file(struct gan__lab *l, const char *name, const char *suffix)
{
    struct gan_theory_result *r = l->result;
    char file[128];
    if (l->status != GAN_OK) {
        return NULL;
    }
    if (r->n_files >= GAN_THEORY_FILES || !gan__format(file, sizeof file, "%s%s", name, suffix)) {
        l->status = gan__fail(l->err, GAN_E_INTERNAL, "%s: no room for file '%.60s'",
                              r->experiment->name, name);
        return NULL;
    }
    struct gan_theory_file *f = &r->file[r->n_files];
    l->status = gan__path_join(f->path, sizeof f->path, l->dir, file, l->err);
    return l->status == GAN_OK ? f : NULL;
}

void gan__lab_figure(struct gan__lab *l, gan_figure *f, const char *name, const char *caption)
{
    struct gan_theory_file *file = add_file(l, name, ".png");
    if (file != NULL) {
        gan_err err = {0};
        const gan_status status = gan_figure_write(f, file->path, &err);
        if (status == GAN_OK && gan__copy(file->caption, sizeof file->caption, caption)) {
            l->result->n_files++;
        } else if (status == GAN_E_UNSUPPORTED) {
            l->result->no_figures = true;
        } else if (status != GAN_OK) {
            l->status = gan__fail(l->err, status, "%s", err.message);
        } else {
            l->status = gan__fail(l->err, GAN_E_INTERNAL, "%s: the caption is too long", name);
        }
    }
    gan_figure_free(f);
}

void gan__lab_table(struct gan__lab *l, const char *name, const char *columns,
                    const double *const *column, size_t n)
{
    struct gan_theory_file *file = add_file(l, name, ".csv");
    struct gan__str s = {0};
    size_t width = 1;
    if (file == NULL) {
        return;
    }
    for (const char *c = columns; *c != '\0'; c++) {
        width += *c == ',' ? 1 : 0;
    }
    gan__str_printf(&s, "%s\n", columns);
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < width; c++) {
            char text[40] = "";
            const double v = column[c][i];
            if (isfinite(v)) {
                (void)gan__format_f64(text, sizeof text, v);
            } else if (isinf(v)) {
                (void)gan__copy(text, sizeof text, v > 0 ? "inf" : "-inf");
            }
            gan__str_printf(&s, "%s%s", c > 0 ? "," : "", text);
        }
        gan__str_add(&s, "\n");
    }
    l->status = s.bad ? gan__fail_nomem(l->err, s.len, name)
                      : gan__file_replace(file->path, s.p, s.len, l->err);
    l->result->n_files += l->status == GAN_OK ? 1 : 0;
    gan__str_release(&s);
}

double *gan__lab_array(struct gan__lab *l, size_t n)
{
    struct room *r = (struct room *)l; /* the lab is its first member */
    if (l->status != GAN_OK) {
        return NULL;
    }
    double *a = r->n_arrays < MAX_ARRAYS ? gan__alloc_array(n, sizeof *a) : NULL;
    if (a == NULL) {
        l->status = gan__fail_nomem(l->err, n * sizeof *a, "numbers of an experiment");
        return NULL;
    }
    r->array[r->n_arrays++] = a;
    return a;
}

void gan__lab_rng(const struct gan__lab *l, uint64_t use, struct gan__rng *rng)
{
    gan__rng_init(rng,
                  gan__stream_key(l->seed, 0, use, gan__hash_text(l->result->experiment->name)));
}

/* --- running ------------------------------------------------------------------------------------ */

static void json_number(struct gan__str *s, const char *key, double v)
{
    char text[40];
    const bool plain = isfinite(v) && gan__format_f64(text, sizeof text, v);
    gan__str_printf(s, "\"%s\":%s", key, plain ? text : (v > 0 ? "\"inf\"" : "null"));
}

static gan_status write_json(const char *dir, const struct gan_theory_result *r, gan_err *err)
{
    static const char *const kind[] = {"equal", "at most", "at least"};
    struct gan__str s = {0};
    char path[512];
    gan__str_printf(&s, "{\"experiment\":\"%s\",\"quick\":%s,\"failed\":%zu,\"checks\":[",
                    r->experiment->name, r->quick ? "true" : "false", r->n_failed);
    for (size_t i = 0; i < r->n_checks; i++) {
        const struct gan_check *c = &r->check[i];
        gan__str_printf(&s, "%s\n{\"name\":\"%s\",\"kind\":\"%s\",", i > 0 ? "," : "", c->name,
                        kind[c->kind]);
        json_number(&s, "measured", c->measured);
        gan__str_add(&s, ",");
        json_number(&s, "expected", c->expected);
        gan__str_add(&s, ",");
        json_number(&s, "tolerance", c->tolerance);
        gan__str_printf(&s, ",\"pass\":%s}", c->pass ? "true" : "false");
    }
    gan__str_add(&s, "\n]}\n");
    gan_status status = s.bad ? gan__fail_nomem(err, s.len, "result.json")
                              : gan__path_join(path, sizeof path, dir, "result.json", err);
    if (status == GAN_OK) {
        status = gan__file_replace(path, s.p, s.len, err);
    }
    gan__str_release(&s);
    return status;
}

/* Runs without the report. */
static gan_status run_in(const struct gan_experiment *e, const struct gan_theory_opts *o,
                         const char *dir, struct gan_theory_result **out, gan_err *err)
{
    gan_err own = {0};
    struct gan_theory_result *r = gan__alloc(sizeof *r);
    struct room *room = gan__alloc(sizeof *room);
    const double start = gan__now_s();
    *out = r;
    if (r == NULL || room == NULL) {
        gan__free(room);
        return gan__fail_nomem(err, sizeof *r + sizeof *room, "an experiment");
    }
    r->experiment = e;
    r->quick = o->quick;
    room->lab = (struct gan__lab){.dir = dir,
                                  .quick = o->quick,
                                  .seed = o->seed,
                                  .result = r,
                                  .err = err != NULL ? err : &own,
                                  .status = gan__mkdirs(dir, err)};
    if (room->lab.status == GAN_OK) {
        e->run(&room->lab);
    }
    gan_status status = room->lab.status;
    r->seconds = gan__now_s() - start;
    if (status == GAN_OK) {
        status = write_json(dir, r, err);
    }
    for (size_t i = 0; i < room->n_arrays; i++) {
        gan__free(room->array[i]);
    }
    gan__free(room);
    return status;
}

static gan_status write_report(const char *dir, const struct gan_theory_result *const *results,
                               size_t n, gan_err *err)
{
    char path[512];
    GAN_TRY(gan__path_join(path, sizeof path, dir, "index.html", err));
    return gan__report_write(path, results, n, err);
}

gan_status gan_theory_run(const struct gan_experiment *e, const struct gan_theory_opts *opts,
                          struct gan_theory_result **out, gan_err *err)
{
    GAN_TRY(run_in(e, opts, opts->out, out, err));
    return write_report(opts->out, (const struct gan_theory_result *const *)out, 1, err);
}

/* run_in; data or a library that is not there is noted in the result. */
static gan_status run_if_possible(const struct gan_experiment *e, const struct gan_theory_opts *o,
                                  const char *dir, struct gan_theory_result **out, gan_err *err)
{
    gan_err own = {0};
    gan_status status = run_in(e, o, dir, out, &own);
    if (*out != NULL && (status == GAN_E_NOTFOUND || status == GAN_E_UNSUPPORTED)) {
        (void)gan__format((*out)->missing, sizeof(*out)->missing, "%.250s", own.message);
        return GAN_OK;
    }
    return status == GAN_OK ? GAN_OK : gan__fail(err, status, "%s", own.message);
}

gan_status gan_theory_all(const struct gan_theory_opts *opts,
                          void (*done)(void *ctx, const struct gan_theory_result *r), void *ctx,
                          size_t *failed, gan_err *err)
{
    struct gan_theory_result *results[MAX_EXPERIMENTS] = {NULL};
    gan_status status = GAN_OK;
    size_t n = 0;
    *failed = 0;
    for (; gan__experiments[n] != NULL && n < MAX_EXPERIMENTS && status == GAN_OK; n++) {
        char dir[512];
        status = gan__path_join(dir, sizeof dir, opts->out, gan__experiments[n]->name, err);
        if (status == GAN_OK) {
            status = run_if_possible(gan__experiments[n], opts, dir, &results[n], err);
        }
        if (status == GAN_OK) {
            *failed += results[n]->n_failed;
            if (done != NULL) {
                done(ctx, results[n]);
            }
        }
    }
    if (status == GAN_OK) {
        status = write_report(opts->out, (const struct gan_theory_result *const *)results, n, err);
    }
    for (size_t i = 0; i < n; i++) {
        gan_theory_result_free(results[i]);
    }
    return status;
}

void gan_theory_result_free(struct gan_theory_result *r)
{
    gan__free(r);
}

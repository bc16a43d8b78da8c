/* cmd_theory.c: gan theory EXPERIMENT: a claim of the literature computed, drawn and checked. */
#include "cmdline.h"
#include "out.h"

#include "base/err.h"

#include <gan/theory.h>

#include <stdio.h>
#include <string.h>

struct theory_opts {
    const char *out;
    bool quick, json;
    int64_t seed;
};

static const struct gan_opt opts[] = {
    GAN__OPT_PATH(struct theory_opts, out, "out",
                  "directory of the files, made if absent; theory-EXPERIMENT"),
    GAN_OPT_BOOL(struct theory_opts, quick, "quick", "false",
                 "a short version, below ten seconds for each experiment"),
    GAN_OPT_I64(struct theory_opts, seed, "seed", "0", 0, 1e9, "of random numbers"),
    GAN_OPT_BOOL(struct theory_opts, json, "json", "false", "the checks as JSON"),
    GAN_OPT_END,
};

static const char *const kinds[] = {"=", "<=", ">="};

static void print_text(const struct gan_theory_result *r)
{
    gan__out_heading(r->experiment->name);
    for (size_t i = 0; i < r->n_checks; i++) {
        const struct gan_check *c = &r->check[i];
        (void)printf("  %-7s %s: %.6g, expected %s %.6g", c->pass ? "ok" : "MISSED", c->name,
                     c->measured, kinds[c->kind], c->expected);
        if (c->kind == GAN_CHECK_EQUAL) {
            (void)printf(" within %.2g", c->tolerance);
        }
        (void)printf("\n");
    }
    (void)printf("  %zu of %zu as expected, %.1f s\n", r->n_checks - r->n_failed, r->n_checks,
                 r->seconds);
    if (r->missing[0] != '\0') {
        gan__say("theory: %s was not run: %s", r->experiment->name, r->missing);
    } else if (r->no_figures) {
        gan__say("theory: this build cannot draw (no cairo): %s has no figures",
                 r->experiment->name);
    }
}

static void print_json(struct gan__json *j, const struct gan_theory_result *r)
{
    gan__json_open(j, NULL, '{');
    gan__json_text(j, "experiment", r->experiment->name);
    gan__json_i64(j, "failed", (int64_t)r->n_failed);
    gan__json_f64(j, "seconds", r->seconds);
    gan__json_open(j, "checks", '[');
    for (size_t i = 0; i < r->n_checks; i++) {
        const struct gan_check *c = &r->check[i];
        gan__json_open(j, NULL, '{');
        gan__json_text(j, "name", c->name);
        gan__json_text(j, "kind", kinds[c->kind]);
        gan__json_f64(j, "measured", c->measured);
        gan__json_f64(j, "expected", c->expected);
        gan__json_f64(j, "tolerance", c->tolerance);
        gan__json_bool(j, "pass", c->pass);
        gan__json_close(j, '}');
    }
    gan__json_close(j, ']');
    gan__json_close(j, '}');
}

struct printer {
    bool json;
    struct gan__json j;
};

static void print(void *ctx, const struct gan_theory_result *r)
{
    struct printer *p = ctx;
    if (p->json) {
        print_json(&p->j, r);
    } else {
        print_text(r);
    }
}

static gan_status run_one(const struct gan_experiment *e, const struct gan_theory_opts *o,
                          struct printer *p, size_t *failed, gan_err *err)
{
    struct gan_theory_result *r = NULL;
    const gan_status status = gan_theory_run(e, o, &r, err);
    if (status == GAN_OK) {
        print(p, r);
        *failed = r->n_failed;
    }
    gan_theory_result_free(r);
    return status;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct theory_opts *o = a->opts;
    const char *name = a->word[0];
    struct printer p = {.json = o->json};
    char dir[128];
    size_t failed = 0;
    const bool all = strcmp(name, "all") == 0;
    const struct gan_experiment *e = all ? NULL : gan_experiment_find(name, err);
    if (!all && e == NULL) {
        return GAN_E_ARG;
    }
    (void)snprintf(dir, sizeof dir, "theory-%s", name);
    const struct gan_theory_opts t = {
        .out = o->out != NULL ? o->out : dir, .quick = o->quick, .seed = (uint64_t)o->seed};
    if (p.json) {
        gan__json_open(&p.j, NULL, '{');
        gan__json_open(&p.j, "experiments", '[');
    }
    const gan_status status =
        all ? gan_theory_all(&t, print, &p, &failed, err) : run_one(e, &t, &p, &failed, err);
    if (p.json) {
        gan__json_close(&p.j, ']');
        gan__json_close(&p.j, '}');
    }
    if (status == GAN_OK && failed > 0) {
        return gan__fail(err, GAN_E_FORMAT, "theory %s: %zu expected values were missed, see %s",
                         name, failed, t.out);
    }
    return status;
}

GAN_COMMAND(theory) = {
    .name = "theory",
    .summary = "theorems and figures of the GAN literature: computed, drawn, checked",
    .usage = "gan theory EXPERIMENT [--out DIR] [--quick]\ngan theory all [--out DIR] [--quick]",
    .about =
        "Writes figures (PNG), their numbers (CSV), the checks (result.json) and index.html, a "
        "report that needs no other file: what is claimed, by whom, what one sees, and every "
        "expected value beside the measured one. `all` runs every experiment of `gan list "
        "experiments` and makes one report of them. Ends with 1 when an expected value is missed.",
    .opts = opts,
    .size = sizeof(struct theory_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};

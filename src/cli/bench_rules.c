/* bench_rules.c: gan bench l2l: a learned optimiser beside tuned ones. */
#include "bench_entry.h"

#include "base/err.h"
#include "out.h"

#include <inttypes.h>
#include <stdio.h>

static void print_json(const struct gan_bench_l2l *r)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_i64(&j, "dimensions", r->dimensions);
    gan__json_i64(&j, "problems", r->problems);
    gan__json_i64(&j, "steps", r->steps);
    gan__json_open(&j, "rules", '[');
    for (int i = 0; i < GAN_BENCH_RULES; i++) {
        const struct gan_bench_rule *u = &r->rule[i];
        gan__json_open(&j, NULL, '{');
        gan__json_text(&j, "rule", u->text);
        gan__json_f64(&j, "start", u->start);
        gan__json_f64(&j, "fifth", u->fifth);
        gan__json_f64(&j, "half", u->half);
        gan__json_f64(&j, "end", u->end);
        gan__json_f64(&j, "median", u->median);
        gan__json_f64(&j, "mean", u->mean);
        gan__json_close(&j, '}');
    }
    gan__json_close(&j, ']');
    gan__json_close(&j, '}');
}

static gan_status run(const struct gan__cmdline *a, const struct gan__bench_opts *o, gan_err *err)
{
    struct gan_bench_l2l r;
    struct gan_bench_how how = {
        .threads = (int)o->threads, .iters = o->iters, .warm_up = o->warm_up};
    if (a->n_words < 2) {
        return gan__fail(err, GAN_E_ARG, "RUN is missing: gan bench l2l RUN");
    }
    GAN_TRY(gan_bench_l2l(a->word[1], &how, &r, err));
    if (o->json) {
        print_json(&r);
        return GAN_OK;
    }
    (void)printf("|W t - y|^2 of %" PRId64 " new problems of %" PRId64
                 " dimensions: means after 0 .. %" PRId64 " steps\n\n",
                 r.problems, r.dimensions, r.steps);
    (void)printf("  %-24s %9s %9s %9s %9s %9s %9s\n", "rule", "start", "1/5", "1/2", "end",
                 "(median)", "all steps");
    for (int i = 0; i < GAN_BENCH_RULES; i++) {
        const struct gan_bench_rule *u = &r.rule[i];
        (void)printf("  %-24s %9.4f %9.4f %9.4f %9.4f %9.4f %9.4f\n", u->text, u->start, u->fifth,
                     u->half, u->end, u->median, u->mean);
    }
    return GAN_OK;
}

GAN_BENCH(l2l) = {
    .name = "l2l",
    .usage = "gan bench l2l RUN|FILE [--iters N]",
    .about = "l2l: what a learned optimiser reaches in --iters steps (100) on 512 new problems, "
             "beside others at their best rates.",
    .run = run,
};

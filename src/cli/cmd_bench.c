/* cmd_bench.c: gan bench WORD: measurements and experiments, one file each (bench_entry.h). */
#include "bench_entry.h"
#include "command.h"
#include "find.h"
#include "out.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { MAX_BENCHES = 32 };

static const struct gan_opt opts[] = {
    GAN_OPT_PARSED(struct gan__bench_opts, at.data, "data", "", gan__path_option,
                   "SPEC of the data; without it random pixels of --size and --channels"),
    GAN__OPT_CONFIG(struct gan__bench_opts, at.config),
    GAN_OPT_I64(struct gan__bench_opts, threads, "threads", "0", 0, 1024,
                "compute threads, of `loader` its own; 0: as many as processors, of `loader` 1"),
    GAN_OPT_I64(struct gan__bench_opts, iters, "iters", "0", 0, 100000,
                "runs to measure; 0: 10, of `loader` 200"),
    GAN_OPT_I64(struct gan__bench_opts, warm_up, "warm-up", "0", 0, 100000, "runs before; 0: 3"),
    GAN_OPT_I64(struct gan__bench_opts, nodes, "nodes", "10", 0, 100000,
                "nodes or shapes to list, the most expensive first"),
    GAN_OPT_BOOL(struct gan__bench_opts, roofline, "roofline", "true",
                 "measure the roofline for `step`; --no-roofline saves seconds"),
    GAN_OPT_PARSED(struct gan__bench_opts, at.out, "out", "", gan__path_option,
                   "directory of an experiment of many trainings; empty: bench-WORD"),
    GAN_OPT_I64(struct gan__bench_opts, seeds, "seeds", "0", 0, 100,
                "seeds of each recipe; 0: the experiment's own"),
    GAN_OPT_I64(struct gan__bench_opts, jobs, "jobs", "0", 0, 256,
                "trainings side by side; 0: as many as cores and threads allow"),
    GAN_OPT_PARSED(struct gan__bench_opts, cells, "cells", "", gan__path_option,
                   "only trainings whose name contains this text"),
    GAN_OPT_BOOL(struct gan__bench_opts, json, "json", "false", "as JSON"),
    GAN_OPT_END,
};

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const char *known[MAX_BENCHES];
    char list[256] = "";
    size_t n = 0, len = 0;
    for (; gan__benches[n] != NULL && n < MAX_BENCHES; n++) {
        known[n] = gan__benches[n]->name;
        if (strcmp(a->word[0], known[n]) == 0) {
            return gan__benches[n]->run(a, a->opts, err);
        }
        (void)gan__format(list + len, sizeof list - len, "%s%s", n > 0 ? ", " : "", known[n]);
        len = strlen(list);
    }
    const char *near = gan__suggest(a->word[0], known, n);
    return gan__fail(err, GAN_E_ARG, "gan bench has no '%s'%s%s%s: it has %s", a->word[0],
                     near != NULL ? " (did you mean " : "", near != NULL ? near : "",
                     near != NULL ? "?)" : "", list);
}

/* What each word does, for the page. */
static void pages(void)
{
    for (size_t i = 0; gan__benches[i] != NULL; i++) {
        (void)printf("\n");
        gan__out_paragraph(2, gan__benches[i]->usage);
        gan__out_paragraph(4, gan__benches[i]->about);
    }
}

GAN_COMMAND(bench) = {
    .name = "bench",
    .summary = "how fast this machine is, how near a training comes to it, and what recipes reach",
    .usage = "gan bench WORD [options]",
    .about = "Times are medians after a warm-up, with the least and the most. Pin the process for "
             "steady figures: taskset -c 0,1 gan bench ... --threads 2.",
    .more = pages,
    .opts = opts,
    .size = sizeof(struct gan__bench_opts),
    .min_words = 1,
    .max_words = 2,
    .flags = GAN__WORD_MAY_BE_MODEL | GAN__MODEL_IS_SECOND | GAN__TRAIN_OPTIONS,
    .run = run,
};

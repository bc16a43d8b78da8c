/* cmd_graph.c: gan graph: the training iteration of a model as text, DOT or JSON. */
#include "find.h"
#include "out.h"
#include "train_line.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <stdio.h>

struct graph_opts {
    struct gan__train_places at;
    int64_t segment;
    bool dot, json, plan;
};

static const struct gan_opt opts[] = {
    GAN_OPT_PARSED(struct graph_opts, at.data, "data", "", gan__path_option,
                   "SPEC that gives size and channels; without it --size and --channels do"),
    GAN__OPT_CONFIG(struct graph_opts, at.config),
    GAN_OPT_BOOL(struct graph_opts, dot, "dot", "false",
                 "for Graphviz: gan graph M --dot | dot -Tsvg"),
    GAN_OPT_BOOL(struct graph_opts, json, "json", "false", "an array of the iteration's graphs"),
    GAN_OPT_BOOL(struct graph_opts, plan, "plan", "false",
                 "the compiled kernels instead of the nodes"),
    GAN_OPT_I64(struct graph_opts, segment, "segment", "-1", -1, 1000,
                "one graph of an iteration that has several; -1: all"),
    GAN_OPT_END,
};

static gan_status print_all(const struct gan_train_cfg *cfg, const struct graph_opts *o,
                            gan_err *err)
{
    gan_dump_form form = o->dot ? GAN_DUMP_DOT : o->json ? GAN_DUMP_JSON : GAN_DUMP_TEXT;
    int first = o->segment >= 0 ? (int)o->segment : 0;
    int end = first + 1;
    for (int i = first; i < end; i++) {
        char *text = NULL;
        int segments = 0;
        GAN_TRY(gan_train_graph(cfg, i, o->plan, form, &text, &segments, err));
        if (o->segment < 0) {
            end = segments;
        }
        if (o->json) {
            (void)fputs(i == first ? "[\n" : ",\n", stdout);
        } else if (!o->dot && segments > 1) {
            (void)printf("# graph %d of %d\n", i + 1, segments);
        }
        (void)fputs(text, stdout);
        gan_text_free(text);
    }
    if (o->json) {
        (void)fputs("]\n", stdout);
    }
    return GAN_OK;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct graph_opts *o = a->opts;
    if (o->dot && o->json) {
        return gan__fail(err, GAN_E_ARG, "--dot and --json exclude each other");
    }
    struct gan_train_cfg cfg = gan__train_cfg(a, &o->at);
    if (a->n_words > 0 && a->model == NULL) {
        if (!gan__path_exists(a->word[0])) {
            gan_err inner = {0};
            const struct gan_model *model;
            const struct gan_preset *preset;
            (void)gan__find_model(a->word[0], &model, &preset, &inner);
            return gan__fail(err, GAN_E_ARG, "%s, and no run directory of that name",
                             inner.message);
        }
        cfg.resume = a->word[0];
    }
    if (cfg.model == NULL && cfg.resume == NULL && cfg.config == NULL) {
        return gan__fail(err, GAN_E_ARG, "a model is missing: gan graph MODEL, or RUN");
    }
    return print_all(&cfg, o, err);
}

GAN_COMMAND(graph) = {
    .name = "graph",
    .summary = "the computational graph of a model's training iteration",
    .usage = "gan graph MODEL|RUN [--data SPEC | --size N --channels N] [--dot | --json] [--plan]",
    .opts = opts,
    .size = sizeof(struct graph_opts),
    .max_words = 1,
    .flags = GAN__WORD_MAY_BE_MODEL | GAN__TRAIN_OPTIONS,
    .run = run,
};

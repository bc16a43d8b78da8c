/* cmd_plot.c: gan plot RUN: figures of a run, with their numbers. */
#include "cmdline.h"
#include "out.h"

#include <gan/figures.h>

#include <stdio.h>

struct plot_opts {
    const char *out;
    bool json;
};

static const struct gan_opt opts[] = {
    GAN__OPT_PATH(struct plot_opts, out, "out",
                  "directory of the files, made if absent; RUN/plots"),
    GAN_OPT_BOOL(struct plot_opts, json, "json", "false", "the paths that were written, as JSON"),
    GAN_OPT_END,
};

static void print_path(void *ctx, const char *path)
{
    (void)ctx;
    (void)printf("%s\n", path);
}

static void print_json(void *ctx, const char *path)
{
    struct gan__json *j = ctx;
    if (j->depth == 0) {
        gan__json_open(j, NULL, '{');
        gan__json_open(j, "files", '[');
    }
    gan__json_text(j, NULL, path);
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct plot_opts *o = a->opts;
    struct gan__json j = {0};
    if (!o->json) {
        return gan_figures_of_run(a->word[0], o->out, print_path, NULL, err);
    }
    gan_status status = gan_figures_of_run(a->word[0], o->out, print_json, &j, err);
    if (j.depth > 0) {
        gan__json_close(&j, ']');
        gan__json_close(&j, '}');
    }
    return status;
}

GAN_COMMAND(plot) = {
    .name = "plot",
    .summary = "figures of a run: its log, gradients by layer, weights",
    .usage = "gan plot RUN [--out DIR]",
    .about =
        "Writes log.png (losses, what D says, penalties, norms of gradients over the steps), "
        "gradients.png (by layer, where the log has grad.NET.LAYER), weights.png (a histogram for "
        "each network, of the newest checkpoint), each with its numbers as CSV, and, of a run on "
        "points in the plane, film.png. A run may be plotted while it trains.",
    .opts = opts,
    .size = sizeof(struct plot_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};

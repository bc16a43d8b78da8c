/* cmd_sample.c: gan sample: images from a trained generator; its checkpoint says all the rest. */
#include "cmdline.h"
#include "out.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <gan/sample.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum bn { BN_RUNNING, BN_BATCH };

struct sample_opts {
    int64_t n, first, seed, columns, threads;
    const char *latents, *out;
    char label[GAN_OPT_TEXT_MAX];
    int bn;
    bool json;
};

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct sample_opts, n, "n", "64", 1, 1e8,
                "images; not given: 8 of each class in a grid of classes"),
    GAN_OPT_TEXT(struct sample_opts, label, "class", "",
                 "name or number of the class of all images, where the model knows classes; not "
                 "given: each in turn, in a grid one column each and one latent a row"),
    GAN_OPT_I64(struct sample_opts, first, "first", "0", 0, 9e15,
                "number of the first; image i of a seed is always the same"),
    GAN_OPT_I64(struct sample_opts, seed, "seed", "1", 0, 9e15, "of the latent vectors"),
    GAN__OPT_PATH(struct sample_opts, latents, "latents",
                  "array (N,Z) of latent vectors, .npy, instead of a seed"),
    GAN__OPT_PATH(struct sample_opts, out, "out",
                  "grid.png, X.npy for exact numbers (N,H,W,C), or a directory of PNGs"),
    GAN_OPT_CHOICE(struct sample_opts, bn, "bn", "running", "running|batch",
                   "statistics that batch normalisation uses"),
    GAN_OPT_I64(
        struct sample_opts, columns, "columns", "0", 0, 10000,
        "images in a row of the grid; 0 makes it nearly square, or a column for each class"),
    GAN_OPT_I64(struct sample_opts, threads, "threads", "0", 0, 1024,
                "compute threads; 0: as many as processors"),
    GAN_OPT_BOOL(struct sample_opts, json, "json", "false",
                 "what was written and from what, as JSON"),
    GAN_OPT_END,
};

/* "runs/dcgan-1/" and seed 3 -> "dcgan-1-seed3.png", with class 7 "dcgan-1-seed3-class7.png", in the current directory. */
static gan_status default_out(char *dst, size_t cap, const char *path,
                              const struct gan_sample_request *what, gan_err *err)
{
    char name[256], label[32] = "";
    if (what->one_class) {
        (void)gan__format(label, sizeof label, "-class%" PRId64, what->class_index);
    }
    if (!gan__copy(name, sizeof name, path)) {
        return gan__fail(err, GAN_E_ARG, "the path is too long to name the grid by it: use --out");
    }
    size_t len = strlen(name);
    while (len > 1 && name[len - 1] == '/') {
        name[--len] = '\0';
    }
    if (gan__ends_with(name, ".safetensors")) {
        name[len - strlen(".safetensors")] = '\0';
    }
    const char *base = gan__path_base(name);
    bool plain = base[0] != '\0' && base[0] != '.' && base[0] != '/';
    if (!gan__format(dst, cap, "%s-seed%" PRIu64 "%s.png", plain ? base : "samples", what->seed,
                     label)) {
        return gan__fail(err, GAN_E_ARG, "the path is too long to name the grid by it: use --out");
    }
    return GAN_OK;
}

static void print_json(const gan_sampler *s, const char *out)
{
    const struct gan_sampler_info *info = gan_sampler_about(s);
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_text(&j, "out", out);
    gan__json_text(&j, "checkpoint", info->file);
    gan__json_text(&j, "model", info->model);
    gan__json_text(&j, "hash", info->hash);
    gan__json_i64(&j, "height", info->height);
    gan__json_i64(&j, "width", info->width);
    gan__json_i64(&j, "channels", info->channels);
    gan__json_i64(&j, "latent", info->latent);
    gan__json_bool(&j, "points", info->points);
    gan__json_i64(&j, "classes", info->classes);
    gan__json_i64(&j, "step", info->step);
    gan__json_close(&j, '}');
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct sample_opts *o = a->opts;
    char path[1024];
    const char *out = o->out;
    if (o->latents != NULL && (gan__cmdline_given(a, "seed") || gan__cmdline_given(a, "first"))) {
        return gan__fail(err, GAN_E_ARG, "--latents takes the place of --seed and --first");
    }
    struct gan_sampler_opts how = {.bn_batch = o->bn == BN_BATCH,
                                   .threads = gan__cmdline_threads(o->threads)};
    struct gan_sample_request what = {
        .n = gan__cmdline_given(a, "n") ? o->n : 0,
        .first = o->first,
        .seed = (uint64_t)o->seed,
        .latents = o->latents,
        .columns = o->columns,
        .one_class = o->label[0] != '\0',
    };
    gan_sampler *s = NULL;
    GAN_TRY(gan_sampler_open(a->word[0], &how, &s, err));
    gan_status status =
        what.one_class ? gan_sampler_class(s, o->label, &what.class_index, err) : GAN_OK;
    if (status == GAN_OK && out == NULL) {
        status = default_out(path, sizeof path, a->word[0], &what, err);
        out = path;
    }
    if (status == GAN_OK) {
        status = gan_sampler_write(s, &what, out, err);
    }
    if (status == GAN_OK && o->json) {
        print_json(s, out);
    } else if (status == GAN_OK) {
        (void)printf("%s\n", out);
    }
    gan_sampler_close(s);
    return status;
}

GAN_COMMAND(sample) = {
    .name = "sample",
    .summary = "images from a trained generator",
    .usage = "gan sample RUN|FILE [--n N] [--class K] [--seed S] [--out grid.png|X.npy|DIR]",
    .about = "RUN is a run directory, FILE a checkpoint; nothing else is needed. Without --out the "
             "grid is named after them, in the current directory.",
    .opts = opts,
    .size = sizeof(struct sample_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};

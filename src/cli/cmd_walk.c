/* cmd_walk.c: gan walk: a closed smooth path through random latents, as a film. */
#include "cmdline.h"
#include "latents.h"

#include "base/err.h"
#include "base/str.h"

struct walk_opts {
    const char *out;
    int64_t keys, n, rows, seed, fps, threads;
    char label[GAN_OPT_TEXT_MAX];
    bool json;
};

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct walk_opts, keys, "keys", "5", 2, 1000,
                "samples that the path goes through: 0 .. keys-1 of the seed, the next row from "
                "there on"),
    GAN_OPT_I64(struct walk_opts, n, "n", "60", 2, 100000, "frames of the whole round"),
    GAN_OPT_I64(struct walk_opts, rows, "rows", "1", 1, 1000, "paths shown side by side"),
    GAN_OPT_TEXT(struct walk_opts, label, "class", "",
                 "name or number of the class of all images; not given: one a path"),
    GAN_OPT_I64(struct walk_opts, seed, "seed", "1", 0, 9e15, "of the samples"),
    GAN_OPT_I64(struct walk_opts, fps, "fps", "15", 1, 100, "frames a second"),
    GAN__OPT_PATH(struct walk_opts, out, "out",
                  "animated film.png [walk.png], or a directory of frames"),
    GAN_OPT_I64(struct walk_opts, threads, "threads", "0", 0, 1024,
                "compute threads; 0: as many as processors"),
    GAN_OPT_BOOL(struct walk_opts, json, "json", "false", "what was written, as JSON"),
    GAN_OPT_END,
};

static gan_status draw(const struct gan__latent_source *src, const struct walk_opts *o,
                       const char *out, gan_err *err)
{
    int64_t z = src->about->latent;
    float *keys, *path = NULL;
    gan_status status = gan__latents_new(src, o->keys, &keys, err);
    if (status == GAN_OK) {
        status = gan__latents_new(src, o->rows * o->n, &path, err);
    }
    for (int64_t r = 0; status == GAN_OK && r < o->rows; r++) {
        gan_sampler_latents(src->sampler, src->seed, r * o->keys, o->keys, keys);
        for (int64_t k = 0; k < o->n; k++) {
            gan_latent_walk(keys, o->keys, z, (double)k / (double)o->n, !src->about->uniform,
                            path + (r * o->n + k) * z);
        }
    }
    if (status == GAN_OK) {
        const struct gan_drawing what = {.z = path,
                                         .rows = o->rows,
                                         .columns = o->n,
                                         .animate = true,
                                         .delay_ms = (int)(1000 / o->fps),
                                         .what = "walk"};
        status = gan__latents_draw(src, &what, out, o->json, err);
    }
    gan_array_free(keys);
    gan_array_free(path);
    return status;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct walk_opts *o = a->opts;
    const char *out = o->out != NULL ? o->out : "walk.png";
    struct gan__latent_source src;
    if (gan__ends_with(out, ".npy")) {
        return gan__fail(err, GAN_E_ARG, "a walk is a .png or a directory of frames, not %s", out);
    }
    gan_status status =
        gan__latents_open(&src, a->word[0], o->label, (uint64_t)o->seed, o->threads, err);
    if (status == GAN_OK) {
        status = draw(&src, o, out, err);
    }
    gan_sampler_close(src.sampler);
    return status;
}

GAN_COMMAND(walk) = {
    .name = "walk",
    .summary = "a film along a closed path through the latents",
    .usage = "gan walk RUN|FILE [--keys K] [--n FRAMES] [--rows R] [--out film.png|DIR]",
    .about = "A closed smooth curve (a periodic Catmull-Rom spline) through random latents; normal "
             "ones keep their length, uniform ones stay in their cube. The last frame leads to the "
             "first: the film may run for ever. Smooth change says that the generator has learned "
             "more than its samples; jumps speak of memory.",
    .opts = opts,
    .size = sizeof(struct walk_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};

/* cmd_interpolate.c: gan interpolate: what lies between latents. */
#include "cmdline.h"
#include "latents.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>

struct interpolate_opts {
    const char *from, *to, *out;
    int64_t n, rows, seed, fps, threads;
    int mode;
    char label[GAN_OPT_TEXT_MAX];
    bool animate, json;
};

static const struct gan_opt opts[] = {
    GAN__OPT_PATH(struct interpolate_opts, from, "from",
                  "where rows begin: numbers of samples of the seed, \"3,17\", or FILE.npy (N,Z); "
                  "not given: samples 0, 2, 4, ..."),
    GAN__OPT_PATH(struct interpolate_opts, to, "to",
                  "where they end, as many; not given: samples 1, 3, 5, ..."),
    GAN_OPT_I64(struct interpolate_opts, n, "n", "10", 2, 10000,
                "images of a row, both ends included"),
    GAN_OPT_I64(struct interpolate_opts, rows, "rows", "8", 1, 10000,
                "rows, where --from does not say"),
    GAN_OPT_CHOICE(
        struct interpolate_opts, mode, "mode", "auto", GAN__BETWEEN_CHOICES,
        "straight, or along the great circle; auto: slerp for normal latents, linear for "
        "uniform ones"),
    GAN_OPT_TEXT(struct interpolate_opts, label, "class", "",
                 "name or number of the class of all images; not given: one a row"),
    GAN_OPT_I64(struct interpolate_opts, seed, "seed", "1", 0, 9e15, "of the samples"),
    GAN_OPT_BOOL(struct interpolate_opts, animate, "animate", "false",
                 "there and back as an animated PNG (or a directory of frames) instead of a grid"),
    GAN_OPT_I64(struct interpolate_opts, fps, "fps", "15", 1, 100, "frames a second"),
    GAN__OPT_PATH(struct interpolate_opts, out, "out",
                  "grid.png [interpolate.png], X.npy, or a directory"),
    GAN_OPT_I64(struct interpolate_opts, threads, "threads", "0", 0, 1024,
                "compute threads; 0: as many as processors"),
    GAN_OPT_BOOL(struct interpolate_opts, json, "json", "false", "what was written, as JSON"),
    GAN_OPT_END,
};

/* Ends of the rows: given, or pairs of the seed's samples. */
struct ends {
    float *a, *b;
    int64_t rows;
};

static gan_status default_end(const struct gan__latent_source *src, int64_t odd, int64_t rows,
                              float **z, gan_err *err)
{
    GAN_TRY(gan__latents_new(src, rows, z, err));
    for (int64_t r = 0; r < rows; r++) {
        gan_sampler_latents(src->sampler, src->seed, 2 * r + odd, 1, *z + r * src->about->latent);
    }
    return GAN_OK;
}

static gan_status find_ends(const struct gan__latent_source *src, const struct interpolate_opts *o,
                            struct ends *e, gan_err *err)
{
    int64_t a = 0, b = 0;
    if (o->from != NULL) {
        GAN_TRY(gan__latents_read(src, o->from, &e->a, &a, err));
    }
    if (o->to != NULL) {
        GAN_TRY(gan__latents_read(src, o->to, &e->b, &b, err));
    }
    if (a > 0 && b > 0 && a != b) {
        return gan__fail(err, GAN_E_ARG, "--from has %" PRId64 " latents, --to %" PRId64, a, b);
    }
    e->rows = a > 0 ? a : b > 0 ? b : o->rows;
    if (e->a == NULL) {
        GAN_TRY(default_end(src, 0, e->rows, &e->a, err));
    }
    return e->b == NULL ? default_end(src, 1, e->rows, &e->b, err) : GAN_OK;
}

/* Frames go there and back, so that the film has no jump. */
static gan_status draw(const struct gan__latent_source *src, const struct interpolate_opts *o,
                       const struct ends *e, const char *out, gan_err *err)
{
    int64_t z = src->about->latent, columns = o->animate ? 2 * o->n - 2 : o->n;
    gan_between how = gan__latents_between(src, o->mode);
    float *path;
    GAN_TRY(gan__latents_new(src, e->rows * columns, &path, err));
    for (int64_t r = 0; r < e->rows; r++) {
        for (int64_t k = 0; k < columns; k++) {
            int64_t step = k < o->n ? k : columns - k;
            gan_latent_between(how, e->a + r * z, e->b + r * z, z,
                               (double)step / (double)(o->n - 1), path + (r * columns + k) * z);
        }
    }
    const struct gan_drawing what = {.z = path,
                                     .rows = e->rows,
                                     .columns = columns,
                                     .animate = o->animate,
                                     .delay_ms = (int)(1000 / o->fps),
                                     .what = how == GAN_BETWEEN_LINEAR ? "linear" : "slerp"};
    gan_status status = gan__latents_draw(src, &what, out, o->json, err);
    gan_array_free(path);
    return status;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct interpolate_opts *o = a->opts;
    struct gan__latent_source src;
    struct ends e = {0};
    const char *out = o->out != NULL ? o->out : "interpolate.png";
    if (o->animate && gan__ends_with(out, ".npy")) {
        return gan__fail(err, GAN_E_ARG, "--animate makes a .png or a directory, not %s", out);
    }
    gan_status status =
        gan__latents_open(&src, a->word[0], o->label, (uint64_t)o->seed, o->threads, err);
    if (status == GAN_OK) {
        status = find_ends(&src, o, &e, err);
    }
    if (status == GAN_OK) {
        status = draw(&src, o, &e, out, err);
    }
    gan_array_free(e.a);
    gan_array_free(e.b);
    gan_sampler_close(src.sampler);
    return status;
}

GAN_COMMAND(interpolate) = {
    .name = "interpolate",
    .summary = "images between latents, as a grid or a film",
    .usage = "gan interpolate RUN|FILE [--from 3,17] [--to 29,4] [--n N] [--mode linear|slerp]\n"
             "gan interpolate RUN|FILE --animate --out film.png",
    .about = "Each row goes from one latent to another in equal steps. Normal latents lie near a "
             "sphere, of which a straight line leaves the surface: they go along the great circle "
             "(slerp). Numbers are those of gan sample with the same seed.",
    .opts = opts,
    .size = sizeof(struct interpolate_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};

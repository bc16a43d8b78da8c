/* cmd_arithmetic.c: gan arithmetic: sums of concepts in the space of latents. Radford, Metz,
 * Chintala 2016, arXiv:1511.06434, section 6.3.2: a concept is the mean of a few latents, one alone
 * is unstable. */
#include "cmdline.h"
#include "latents.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

struct arithmetic_opts {
    const char *out;
    double noise;
    int64_t n, seed, threads;
    char label[GAN_OPT_TEXT_MAX];
    bool json;
};

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct arithmetic_opts, n, "n", "8", 0, 1000, "neighbours of the result"),
    GAN_OPT_F64(struct arithmetic_opts, noise, "noise", "0.25", 0, 100,
                "neighbours lie up to so far away in every element"),
    GAN_OPT_TEXT(struct arithmetic_opts, label, "class", "",
                 "name or number of the class of all images, needed where the model knows classes"),
    GAN_OPT_I64(struct arithmetic_opts, seed, "seed", "1", 0, 9e15,
                "of the samples and of the neighbours"),
    GAN__OPT_PATH(struct arithmetic_opts, out, "out",
                  "grid.png [arithmetic.png]: a row for each set and its mean; below, the result "
                  "and its neighbours. Or X.npy, or a directory"),
    GAN_OPT_I64(struct arithmetic_opts, threads, "threads", "0", 0, 1024,
                "compute threads; 0: as many as processors"),
    GAN_OPT_BOOL(struct arithmetic_opts, json, "json", "false", "what was written, as JSON"),
    GAN_OPT_END,
};

struct sets {
    struct gan_latent_sum sum;
    const char *text[GAN_LATENT_SETS]; /* behind the "=" */
    float *z[GAN_LATENT_SETS];
    int64_t n[GAN_LATENT_SETS];
    int64_t most; /* members of the largest: means stand behind that many */
};

/* "A=3,17,29" behind the expression; every set that stands in it, and no other. */
static gan_status match_sets(const struct gan__cmdline *a, struct sets *s, gan_err *err)
{
    for (int w = 2; w < a->n_words; w++) {
        const char *word = a->word[w], *equals = strchr(word, '=');
        int k = 0;
        if (equals == NULL || equals[1] == '\0') {
            return gan__fail(err, GAN_E_ARG, "'%.60s': a set is NAME=3,17,29 or NAME=FILE.npy",
                             word);
        }
        size_t n = (size_t)(equals - word);
        while (k < s->sum.n &&
               (strlen(s->sum.set[k].name) != n || memcmp(s->sum.set[k].name, word, n) != 0)) {
            k++;
        }
        if (k == s->sum.n || s->text[k] != NULL) {
            return gan__fail(err, GAN_E_ARG, "set '%.*s' %s", (int)n, word,
                             k == s->sum.n ? "does not stand in the expression" : "is given twice");
        }
        s->text[k] = equals + 1;
    }
    for (int k = 0; k < s->sum.n; k++) {
        if (s->text[k] == NULL) {
            return gan__fail(err, GAN_E_ARG, "set %s of the expression is missing: %s=3,17,29",
                             s->sum.set[k].name, s->sum.set[k].name);
        }
    }
    return GAN_OK;
}

static void mean_of(const float *z, int64_t n, int64_t latent, float *dst)
{
    for (int64_t i = 0; i < latent; i++) {
        double sum = 0;
        for (int64_t k = 0; k < n; k++) {
            sum += (double)z[k * latent + i];
        }
        dst[i] = (float)(sum / (double)n);
    }
}

/* Rows: the members of each set, its mean behind the largest; the result and its neighbours. */
static void lay_out(const struct gan__latent_source *src, const struct sets *s,
                    const struct arithmetic_opts *o, int64_t columns, float *z, bool *blank)
{
    int64_t latent = src->about->latent;
    float *result = z + s->sum.n * columns * latent;
    for (int64_t i = 0; i < (s->sum.n + 1) * columns; i++) {
        blank[i] = true;
    }
    for (int k = 0; k < s->sum.n; k++) {
        float *row = z + k * columns * latent, *mean = row + s->most * latent;
        memcpy(row, s->z[k], (size_t)(s->n[k] * latent) * sizeof *row);
        mean_of(s->z[k], s->n[k], latent, mean);
        memset(blank + k * columns, 0, (size_t)s->n[k] * sizeof *blank);
        blank[k * columns + s->most] = false;
    }
    for (int64_t i = 0; i < latent; i++) {
        double sum = 0;
        for (int k = 0; k < s->sum.n; k++) {
            sum += s->sum.set[k].factor * (double)z[(k * columns + s->most) * latent + i];
        }
        result[i] = (float)sum;
    }
    gan_latent_neighbours(result, latent, o->noise, src->seed, o->n, result + latent);
    memset(blank + s->sum.n * columns, 0, (size_t)(o->n + 1) * sizeof *blank);
}

static gan_status draw(const struct gan__latent_source *src, struct sets *s,
                       const struct gan__cmdline *a, const char *out, gan_err *err)
{
    const struct arithmetic_opts *o = a->opts;
    for (int k = 0; k < s->sum.n; k++) {
        s->most = s->n[k] > s->most ? s->n[k] : s->most;
    }
    int64_t columns = s->most > o->n ? s->most + 1 : o->n + 1, rows = s->sum.n + 1;
    size_t cells = (size_t)(rows * columns);
    float *z = gan__alloc_array(cells, (size_t)src->about->latent * sizeof *z);
    bool *blank = gan__alloc_array(cells, sizeof *blank);
    gan_status status =
        z != NULL && blank != NULL ? GAN_OK : gan__fail_nomem(err, cells * sizeof *z, "latents");
    if (status == GAN_OK) {
        lay_out(src, s, o, columns, z, blank);
        struct gan_drawing what = {
            .z = z, .blank = blank, .rows = rows, .columns = columns, .what = a->word[1]};
        if (gan__ends_with(out, ".npy")) { /* the result and its neighbours alone */
            what.z = z + s->sum.n * columns * src->about->latent;
            what.blank = NULL;
            what.rows = 1;
            what.columns = o->n + 1;
        }
        status = gan__latents_draw(src, &what, out, o->json, err);
    }
    gan__free(z);
    gan__free(blank);
    return status;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct arithmetic_opts *o = a->opts;
    struct gan__latent_source src;
    struct sets s = {0};
    GAN_TRY(gan_latent_parse(a->word[1], &s.sum, err));
    GAN_TRY(match_sets(a, &s, err));
    gan_status status =
        gan__latents_open(&src, a->word[0], o->label, (uint64_t)o->seed, o->threads, err);
    if (status == GAN_OK && src.about->classes > 0 && !src.one_class) {
        status = gan__fail(err, GAN_E_ARG, "--class is missing: model %s knows %" PRId64 " classes",
                           src.about->model, src.about->classes);
    }
    for (int k = 0; status == GAN_OK && k < s.sum.n; k++) {
        status = gan__latents_read(&src, s.text[k], &s.z[k], &s.n[k], err);
    }
    if (status == GAN_OK) {
        status = draw(&src, &s, a, o->out != NULL ? o->out : "arithmetic.png", err);
    }
    for (int k = 0; k < s.sum.n; k++) {
        gan_array_free(s.z[k]);
    }
    gan_sampler_close(src.sampler);
    return status;
}

GAN_COMMAND(arithmetic) = {
    .name = "arithmetic",
    .summary = "sums of means of latents: smiling woman - woman + man",
    .usage =
        "gan arithmetic RUN|FILE \"mean(A) - mean(B) + mean(C)\" A=3,17,29 B=5,8,11 C=FILE.npy",
    .about =
        "A set is a list of samples, by their numbers in gan sample with the same seed, or an "
        "array (N,Z). The mean of three or more that show the same thing stands for the thing; "
        "a single latent is unstable. Expressions have +, -, products with and quotients by "
        "numbers, and parentheses.",
    .opts = opts,
    .size = sizeof(struct arithmetic_opts),
    .min_words = 2,
    .max_words = 2 + GAN_LATENT_SETS,
    .run = run,
};

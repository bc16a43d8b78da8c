/* counting.c: pictures of exactly three things, and how many things a generator puts into its own.
 *
 * Three sneakers of Fashion-MNIST, shrunk to 9x9, stand in three different cells of a 3x3 grid, seen from
 * one side: count and place are known. A cell is taken when its light exceeds a threshold that reals
 * give. Goodfellow 2016, arXiv:1701.00160, section 5.1 (problems with counting, with perspective). */
#include "counting.h"

#include "images.h"
#include "toy.h"

#include "base/number.h"
#include "base/philox.h"
#include "base/str.h"

#include <math.h>
#include <string.h>

enum {
    CELL = 9,
    ROW = 3, /* cells side by side */
    CELLS = ROW * ROW,
    THINGS = 3,
    TRIPLES = 84, /* 9 choose 3 */
    SNEAKER = 7,
    OBJECT = CELL * CELL,
    D = GAN_IMAGE_PIXELS,
    BATCH = 64,
    LOOK = 1024,
    LATENT = 32,
    SHOWN = 12
};

/* What a set of pictures holds. */
struct tally {
    double count[CELLS + 1]; /* share of pictures with 0 .. 9 things */
    double cell[CELLS];      /* share of pictures with a thing in a cell */
    int triples;             /* different places of three things */
    double uneven;           /* total variation of those places from even */
    double tilt;             /* total variation of the cells from even, of all things */
};

/* Objects [n,81]; returns n. */
static int objects(struct gan__lab *l, int images, float *object)
{
    int *label = (int *)gan__lab_array(l, (size_t)images / 2 + 1), n = 0;
    const double *x = label != NULL ? gan__lab_images(l, CELL, images, label) : NULL;
    for (int i = 0; x != NULL && i < images; i++) {
        for (int k = 0; label[i] == SNEAKER && k < OBJECT; k++) {
            object[n * OBJECT + k] = (float)x[(size_t)i * OBJECT + (size_t)k];
        }
        n += label[i] == SNEAKER;
    }
    return n;
}

/* A picture of three of the objects first .. first+n-1. */
static void compose(struct gan__rng *rng, const float *object, int first, int n, float *x)
{
    int place[CELLS];
    memset(x, 0, D * sizeof *x);
    for (int k = 0; k < CELLS; k++) {
        place[k] = k;
    }
    for (int k = 0; k < THINGS; k++) {
        const int other = k + (int)gan__rng_below(rng, (uint64_t)(CELLS - k)), at = place[other];
        const float *o = object + (first + (int)gan__rng_below(rng, (uint64_t)n)) * OBJECT;
        place[other] = place[k];
        for (int i = 0; i < OBJECT; i++) {
            x[(at / ROW * CELL + i / CELL) * GAN_IMAGE_SIDE + at % ROW * CELL + i % CELL] = o[i];
        }
    }
}

/* Light of each cell. */
static void light(const float *x, double *e)
{
    memset(e, 0, CELLS * sizeof *e);
    for (int i = 0; i < ROW * CELL; i++) {
        for (int j = 0; j < ROW * CELL; j++) {
            e[i / CELL * ROW + j / CELL] += (double)x[i * GAN_IMAGE_SIDE + j];
        }
    }
}

/* Half the light that all but one in a hundred of the things exceed. */
static double threshold(const float *object, int n, double *room)
{
    for (int k = 0; k < n; k++) {
        room[k] = 0;
        for (int i = 0; i < OBJECT; i++) {
            room[k] += (double)object[k * OBJECT + i];
        }
    }
    gan__sort_f64(room, (size_t)n);
    return room[n / 100] / 2;
}

static struct tally count(const float *x, int n, double limit)
{
    struct tally t = {.triples = 0};
    double of[1 << CELLS] = {0}, threes = 0, all = 0;
    for (int k = 0; k < n; k++) {
        double e[CELLS];
        int things = 0, where = 0;
        light(x + (size_t)k * D, e);
        for (int c = 0; c < CELLS; c++) {
            things += e[c] > limit;
            where |= (e[c] > limit) << c;
            t.cell[c] += e[c] > limit ? 1.0 / n : 0;
        }
        t.count[things] += 1.0 / n;
        if (things == THINGS) {
            t.triples += of[where]++ == 0;
            threes++;
        }
    }
    for (int w = 0; w < 1 << CELLS && threes > 0; w++) {
        t.uneven += of[w] > 0 ? fabs(of[w] / threes - 1.0 / TRIPLES) / 2 : 0;
    }
    t.uneven += 0.5 * (TRIPLES - t.triples) / TRIPLES;
    for (int c = 0; c < CELLS; c++) {
        all += t.cell[c];
    }
    for (int c = 0; c < CELLS && all > 0; c++) {
        t.tilt += fabs(t.cell[c] / all - 1.0 / CELLS) / 2;
    }
    return t;
}

/* Fakes x [LOOK,784] of a GAN that saw objects 0 .. n-1. */
static void train(struct gan__lab *l, const float *object, int n, float *x)
{
    const int steps = l->quick ? 250 : 6000;
    float *real = (float *)gan__lab_array(l, BATCH * D / 2);
    float *z = (float *)gan__lab_array(l, LOOK * LATENT / 2);
    struct gan__rng rng;
    struct gan__toy *t = gan__lab_image_gan(l, (struct gan__toy_opts){.size = D,
                                                                      .latent = LATENT,
                                                                      .gen_depth = 2,
                                                                      .batch = BATCH,
                                                                      .look = LOOK,
                                                                      .steps = steps});
    gan__rng_init(&rng, gan__stream_key(l->seed, 0, 1, gan__hash_text("counting")));
    for (int s = 0; s < steps && z != NULL && l->status == GAN_OK; s++) {
        gan__toy_noise(&rng, BATCH * LATENT, z);
        for (int k = 0; k < BATCH; k++) {
            compose(&rng, object, 0, n, real + (size_t)k * D);
        }
        gan__toy_disc_step(l, t, real, z);
        gan__toy_noise(&rng, BATCH * LATENT, z);
        gan__toy_gen_step(l, t, NULL, z);
    }
    for (int k = 0; k < 2 && z != NULL; k++) { /* the second draw is the one in the documents */
        gan__toy_noise(&rng, LOOK * LATENT, z);
    }
    gan__toy_generate(l, t, z, x);
    gan__toy_free(t);
}

/* --- figures -------------------------------------------------------------------------------------- */

static void sheets(struct gan__lab *l, const float *const from[2])
{
    static const char *const title[2] = {"composed of real images: three things each",
                                         "fakes of a GAN that saw nothing else"};
    gan_figure *f =
        gan_figure_new(2, 1, &(struct gan_figure_opts){.panel_width = 1000, .panel_height = 140});
    for (int k = 0; k < 2; k++) {
        gan__lab_show(l, gan_figure_panel(f, k, 0), title[k], from[k], GAN_IMAGE_SIDE, SHOWN);
        gan_panel_equal(gan_figure_panel(f, k, 0));
    }
    gan__lab_figure(l, f, "things",
                    "Three of nine cells hold a sneaker, in every real picture. The fakes have "
                    "sneakers in the right cells and do not count them.");
}

static void counts(struct gan__lab *l, const struct tally t[2])
{
    static const char *const name[2] = {"real", "fake"};
    double n[CELLS + 1], at[2][CELLS + 1];
    gan_figure *f = gan_figure_new(1, 3, &(struct gan_figure_opts){.panel_width = 520});
    gan_panel *p = gan_figure_panel(f, 0, 0);
    gan_panel_title(p, "how many things");
    gan_panel_x(p, &(struct gan_axis){.label = "things in a picture", .low = -0.6, .high = 9.6});
    gan_panel_y(p, &(struct gan_axis){.label = "share of the pictures", .low = 0, .high = 1.05});
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i <= CELLS; i++) {
            n[i] = i;
            at[k][i] = i + (k == 0 ? -0.2 : 0.2);
        }
        gan_plot_bars(p, at[k], t[k].count, CELLS + 1, 0.4, &(struct gan_style){.label = name[k]});
    }
    for (int k = 0; k < 2; k++) {
        double z[CELLS];
        for (int c = 0; c < CELLS; c++) {
            z[(ROW - 1 - c / ROW) * ROW + c % ROW] = t[k].cell[c];
        }
        p = gan_figure_panel(f, 0, 1 + k);
        gan_panel_title(p, k == 0 ? "where, real" : "where, fake");
        gan_panel_x(p, &(struct gan_axis){.label = "column of cells"});
        gan_panel_y(p, &(struct gan_axis){.label = "row, from below"});
        gan_plot_heat(p, &(struct gan_surface){z, ROW, ROW, 0.5, ROW + 0.5, 0.5, ROW + 0.5},
                      &(struct gan_style){.low = 0, .high = 1, .bar = "share"});
    }
    gan__lab_figure(
        l, f, "counts",
        "Left: things in a picture, real and fake. Right: how often a cell is taken; one "
        "third for every cell in real pictures.");
    gan__lab_table(l, "counts", "things,real,fake",
                   (const double *const[]){n, t[0].count, t[1].count}, CELLS + 1);
    gan__lab_table(l, "cells", "cell,real,fake", (const double *const[]){n, t[0].cell, t[1].cell},
                   CELLS);
}

void gan__lab_counting(struct gan__lab *l)
{
    const int images = l->quick ? 3000 : 12000;
    float *object = (float *)gan__lab_array(l, (size_t)images * OBJECT / 2);
    float *x = (float *)gan__lab_array(l, (size_t)LOOK * D); /* reals and fakes */
    double *room = gan__lab_array(l, (size_t)images);
    struct gan__rng rng;
    const int n = object != NULL ? objects(l, images, object) : 0, seen = n * 3 / 4;
    if (x == NULL || room == NULL || n < 100) {
        return;
    }
    float *real = x, *fake = x + (size_t)LOOK * D;
    gan__rng_init(&rng, gan__stream_key(l->seed, 0, 0, gan__hash_text("counting")));
    for (int k = 0; k < LOOK; k++) {
        compose(&rng, object, seen, n - seen, real + (size_t)k * D);
    }
    train(l, object, seen, fake);
    const double limit = threshold(object, seen, room);
    const struct tally t[2] = {count(real, LOOK, limit), count(fake, LOOK, limit)};
    double wrong = 1;
    for (int k = -8; k <= 8; k++) { /* thresholds from a quarter to four times that one */
        wrong = fmin(wrong, 1 - count(fake, LOOK, limit * pow(2, k / 4.0)).count[THINGS]);
    }
    gan__lab_at_least(l, "counted right: pictures of three unseen sneakers", t[0].count[THINGS],
                      0.99);
    gan__lab_at_least(l, "fakes with another count than three", 1 - t[1].count[THINGS],
                      l->quick ? 0.3 : 0.2);
    gan__lab_at_least(l, "the same with the threshold that suits fakes best", wrong,
                      l->quick ? 0.3 : 0.2);
    if (l->quick) {
        /* Hardly any of the early fakes has three things: all of them count. Over five seeds .114 +- .024
         * against .017 +- .004. */
        gan__lab_at_least(l, "early: unevenness of the cells, fakes less reals",
                          t[1].tilt - t[0].tilt, 0);
    } else {
        /* against as many real places: few are uneven by chance */
        const int threes = (int)lround(t[1].count[THINGS] * LOOK);
        const double chance = count(real, threes > 0 ? threes : 1, limit).uneven;
        gan__lab_at_most(l, "at length: unevenness of the places of three things, fake / real",
                         t[1].uneven / chance, 1.5);
    }
    sheets(l, (const float *const[]){real, fake});
    counts(l, t);
}

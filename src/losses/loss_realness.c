/* loss_realness.c: realness as a distribution over 51 outcomes instead of one number: D's outputs
 * are logits, reals are drawn to the anchor A1, fakes to A0, in Kullback-Leibler divergence.
 *
 * D: E KL(A1 || D(x)) + E KL(A0 || D(y)); G: E KL(D(x) || D(y)) - E KL(A0 || D(y)), x and y in pairs.
 * Anchors over u in [-1,1]: A1 is uniform moved by 1, A0 normal with deviation .31 moved by -1, and
 * what leaves the interval gathers at its end. (The authors' code draws a histogram of 1000 numbers
 * in each iteration, whose least and largest become the ends; these are its means to about 2 %.) The
 * witness, reported as a score, is the mean outcome.
 * Ref: Xiangli et al. 2020, arXiv:2002.05512, eq. 3, 11 and 18; kam1107/RealnessGAN. */
#include "losses.h"

#include <math.h>

enum { OUTCOMES = 51, HALF = (OUTCOMES - 1) / 2 };

static const double deviation = 0.31;

/* 0, 1, .. 50 as numbers */
static gan_val places(gan_graph *g)
{
    return gan_cast(g, gan_iota(g, OUTCOMES), gan_graph_real(g));
}

/* amount at one place, 0 elsewhere */
static gan_val peak(gan_graph *g, double place, double amount)
{
    gan_val at = gan_equal(g, places(g), gan_const(g, place));
    return gan_select(g, at, gan_const(g, amount), gan_const(g, 0));
}

/* Outcomes 0..50 moved to 25..75, those past 50 to 50. */
static gan_val anchor_real(gan_graph *g)
{
    const double each = 1.0 / OUTCOMES;
    gan_val upper = gan_greater_equal(g, places(g), gan_const(g, HALF));
    gan_val flat = gan_select(g, upper, gan_const(g, each), gan_const(g, 0));
    return gan_add(g, flat, peak(g, OUTCOMES - 1, HALF * each));
}

/* Outcomes 0..50 moved to -25..25, those before 0 to 0. */
static gan_val anchor_fake(gan_graph *g)
{
    double sum = 0, width = deviation * HALF;
    for (int i = -HALF; i <= HALF; i++) {
        sum += exp(-0.5 * (i / width) * (i / width));
    }
    gan_val i = places(g);
    gan_val bell = gan_exp(g, gan_scale(g, gan_square(g, gan_scale(g, i, 1 / width)), -0.5));
    gan_val lower = gan_less(g, i, gan_const(g, HALF + 1));
    gan_val kept = gan_select(g, lower, gan_scale(g, bell, 1 / sum), gan_const(g, 0));
    return gan_add(g, kept, peak(g, 0, 0.5 * (1 - 1 / sum)));
}

/* mean over samples of sum_u p log p - p log q, log q given; 0 log 0 is 0. */
static gan_val divergence(gan_graph *g, gan_val p, gan_val log_p, gan_val log_q)
{
    gan_val terms = gan_mul(g, p, gan_sub(g, log_p, log_q));
    return gan_mean_all(g, gan_sum(g, terms, GAN_AXIS(1), false));
}

static gan_val from_anchor(gan_graph *g, gan_val anchor, gan_val log_q)
{
    gan_val log_p = gan_log(g, gan_shift(g, anchor, 1e-30));
    return divergence(g, anchor, log_p, log_q);
}

static gan_val disc(const struct gan_loss_context *c)
{
    gan_graph *g = c->g;
    return gan_add(g, from_anchor(g, anchor_real(g), gan_log_softmax(g, c->on_real)),
                   from_anchor(g, anchor_fake(g), gan_log_softmax(g, c->on_fake[0])));
}

static gan_val gen(const struct gan_loss_context *c)
{
    gan_graph *g = c->g;
    gan_val log_real = gan_log_softmax(g, c->on_real);
    gan_val log_fake = gan_log_softmax(g, c->on_fake[0]);
    gan_val to_real = divergence(g, gan_exp(g, log_real), log_real, log_fake);
    return gan_sub(g, to_real, from_anchor(g, anchor_fake(g), log_fake));
}

static gan_val witness(const struct gan_loss_context *c, gan_val on)
{
    gan_graph *g = c->g;
    gan_val u = gan_shift(g, gan_scale(g, places(g), 1.0 / HALF), -1);
    return gan_sum(g, gan_mul(g, gan_softmax(g, on), u), GAN_AXIS(1), false);
}

GAN_LOSS(realness) = {
    .name = "realness",
    .doc = "distributions over 51 outcomes, drawn to two anchors in KL divergence",
    .ref = "Xiangli et al. 2020, arXiv:2002.05512, eq. 3 and 18",
    .needs = GAN_LOSS_REAL | GAN_LOSS_MATRIX,
    .outputs = OUTCOMES,
    .disc = disc,
    .gen = gen,
    .witness = witness,
};

/* loss_realness.c: realness as a distribution over 51 outcomes instead of one number: reals are drawn
 * to the anchor A1, fakes to A0, in Kullback-Leibler divergence.
 *
 * D: E KL(A1 || D(x)) + E KL(A0 || D(y)); G: E KL(D(x) || D(y)) - E KL(A0 || D(y)), x and y in pairs.
 * realness: D's 51 outputs are logits. realness-resampled: of 102 the first half are the logits' means m,
 * the other the logarithms of their variances v, and logits are drawn, m + e exp(v/2), e ~ N(0,1), in
 * every evaluation (the authors' default).
 *
 * Anchors over u in [-1,1], as the authors' code has them: histograms of 1000 numbers, from U(-1,1) for
 * A1 and normal for A0, whose least and largest become the ends of the range; A1 is then moved by 1, A0
 * by -1, and what leaves the interval gathers at its end. They draw them anew in each iteration; losses
 * are linear in the anchors, so these, their means, have the mean gradient. (Theirs is a cross-entropy,
 * which differs by the anchor's entropy alone.) The witness, reported as a score, is the mean outcome.
 * Ref: Xiangli et al. 2020, arXiv:2002.05512, eq. 3, 11 and 18; kam1107/RealnessGAN. */
#include "losses.h"

#include <math.h>

enum { OUTCOMES = 51, HALF = (OUTCOMES - 1) / 2, DRAWN = 1000, NODES = 8 };

/* 0, 1, .. 50 as numbers */
static gan_val places(gan_graph *g)
{
    return gan_cast(g, gan_iota(g, OUTCOMES), gan_graph_real(g));
}

static gan_val table(gan_graph *g, const double *amount)
{
    gan_val sum = gan_const(g, 0);
    for (int i = 0; i < OUTCOMES; i++) {
        gan_val at = gan_equal(g, places(g), gan_const(g, i));
        sum = amount[i] > 0 ? gan_select(g, at, gan_const(g, amount[i]), sum) : sum;
    }
    return gan_broadcast(g, sum, GAN_SHAPE(OUTCOMES));
}

/* The two extremes of a sample lie in the first and the last bin, the others as their law says. */
static gan_val anchor_real(gan_graph *g)
{
    double amount[OUTCOMES] = {0};
    for (int i = 0; i < OUTCOMES; i++) {
        int at = i + HALF < OUTCOMES ? i + HALF : OUTCOMES - 1;
        amount[at] += (1 - 2.0 / DRAWN) / OUTCOMES;
        amount[at] += i == 0 || i == OUTCOMES - 1 ? 1.0 / DRAWN : 0;
    }
    return table(g, amount);
}

static double normal_law(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

/* The histogram of a normal sample between -low and high deviations, added with a weight. */
static void add_bells(double low, double high, double weight, double *bin)
{
    double all = normal_law(high) - normal_law(-low), before = normal_law(-low);
    for (int i = 0; i < OUTCOMES; i++) {
        double edge = -low + (low + high) * (i + 1) / OUTCOMES, to = normal_law(edge);
        bin[i] += weight * (1 - 2.0 / DRAWN) * (to - before) / all;
        bin[i] += i == 0 || i == OUTCOMES - 1 ? weight / DRAWN : 0;
        before = to;
    }
}

/* Least and largest of 1000 are as good as independent; each is averaged over the middles of eight equal
 * parts of its law: z with F(z)^1000 = 1/16, 3/16, .. */
static gan_val anchor_fake(gan_graph *g)
{
    static const double largest[NODES] = {2.77398064309113, 2.93410110491015, 3.04523971406531,
                                          3.14644667724907, 3.25090143977056, 3.37089410571648,
                                          3.53020638505157, 3.82822091999703};
    double bin[OUTCOMES] = {0}, amount[OUTCOMES] = {0};
    for (int k = 0; k < NODES * NODES; k++) {
        add_bells(largest[k / NODES], largest[k % NODES], 1.0 / (NODES * NODES), bin);
    }
    for (int i = 0; i < OUTCOMES; i++) {
        amount[i > HALF ? i - HALF : 0] += bin[i];
    }
    return table(g, amount);
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

/* D: log probabilities of outcomes of reals and fakes. */
static gan_val to_anchors(gan_graph *g, gan_val log_real, gan_val log_fake)
{
    return gan_add(g, from_anchor(g, anchor_real(g), log_real),
                   from_anchor(g, anchor_fake(g), log_fake));
}

/* G: to what reals are and away from the fakes' anchor. */
static gan_val to_reals(gan_graph *g, gan_val log_real, gan_val log_fake)
{
    gan_val to_real = divergence(g, gan_exp(g, log_real), log_real, log_fake);
    return gan_sub(g, to_real, from_anchor(g, anchor_fake(g), log_fake));
}

static gan_val disc(const struct gan_loss_context *c)
{
    return to_anchors(c->g, gan_log_softmax(c->g, c->on_real),
                      gan_log_softmax(c->g, c->on_fake[0]));
}

static gan_val gen(const struct gan_loss_context *c)
{
    return to_reals(c->g, gan_log_softmax(c->g, c->on_real), gan_log_softmax(c->g, c->on_fake[0]));
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

/* --- logits drawn anew --------------------------------------------------------------------------- */

static gan_val resampled(const struct gan_loss_context *c, const char *name, gan_val on)
{
    gan_graph *g = c->g;
    gan_val mean = gan_slice_axis(g, on, 1, 0, OUTCOMES);
    gan_val log_variance = gan_slice_axis(g, on, 1, OUTCOMES, OUTCOMES);
    gan_val e = c->normal(c->user, name, gan_shape_get(g, mean));
    gan_val deviation = gan_exp(g, gan_scale(g, log_variance, 0.5));
    return gan_log_softmax(g, gan_add(g, mean, gan_mul(g, e, deviation)));
}

static gan_val resampled_disc(const struct gan_loss_context *c)
{
    return to_anchors(c->g, resampled(c, "realness.real", c->on_real),
                      resampled(c, "realness.fake", c->on_fake[0]));
}

static gan_val resampled_gen(const struct gan_loss_context *c)
{
    return to_reals(c->g, resampled(c, "realness.real", c->on_real),
                    resampled(c, "realness.fake", c->on_fake[0]));
}

static gan_val resampled_witness(const struct gan_loss_context *c, gan_val on)
{
    return witness(c, gan_slice_axis(c->g, on, 1, 0, OUTCOMES));
}

GAN_LOSS(realness_resampled) = {
    .name = "realness-resampled",
    .doc = "realness whose logits are drawn, of means and variances that D gives",
    .ref = "Xiangli et al. 2020, arXiv:2002.05512; kam1107/RealnessGAN",
    .needs = GAN_LOSS_REAL | GAN_LOSS_MATRIX | GAN_LOSS_NOISE,
    .outputs = 2 * OUTCOMES,
    .disc = resampled_disc,
    .gen = resampled_gen,
    .witness = resampled_witness,
};

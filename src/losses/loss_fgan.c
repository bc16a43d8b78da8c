/* loss_fgan.c: the variational bound of any f-divergence, D_f(P||Q) >= E_P t(x) - E_Q f*(t(x)), with
 * t = g_f(v): v is the network's score and g_f maps it into the domain of the conjugate f*.
 *
 * The critic raises the bound. The generator either lowers it ("-sat": the game itself), or raises
 * E_Q g_f(v), the paper's answer to vanishing gradients (section 3.2). f*(g_f(v)) is written out for
 * each divergence, so that no logarithm of a difference remains; sp = softplus.
 *
 *     divergence    f(u)                        g_f(v)              f*(g_f(v))
 *     tv            |u-1|/2                     tanh(v)/2           tanh(v)/2
 *     kl            u log u                     v                   e^(v-1)
 *     rkl           -log u                      -e^-v               v - 1
 *     pearson       (u-1)^2                     v                   v^2/4 + v
 *     neyman        (1-u)^2/u                   1 - e^-v            2 - 2 e^(-v/2)
 *     hellinger     (sqrt u - 1)^2              1 - e^-v            e^v - 1
 *     js            u log u - (u+1) log((u+1)/2)  log 2 - sp(-v)    sp(v) - log 2
 *     gan           u log u - (u+1) log(u+1)    -sp(-v)             sp(v)
 *
 * Ref: Nowozin, Cseke, Tomioka 2016, arXiv:1606.00709, eq. 6 to 8, tables 2 and 6. */
#include "losses.h"

#include <math.h>

#define TRICK "the generator raises E g(V)"
#define GAME "the generator lowers the bound"
#define REF "Nowozin et al. 2016, arXiv:1606.00709, eq. 7, table 2; "

typedef gan_val function(gan_graph *g, gan_val v);

/* -(E_P g(v) - E_Q f*(g(v))) */
static gan_val minus_bound(const struct gan_loss_context *c, function *map, function *conjugate)
{
    gan_val on_real = gan_mean_all(c->g, map(c->g, c->on_real));
    return gan_sub(c->g, gan_mean_all(c->g, conjugate(c->g, c->on_fake[0])), on_real);
}

static gan_val minus_mean(const struct gan_loss_context *c, function *f)
{
    return gan_neg(c->g, gan_mean_all(c->g, f(c->g, c->on_fake[0])));
}

/* The three objectives of a divergence F with F_map and F_conjugate. */
#define OBJECTIVES(F)                                                                              \
    static gan_val F##_disc(const struct gan_loss_context *c)                                      \
    {                                                                                              \
        return minus_bound(c, F##_map, F##_conjugate);                                             \
    }                                                                                              \
    static gan_val F##_gen(const struct gan_loss_context *c)                                       \
    {                                                                                              \
        return minus_mean(c, F##_map);                                                             \
    }                                                                                              \
    static gan_val F##_sat(const struct gan_loss_context *c)                                       \
    {                                                                                              \
        return minus_mean(c, F##_conjugate);                                                       \
    }

static gan_val identity(gan_graph *g, gan_val v)
{
    (void)g;
    return v;
}

static gan_val one_minus_exp(gan_graph *g, gan_val v)
{
    return gan_shift(g, gan_neg(g, gan_exp(g, gan_neg(g, v))), 1);
}

/* --- tv ------------------------------------------------------------------------------------------ */

static gan_val tv_map(gan_graph *g, gan_val v)
{
    return gan_scale(g, gan_tanh(g, v), 0.5);
}

#define tv_conjugate tv_map

OBJECTIVES(tv)

GAN_LOSS(fgan_tv) = {
    .name = "fgan-tv",
    .doc = "total variation; " TRICK,
    .ref = REF "section 3.2",
    .disc = tv_disc,
    .gen = tv_gen,
};

GAN_LOSS(fgan_tv_sat) = {
    .name = "fgan-tv-sat",
    .doc = "total variation; " GAME,
    .ref = REF "eq. 8",
    .disc = tv_disc,
    .gen = tv_sat,
};

/* --- kl ------------------------------------------------------------------------------------------ */

#define kl_map identity

static gan_val kl_conjugate(gan_graph *g, gan_val v)
{
    return gan_exp(g, gan_shift(g, v, -1));
}

OBJECTIVES(kl)

GAN_LOSS(fgan_kl) = {
    .name = "fgan-kl",
    .doc = "KL(data || generator); " TRICK,
    .ref = REF "section 3.2",
    .disc = kl_disc,
    .gen = kl_gen,
};

GAN_LOSS(fgan_kl_sat) = {
    .name = "fgan-kl-sat",
    .doc = "KL(data || generator); " GAME,
    .ref = REF "eq. 8",
    .disc = kl_disc,
    .gen = kl_sat,
};

/* --- rkl ----------------------------------------------------------------------------------------- */

static gan_val rkl_map(gan_graph *g, gan_val v)
{
    return gan_neg(g, gan_exp(g, gan_neg(g, v)));
}

static gan_val rkl_conjugate(gan_graph *g, gan_val v)
{
    return gan_shift(g, v, -1);
}

OBJECTIVES(rkl)

GAN_LOSS(fgan_rkl) = {
    .name = "fgan-rkl",
    .doc = "KL(generator || data); " TRICK,
    .ref = REF "section 3.2",
    .disc = rkl_disc,
    .gen = rkl_gen,
};

GAN_LOSS(fgan_rkl_sat) = {
    .name = "fgan-rkl-sat",
    .doc = "KL(generator || data); " GAME,
    .ref = REF "eq. 8",
    .disc = rkl_disc,
    .gen = rkl_sat,
};

/* --- pearson ------------------------------------------------------------------------------------- */

#define pearson_map identity

static gan_val pearson_conjugate(gan_graph *g, gan_val v)
{
    return gan_add(g, gan_scale(g, gan_square(g, v), 0.25), v);
}

OBJECTIVES(pearson)

GAN_LOSS(fgan_pearson) = {
    .name = "fgan-pearson",
    .doc = "Pearson's chi^2; " TRICK,
    .ref = REF "section 3.2",
    .disc = pearson_disc,
    .gen = pearson_gen,
};

GAN_LOSS(fgan_pearson_sat) = {
    .name = "fgan-pearson-sat",
    .doc = "Pearson's chi^2; " GAME,
    .ref = REF "eq. 8",
    .disc = pearson_disc,
    .gen = pearson_sat,
};

/* --- neyman -------------------------------------------------------------------------------------- */

#define neyman_map one_minus_exp

static gan_val neyman_conjugate(gan_graph *g, gan_val v)
{
    gan_val root = gan_exp(g, gan_scale(g, v, -0.5));
    return gan_shift(g, gan_scale(g, root, -2), 2);
}

OBJECTIVES(neyman)

GAN_LOSS(fgan_neyman) = {
    .name = "fgan-neyman",
    .doc = "Neyman's chi^2; " TRICK,
    .ref = REF "section 3.2",
    .disc = neyman_disc,
    .gen = neyman_gen,
};

GAN_LOSS(fgan_neyman_sat) = {
    .name = "fgan-neyman-sat",
    .doc = "Neyman's chi^2; " GAME,
    .ref = REF "eq. 8",
    .disc = neyman_disc,
    .gen = neyman_sat,
};

/* --- hellinger ----------------------------------------------------------------------------------- */

#define hellinger_map one_minus_exp

static gan_val hellinger_conjugate(gan_graph *g, gan_val v)
{
    return gan_shift(g, gan_exp(g, v), -1);
}

OBJECTIVES(hellinger)

GAN_LOSS(fgan_hellinger) = {
    .name = "fgan-hellinger",
    .doc = "squared Hellinger distance; " TRICK,
    .ref = REF "section 3.2",
    .disc = hellinger_disc,
    .gen = hellinger_gen,
};

GAN_LOSS(fgan_hellinger_sat) = {
    .name = "fgan-hellinger-sat",
    .doc = "squared Hellinger distance; " GAME,
    .ref = REF "eq. 8",
    .disc = hellinger_disc,
    .gen = hellinger_sat,
};

/* --- js ------------------------------------------------------------------------------------------ */

static gan_val js_map(gan_graph *g, gan_val v)
{
    return gan_shift(g, gan_neg(g, gan_softplus(g, gan_neg(g, v))), M_LN2);
}

static gan_val js_conjugate(gan_graph *g, gan_val v)
{
    return gan_shift(g, gan_softplus(g, v), -M_LN2);
}

OBJECTIVES(js)

GAN_LOSS(fgan_js) = {
    .name = "fgan-js",
    .doc = "twice the Jensen-Shannon divergence; " TRICK,
    .ref = REF "section 3.2",
    .logits = true,
    .disc = js_disc,
    .gen = js_gen,
};

GAN_LOSS(fgan_js_sat) = {
    .name = "fgan-js-sat",
    .doc = "twice the Jensen-Shannon divergence; " GAME,
    .ref = REF "eq. 8",
    .logits = true,
    .disc = js_disc,
    .gen = js_sat,
};

/* --- gan ----------------------------------------------------------------------------------------- */

static gan_val gan_map(gan_graph *g, gan_val v)
{
    return gan_neg(g, gan_softplus(g, gan_neg(g, v)));
}

static gan_val gan_conjugate(gan_graph *g, gan_val v)
{
    return gan_softplus(g, v);
}

OBJECTIVES(gan)

GAN_LOSS(fgan_gan) = {
    .name = "fgan-gan",
    .doc = "the GAN game's divergence, 2 JS - log 4; " TRICK,
    .ref = REF "section 3.2",
    .logits = true,
    .disc = gan_disc,
    .gen = gan_gen,
};

GAN_LOSS(fgan_gan_sat) = {
    .name = "fgan-gan-sat",
    .doc = "the GAN game's divergence, 2 JS - log 4; " GAME,
    .ref = REF "eq. 8",
    .logits = true,
    .disc = gan_disc,
    .gen = gan_sat,
};

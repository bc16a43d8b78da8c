/* loss_mmd_li.c: the first MMD GAN: 64 features of a critic that is also the encoder of an
 * autoencoder, which keeps it injective.
 *
 * M = sqrt(max(MMD_b^2, 0) + 1e-12), MMD_b^2 with means over all pairs, own ones included, and the
 * kernel sum over s in {1,2,4,8,16} of exp(-d^2/2s^2); H = mean over features of
 * max(0, E h(y) - E h(x)), which makes the reals' features the larger; A = mean squared error of the
 * decoded images. The critic maximises M - 16 H - 8 A(x) - 8 A(y), the generator minimises M - 16 H.
 * Ref: Li et al. 2017, arXiv:1705.08584, eq. 4 and algorithm 1; OctoberChang/MMD-GAN (constants, and
 * the generator's use of H). */
#include "losses.h"
#include "pairwise.h"

static const double hinge_weight = 16, decoder_weight = 8;

static gan_val kernel_mean(gan_graph *g, gan_val a, gan_val b)
{
    static const double sigmas[] = {1, 2, 4, 8, 16};
    return gan_mean_all(g, gan__gaussian_kernel(g, a, b, sigmas, sizeof sigmas / sizeof *sigmas));
}

/* M - 16 H */
static gan_val discrepancy(const struct gan_loss_context *c)
{
    gan_graph *g = c->g;
    gan_val x = c->on_real, y = c->on_fake[0];
    gan_val within = gan_add(g, kernel_mean(g, x, x), kernel_mean(g, y, y));
    gan_val mmd2 = gan_sub(g, within, gan_scale(g, kernel_mean(g, x, y), 2));
    gan_val root = gan_sqrt(g, gan_shift(g, gan_relu(g, mmd2), 1e-12));
    gan_val lead =
        gan_sub(g, gan_mean(g, y, GAN_AXIS(0), false), gan_mean(g, x, GAN_AXIS(0), false));
    return gan_sub(g, root, gan_scale(g, gan_mean_all(g, gan_relu(g, lead)), hinge_weight));
}

static gan_val decoding_error(const struct gan_loss_context *c, gan_val outputs, gan_val image)
{
    return gan_loss_l2(c->g, c->decode(c->user, outputs), image);
}

static gan_val disc(const struct gan_loss_context *c)
{
    gan_graph *g = c->g;
    gan_val errors = gan_add(g, decoding_error(c, c->on_real, c->real),
                             decoding_error(c, c->on_fake[0], c->fake[0]));
    gan__loss_report(c, "mmd.decoder", gan_scale(g, errors, 0.5));
    return gan_sub(g, gan_scale(g, errors, decoder_weight), discrepancy(c));
}

GAN_LOSS(mmd_li) = {
    .name = "mmd-li",
    .doc = "root of the maximum mean discrepancy of an autoencoder's 64 features; use reg clip:.01",
    .ref = "Li et al. 2017, arXiv:1705.08584, algorithm 1",
    .needs = GAN_LOSS_REAL | GAN_LOSS_POINTS | GAN_LOSS_DECODER | GAN_LOSS_MATRIX,
    .outputs = 64,
    .disc = disc,
    .gen = discrepancy,
};

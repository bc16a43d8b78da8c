/* aid_features.c: feature matching: the generator brings the mean features of fakes to those of
 * reals, an aim that does not move with every update of the discriminator.
 *
 * Salimans et al. 2016, arXiv:1606.03498, section 3.1. */
#include "aids.h"

gan_val gan__aid_feature_matching(gan_graph *g, gan_val on_real, gan_val on_fake)
{
    gan_val real = gan_stop(g, gan_mean(g, on_real, GAN_AXIS(0), false));
    gan_val fake = gan_mean(g, on_fake, GAN_AXIS(0), false);
    return gan_sum_all(g, gan_square(g, gan_sub(g, real, fake)));
}

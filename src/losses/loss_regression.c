/* loss_regression.c: mean absolute and mean squared difference. */
#include "losses.h"

gan_val gan_loss_l1(gan_graph *g, gan_val a, gan_val b)
{
    return gan_mean_all(g, gan_abs(g, gan_sub(g, a, b)));
}

gan_val gan_loss_l2(gan_graph *g, gan_val a, gan_val b)
{
    return gan_mean_all(g, gan_square(g, gan_sub(g, a, b)));
}

/* layer_spectral.c: spectral norm of a weight by the power method.
 *
 * With W as a matrix [out,rest]: v = norm(u W), u' = norm(v W^T), sigma = u' W v^T. One step an
 * application follows the slowly changing weight; training keeps u'. Derivatives hold u' and v
 * constant, so dL/dW = (dL/dW' - <dL/dW', W'> u' v)/sigma.
 * Ref: Miyato et al. 2018, arXiv:1802.05957, algorithm 1 and eq. 12. */
#include "net.h"

static const double norm_floor = 1e-12; /* as pfnet-research/sngan_projection */

/* a/(|a| + 1e-12) of a row [1,n]. */
static gan_val unit(gan_graph *g, gan_val a)
{
    gan_val length = gan_sqrt(g, gan_sum_all(g, gan_square(g, a)));
    return gan_div(g, a, gan_shift(g, length, norm_floor));
}

gan_val gan__nn_spectral(gan_nn *nn, const char *layer, gan_val w)
{
    gan_graph *g = nn->g;
    int64_t rows = gan_dim(g, w, 0);
    gan_val u = gan_nn_param(nn, &(struct gan_param_spec){.layer = layer,
                                                          .name = "weight_u",
                                                          .role = GAN_ROLE_VECTOR,
                                                          .shape = GAN_SHAPE(rows)});
    if (!gan_ok(w) || !gan_ok(u)) {
        return GAN_NONE;
    }
    gan_val matrix = gan_reshape(g, w, GAN_SHAPE(rows, -1));
    gan_val fixed = gan_stop(g, matrix);
    u = gan_reshape(g, gan_stop(g, u), GAN_SHAPE(1, rows));
    gan_val v = unit(g, gan_matmul(g, u, fixed, false, false));
    u = unit(g, gan_matmul(g, v, fixed, false, true));
    gan_nn_update(nn, layer, "weight_u", gan_reshape(g, u, GAN_SHAPE(rows)));
    gan_val image = gan_matmul(g, gan_stop(g, v), matrix, false, true); /* v W^T */
    gan_val sigma = gan_sum_all(g, gan_mul(g, gan_stop(g, u), image));
    return gan_div(g, w, sigma);
}

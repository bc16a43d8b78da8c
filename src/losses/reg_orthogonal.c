/* reg_orthogonal.c: rows of each weight matrix at right angles, of any length:
 * weight * sum over matrices of |W W^T (1 - I)|^2, W as [out,rest].
 *
 * Tables of class vectors are left out, as in the authors' code. Ref: Brock, Donahue, Simonyan 2019,
 * arXiv:1809.11096, eq. 3. */
#include "regs.h"

#include <string.h>

static bool is_matrix(const struct gan_reg_context *c, int i)
{
    return gan_shape_get(c->g, c->weights[i]).rank >= 2 && strstr(c->names[i], "embed") == NULL;
}

static gan_val off_diagonal(gan_graph *g, gan_val w)
{
    int64_t rows = gan_dim(g, w, 0);
    gan_val m = gan_reshape(g, w, GAN_SHAPE(rows, -1));
    gan_val product = gan_matmul(g, m, m, false, true);
    gan_val off = gan_shift(g, gan_neg(g, gan_one_hot(g, gan_iota(g, rows), rows)), 1);
    return gan_sum_all(g, gan_square(g, gan_mul(g, product, off)));
}

static gan_val penalty(const struct gan_reg_context *c, double weight)
{
    gan_graph *g = c->g;
    gan_val sum = gan_const(g, 0);
    for (int i = 0; i < c->n_weights; i++) {
        sum = is_matrix(c, i) ? gan_add(g, sum, off_diagonal(g, c->weights[i])) : sum;
    }
    return gan_scale(g, sum, weight);
}

GAN_REG(orthogonal) = {
    .name = "orthogonal",
    .doc = "both networks: rows of each weight matrix at right angles",
    .ref = "Brock et al. 2019, arXiv:1809.11096, eq. 3",
    .number = {"weight", 1e-4, 0, 1e6},
    .phases = GAN_REG_DISC | GAN_REG_GEN,
    .weights = true,
    .no_fakes = true,
    .penalty = penalty,
};

/* reg_historical.c: weights stay near the mean of all they have been: |w - (1/t) sum_i w_i|^2, which
 * brings play that circles to its centre. The mean is kept, with the number of values in it; it
 * includes the present one and passes no derivative.
 *
 * Ref: Salimans et al. 2016, arXiv:1606.03498, section 3.3. */
#include "base/str.h"
#include "regs.h"

enum { NAME = 80 };

/* |w - mean|^2; the mean takes w in as its t-th value. */
static gan_val from_mean(const struct gan_reg_context *c, const char *weight, gan_val w, gan_val t)
{
    gan_graph *g = c->g;
    char name[NAME];
    if (!gan__format(name, sizeof name, "historical.%s", weight)) {
        return gan_graph_fail(g, GAN_E_RANGE, "historical: the name %.40s.. is too long", weight);
    }
    gan_val old = c->kept(c->user, name, gan_shape_get(g, w));
    gan_val mean = gan_add(g, old, gan_div(g, gan_sub(g, gan_stop(g, w), old), t));
    c->keep(c->user, name, mean);
    return gan_sum_all(g, gan_square(g, gan_sub(g, w, mean)));
}

static gan_val penalty(const struct gan_reg_context *c, double weight)
{
    gan_graph *g = c->g;
    const char *count = c->phase == GAN_REG_DISC ? "historical.disc" : "historical.gen";
    gan_val t = gan_shift(g, c->kept(c->user, count, gan_shape_scalar()), 1), sum = gan_const(g, 0);
    c->keep(c->user, count, t);
    for (int i = 0; i < c->n_weights; i++) {
        sum = gan_add(g, sum, from_mean(c, c->names[i], c->weights[i], t));
    }
    return gan_scale(g, sum, weight);
}

GAN_REG(historical) = {
    .name = "historical",
    .doc = "both networks: weights stay near the mean of all they have been",
    .ref = "Salimans et al. 2016, arXiv:1606.03498, section 3.3",
    .number = {"weight", 1e-3, 0, 1e6},
    .phases = GAN_REG_DISC | GAN_REG_GEN,
    .weights = true,
    .no_fakes = true,
    .penalty = penalty,
};

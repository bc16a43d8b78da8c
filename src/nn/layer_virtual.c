/* layer_virtual.c: virtual batch normalisation: each sample by the statistics of a fixed reference
 * batch and itself, so that samples do not influence each other.
 *
 * With reference mean m and mean square, and the sample's own over H, W, mixed with weights R/(R+1)
 * and 1/(R+1): mean' = (R m + m_i)/(R+1), var' = E'[x^2] - mean'^2, written below as the mixed
 * variances plus the mixed squared shifts of the means, which loses no digits. The reference rows
 * are normalised by their own statistics.
 * Ref: Salimans et al. 2016, arXiv:1606.03498, section 3.5; openai/improved-gan. */
#include "net.h"

/* weight [a + (mean - mean_a)^2] */
static gan_val share(gan_graph *g, gan_val variance, gan_val mean_a, gan_val mean, double weight)
{
    gan_val shift = gan_square(g, gan_sub(g, mean, mean_a));
    return gan_scale(g, gan_add(g, variance, shift), weight);
}

/* The rows behind the reference: each by the mixture of ref's statistics and its own. */
static gan_val by_mixture(gan_graph *g, gan_val x, const struct gan_normalized *ref,
                          int64_t reference, double eps)
{
    double own = 1.0 / (double)(reference + 1);
    uint32_t space = gan_shape_get(g, x).rank == 4 ? GAN_AXIS(1) | GAN_AXIS(2) : 0;
    gan_val mean_i = space ? gan_mean(g, x, space, true) : x;
    gan_val variance_i = gan_zeros_like(g, x);
    if (space) {
        variance_i = gan_mean(g, gan_square(g, gan_sub(g, x, mean_i)), space, true);
    }
    gan_val mean = gan_add(g, gan_scale(g, ref->mean, 1 - own), gan_scale(g, mean_i, own));
    gan_val variance = gan_add(g, share(g, ref->var, ref->mean, mean, 1 - own),
                               share(g, variance_i, mean_i, mean, own));
    return gan_mul(g, gan_sub(g, x, mean), gan_rsqrt(g, gan_shift(g, variance, eps)));
}

gan_val gan_virtual_batch_norm(gan_nn *nn, const char *name, gan_val x, int64_t reference,
                               struct gan_norm o)
{
    gan_graph *g = nn->g;
    gan_shape s = gan_shape_get(g, x);
    char text[96];
    if (!gan_ok(x)) {
        return GAN_NONE;
    }
    if ((s.rank != 4 && s.rank != 2) || reference < 1 || reference >= s.dim[0]) {
        return gan_graph_fail(g, GAN_E_SHAPE,
                              "virtual norm %s/%s: input is %s, expected [N,C] or [N,H,W,C] with N "
                              "above the reference's %lld rows",
                              nn->net->name, name, gan_shape_text(&s, text, sizeof text),
                              (long long)reference);
    }
    double eps = o.eps > 0 ? o.eps : 1e-5;
    gan_scope_push(g, name);
    gan_val first = gan_slice_axis(g, x, 0, 0, reference);
    gan_val rest = gan_slice_axis(g, x, 0, reference, s.dim[0] - reference);
    uint32_t axes = GAN_AXIS(s.rank - 1) - 1; /* all but the last */
    struct gan_normalized ref = gan_normalize(g, first, axes, eps);
    const gan_val parts[] = {ref.x_hat, by_mixture(g, rest, &ref, reference, eps)};
    gan_val y = gan_concat(g, parts, 2, 0);
    if (o.affine != GAN_NO) {
        y = gan__nn_affine(nn, name, y, o.init);
    }
    gan_scope_pop(g);
    return y;
}

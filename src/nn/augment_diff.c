/* augment_diff.c: differentiable augmentation: the same family of changes for reals and fakes keeps
 * the discriminator from learning few images by heart.
 *
 * Zhao et al. 2020, arXiv:2006.10738; constants of the authors' code. Also the flip and shift of
 * consistency regularisation, Zhang et al. 2020, arXiv:1910.12027. */
#include <gan/augment.h>

static gan_val one_each(gan_graph *g, const struct gan_draws *d, const char *name, gan_val x)
{
    return gan_stop(g, d->uniform(d->user, name, GAN_SHAPE(gan_dim(g, x, 0), 1, 1, 1)));
}

/* Whole numbers 0..n-1, equally likely, from u in (0,1); u n may round up to n. */
static gan_val pick(gan_graph *g, gan_val u, int64_t n)
{
    gan_val k = gan_cast(g, gan_cast(g, gan_scale(g, u, (double)n), GAN_I32), gan_graph_real(g));
    return gan_min(g, k, gan_const(g, (double)(n - 1)));
}

/* mean + (x - mean) factor */
static gan_val about(gan_graph *g, gan_val x, gan_val mean, gan_val factor)
{
    return gan_add(g, mean, gan_mul(g, gan_sub(g, x, mean), factor));
}

static gan_val color(gan_graph *g, gan_val x, const struct gan_draws *d)
{
    const uint32_t all = GAN_AXIS(1) | GAN_AXIS(2) | GAN_AXIS(3);
    x = gan_add(g, x, gan_shift(g, one_each(g, d, "brightness", x), -0.5));
    x = about(g, x, gan_mean(g, x, GAN_AXIS(3), true),
              gan_scale(g, one_each(g, d, "saturation", x), 2));
    return about(g, x, gan_mean(g, x, all, true), gan_shift(g, one_each(g, d, "contrast", x), 0.5));
}

/* -most..most */
static gan_val offset(gan_graph *g, gan_val u, int64_t most)
{
    return gan_shift(g, pick(g, u, 2 * most + 1), -(double)most);
}

static gan_val translation(gan_graph *g, gan_val x, const struct gan_draws *d)
{
    int64_t h = gan_dim(g, x, 1), w = gan_dim(g, x, 2);
    gan_val dy = offset(g, one_each(g, d, "translation.y", x), (h + 4) / 8);
    gan_val dx = offset(g, one_each(g, d, "translation.x", x), (w + 4) / 8);
    return gan_move(g, x, dy, dx);
}

/* bool [N,n,1,1] or [N,1,n,1]: whether a row or column is cut. */
static gan_val cut(gan_graph *g, gan_val u, int64_t n, bool rows)
{
    int64_t size = (n + 1) / 2;
    gan_val first = gan_shift(g, pick(g, u, n + 1 - size % 2), -(double)(size / 2));
    gan_val i = gan_cast(g, gan_iota(g, n), gan_graph_real(g));
    i = gan_reshape(g, i, rows ? GAN_SHAPE(1, n, 1, 1) : GAN_SHAPE(1, 1, n, 1));
    gan_val zero = gan_const(g, 0), one = gan_const(g, 1);
    gan_val late = gan_select(g, gan_greater_equal(g, i, first), one, zero);
    gan_val end = gan_shift(g, first, (double)size);
    return gan_mul(g, late, gan_select(g, gan_less(g, i, end), one, zero));
}

static gan_val cutout(gan_graph *g, gan_val x, const struct gan_draws *d)
{
    gan_val rows = cut(g, one_each(g, d, "cutout.y", x), gan_dim(g, x, 1), true);
    gan_val columns = cut(g, one_each(g, d, "cutout.x", x), gan_dim(g, x, 2), false);
    gan_val keep = gan_shift(g, gan_neg(g, gan_mul(g, rows, columns)), 1);
    return gan_mul(g, x, gan_stop(g, keep));
}

gan_val gan_augment_diff(gan_graph *g, gan_val x, uint32_t which, const struct gan_draws *d)
{
    if (gan_ok(x) && gan_shape_get(g, x).rank != 4) {
        return gan_graph_fail(g, GAN_E_SHAPE, "an augmentation changes images [N,H,W,C]");
    }
    x = (which & GAN_AUGMENT_COLOR) != 0 ? color(g, x, d) : x;
    x = (which & GAN_AUGMENT_TRANSLATION) != 0 ? translation(g, x, d) : x;
    return (which & GAN_AUGMENT_CUTOUT) != 0 ? cutout(g, x, d) : x;
}

gan_val gan_augment_flip_shift(gan_graph *g, gan_val x, int64_t most, const struct gan_draws *d)
{
    if (gan_ok(x) && gan_shape_get(g, x).rank != 4) {
        return gan_graph_fail(g, GAN_E_SHAPE, "an augmentation changes images [N,H,W,C]");
    }
    gan_val zero = gan_const(g, 0), one = gan_const(g, 1);
    gan_val flip = gan_greater(g, one_each(g, d, "flip", x), gan_const(g, 0.5));
    gan_val side = gan_select(g, flip, gan_const(g, -1), one);
    const struct gan_affine from = {side, zero, zero, zero, one, zero};
    gan_val dy = offset(g, one_each(g, d, "shift.y", x), most);
    gan_val dx = offset(g, one_each(g, d, "shift.x", x), most);
    return gan_move(g, gan_warp(g, x, &from), dy, dx);
}

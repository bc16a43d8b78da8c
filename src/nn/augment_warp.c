/* augment_warp.c: images moved: by whole pixels, as a product with a matrix of zeros and ones for
 * each side, and by any affine map, as a sum of four gathered neighbours. */
#include <gan/augment.h>

static bool is_image(gan_graph *g, gan_val x)
{
    gan_shape s = gan_shape_get(g, x);
    if (gan_ok(x) && s.rank != 4) {
        gan_graph_fail(g, GAN_E_SHAPE, "an augmentation changes images [N,H,W,C], got rank %d",
                       (int)s.rank);
    }
    return gan_ok(x) && s.rank == 4;
}

/* 0,1,..,n-1 as real numbers. */
static gan_val count(gan_graph *g, int64_t n)
{
    return gan_cast(g, gan_iota(g, n), gan_graph_real(g));
}

/* Whole part of a number that is not negative. */
static gan_val whole(gan_graph *g, gan_val x)
{
    return gan_cast(g, gan_cast(g, x, GAN_I32), gan_graph_real(g));
}

/* [N,n,n] with ones where column = row + d. */
static gan_val shifted_identity(gan_graph *g, gan_val d, int64_t n)
{
    gan_val row = gan_reshape(g, count(g, n), GAN_SHAPE(1, n, 1));
    gan_val column = gan_reshape(g, count(g, n), GAN_SHAPE(1, 1, n));
    gan_val from = gan_add(g, row, gan_reshape(g, d, GAN_SHAPE(-1, 1, 1)));
    return gan_select(g, gan_equal(g, column, from), gan_const(g, 1), gan_const(g, 0));
}

/* Rows of [N,H,W,C] mixed by [N,H,H]. */
static gan_val mix_rows(gan_graph *g, gan_val m, gan_val x)
{
    gan_shape s = gan_shape_get(g, x);
    gan_val flat = gan_reshape(g, x, GAN_SHAPE(s.dim[0], s.dim[1], s.dim[2] * s.dim[3]));
    return gan_reshape(g, gan_matmul(g, gan_stop(g, m), flat, false, false), s);
}

gan_val gan_move(gan_graph *g, gan_val x, gan_val dy, gan_val dx)
{
    static const int turn[] = {0, 2, 1, 3};
    if (!is_image(g, x)) {
        return GAN_NONE;
    }
    int64_t h = gan_dim(g, x, 1), w = gan_dim(g, x, 2);
    x = mix_rows(g, shifted_identity(g, dy, h), x);
    x = gan_transpose(g, x, turn);
    x = mix_rows(g, shifted_identity(g, dx, w), x);
    return gan_transpose(g, x, turn);
}

/* Places brought back into 0..n-1 by reflection at both ends. */
static gan_val reflected(gan_graph *g, gan_val at, int64_t n)
{
    double last = (double)(n - 1), period = 2 * last;
    if (n == 1) {
        return gan_zeros_like(g, at);
    }
    gan_val u = gan_abs(g, at);
    u = gan_sub(g, u, gan_scale(g, whole(g, gan_scale(g, u, 1 / period)), period));
    u = gan_shift(g, gan_neg(g, gan_abs(g, gan_shift(g, u, -last))), last);
    return gan_clamp(g, u, 0, last);
}

/* One axis of the sampling places: the lower neighbour and the share of the upper one. */
struct place {
    gan_val low, share;
};

static struct place place(gan_graph *g, gan_val at, int64_t n)
{
    gan_val u = reflected(g, at, n);
    struct place p = {.low = whole(g, u)};
    p.share = gan_sub(g, u, p.low);
    return p;
}

/* Pixels (y, x) of all images, [N,H,W,C]; weights [N,H,W,1]. */
static gan_val pixels(gan_graph *g, gan_val x, gan_val row, gan_val column, gan_val weight)
{
    gan_shape s = gan_shape_get(g, x);
    int64_t n = s.dim[0], h = s.dim[1], w = s.dim[2], c = s.dim[3];
    gan_val image = gan_reshape(g, count(g, n), GAN_SHAPE(n, 1, 1, 1));
    gan_val inside = gan_add(g, gan_scale(g, row, (double)w), column);
    gan_val first = gan_scale(g, image, (double)(h * w));
    gan_val index = gan_cast(g, gan_add(g, first, inside), GAN_I32);
    gan_val flat = gan_reshape(g, x, GAN_SHAPE(n * h * w, c));
    gan_val got = gan_gather(g, flat, gan_reshape(g, index, GAN_SHAPE(n * h * w)));
    return gan_mul(g, gan_reshape(g, got, s), weight);
}

/* a x + b y + c on the grid of centred places. */
static gan_val along(gan_graph *g, gan_val a, gan_val x, gan_val b, gan_val y, gan_val c)
{
    return gan_add(g, gan_add(g, gan_mul(g, a, x), gan_mul(g, b, y)), c);
}

gan_val gan_warp(gan_graph *g, gan_val x, const struct gan_affine *from)
{
    if (!is_image(g, x)) {
        return GAN_NONE;
    }
    gan_shape s = gan_shape_get(g, x);
    int64_t h = s.dim[1], w = s.dim[2];
    if (s.dim[0] * h * w > (1 << 24)) { /* places are counted in f32 */
        return gan_graph_fail(g, GAN_E_SHAPE, "a warp of %lld pixels, at most 2^24",
                              (long long)(s.dim[0] * h * w));
    }
    double cy = (double)(h - 1) / 2, cx = (double)(w - 1) / 2;
    gan_val gy = gan_shift(g, gan_reshape(g, count(g, h), GAN_SHAPE(1, h, 1, 1)), -cy);
    gan_val gx = gan_shift(g, gan_reshape(g, count(g, w), GAN_SHAPE(1, 1, w, 1)), -cx);
    gan_val at_x = gan_stop(g, gan_shift(g, along(g, from->xx, gx, from->xy, gy, from->x0), cx));
    gan_val at_y = gan_stop(g, gan_shift(g, along(g, from->yx, gx, from->yy, gy, from->y0), cy));
    struct place px = place(g, at_x, w), py = place(g, at_y, h);
    gan_val sum = GAN_NONE;
    for (int k = 0; k < 4; k++) {
        bool down = k / 2 != 0, right = k % 2 != 0;
        gan_val wy = down ? py.share : gan_shift(g, gan_neg(g, py.share), 1);
        gan_val wx = right ? px.share : gan_shift(g, gan_neg(g, px.share), 1);
        gan_val row = down ? gan_clamp(g, gan_shift(g, py.low, 1), 0, (double)(h - 1)) : py.low;
        gan_val column = right ? gan_clamp(g, gan_shift(g, px.low, 1), 0, (double)(w - 1)) : px.low;
        gan_val part = pixels(g, x, row, column, gan_mul(g, wy, wx));
        sum = k == 0 ? part : gan_add(g, sum, part);
    }
    return sum;
}

/* augment_wavelet.c: images moved and filtered with wavelets, as products with small matrices made in
 * the graph.
 *
 * The warp oversamples twice: u = U x (zeros between samples, sym6), bilinear samples of u on the output's
 * grid of half pixels, y = D v (sym6 reversed, every second). sym6 is orthogonal, D U = 1: a warp by
 * nothing changes nothing. Images go on beyond their edges as in a mirror through the edge pixels, for
 * ever: U has the rows of one whole period, 2 (n - 1) pixels, and places are taken modulo it.
 *
 * The filter splits each axis into four bands of an octave with l = h h~/2, h sym2's low pass, which is
 * (-1 0 9 16 9 0 -1)/32: with l_d the same on every d-th pixel the bands are l_4 l_2 l_1,
 * (1 - l_4) l_2 l_1, (1 - l_2) l_1 and 1 - l_1, and sum to 1.
 * Ref: Karras et al. 2020, arXiv:2006.06676, appendix B; Daubechies 1992, Ten Lectures, chapters 5, 8. */
#include <gan/augment.h>

enum { TAPS = 12, MARGIN = TAPS / 4, MAX_PIXELS = 1 << 24 };

/* sym6's low pass over sqrt 2 (the factors of Daubechies' polynomial of order 6 with the most symmetric
 * product), to 20 digits: the sum is 1. */
static const double sym6[TAPS] = {
    0.010892350163292340414,  0.0024683061859233179228, -0.083431607706072971216,
    -0.034161560793286004267, 0.34722898647921771053,   0.55694639196286893958,
    0.23895218566643469605,   -0.051362484930839246641, -0.014891875649269698433,
    0.031625281330021744468,  0.0012499610463979226522, -0.0055159337546887510621,
};

static gan_val count(gan_graph *g, int64_t n)
{
    return gan_cast(g, gan_iota(g, n), gan_graph_real(g));
}

/* Largest whole number that is not above x. */
static gan_val floored(gan_graph *g, gan_val x)
{
    gan_val cut = gan_cast(g, gan_cast(g, x, GAN_I32), gan_graph_real(g));
    gan_val above = gan_select(g, gan_less(g, x, cut), gan_const(g, 1), gan_const(g, 0));
    return gan_sub(g, cut, above);
}

/* x modulo a whole number, in 0 <= r < period. */
static gan_val modulo(gan_graph *g, gan_val x, int64_t period)
{
    gan_val times = floored(g, gan_scale(g, x, 1.0 / (double)period));
    gan_val r = gan_sub(g, x, gan_scale(g, times, (double)period));
    r = gan_select(g, gan_less(g, r, gan_const(g, 0)), gan_shift(g, r, (double)period), r);
    return gan_select(g, gan_less(g, r, gan_const(g, (double)period)), r,
                      gan_shift(g, r, (double)-period)); /* rounding may leave either end */
}

/* Whole places reflected into 0..n-1. */
static gan_val reflected(gan_graph *g, gan_val at, int64_t n)
{
    if (n == 1) {
        return gan_zeros_like(g, at);
    }
    double last = (double)(n - 1);
    gan_val r = modulo(g, at, 2 * (n - 1));
    return gan_shift(g, gan_neg(g, gan_abs(g, gan_shift(g, r, -last))), last);
}

/* [m,n]: row i has a 1 in column at[i]. */
static gan_val ones_at(gan_graph *g, gan_val at, int64_t n)
{
    return gan_one_hot(g, gan_cast(g, at, GAN_I32), n);
}

/* --- oversampling ---------------------------------------------------------------------------------- */

/* Pixels of a period, oversampled. */
static int64_t period_of(int64_t n)
{
    return n > 1 ? 4 * (n - 1) : 2;
}

/* [period,n]: u_o = 2 sum_k f_k z_(o+5-k), z the image with zeros at odd places. */
static gan_val upsampler(gan_graph *g, int64_t n)
{
    gan_val part[2], q = count(g, period_of(n) / 2);
    for (int odd = 0; odd < 2; odd++) {
        gan_val sum = GAN_NONE;
        for (int r = 0; r < TAPS / 2; r++) {
            gan_val from = reflected(g, gan_shift(g, q, 2 + odd - r), n);
            gan_val tap = gan_scale(g, ones_at(g, from, n), 2 * sym6[2 * r + 1 - odd]);
            sum = r == 0 ? tap : gan_add(g, sum, tap);
        }
        part[odd] = gan_reshape(g, sum, GAN_SHAPE(period_of(n) / 2, 1, n));
    }
    return gan_reshape(g, gan_concat(g, part, 2, 1), GAN_SHAPE(period_of(n), n));
}

/* [n, 2n + 4 MARGIN]: y_i = sum_k f_k v_(2i+k+1). */
static gan_val downsampler(gan_graph *g, int64_t n)
{
    gan_val sum = GAN_NONE, twice = gan_scale(g, count(g, n), 2);
    for (int k = 0; k < TAPS; k++) {
        gan_val tap = ones_at(g, gan_shift(g, twice, k + 1), 2 * n + 4 * MARGIN);
        tap = gan_scale(g, tap, sym6[k]);
        sum = k == 0 ? tap : gan_add(g, sum, tap);
    }
    return sum;
}

/* Both axes of [N,H,W,C] mixed by matrices [a,H] and [b,W]. */
static gan_val mix(gan_graph *g, gan_val rows, gan_val columns, gan_val x)
{
    static const int rows_first[] = {1, 0, 2, 3}, columns_first[] = {2, 1, 0, 3},
                     back[] = {1, 2, 0, 3};
    int64_t n = gan_dim(g, x, 0), h = gan_dim(g, x, 1), w = gan_dim(g, x, 2), c = gan_dim(g, x, 3);
    int64_t a = gan_dim(g, rows, 0), b = gan_dim(g, columns, 0);
    x = gan_reshape(g, gan_transpose(g, x, rows_first), GAN_SHAPE(h, n * w * c));
    x = gan_reshape(g, gan_matmul(g, rows, x, false, false), GAN_SHAPE(a, n, w, c));
    x = gan_reshape(g, gan_transpose(g, x, columns_first), GAN_SHAPE(w, n * a * c));
    x = gan_reshape(g, gan_matmul(g, columns, x, false, false), GAN_SHAPE(b, n, a, c));
    return gan_transpose(g, x, back);
}

/* --- the warp -------------------------------------------------------------------------------------- */

/* One axis of places on a periodic grid: both neighbours and the share of the second. */
struct place {
    gan_val low, high, share;
};

static struct place place(gan_graph *g, gan_val at, int64_t period)
{
    gan_val u = modulo(g, at, period), next;
    gan_val low = gan_cast(g, gan_cast(g, u, GAN_I32), gan_graph_real(g));
    next = gan_shift(g, low, 1);
    gan_val inside = gan_less(g, next, gan_const(g, (double)period));
    return (struct place){.low = low,
                          .high = gan_select(g, inside, next, gan_const(g, 0)),
                          .share = gan_sub(g, u, low)};
}

/* Pixels (row, column) [N,a,b,1] of x [N,H,W,C]. */
static gan_val pixels(gan_graph *g, gan_val x, gan_val row, gan_val column)
{
    gan_shape s = gan_shape_get(g, x), to = gan_shape_get(g, row);
    int64_t n = s.dim[0], h = s.dim[1], w = s.dim[2], c = s.dim[3];
    gan_val image = gan_reshape(g, count(g, n), GAN_SHAPE(n, 1, 1, 1));
    gan_val inside = gan_add(g, gan_scale(g, row, (double)w), column);
    gan_val index = gan_add(g, gan_scale(g, image, (double)(h * w)), inside);
    index = gan_reshape(g, gan_cast(g, index, GAN_I32), GAN_SHAPE(n * to.dim[1] * to.dim[2]));
    gan_val got = gan_gather(g, gan_reshape(g, x, GAN_SHAPE(n * h * w, c)), index);
    to.dim[3] = c;
    return gan_reshape(g, got, to);
}

static gan_val bilinear(gan_graph *g, gan_val x, gan_val at_y, gan_val at_x)
{
    const struct place py = place(g, at_y, gan_dim(g, x, 1)), px = place(g, at_x, gan_dim(g, x, 2));
    gan_val side[2];
    for (int k = 0; k < 2; k++) {
        gan_val row = k == 0 ? py.low : py.high;
        gan_val left = pixels(g, x, row, px.low), right = pixels(g, x, row, px.high);
        side[k] = gan_add(g, left, gan_mul(g, px.share, gan_sub(g, right, left)));
    }
    return gan_add(g, side[0], gan_mul(g, py.share, gan_sub(g, side[1], side[0])));
}

/* a x + b y + c */
static gan_val along(gan_graph *g, gan_val a, gan_val x, gan_val b, gan_val y, gan_val c)
{
    return gan_add(g, gan_add(g, gan_mul(g, a, x), gan_mul(g, b, y)), c);
}

/* Output pixels on the grid of half pixels, from the centre: o/2 - MARGIN. */
static gan_val half_pixels(gan_graph *g, int64_t n, gan_shape shape)
{
    gan_val t = gan_scale(g, count(g, 2 * n + 4 * MARGIN), 0.5);
    return gan_reshape(g, gan_shift(g, t, -MARGIN - (double)(n - 1) / 2), shape);
}

/* Images first .. first+n-1 of each part of the map. */
static struct gan_affine part_of(gan_graph *g, const struct gan_affine *m, int64_t first, int64_t n)
{
    const gan_val all[] = {m->xx, m->xy, m->x0, m->yx, m->yy, m->y0};
    gan_val some[6];
    for (int i = 0; i < 6; i++) {
        bool one = gan_shape_get(g, all[i]).rank == 0 || gan_dim(g, all[i], 0) == 1;
        some[i] = one ? all[i] : gan_slice_axis(g, all[i], 0, first, n);
    }
    return (struct gan_affine){some[0], some[1], some[2], some[3], some[4], some[5]};
}

static gan_val warp(gan_graph *g, gan_val x, const struct gan_affine *m)
{
    gan_shape s = gan_shape_get(g, x);
    int64_t h = s.dim[1], w = s.dim[2];
    gan_val gy = half_pixels(g, h, GAN_SHAPE(1, 2 * h + 4 * MARGIN, 1, 1));
    gan_val gx = half_pixels(g, w, GAN_SHAPE(1, 1, 2 * w + 4 * MARGIN, 1));
    gan_val zero = gan_fill(g, 0, GAN_SHAPE(s.dim[0], 2 * h + 4 * MARGIN, 2 * w + 4 * MARGIN, 1));
    gan_val to_x = gan_shift(g, along(g, m->xx, gx, m->xy, gy, m->x0), (double)(w - 1) / 2);
    gan_val to_y = gan_shift(g, along(g, m->yx, gx, m->yy, gy, m->y0), (double)(h - 1) / 2);
    to_x = gan_stop(g, gan_add(g, gan_scale(g, to_x, 2), zero));
    to_y = gan_stop(g, gan_add(g, gan_scale(g, to_y, 2), zero));
    x = mix(g, upsampler(g, h), upsampler(g, w), x);
    return mix(g, downsampler(g, h), downsampler(g, w), bilinear(g, x, to_y, to_x));
}

gan_val gan_warp_wavelet(gan_graph *g, gan_val x, const struct gan_affine *from)
{
    gan_shape s = gan_shape_get(g, x);
    if (!gan_ok(x)) {
        return GAN_NONE;
    }
    if (s.rank != 4) {
        return gan_graph_fail(g, GAN_E_SHAPE, "a warp changes images [N,H,W,C], got rank %d",
                              (int)s.rank);
    }
    int64_t each = period_of(s.dim[1]) * period_of(s.dim[2]);
    if (each > MAX_PIXELS) { /* places are counted in f32 */
        return gan_graph_fail(g, GAN_E_SHAPE, "a warp of %lld x %lld pixels, at most 1024 x 1024",
                              (long long)s.dim[1], (long long)s.dim[2]);
    }
    int64_t most = MAX_PIXELS / each, done = 0;
    gan_val out = GAN_NONE;
    while (done < s.dim[0]) {
        int64_t n = s.dim[0] - done < most ? s.dim[0] - done : most;
        const struct gan_affine m = part_of(g, from, done, n);
        gan_val some = n == s.dim[0] ? x : gan_slice_axis(g, x, 0, done, n);
        const gan_val both[] = {out, warp(g, some, &m)};
        out = done == 0 ? both[1] : gan_concat(g, both, 2, 0);
        done += n;
    }
    return out;
}

/* --- bands ----------------------------------------------------------------------------------------- */

/* [n,n]: l on every d-th pixel. */
static gan_val low_pass(gan_graph *g, int64_t n, int d)
{
    static const struct {
        int at;
        double tap;
    } l[] = {{-3, -1}, {-1, 9}, {0, 16}, {1, 9}, {3, -1}};
    gan_val sum = GAN_NONE, row = count(g, n);
    for (size_t i = 0; i < sizeof l / sizeof *l; i++) {
        gan_val from = reflected(g, gan_shift(g, row, l[i].at * d), n);
        gan_val tap = gan_scale(g, ones_at(g, from, n), l[i].tap / 32);
        sum = i == 0 ? tap : gan_add(g, sum, tap);
    }
    return sum;
}

/* [N,n,n]: what the filters of images with gains [N,4] do to one axis. */
static gan_val filters(gan_graph *g, gan_val gains, int64_t n)
{
    const gan_val low1 = low_pass(g, n, 1), low2 = low_pass(g, n, 2), low4 = low_pass(g, n, 4);
    gan_val rest[3], band[4], one = ones_at(g, count(g, n), n);
    rest[0] = low1;
    rest[1] = gan_matmul(g, low2, rest[0], false, false);
    rest[2] = gan_matmul(g, low4, rest[1], false, false);
    band[0] = rest[2];
    band[1] = gan_sub(g, rest[1], rest[2]);
    band[2] = gan_sub(g, rest[0], rest[1]);
    band[3] = gan_sub(g, one, rest[0]);
    for (int i = 0; i < 4; i++) {
        band[i] = gan_reshape(g, band[i], GAN_SHAPE(1, n * n));
    }
    gan_val all = gan_matmul(g, gains, gan_concat(g, band, 4, 0), false, false);
    return gan_reshape(g, all, GAN_SHAPE(-1, n, n));
}

gan_val gan_filter_bands(gan_graph *g, gan_val x, gan_val gains)
{
    static const int turn[] = {0, 2, 1, 3};
    gan_shape s = gan_shape_get(g, x), k = gan_shape_get(g, gains);
    if (!gan_ok(x) || !gan_ok(gains)) {
        return GAN_NONE;
    }
    if (s.rank != 4 || k.rank != 2 || k.dim[0] != s.dim[0] || k.dim[1] != 4) {
        return gan_graph_fail(g, GAN_E_SHAPE,
                              "a filter of bands takes images [N,H,W,C] and gains [N,4]");
    }
    int64_t n = s.dim[0], h = s.dim[1], w = s.dim[2], c = s.dim[3];
    gan_val rows = gan_stop(g, filters(g, gains, h)), columns = gan_stop(g, filters(g, gains, w));
    x = gan_matmul(g, rows, gan_reshape(g, x, GAN_SHAPE(n, h, w * c)), false, false);
    x = gan_transpose(g, gan_reshape(g, x, s), turn);
    x = gan_matmul(g, columns, gan_reshape(g, x, GAN_SHAPE(n, w, h * c)), false, false);
    return gan_transpose(g, gan_reshape(g, x, GAN_SHAPE(n, w, h, c)), turn);
}

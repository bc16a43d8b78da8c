/* augment_ada.c: the changes of adaptive discriminator augmentation, each made with probability p.
 *
 * Karras et al. 2020, "Training generative adversarial networks with limited data",
 * arXiv:2006.06676, appendix B; constants of the authors' code. Angles are drawn as directions of
 * normal pairs. As long as p stays below about .8, which changes are made can be told from the set of
 * all seen images, so the generator does not learn them. */
#include <gan/augment.h>

#include <math.h>

/* One call: p is the probability, [N,1,1,1] numbers come from draws. */
struct call {
    gan_graph *g;
    const struct gan_draws *d;
    gan_val p; /* of the group that is being made */
    gan_val zero, one;
    int64_t n;
};

static gan_val uniform(const struct call *c, const char *name)
{
    return gan_stop(c->g, c->d->uniform(c->d->user, name, GAN_SHAPE(c->n, 1, 1, 1)));
}

static gan_val normal(const struct call *c, const char *name)
{
    return gan_stop(c->g, c->d->normal(c->d->user, name, GAN_SHAPE(c->n, 1, 1, 1)));
}

/* v where this image is changed, else what changes nothing. */
static gan_val maybe(const struct call *c, const char *name, gan_val p, gan_val v, gan_val nothing)
{
    return gan_select(c->g, gan_less(c->g, uniform(c, name), p), v, nothing);
}

/* 2^(deviation N(0,1)), or 1. */
static gan_val factor(const struct call *c, const char *name, const char *gate, double deviation)
{
    gan_val power = gan_scale(c->g, normal(c, name), deviation * log(2));
    return maybe(c, gate, c->p, gan_exp(c->g, power), c->one);
}

struct turn {
    gan_val cosine, sine;
};

/* A turn by any angle, or none. */
static struct turn turn(const struct call *c, const char *x, const char *y, const char *gate,
                        gan_val p)
{
    const double tiny = 1e-30; /* two zeros are no direction */
    gan_graph *g = c->g;
    gan_val a = normal(c, x), b = normal(c, y), u = uniform(c, gate);
    gan_val squares = gan_add(g, gan_square(g, a), gan_square(g, b));
    gan_val scale = gan_rsqrt(g, gan_shift(g, squares, tiny));
    gan_val made = gan_less(g, u, p);
    return (struct turn){gan_select(g, made, gan_mul(g, a, scale), c->one),
                         gan_select(g, made, gan_mul(g, b, scale), c->zero)};
}

/* --- geometry: `from` is multiplied on the right, so that the first change is made last ------------ */

static gan_val dot(gan_graph *g, gan_val a, gan_val x, gan_val b, gan_val y)
{
    return gan_add(g, gan_mul(g, a, x), gan_mul(g, b, y));
}

static void multiply(gan_graph *g, struct gan_affine *m, gan_val xx, gan_val xy, gan_val yx,
                     gan_val yy)
{
    const struct gan_affine o = *m;
    m->xx = dot(g, o.xx, xx, o.xy, yx);
    m->xy = dot(g, o.xx, xy, o.xy, yy);
    m->yx = dot(g, o.yx, xx, o.yy, yx);
    m->yy = dot(g, o.yx, xy, o.yy, yy);
}

static void shift(gan_graph *g, struct gan_affine *m, gan_val x, gan_val y)
{
    m->x0 = gan_add(g, m->x0, dot(g, m->xx, x, m->xy, y));
    m->y0 = gan_add(g, m->y0, dot(g, m->yx, x, m->yy, y));
}

static void rotate(gan_graph *g, struct gan_affine *m, const struct turn *t)
{
    multiply(g, m, t->cosine, gan_neg(g, t->sine), t->sine, t->cosine);
}

/* Rounded to the nearest whole number. */
static gan_val rounded(gan_graph *g, gan_val x)
{
    gan_val sign = gan_sign(g, x), size = gan_shift(g, gan_abs(g, x), 0.5);
    return gan_mul(g, sign, gan_cast(g, gan_cast(g, size, GAN_I32), gan_graph_real(g)));
}

/* Mirror, quarter turns, shift by whole pixels. */
static void pixel_moves(const struct call *c, struct gan_affine *m, int64_t h, int64_t w)
{
    gan_graph *g = c->g;
    gan_val half = gan_const(g, 0.5), minus = gan_const(g, -1);
    gan_val side = gan_select(g, gan_less(g, uniform(c, "flip"), half), minus, c->one);
    multiply(g, m, maybe(c, "flip.gate", c->p, side, c->one), c->zero, c->zero, c->one);
    gan_val u = uniform(c, "quarter"); /* quarters of (0,1): 0, 90, 180, 270 degrees */
    gan_val early = gan_less(g, u, half);
    gan_val odd = gan_less(g, gan_const(g, 0.25), gan_select(g, early, u, gan_shift(g, u, -0.5)));
    gan_val size = gan_select(g, early, c->one, minus);
    gan_val gate = gan_less(g, uniform(c, "quarter.gate"), h == w ? c->p : c->zero);
    struct turn t = {gan_select(g, odd, c->zero, size), gan_select(g, odd, size, c->zero)};
    t.cosine = gan_select(g, gate, t.cosine, c->one);
    t.sine = gan_select(g, gate, t.sine, c->zero);
    rotate(g, m, &t);
    gan_val dx = gan_scale(g, gan_shift(g, uniform(c, "shift.x"), -0.5), 0.25 * (double)w);
    gan_val dy = gan_scale(g, gan_shift(g, uniform(c, "shift.y"), -0.5), 0.25 * (double)h);
    gan_val made = gan_less(g, uniform(c, "shift.gate"), c->p);
    shift(g, m, gan_select(g, made, rounded(g, dx), c->zero),
          gan_select(g, made, rounded(g, dy), c->zero));
}

/* Scale, rotation, aspect, rotation, shift by any part of a pixel. */
static void free_moves(const struct call *c, struct gan_affine *m, int64_t h, int64_t w)
{
    gan_graph *g = c->g;
    gan_val one = c->one, s = factor(c, "scale", "scale.gate", 0.2);
    s = gan_div(g, one, s);
    multiply(g, m, s, c->zero, c->zero, s);
    gan_val rest = gan_clamp(g, gan_shift(g, gan_neg(g, c->p), 1), 0, 1);
    gan_val p = gan_shift(g, gan_neg(g, gan_sqrt(g, rest)), 1);
    struct turn t = turn(c, "turn.x", "turn.y", "turn.gate", p);
    rotate(g, m, &t);
    gan_val a = factor(c, "aspect", "aspect.gate", 0.2);
    multiply(g, m, gan_div(g, one, a), c->zero, c->zero, a);
    t = turn(c, "turn2.x", "turn2.y", "turn2.gate", p);
    rotate(g, m, &t);
    gan_val dx = gan_scale(g, normal(c, "part.x"), 0.125 * (double)w);
    gan_val dy = gan_scale(g, normal(c, "part.y"), 0.125 * (double)h);
    gan_val made = gan_less(g, uniform(c, "part.gate"), c->p);
    shift(g, m, gan_select(g, made, dx, c->zero), gan_select(g, made, dy, c->zero));
}

/* --- colour ------------------------------------------------------------------------------------------ */

/* x turned about the gray axis v = (1,1,1)/sqrt 3: x cos + (v x x) sin + gray (1 - cos). */
static gan_val hue(const struct call *c, gan_val x)
{
    gan_graph *g = c->g;
    const struct turn t = turn(c, "hue.x", "hue.y", "hue.gate", c->p);
    gan_val red = gan_slice_axis(g, x, 3, 0, 1), rest = gan_slice_axis(g, x, 3, 1, 2);
    gan_val blue = gan_slice_axis(g, x, 3, 2, 1), first = gan_slice_axis(g, x, 3, 0, 2);
    const gan_val after[] = {rest, red}, before[] = {blue, first}; /* (g,b,r), (b,r,g) */
    gan_val cross = gan_sub(g, gan_concat(g, before, 2, 3), gan_concat(g, after, 2, 3));
    gan_val gray = gan_mean(g, x, GAN_AXIS(3), true);
    gan_val turned = gan_mul(g, gan_sub(g, x, gray), t.cosine);
    gan_val across = gan_mul(g, gan_scale(g, cross, 1 / sqrt(3.0)), t.sine);
    return gan_add(g, gan_add(g, gray, turned), across);
}

static gan_val colors(const struct call *c, gan_val x)
{
    gan_graph *g = c->g;
    gan_val light = gan_scale(g, normal(c, "brightness"), 0.2);
    x = gan_add(g, x, maybe(c, "brightness.gate", c->p, light, c->zero));
    x = gan_mul(g, x, factor(c, "contrast", "contrast.gate", 0.5));
    gan_val gray = gan_mean(g, x, GAN_AXIS(3), true);
    gan_val two =
        gan_select(g, gan_less(g, uniform(c, "luma"), gan_const(g, 0.5)), gan_const(g, 2), c->zero);
    x = gan_sub(g, x, gan_mul(g, gray, maybe(c, "luma.gate", c->p, two, c->zero)));
    if (gan_dim(g, x, 3) == 1) {
        return x;
    }
    x = hue(c, x);
    gray = gan_mean(g, x, GAN_AXIS(3), true);
    gan_val s = factor(c, "saturation", "saturation.gate", 1);
    return gan_add(g, gray, gan_mul(g, gan_sub(g, x, gray), s));
}

/* --- frequencies and corruptions ---------------------------------------------------------------------- */

/* Gains [N,4] of the bands, one after the other amplified and brought back to the power that an image
 * of spectrum (10 1 1 1)/13 had. */
static gan_val band_gains(const struct call *c)
{
    static const char *const names[4] = {"band0", "band1", "band2", "band3"};
    static const char *const gates[4] = {"band0.gate", "band1.gate", "band2.gate", "band3.gate"};
    gan_graph *g = c->g;
    gan_val all[4] = {c->one, c->one, c->one, c->one};
    for (int i = 0; i < 4; i++) {
        double share = (i == 0 ? 10 : 1) / 13.0;
        gan_val t = factor(c, names[i], gates[i], 1);
        gan_val power = gan_shift(g, gan_scale(g, gan_square(g, t), share), 1 - share);
        gan_val even = gan_rsqrt(g, power);
        for (int k = 0; k < 4; k++) {
            gan_val gain = k == i ? gan_mul(g, t, even) : even;
            all[k] = gan_mul(g, all[k], gain);
        }
    }
    return gan_reshape(g, gan_concat(g, all, 4, 3), GAN_SHAPE(c->n, 4));
}

static gan_val noise(const struct call *c, gan_val x)
{
    gan_graph *g = c->g;
    gan_val size = gan_scale(g, gan_abs(g, normal(c, "noise.size")), 0.1);
    gan_val pixels = gan_stop(g, c->d->normal(c->d->user, "noise.pixels", gan_shape_get(g, x)));
    return gan_add(g, x, gan_mul(g, pixels, maybe(c, "noise.gate", c->p, size, c->zero)));
}

/* 1 inside: pixels of an axis of n that lie less than size/2 from the centre, both in parts of it. */
static gan_val within(const struct call *c, const char *center, gan_val size, int64_t n,
                      gan_shape shape)
{
    gan_graph *g = c->g;
    gan_val at = gan_cast(g, gan_iota(g, n), gan_graph_real(g));
    at = gan_scale(g, gan_shift(g, gan_reshape(g, at, shape), 0.5), 1.0 / (double)n);
    gan_val gap = gan_abs(g, gan_sub(g, at, uniform(c, center)));
    gan_val inside = gan_less(g, gap, gan_scale(g, size, 0.5));
    return gan_select(g, inside, gan_const(g, 1), gan_const(g, 0));
}

static gan_val cutout(const struct call *c, gan_val x)
{
    gan_graph *g = c->g;
    int64_t h = gan_dim(g, x, 1), w = gan_dim(g, x, 2);
    gan_val size = maybe(c, "cutout.gate", c->p, gan_scale(g, c->one, 0.5), c->zero);
    gan_val rows = within(c, "cutout.y", size, h, GAN_SHAPE(1, h, 1, 1));
    gan_val columns = within(c, "cutout.x", size, w, GAN_SHAPE(1, 1, w, 1));
    gan_val kept = gan_shift(g, gan_neg(g, gan_mul(g, rows, columns)), 1);
    return gan_mul(g, x, kept);
}

/* --- all -------------------------------------------------------------------------------------------- */

/* The call for a group of this strength. */
static struct call with(const struct call *c, gan_val p, double strength)
{
    struct call out = *c;
    out.p = strength < 1 ? gan_scale(c->g, p, strength) : p;
    return out;
}

gan_val gan_augment_ada(gan_graph *g, gan_val x, gan_val p, const struct gan_ada *set,
                        const struct gan_draws *d)
{
    gan_shape s = gan_shape_get(g, x);
    if (!gan_ok(x)) {
        return x;
    }
    if (s.rank != 4 || (s.dim[3] != 1 && s.dim[3] != 3)) {
        return gan_graph_fail(g, GAN_E_SHAPE,
                              "adaptive augmentation changes images of 1 or 3 channels");
    }
    const struct call all = {.g = g,
                             .d = d,
                             .zero = gan_fill(g, 0, GAN_SHAPE(s.dim[0], 1, 1, 1)),
                             .one = gan_fill(g, 1, GAN_SHAPE(s.dim[0], 1, 1, 1)),
                             .n = s.dim[0]};
    p = gan_stop(g, p);
    struct gan_affine from = {all.one, all.zero, all.zero, all.zero, all.one, all.zero};
    const struct call blit = with(&all, p, set->blit), geom = with(&all, p, set->geom);
    if (set->blit > 0) {
        pixel_moves(&blit, &from, s.dim[1], s.dim[2]);
    }
    if (set->geom > 0) {
        free_moves(&geom, &from, s.dim[1], s.dim[2]);
    }
    x = set->blit > 0 || set->geom > 0 ? gan_warp_wavelet(g, x, &from) : x;
    const struct call color = with(&all, p, set->color), filter = with(&all, p, set->filter);
    const struct call grain = with(&all, p, set->noise), cut = with(&all, p, set->cutout);
    x = set->color > 0 ? colors(&color, x) : x;
    x = set->filter > 0 ? gan_filter_bands(g, x, band_gains(&filter)) : x;
    x = set->noise > 0 ? noise(&grain, x) : x;
    return set->cutout > 0 ? cutout(&cut, x) : x;
}

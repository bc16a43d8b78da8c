/* plain_landscape.c: what pictures of two-dimensional runs show of the model plain: D at any point
 * and the loss whose slope the fakes follow, for every objective. Nothing is written: losses that
 * keep numbers read the newest ones. */
#include "plain.h"

enum { GROUP = 32, MOST_GROUPS = 32 };

struct view {
    gan_step *s;
    const struct gan__plain *o;
    gan_val label; /* of the batch, where networks know it */
};

/* --- what losses may ask for --------------------------------------------------------------------- */

static gan_val kept(void *view, const char *name, double initial)
{
    return gan_kept(((struct view *)view)->s, name, gan_shape_scalar(), initial);
}

static gan_val decode(void *view, gan_val outputs)
{
    return gan_apply(((struct view *)view)->s, "dec", outputs);
}

/* Pictures show the means of what is drawn. */
static gan_val mean_normal(void *view, const char *name, gan_shape shape)
{
    (void)name;
    return gan_fill(gan_step_graph(((struct view *)view)->s), 0, shape);
}

static void ignore(void *view, const char *name, gan_val value)
{
    (void)view;
    (void)name;
    (void)value;
}

/* --- the picture ----------------------------------------------------------------------------------- */

/* Each sample judged for itself: a D of packed samples sees it `pack` times. */
static gan_val alone(const struct view *v, gan_val x)
{
    gan_val packed = x;
    for (int64_t i = 1; i < v->o->net.pack; i++) {
        const gan_val both[2] = {packed, x};
        packed = gan_concat(gan_step_graph(v->s), both, 2, 3);
    }
    return packed;
}

/* Rows seen as a table of a times b, read by its columns. */
static gan_val regroup(gan_graph *g, gan_val x, int64_t a, int64_t b)
{
    static const int swapped[] = {1, 0, 2};
    gan_shape s = gan_shape_get(g, x);
    gan_val y = gan_transpose(g, gan_reshape(g, x, GAN_SHAPE(a, b, -1)), swapped);
    return gan_reshape(g, y, s);
}

/* Distances between all points are taken GROUP points at a time, of every part of the plane: they
 * cost the square of their number. */
static gan_val judge_groups(const struct view *v, gan_val x)
{
    gan_graph *g = gan_step_graph(v->s);
    gan_val on[MOST_GROUPS];
    int64_t n = gan_dim(g, x, 0), groups = n / GROUP;
    x = regroup(g, x, GROUP, groups);
    for (int64_t k = 0; k < groups; k++) {
        gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
        const gan_val in[GAN_NET_MAX_IN] = {gan_slice_axis(g, x, 0, k * GROUP, GROUP)};
        gan_apply_all(v->s, "disc", in, out);
        on[k] = out[0];
    }
    return regroup(g, gan_concat(g, on, (int)groups, 0), groups, GROUP);
}

static gan_val judge_as(const struct view *v, gan_val x, gan_val label)
{
    int64_t n = gan_dim(gan_step_graph(v->s), x, 0);
    if (v->o->net.minibatch == GAN__MINIBATCH_DISCRIMINATION && !gan_ok(label) && n % GROUP == 0 &&
        n / GROUP <= MOST_GROUPS) {
        return judge_groups(v, x);
    }
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    const gan_val in[GAN_NET_MAX_IN] = {x, label};
    gan_apply_all(v->s, "disc", in, out);
    return out[0];
}

static gan_val judge(const struct view *v, gan_val x)
{
    return judge_as(v, x, v->label);
}

/* Points have no class: the mean over all of them. */
static gan_val judge_points(const struct view *v, gan_val x)
{
    gan_graph *g = gan_step_graph(v->s);
    int64_t classes = v->o->net.cond != GAN__COND_NONE ? v->o->net.task.classes : 0;
    gan_val sum = classes > 0 ? GAN_NONE : judge(v, x);
    for (int64_t y = 0; y < classes; y++) {
        gan_val label = gan_fill(g, (double)y, GAN_SHAPE(gan_dim(g, x, 0)));
        gan_val on = judge_as(v, x, gan_cast(g, label, GAN_I32));
        sum = y == 0 ? on : gan_add(g, sum, on);
    }
    return classes > 0 ? gan_scale(g, sum, 1 / (double)classes) : sum;
}

/* The same fakes in another order, i beside i + half of them: a second batch, all but independent. */
static gan_val halves_swapped(gan_graph *g, gan_val x)
{
    int64_t n = gan_dim(g, x, 0), half = n / 2;
    const gan_val parts[2] = {gan_slice_axis(g, x, 0, half, n - half),
                              gan_slice_axis(g, x, 0, 0, half)};
    return gan_concat(g, parts, 2, 0);
}

struct gan_landscape gan__plain_landscape(gan_step *s, const struct gan__plain *o, gan_val fake,
                                          gan_val points)
{
    struct view v = {s, o, gan__plain_label(s, o)};
    gan_graph *g = gan_step_graph(s);
    struct gan_landscape l = {.value = judge_points(&v, alone(&v, points)), .fake = fake};
    struct gan_loss_context c = {.g = g,
                                 .params = &o->labels,
                                 .kept = kept,
                                 .keep = ignore,
                                 .decode = decode,
                                 .normal = mean_normal,
                                 .report = ignore,
                                 .user = &v};
    c.real = alone(&v, gan_batch(s, GAN_FIELD_IMAGE));
    c.on_real = judge(&v, c.real);
    c.fake[0] = alone(&v, fake);
    c.on_fake[0] = judge(&v, c.fake[0]);
    if (gan__plain_loss_needs(o, GAN_LOSS_TWO_FAKES)) {
        c.fake[1] = alone(&v, halves_swapped(g, fake));
        c.on_fake[1] = judge(&v, c.fake[1]);
    }
    if (o->loss->witness != NULL) {
        l.value = o->loss->witness(&c, l.value);
    }
    l.loss = o->loss->gen(&c);
    return l;
}

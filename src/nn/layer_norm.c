/* layer_norm.c: batch, instance, layer and group normalisation: each is gan_normalize over other
 * axes, then scale and offset per channel. Running statistics follow PyTorch: the biased variance
 * normalises, the unbiased one is averaged.
 *
 * Ref: Ioffe and Szegedy 2015, arXiv:1502.03167; Ulyanov et al. 2016, arXiv:1607.08022; Ba et al.
 * 2016, arXiv:1607.06450; Wu and He 2018, arXiv:1803.08494; conditional: Dumoulin et al. 2016,
 * arXiv:1610.07629. */
#include "net.h"

static const double default_eps = 1e-5, default_momentum = 0.1; /* as PyTorch */

static double eps_of(const struct gan_norm *o)
{
    return o->eps > 0 ? o->eps : default_eps;
}

static bool is_affine(const struct gan_norm *o, bool otherwise)
{
    return o->affine == GAN_DEFAULT ? otherwise : o->affine == GAN_YES;
}

static bool check_rank(gan_nn *nn, const char *what, const char *name, gan_val x, bool images_only)
{
    gan_shape s = gan_shape_get(nn->g, x);
    char text[96];
    if (!gan_ok(x)) {
        return false;
    }
    if (s.rank != 4 && (images_only || s.rank != 2)) {
        gan_graph_fail(nn->g, GAN_E_SHAPE, "%s norm %s/%s: input is %s, expected %s[N,H,W,C]", what,
                       nn->net->name, name, gan_shape_text(&s, text, sizeof text),
                       images_only ? "" : "[N,C] or ");
        return false;
    }
    return true;
}

/* Mean and variance kept between runs; autodiff stops at them. */
struct running {
    gan_val mean, var;
};

static struct running running_of(gan_nn *nn, const char *name, int64_t channels)
{
    struct gan_param_spec spec = {.layer = name, .shape = GAN_SHAPE(channels)};
    struct running r;
    spec.name = "running_mean";
    spec.role = GAN_ROLE_MEAN;
    r.mean = gan_stop(nn->g, gan_nn_param(nn, &spec));
    spec.name = "running_var";
    spec.role = GAN_ROLE_VAR;
    r.var = gan_stop(nn->g, gan_nn_param(nn, &spec));
    return r;
}

/* old + momentum (batch - old), except where that is not finite. */
static gan_val blend(gan_graph *g, gan_val old, gan_val batch, double momentum)
{
    batch = gan_stop(g, gan_reshape(g, batch, gan_shape_get(g, old)));
    gan_val v = gan_add(g, gan_scale(g, old, 1 - momentum), gan_scale(g, batch, momentum));
    return gan_select(g, gan_isfinite(g, v), v, old);
}

/* Next versions of the running statistics; var is the biased one over `count` elements. */
static void update_running(gan_nn *nn, const char *name, const struct gan_norm *o, struct running r,
                           gan_val mean, gan_val var, int64_t count)
{
    gan_graph *g = nn->g;
    double momentum = o->momentum > 0 ? o->momentum : default_momentum;
    if (nn->mode != GAN_TRAIN) {
        return;
    }
    if (count < 2) {
        gan_graph_fail(g, GAN_E_SHAPE,
                       "norm %s/%s in training: one value per channel has no unbiased variance",
                       nn->net->name, name);
        return;
    }
    gan_val unbiased = gan_scale(g, var, (double)count / (double)(count - 1));
    gan_nn_update(nn, name, "running_mean", blend(g, r.mean, mean, momentum));
    gan_nn_update(nn, name, "running_var", blend(g, r.var, unbiased, momentum));
}

/* (x - mean)/sqrt(var + eps) with the running statistics. */
static gan_val normalise_by(gan_graph *g, gan_val x, struct running r, double eps)
{
    gan_val inverse = gan_rsqrt(g, gan_shift(g, r.var, eps));
    return gan_mul(g, gan_sub(g, x, r.mean), inverse);
}

/* By the statistics of the batch, or in GAN_EVAL by the running ones. */
static gan_val batch_hat(gan_nn *nn, const char *name, gan_val x, const struct gan_norm *o)
{
    gan_graph *g = nn->g;
    gan_shape s = gan_shape_get(g, x);
    int64_t channels = s.dim[s.rank - 1];
    struct running r = running_of(nn, name, channels);
    if (nn->mode == GAN_EVAL) {
        return normalise_by(g, x, r, eps_of(o));
    }
    uint32_t axes = (GAN_AXIS(s.rank - 1)) - 1; /* all but the last */
    struct gan_normalized n = gan_normalize(g, x, axes, eps_of(o));
    update_running(nn, name, o, r, n.mean, n.var, gan_shape_count(&s) / channels);
    return n.x_hat;
}

gan_val gan_batch_norm(gan_nn *nn, const char *name, gan_val x, struct gan_norm o)
{
    gan_graph *g = nn->g;
    if (!check_rank(nn, "batch", name, x, false)) {
        return GAN_NONE;
    }
    gan_scope_push(g, name);
    gan_val y = batch_hat(nn, name, x, &o);
    if (is_affine(&o, true)) {
        y = gan__nn_affine(nn, name, y, o.init);
    }
    gan_scope_pop(g);
    return y;
}

/* Row `idx` of a table [classes,C], shaped to multiply x. */
static gan_val row_of_class(gan_nn *nn, const char *name, const char *table, enum gan_role role,
                            gan_val x, gan_val idx, int64_t classes, const char *init)
{
    gan_graph *g = nn->g;
    gan_shape s = gan_shape_get(g, x);
    int64_t channels = s.dim[s.rank - 1];
    gan_val rows =
        gan_gather(g,
                   gan_nn_param(nn, &(struct gan_param_spec){.layer = name,
                                                             .name = table,
                                                             .role = role,
                                                             .shape = GAN_SHAPE(classes, channels),
                                                             .init = init}),
                   idx);
    return s.rank == 4 ? gan_reshape(g, rows, GAN_SHAPE(s.dim[0], 1, 1, channels)) : rows;
}

gan_val gan_conditional_batch_norm(gan_nn *nn, const char *name, gan_val x, gan_val idx,
                                   int64_t classes, struct gan_norm o)
{
    gan_graph *g = nn->g;
    if (!check_rank(nn, "conditional batch", name, x, false) || !gan_ok(idx)) {
        return GAN_NONE;
    }
    gan_scope_push(g, name);
    gan_val y = batch_hat(nn, name, x, &o);
    gan_val scale = row_of_class(nn, name, "weight", GAN_ROLE_SCALE, x, idx, classes, o.init);
    gan_val offset = row_of_class(nn, name, "bias", GAN_ROLE_OFFSET, x, idx, classes, NULL);
    y = gan_add(g, gan_mul(g, y, scale), offset);
    gan_scope_pop(g);
    return y;
}

gan_val gan_instance_norm(gan_nn *nn, const char *name, gan_val x, struct gan_norm o)
{
    gan_graph *g = nn->g;
    if (!check_rank(nn, "instance", name, x, true)) {
        return GAN_NONE;
    }
    gan_scope_push(g, name);
    struct running r = {GAN_NONE, GAN_NONE};
    if (o.running) {
        r = running_of(nn, name, gan_dim(g, x, 3));
    }
    gan_val y;
    if (o.running && nn->mode == GAN_EVAL) {
        y = normalise_by(g, x, r, eps_of(&o));
    } else {
        struct gan_normalized n = gan_normalize(g, x, GAN_AXIS(1) | GAN_AXIS(2), eps_of(&o));
        y = n.x_hat;
        if (o.running) {
            update_running(nn, name, &o, r, gan_mean(g, n.mean, GAN_AXIS(0), true),
                           gan_mean(g, n.var, GAN_AXIS(0), true),
                           gan_dim(g, x, 1) * gan_dim(g, x, 2));
        }
    }
    if (is_affine(&o, false)) {
        y = gan__nn_affine(nn, name, y, o.init);
    }
    gan_scope_pop(g);
    return y;
}

gan_val gan_layer_norm(gan_nn *nn, const char *name, gan_val x, struct gan_norm o)
{
    gan_graph *g = nn->g;
    if (!check_rank(nn, "layer", name, x, false)) {
        return GAN_NONE;
    }
    gan_scope_push(g, name);
    uint32_t axes = (GAN_AXIS(gan_shape_get(g, x).rank) - 1) & ~GAN_AXIS(0); /* all but the first */
    gan_val y = gan_normalize(g, x, axes, eps_of(&o)).x_hat;
    if (is_affine(&o, true)) {
        y = gan__nn_affine(nn, name, y, o.init);
    }
    gan_scope_pop(g);
    return y;
}

/* Splits the channels into a trailing pair of axes [groups, channels/groups]. */
static gan_shape split_channels(gan_shape s, int64_t groups)
{
    int64_t channels = s.dim[s.rank - 1];
    s.dim[s.rank - 1] = groups;
    s.dim[s.rank++] = channels / groups;
    return s;
}

gan_val gan_group_norm(gan_nn *nn, const char *name, gan_val x, struct gan_norm o)
{
    gan_graph *g = nn->g;
    if (!check_rank(nn, "group", name, x, false)) {
        return GAN_NONE;
    }
    gan_shape s = gan_shape_get(g, x);
    int64_t channels = s.dim[s.rank - 1];
    if (o.groups < 1 || channels % o.groups != 0) {
        return gan_graph_fail(g, GAN_E_SHAPE, "group norm %s/%s: %lld channels in %lld groups",
                              nn->net->name, name, (long long)channels, (long long)o.groups);
    }
    gan_scope_push(g, name);
    gan_val split = gan_reshape(g, x, split_channels(s, o.groups));
    uint32_t within = GAN_AXIS(s.rank); /* the channels of a group */
    uint32_t axes = s.rank == 4 ? within | GAN_AXIS(1) | GAN_AXIS(2) : within;
    gan_val y = gan_reshape(g, gan_normalize(g, split, axes, eps_of(&o)).x_hat, s);
    if (is_affine(&o, true)) {
        y = gan__nn_affine(nn, name, y, o.init);
    }
    gan_scope_pop(g);
    return y;
}

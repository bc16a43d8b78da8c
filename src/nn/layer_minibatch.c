/* layer_minibatch.c: layers that let a discriminator see a batch at once: a generator that always
 * makes the same sample then gives itself away.
 *
 * Minibatch discrimination counts close neighbours in a learned projection, Salimans et al. 2016,
 * arXiv:1606.03498, section 3.2, with the weight norm of openai/improved-gan; minibatch standard
 * deviation is Karras et al. 2017, arXiv:1710.10196, section 3. */
#include "net.h"

static const double self_distance = 1e6; /* exp(-1e6) is 0: nobody is one's own neighbour */
static const double variance_floor = 1e-8;

enum { LARGEST_GROUP = 4 };

/* [M,1,1,1,1] -> [N,H,W,1] or [N,1]: sample g*M + m reads row m. */
static gan_val spread(gan_graph *g, gan_val deviation, const gan_shape *s, int64_t group)
{
    int64_t h = s->rank == 4 ? s->dim[1] : 1, w = s->rank == 4 ? s->dim[2] : 1;
    int64_t n = s->dim[0], rows = n / group;
    gan_val y = gan_reshape(g, deviation, GAN_SHAPE(1, rows, 1, 1, 1));
    y = gan_broadcast(g, y, GAN_SHAPE(group, rows, h, w, 1));
    return gan_reshape(g, y, s->rank == 4 ? GAN_SHAPE(n, h, w, 1) : GAN_SHAPE(n, 1));
}

gan_val gan_minibatch_stddev(gan_nn *nn, gan_val x)
{
    gan_graph *g = nn->g;
    gan_shape s = gan_shape_get(g, x);
    char text[96];
    if (!gan_ok(x)) {
        return GAN_NONE;
    }
    int64_t n = s.dim[0], group = n < LARGEST_GROUP ? n : LARGEST_GROUP;
    if ((s.rank != 4 && s.rank != 2) || n % group != 0) {
        return gan_graph_fail(g, n % group != 0 ? GAN_E_ARG : GAN_E_SHAPE,
                              "minibatch deviation in %s: input is %s, expected [N,C] or [N,H,W,C] "
                              "with N below %d or a multiple of it",
                              nn->net->name, gan_shape_text(&s, text, sizeof text), LARGEST_GROUP);
    }
    gan_scope_push(g, "minibatch_stddev");
    gan_val y = gan_reshape(g, x, GAN_SHAPE(group, n / group, -1));
    gan_val centred = gan_sub(g, y, gan_mean(g, y, GAN_AXIS(0), true));
    gan_val variance = gan_mean(g, gan_square(g, centred), GAN_AXIS(0), true);
    gan_val deviation = gan_sqrt(g, gan_shift(g, variance, variance_floor));
    deviation = gan_mean(g, deviation, GAN_AXIS(2), true); /* [1,M,1] */
    const gan_val parts[] = {x, spread(g, deviation, &s, group)};
    y = gan_concat(g, parts, 2, (int)s.rank - 1);
    gan_scope_pop(g);
    return y;
}

/* The projection's weight [B*C,A]: rows of length exp(log_scale). */
static gan_val projection(gan_nn *nn, const char *name, int64_t rows, int64_t in, const char *init)
{
    gan_graph *g = nn->g;
    gan_val v = gan_nn_param(nn, &(struct gan_param_spec){.layer = name,
                                                          .name = "weight",
                                                          .shape = GAN_SHAPE(rows, in),
                                                          .init = init ? init : "normal:0,.05"});
    gan_val scale = gan_nn_param(nn, &(struct gan_param_spec){.layer = name,
                                                              .name = "log_scale",
                                                              .role = GAN_ROLE_OFFSET,
                                                              .shape = GAN_SHAPE(rows)});
    gan_val length = gan_rsqrt(g, gan_sum(g, gan_square(g, v), GAN_AXIS(1), true));
    scale = gan_reshape(g, gan_exp(g, scale), GAN_SHAPE(rows, 1));
    return gan_mul(g, v, gan_mul(g, length, scale));
}

/* [N,N,1]: self_distance on the diagonal, else 0. */
static gan_val diagonal(gan_graph *g, int64_t n)
{
    gan_val rows = gan_reshape(g, gan_iota(g, n), GAN_SHAPE(n, 1));
    gan_val columns = gan_reshape(g, gan_iota(g, n), GAN_SHAPE(1, n));
    gan_val same = gan_cast(g, gan_equal(g, rows, columns), gan_graph_real(g));
    return gan_reshape(g, gan_scale(g, same, self_distance), GAN_SHAPE(n, n, 1));
}

gan_val gan_minibatch_discrimination(gan_nn *nn, const char *name, gan_val x,
                                     struct gan_minibatch_layer o)
{
    gan_graph *g = nn->g;
    gan_shape s = gan_shape_get(g, x);
    char text[96];
    if (!gan_ok(x)) {
        return GAN_NONE;
    }
    int64_t b = o.kernels > 0 ? o.kernels : 100, c = o.dim > 0 ? o.dim : 5;
    if (s.rank != 2) {
        return gan_graph_fail(g, GAN_E_SHAPE,
                              "minibatch discrimination %s/%s: input is %s, expected [N,F]",
                              nn->net->name, name, gan_shape_text(&s, text, sizeof text));
    }
    int64_t n = s.dim[0];
    gan_scope_push(g, name);
    gan_val m = gan_matmul(g, x, projection(nn, name, b * c, s.dim[1], o.init), false, true);
    gan_val difference = gan_sub(g, gan_reshape(g, m, GAN_SHAPE(n, 1, b, c)),
                                 gan_reshape(g, m, GAN_SHAPE(1, n, b, c)));
    gan_val distance = gan_sum(g, gan_abs(g, difference), GAN_AXIS(3), false); /* [N,N,B] */
    gan_val close = gan_exp(g, gan_neg(g, gan_add(g, distance, diagonal(g, n))));
    gan_val count = gan_sum(g, close, GAN_AXIS(1), false);
    count = gan__nn_add_bias(nn, name, count, s.dim[1], "constant:-1");
    const gan_val parts[] = {x, count};
    gan_val y = gan_concat(g, parts, 2, 1);
    gan_scope_pop(g);
    return y;
}

/* layer_lstm.c: one step of a long short-term memory.
 *
 * Ref: Hochreiter and Schmidhuber 1997; Gers et al. 2000 (the forget gate). Names, gate order and the
 * two biases are those of PyTorch's LSTMCell. */
#include "net.h"

/* x W^T + b with weight "NAME.weight_PART" [4 units, F] and bias "NAME.bias_PART". */
static gan_val gates_of(gan_nn *nn, const char *name, const char *part, gan_val x,
                        const struct gan_lstm *o)
{
    gan_graph *g = nn->g;
    gan_val w = gan_nn_param(
        nn, &(struct gan_param_spec){.layer = name,
                                     .name = gan_nn_format(nn, "weight_%s", part),
                                     .shape = GAN_SHAPE(4 * o->units, gan_dim(g, x, 1)),
                                     .fan_in = o->units,
                                     .init = o->init});
    gan_val b =
        gan_nn_param(nn, &(struct gan_param_spec){.layer = name,
                                                  .name = gan_nn_format(nn, "bias_%s", part),
                                                  .role = GAN_ROLE_BIAS,
                                                  .shape = GAN_SHAPE(4 * o->units),
                                                  .fan_in = o->units,
                                                  .init = o->init});
    return gan_add(g, gan_matmul(g, x, w, false, true), b);
}

struct gan_lstm_state gan_lstm(gan_nn *nn, const char *name, gan_val x, struct gan_lstm_state s,
                               struct gan_lstm o)
{
    gan_graph *g = nn->g;
    const struct gan_lstm_state none = {GAN_NONE, GAN_NONE};
    char text[96];
    if (!gan_ok(x) || !gan_ok(s.h) || !gan_ok(s.c)) {
        return none;
    }
    gan_shape want = GAN_SHAPE(gan_dim(g, x, 0), o.units), in = gan_shape_get(g, x);
    gan_shape h = gan_shape_get(g, s.h), c = gan_shape_get(g, s.c);
    if (in.rank != 2 || !gan_shape_equal(&h, &want) || !gan_shape_equal(&c, &want)) {
        gan_graph_fail(
            g, GAN_E_SHAPE, "lstm %s/%s: input is %s, expected [N,F] with states [N,%lld]",
            nn->net->name, name, gan_shape_text(&in, text, sizeof text), (long long)o.units);
        return none;
    }
    gan_scope_push(g, name);
    gan_val all = gan_add(g, gates_of(nn, name, "ih", x, &o), gates_of(nn, name, "hh", s.h, &o));
    gan_val gate[4]; /* input, forget, cell, output */
    for (int i = 0; i < 4; i++) {
        gan_val part = gan_slice_axis(g, all, 1, i * o.units, o.units);
        gate[i] = i == 2 ? gan_tanh(g, part) : gan_sigmoid(g, part);
    }
    struct gan_lstm_state out;
    out.c = gan_add(g, gan_mul(g, gate[1], s.c), gan_mul(g, gate[0], gate[2]));
    out.h = gan_mul(g, gate[3], gan_tanh(g, out.c));
    gan_scope_pop(g);
    return out;
}

/* learned.c: an optimiser that is a recurrent network, the same for every coordinate.
 *
 * A gradient g becomes (max(log(|g| + eps)/k, -1), clamp(e^k g, -1, 1)) with k = 5, since gradients
 * differ by orders of magnitude; two LSTM of 20 units; a linear output, times 0.01.
 * Ref: Andrychowicz et al. 2016, arXiv:1606.04474, section 2.1 and appendix A. */
#include "learned.h"

#include <float.h>
#include <math.h>

static const double log_range = 5, output_scale = 0.01;

/* [N,1] -> [N,2]. */
static gan_val preprocess(gan_graph *g, gan_val grad)
{
    gan_val log = gan_log(g, gan_shift(g, gan_abs(g, grad), (double)FLT_EPSILON));
    gan_val low = gan_const(g, -1);
    const gan_val both[] = {gan_max(g, gan_scale(g, log, 1 / log_range), low),
                            gan_clamp(g, gan_scale(g, grad, exp(log_range)), -1, 1)};
    return gan_concat(g, both, 2, 1);
}

static gan_val part(gan_graph *g, gan_val state, int i)
{
    return gan_slice_axis(g, state, 1, (int64_t)i * GAN__LEARNED_UNITS, GAN__LEARNED_UNITS);
}

void gan__learned(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct gan_lstm lstm = {.units = GAN__LEARNED_UNITS};
    gan_graph *g = gan_nn_graph(nn);
    (void)opts;
    struct gan_lstm_state a = {part(g, in[1], 0), part(g, in[1], 1)};
    struct gan_lstm_state b = {part(g, in[1], 2), part(g, in[1], 3)};
    a = gan_lstm(nn, "lstm1", preprocess(g, in[0]), a, lstm);
    b = gan_lstm(nn, "lstm2", a.h, b, lstm);
    const gan_val state[] = {a.h, a.c, b.h, b.c};
    out[0] =
        gan_scale(g, gan_linear(nn, "linear", b.h, (struct gan_linear){.out = 1, .bias = true}),
                  output_scale);
    out[1] = gan_concat(g, state, 4, 1);
}

struct gan_net_desc gan__learned_desc(void)
{
    return (struct gan_net_desc){
        .name = GAN__LEARNED_NAME,
        .fn = gan__learned,
        .in = {{.shape = GAN_SHAPE(1, 1)}, {.shape = GAN_SHAPE(1, GAN__LEARNED_STATE)}},
        .n_in = 2};
}

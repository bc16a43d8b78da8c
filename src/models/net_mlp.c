/* net_mlp.c: the generator of PyTorch-GAN's `gan`, which autoencoders use as decoder. */
#include "net_mlp.h"

gan_val gan__mlp_image(gan_nn *nn, gan_val flat, const struct gan_task *t)
{
    return gan_unflatten(gan_nn_graph(nn), flat, t->height, t->width, t->channels);
}

gan_val gan__mlp_generator(gan_nn *nn, gan_val z, const struct gan_task *t, int64_t width,
                           double bn_eps)
{
    gan_graph *g = gan_nn_graph(nn);
    gan_val x = gan_linear(nn, "model.0", z, (struct gan_linear){.out = width, .bias = true});
    x = gan_leaky_relu(g, x, 0.2);
    for (int i = 1; i <= 3; i++) {
        x = gan_linear(nn, gan_nn_format(nn, "model.%d", 3 * i - 1), x,
                       (struct gan_linear){.out = width << i, .bias = true});
        x = gan_batch_norm(nn, gan_nn_format(nn, "model.%d", 3 * i), x,
                           (struct gan_norm){.eps = bn_eps});
        x = gan_leaky_relu(g, x, 0.2);
    }
    x = gan_linear(nn, "model.11", x,
                   (struct gan_linear){.out = t->height * t->width * t->channels, .bias = true});
    return gan__mlp_image(nn, x, t);
}

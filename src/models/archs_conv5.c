/* archs_conv5.c: the layers of the WGAN-GP code: kernels of 5 that halve or double an image.
 *
 * TensorFlow's SAME padding of an even extent puts one row before and two after. */
#include "arch.h"

enum { KERNEL = 5 };

gan_val gan__arch_halve5(gan_nn *nn, const char *name, gan_val x, int64_t channels,
                         const char *init, bool spectral)
{
    bool odd = gan_dim(gan_nn_graph(nn), x, 1) % 2 != 0; /* two and two */
    return gan_conv(nn, name, x,
                    (struct gan_conv_layer){.out = channels,
                                            .kernel = KERNEL,
                                            .stride = 2,
                                            .pad = odd ? 2 : 1,
                                            .pad_extra = odd ? 0 : 1,
                                            .bias = true,
                                            .init = init,
                                            .spectral = spectral});
}

gan_val gan__arch_double5(gan_nn *nn, const char *name, gan_val x, int64_t channels,
                          const char *init)
{
    return gan_conv_transpose(nn, name, x,
                              (struct gan_conv_layer){.out = channels,
                                                      .kernel = KERNEL,
                                                      .stride = 2,
                                                      .pad = 1,
                                                      .pad_extra = 1,
                                                      .bias = true,
                                                      .init = init});
}

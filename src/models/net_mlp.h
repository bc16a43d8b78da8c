/* net_mlp.h: multilayer perceptrons that several models share. */
#ifndef GAN_MODELS_NET_MLP_H
#define GAN_MODELS_NET_MLP_H

#include <gan/model.h>

/* The common generator: z -> width, 2, 4, 8 width (leaky ReLU .2, batch norm from the second on) ->
 * image, without its last nonlinearity. Names as PyTorch-GAN `gan`: model.0, model.2, model.3, ... */
gan_val gan__mlp_generator(gan_nn *nn, gan_val z, const struct gan_task *t, int64_t width,
                           double bn_eps);

/* Flat image [N,C*H*W] -> [N,H,W,C] of the task. */
gan_val gan__mlp_image(gan_nn *nn, gan_val flat, const struct gan_task *t);

#endif

/* learned.h: the network that is an optimiser. */
#ifndef GAN_OPTIM_LEARNED_H
#define GAN_OPTIM_LEARNED_H

#include <gan/nn.h>

enum { GAN__LEARNED_UNITS = 20, GAN__LEARNED_STATE = 4 * GAN__LEARNED_UNITS };

/* Its name in stores and checkpoints: entries "opt.lstm1.weight_ih" and so on. */
#define GAN__LEARNED_NAME "opt"

/* in:  gradients [N,1] of N coordinates, their states [N,GAN__LEARNED_STATE]
 * out: what to add to the coordinates [N,1], the next states. All coordinates share the weights. */
void gan__learned(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts);

/* What declares it, `real` aside. */
struct gan_net_desc gan__learned_desc(void);

#endif

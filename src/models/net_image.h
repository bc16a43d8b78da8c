/* net_image.h: networks from images to images and patch discriminators, which translation models
 * share. Layers, order and names of parameters are those of junyanz/pytorch-CycleGAN-and-pix2pix, so
 * weights move both ways. */
#ifndef GAN_MODELS_NET_IMAGE_H
#define GAN_MODELS_NET_IMAGE_H

#include <gan/model.h>

/* Normalisation of a network; with batch norm convolutions in front of it have no bias. */
typedef enum gan__norm_kind {
    GAN__NORM_BATCH,
    GAN__NORM_INSTANCE, /* without scale and offset */
    GAN__NORM_NONE,
} gan__norm_kind;

#define GAN__NORM_KINDS "batch|instance|none"

/* What the networks have in common. */
struct gan__image_net {
    int64_t width; /* channels of the first layer */
    gan__norm_kind norm;
    bool running;   /* batch norm of a sampled image by running statistics, not by its own */
    double dropout; /* probability, 0: none; on in every mode: it is the noise */
    int64_t pad;    /* PatchGAN: zeros around the maps; 0: 1 */
    bool resize;    /* ResNet: enlarged by repetition and a convolution, not by a transposed one */
};

/* The normalisation layer of a network. */
gan_val gan__image_norm(gan_nn *nn, const char *name, gan_val x, const struct gan__image_net *o);

/* Dropout in every mode. */
gan_val gan__image_dropout(gan_nn *nn, const char *name, gan_val x, double p);

/* U-Net of `depth` halvings (8 for 256 pixels down to 1); sides are multiples of 2^depth.
 * Isola et al. 2017, arXiv:1611.07004, appendix. */
gan_val gan__unet(gan_nn *nn, gan_val x, const struct gan__image_net *o, int64_t depth,
                  int64_t out_channels);

/* Two halvings, `blocks` residual blocks, two doublings; sides are multiples of 4.
 * Johnson et al. 2016, arXiv:1603.08155; Zhu et al. 2017, arXiv:1703.10593, appendix. */
gan_val gan__resnet(gan_nn *nn, gan_val x, const struct gan__image_net *o, int64_t blocks,
                    int64_t out_channels);

/* Five halvings, a pyramid of `features` channels with four heads of features/2, which also make the
 * image, before any last nonlinearity; sides are multiples of 32, features of 4. Kupyn et al. 2019,
 * arXiv:1908.03826. */
gan_val gan__fpn(gan_nn *nn, gan_val x, const struct gan__image_net *o, int64_t features,
                 int64_t out_channels);

/* Logits of overlapping patches; receptive field 16, 34, 70, 142, 286 for layers 1..5. */
gan_val gan__patchgan(gan_nn *nn, gan_val x, const struct gan__image_net *o, int64_t layers);

/* Logits of single pixels. */
gan_val gan__pixelgan(gan_nn *nn, gan_val x, const struct gan__image_net *o);

/* Smallest side that a patch discriminator of so many layers takes. */
int64_t gan__patchgan_least(int64_t layers);

/* Kinds of loss on patch logits. */
typedef enum gan__patch_loss {
    GAN__PATCH_VANILLA,
    GAN__PATCH_LSGAN,
    GAN__PATCH_WGAN_GP,
} gan__patch_loss;

#define GAN__PATCH_LOSSES "vanilla|lsgan|wgan-gp"

/* Mean over all patches of the loss that wants them real or fake. */
gan_val gan__patch_loss_of(gan_graph *g, gan__patch_loss kind, gan_val score, bool real);

/* weight E (|d D / d x| - 1)^2 on lines between reals and fakes, D the mean of a discriminator's
 * patches. `beside` goes to it beside the images, the same at both ends: the input of a translation,
 * or GAN_NONE. Gulrajani et al. 2017, arXiv:1704.00028. */
gan_val gan__patch_penalty(gan_step *s, const char *disc, gan_val beside, gan_val real,
                           gan_val fake, double weight);

/* Norm of a discriminator: batch norm mixes samples, which a gradient penalty must not. */
gan__norm_kind gan__patch_norm(gan__norm_kind norm, gan__patch_loss loss);

/* Images side by side, [N,H,n*W,C]: gray ones beside coloured ones become coloured. */
gan_val gan__panels(gan_graph *g, const gan_val *images, int n);

#endif

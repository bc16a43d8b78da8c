/* augment.h: images changed at random, as graph values: derivatives pass through to the images, so
 * a generator can learn from a discriminator that sees only changed ones.
 *
 *     struct gan_draws d = {.uniform = my_uniform, .normal = my_normal, .user = me};
 *     gan_val seen = gan_augment_diff(g, images, GAN_AUGMENT_ALL, &d);
 *
 * Images are [N,H,W,C]; each has its own random numbers. Errors are sticky on the graph.
 * threads: one thread per graph. owns: results belong to the graph. */
#ifndef GAN_AUGMENT_H
#define GAN_AUGMENT_H

#include <gan/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where random numbers come from: a tensor of the stream `name`, from (0,1) or N(0,1). */
struct gan_draws {
    gan_val (*uniform)(void *user, const char *name, gan_shape shape);
    gan_val (*normal)(void *user, const char *name, gan_shape shape);
    void *user;
};

/** Groups of changes, as bits. */
typedef enum gan_augment {
    GAN_AUGMENT_COLOR = 1,       /* brightness, saturation, contrast */
    GAN_AUGMENT_TRANSLATION = 2, /* by up to 1/8 of the side */
    GAN_AUGMENT_CUTOUT = 4,      /* a square of half the side becomes 0 */
    GAN_AUGMENT_ALL = 7
} gan_augment;

/**
 * Differentiable augmentation: brightness + U(-.5,.5); saturation times U(0,2) about the mean of the
 * channels; contrast times U(.5,1.5) about the mean of the image; whole-pixel translation, zeros
 * outside; cutout.
 *
 * in:   x [N,H,W,C]; which: gan_augment bits
 *       streams "brightness", "saturation", "contrast", "cutout.y", "cutout.x" and
 *       "translation.y", "translation.x", each [N,1,1,1]
 * out:  like x
 * grad: any order
 * errors: GAN_E_SHAPE
 * ref:  Zhao et al. 2020, arXiv:2006.10738
 */
GAN_API gan_val gan_augment_diff(gan_graph *g, gan_val x, uint32_t which,
                                 const struct gan_draws *d);

/** Groups of adaptive augmentation: each change of a group is made with probability p times this. */
struct gan_ada {
    double blit;   /* mirror, quarter turns of square images, whole-pixel shift by up to 1/8 */
    double geom;   /* scale, rotation, aspect, rotation, shift */
    double color;  /* brightness, contrast, inversion of the luma, hue, saturation */
    double filter; /* four bands of frequencies, amplified by 2^N(0,1) at constant power */
    double noise;  /* of deviation .1 |N(0,1)| */
    double cutout; /* a rectangle of half the sides becomes 0 */
};

/** The paper's own choice for training, `bgc`. */
#define GAN_ADA_BGC ((struct gan_ada){1, 1, 1, 0, 0, 0})

/**
 * Adaptive augmentation's changes. All that moves pixels is one gan_warp_wavelet, the filter is one
 * gan_filter_bands.
 *
 * in:   x [N,H,W,C], C 1 or 3, about [-1,1]; p real [], treated as a constant; strengths in [0,1]: what
 *       has none makes no nodes and draws nothing
 * out:  like x
 * grad: any order, in x
 * errors: GAN_E_SHAPE
 * ref:  Karras et al. 2020, arXiv:2006.06676, appendix B
 */
GAN_API gan_val gan_augment_ada(gan_graph *g, gan_val x, gan_val p, const struct gan_ada *set,
                                const struct gan_draws *d);

/**
 * Mirrors each image with probability 1/2 and moves it by up to `most` whole pixels each way; rows
 * and columns that come in are 0.
 *
 * in:   streams "flip", "shift.y", "shift.x" [N,1,1,1]
 * grad: any order
 * errors: GAN_E_SHAPE
 */
GAN_API gan_val gan_augment_flip_shift(gan_graph *g, gan_val x, int64_t most,
                                       const struct gan_draws *d);

/**
 * Image moved by whole pixels: y[n,i,j] = x[n, i + dy[n], j + dx[n]], 0 where that is outside.
 *
 * in:   dy, dx  whole numbers, real [N,1,1,1]
 * grad: any order, in x
 * errors: GAN_E_SHAPE
 */
GAN_API gan_val gan_move(gan_graph *g, gan_val x, gan_val dy, gan_val dx);

/** Where each pixel of a warped image comes from: x' = xx x + xy y + x0, y' = yx x + yy y + y0, in
 * pixels from the centre of the image; real [N,1,1,1] each. */
struct gan_affine {
    gan_val xx, xy, x0, yx, yy, y0;
};

/** Bilinear samples of x at those places, reflecting at the centres of the edge pixels. grad: any
 * order, in x. errors: GAN_E_SHAPE. */
GAN_API gan_val gan_warp(gan_graph *g, gan_val x, const struct gan_affine *from);

/**
 * The same from the image oversampled twice with the wavelet sym6, reduced again by its adjoint: hardly
 * blurs, hardly aliases; a map that moves nothing leaves x as it is, to rounding.
 *
 * grad: any order, in x
 * errors: GAN_E_SHAPE (rank; images above 1024 x 1024)
 * ref:  Karras et al. 2020, arXiv:2006.06676, appendix B.2
 */
GAN_API gan_val gan_warp_wavelet(gan_graph *g, gan_val x, const struct gan_affine *from);

/**
 * Image whose four bands of frequencies (octaves of sym2, the lowest first) are multiplied by the
 * gains, along rows and columns, reflecting at the edges.
 *
 * in:   gains  real [N,4], treated as constants
 * grad: any order, in x
 * errors: GAN_E_SHAPE
 * ref:  Karras et al. 2020, arXiv:2006.06676, appendix B.2
 */
GAN_API gan_val gan_filter_bands(gan_graph *g, gan_val x, gan_val gains);

#ifdef __cplusplus
}
#endif
#endif

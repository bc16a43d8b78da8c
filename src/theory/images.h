/* images.h: real images for experiments: the first ones of Fashion-MNIST's training set, which the
 * package dataset-fashion-mnist holds. */
#ifndef GAN_THEORY_IMAGES_H
#define GAN_THEORY_IMAGES_H

#include "toy.h"

enum { GAN_IMAGE_SIDE = 28, GAN_IMAGE_PIXELS = GAN_IMAGE_SIDE * GAN_IMAGE_SIDE };

/* The first n images [n,side*side] in 0 .. 1, shrunk from 28 pixels to means over side x side cells;
 * label [n] may be NULL. NULL after a failure, which stays on the lab. owns: the lab.
 * errors: GAN_E_NOTFOUND where the package is not installed. */
double *gan__lab_images(struct gan__lab *l, int side, int64_t n, int *label);

/* n images [n,side*side] in a row, each as large as 28 pixels, as a panel with a title; values are cut
 * to 0 .. 1. */
void gan__lab_show(struct gan__lab *l, gan_panel *p, const char *title, const float *x, int side,
                   int n);

/* A GAN that learns images; o: what differs between experiments: size, latent, gen_depth, batch, look,
 * steps. owns: as gan__toy_new. */
struct gan__toy *gan__lab_image_gan(struct gan__lab *l, struct gan__toy_opts o);

#endif

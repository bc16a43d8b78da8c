/* images.h: real images for experiments: the first ones of Fashion-MNIST's training set, which the
 * package dataset-fashion-mnist holds. */
#ifndef GAN_THEORY_IMAGES_H
#define GAN_THEORY_IMAGES_H

#include "theory.h"

enum { GAN_IMAGE_SIDE = 28, GAN_IMAGE_PIXELS = GAN_IMAGE_SIDE * GAN_IMAGE_SIDE };

/* n images [n,784] in 0 .. 1 from number `first` on; label [n] may be NULL. NULL after a failure,
 * which stays on the lab. owns: the lab. errors: GAN_E_NOTFOUND where the package is not installed. */
double *gan__lab_images(struct gan__lab *l, int64_t first, int64_t n, int *label);

/* Rows of images [rows*columns,784] as a panel with a title; values are cut to 0 .. 1. */
void gan__lab_show(struct gan__lab *l, gan_panel *p, const char *title, const double *x, int rows,
                   int columns);

#endif

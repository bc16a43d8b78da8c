/* counting.h: pictures of exactly three things, and how many things a generator puts into its own. */
#ifndef GAN_THEORY_COUNTING_H
#define GAN_THEORY_COUNTING_H

#include "theory.h"

/* Composes real images, trains a small GAN on them, counts, checks and draws. Part of mode-collapse. */
void gan__lab_counting(struct gan__lab *l);

#endif

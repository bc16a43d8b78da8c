/* landscape.h: pictures of runs in the plane: points, D's value around them, the way the generator is
 * pushed; and a film strip of them over training. */
#ifndef GAN_RUN_LANDSCAPE_H
#define GAN_RUN_LANDSCAPE_H

#include "session.h"

enum { GAN__LANDSCAPE_SIDE = 128, GAN__LANDSCAPE_POINTS = 512 };

/* Plans over the session's store, and the real points that are shown. */
struct gan__landscape {
    bool
        on; /* the run is one of points in the plane, its model has a landscape, and cairo is there */
    const struct gan__session *session;
    gan_plan *value, *field; /* D at points; fakes and, where the loss has one, its slope there */
    bool sloped;
    uint32_t fields;
    struct gan_batch real; /* GAN__LANDSCAPE_POINTS of them; points into `data` */
    float *data;
    int32_t *labels;
    double extent; /* the picture spans [-extent,extent] both ways */
};

/* Compiles the plans, after gan__session_start; leaves on = false for other runs. */
gan_status gan__landscape_init(struct gan__landscape *l, const struct gan__session *s,
                               gan_err *err);
void gan__landscape_release(struct gan__landscape *l);

/* Writes the picture to `png`; beside it samples/step-N.surface.npy (D's values [128,128], row 0 at
 * the bottom), step-N.push.npy (at each fake, minus the slope of the generator's loss, times their
 * number [512,2]) and real.npy [512,2]. */
gan_status gan__landscape_write(struct gan__landscape *l, const char *dir, int64_t step,
                                const char *png, gan_err *err);

/* Half the side of the square that pictures of these points [n,2] show: 3, or what they need. */
double gan__landscape_extent(const float *points, int64_t n);

/* Film strip of the arrays in DIR/samples up to a step (negative: all), at most 60 of them, evenly
 * spread. errors: GAN_E_NOTFOUND (no arrays of a two-dimensional run). */
gan_status gan__film_write(const char *dir, int64_t until, const char *path, gan_err *err);

#endif

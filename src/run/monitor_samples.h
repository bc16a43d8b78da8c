/* monitor_samples.h: a batch of fakes held against a batch of reals: are the fakes spread as the
 * reals are, and can D tell them apart? */
#ifndef GAN_RUN_MONITOR_SAMPLES_H
#define GAN_RUN_MONITOR_SAMPLES_H

#include "session.h"

/* n vectors and their distances from each other. */
struct gan__cloud {
    float *at; /* [n,dim] */
    size_t dim;
    double spread; /* mean distance of two of them */
    double *near;  /* [n] distance of each from its nearest other, ascending */
};

/* What a look at fakes and reals gives; NAN where it cannot be told. */
struct gan__look {
    double spread;       /* mean distance of two fakes over that of two reals */
    double pixel_spread; /* the same of pooled pixels; equal to `spread` without features */
    double duplicates;   /* share of fakes nearer to another than 95 % of the reals are */
    double separation;   /* chance that D scores a real above a fake */
};

struct gan__samples {
    bool on; /* false for models that make images from images, or samples unlike the data */
    int64_t n;
    gan_plan *plan;
    bool scores, features;              /* the plan has D's, of reals and of fakes */
    uint32_t fields;                    /* gan_field bits the generator takes: labels or nothing */
    struct gan__cloud real[2], fake[2]; /* pooled pixels, D's features */
    float *images;                      /* the reals, where D looks at them */
    int32_t *labels;
    float *z;
    struct gan__look last;
};

/* Compiles; the session's workspace grows to what this needs. Before gan__session_start. */
gan_status gan__samples_compile(struct gan__samples *m, struct gan__session *s, gan_err *err);
/* Takes the reals: the first images of the training order. */
gan_status gan__samples_start(struct gan__samples *m, struct gan__session *s, gan_err *err);
void gan__samples_release(struct gan__samples *m);

/* Makes fakes of the same latents every time and fills m->last. Nothing of the training changes. */
gan_status gan__samples_look(struct gan__samples *m, struct gan__session *s, gan_err *err);

/* Bytes it holds beside the workspace. */
uint64_t gan__samples_bytes(const struct gan__samples *m, const struct gan__session *s);

#endif

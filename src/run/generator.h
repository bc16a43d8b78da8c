/* generator.h: a model's sampling graph as a plan of fixed batch, for grids and for samplers. */
#ifndef GAN_RUN_GENERATOR_H
#define GAN_RUN_GENERATOR_H

#include "models/step.h"

#include <gan/plan.h>

struct gan__generator {
    gan_plan *plan;
    const char *model; /* its name */
    int64_t batch;
    int64_t z;    /* length of a latent, 0: the model takes none */
    bool uniform; /* latents on +-sqrt 3 instead of normal */
    int64_t height, width, channels;
    uint32_t fields; /* gan_field bits of the batch it makes images from */
    int64_t classes; /* that can be asked for, 0: none */
    float *latents;  /* [batch,z] */
    int32_t *labels; /* [batch] */
};

/* What it is made of; all borrowed, the store for as long as it lives. */
struct gan__generator_cfg {
    const struct gan_model *model;
    const void *opts; /* fitted */
    gan_store *store;
    const struct gan_net_list *nets;
    gan_mode mode; /* GAN_EVAL or GAN_BATCH_STATS */
    int64_t batch;
    int threads;
    bool frozen; /* the store keeps its values from the first images on */
    bool show;   /* what the model shows of training, where it says so, instead of samples */
};

gan_status gan__generator_init(struct gan__generator *g, const struct gan__generator_cfg *cfg,
                               gan_err *err);
void gan__generator_release(struct gan__generator *g);

/* Latents first .. first+n-1 of a seed, f32 [n,z]: each depends on seed and its number alone. */
void gan__generator_latents(const struct gan__generator *g, uint64_t seed, int64_t first, int64_t n,
                            float *z);

/* Whether rows of a grid can be latents and columns classes. */
static inline bool gan__generator_by_class(const struct gan__generator *g)
{
    enum { MOST_COLUMNS = 100 };
    return g->classes > 0 && g->classes <= MOST_COLUMNS;
}

/* Receives images as they are made: f32 [n,height,width,channels], numbers first .. first+n-1. */
struct gan__image_sink {
    gan_status (*put)(void *ctx, int64_t first, int64_t n, const float *hwc, gan_err *err);
    void *ctx;
};

/* What to make: n images from number `first` on, of a seed or from latents [n,z]. */
struct gan__generate {
    uint64_t seed;
    int64_t first, n;
    const float *z;        /* NULL: of the seed */
    const int32_t *labels; /* [n] classes of the images; NULL: by the next two */
    int64_t only;          /* class + 1 of all; 0: each class in turn */
    bool shared; /* one latent for an image of each class: row r of them has latent first + r */
    const struct gan_batch *from; /* a batch of the generator's size, where it reads fields */
    gan_workspace *workspace;     /* NULL: the plan's own */
};

/* Class of image i of a job, from 0; -1 without classes. */
int64_t gan__generator_label(const struct gan__generator *g, const struct gan__generate *what,
                             int64_t i);

gan_status gan__generator_run(struct gan__generator *g, const struct gan__generate *what,
                              const struct gan__image_sink *sink, gan_err *err);

#endif

/* translator.h: what the parts of a translator share. */
#ifndef GAN_RUN_TRANSLATOR_H
#define GAN_RUN_TRANSLATOR_H

#include "recipe.h"

#include <gan/plan.h>
#include <gan/translate.h>

enum { GAN__TRANSLATE_PLANS = 4 };

/* A plan for images of one size, with its input. */
struct gan__translate_plan {
    gan_plan *plan;
    int64_t batch, height, width;
    float *input;  /* [batch,height,width,in] */
    uint64_t used; /* when last, for the choice of what to drop */
};

struct gan_translator {
    struct gan_translator_info info;
    struct gan_translator_opts opts; /* defaults filled in */
    struct gan__recipe recipe;       /* its arena holds the texts of info */
    gan_store *store;
    struct gan_net_list nets;
    struct gan__translate_plan plan[GAN__TRANSLATE_PLANS];
    uint64_t uses;
    gan_workspace *workspace; /* of all plans */
    size_t workspace_bytes;
};

/* A plan of the least recently used place; NULL on failure. It lives until others are asked for. */
struct gan__translate_plan *gan__translate_plan_for(gan_translator *t, int64_t batch,
                                                    int64_t height, int64_t width, gan_err *err);

/* Runs it on its input; the result is output 0 of the plan. */
gan_status gan__translate_run(gan_translator *t, struct gan__translate_plan *p, uint64_t sample,
                              uint64_t tile, gan_err *err);

/* How an image goes through the network. */
struct gan__tiling {
    int64_t padded_h, padded_w; /* continued by reflection to multiples */
    int64_t window_h, window_w; /* what goes through at a time; the whole: padded_h, padded_w */
    int64_t core_h, core_w;     /* of each window, what is kept */
    int64_t halo;               /* around it, but not beyond the image */
    bool tiled;
};

/* Sizes checked, memory weighed. errors: GAN_E_SHAPE; those of a plan */
gan_status gan__translate_tiling(gan_translator *t, int64_t height, int64_t width,
                                 struct gan__tiling *out, gan_err *err);

/* Place of the window whose kept part begins at `core_at`, of `padded` elements. */
int64_t gan__tile_at(int64_t core_at, int64_t halo, int64_t window, int64_t padded);

#endif

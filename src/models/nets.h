/* nets.h: networks under declaration. */
#ifndef GAN_MODELS_NETS_H
#define GAN_MODELS_NETS_H

#include <gan/model.h>

struct gan_nets {
    gan_store *store;
    const void *opts;
    gan_dtype real;
    struct gan_net_list *list;
    gan_err err;
};

#endif

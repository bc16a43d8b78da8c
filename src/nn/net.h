/* net.h: inside of networks, for layers. */
#ifndef GAN_NN_NET_H
#define GAN_NN_NET_H

#include "base/arena.h"
#include <gan/nn.h>

struct gan__net_param {
    struct gan_param p;
    struct gan_init own; /* valid when p.init is not NULL */
};

struct gan_net {
    struct gan__arena arena; /* names */
    gan_store *store;
    const char *name;
    gan_net_fn fn;
    const void *opts;
    struct gan_net_input in[GAN_NET_MAX_IN];
    int n_in;
    gan_dtype real;
    bool frozen;
    struct gan_init init;
    struct gan__net_param *params;
    size_t n_params, cap_params;
    gan_shape out[GAN_NET_MAX_OUT];
    int n_out;
};

struct gan_nn {
    gan_graph *g;
    const struct gan_net *net;
    struct gan_net *declare; /* the network being declared, else NULL */
    const gan_val *values;   /* of gan_params, may be NULL */
    gan_mode mode;
    size_t
        next; /* where the next parameter is expected: networks ask in the order of declaration */
};

/* The value of a parameter by its local name, NULL when there is none. */
const gan_tensor *gan__net_value(const gan_net *net, const char *local);

/* y + "LAYER.bias" along the last axis; fan_in is the weight's. */
gan_val gan__nn_add_bias(gan_nn *nn, const char *layer, gan_val y, int64_t fan_in,
                         const char *init);

/* x_hat * "LAYER.weight" + "LAYER.bias" along the last axis. */
gan_val gan__nn_affine(gan_nn *nn, const char *layer, gan_val x_hat, const char *init);

/* W / sigma(W) for a weight [out,...]: sigma by one step of the power method from the statistic
 * "LAYER.weight_u" [out]; derivatives reach W through sigma, not through the vectors. */
gan_val gan__nn_spectral(gan_nn *nn, const char *layer, gan_val w);

#endif

/* nn.h: networks as functions of their parameters, written as the paper writes them.
 *
 *     struct mlp { int64_t hidden, out; };
 *     static void mlp(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
 *     {
 *         const struct mlp *o = opts;
 *         gan_graph *g = gan_nn_graph(nn);
 *         gan_val h = gan_linear(nn, "model.0", in[0], (struct gan_linear){.out = o->hidden, .bias
 * = true}); h = gan_leaky_relu(g, gan_batch_norm(nn, "model.1", h, (struct gan_norm){0}), 0.2);
 *         out[0] = gan_linear(nn, "model.3", h, (struct gan_linear){.out = o->out, .bias = true});
 *     }
 *
 *     gan_net *gen = gan_net_new(store, &(struct gan_net_desc){
 *         .name = "gen", .fn = mlp, .opts = &o, .in = {{.shape = GAN_SHAPE(1, 100)}}, .n_in = 1},
 * &err); gan_net_init(gen, seed, &err); gan_net_apply(g, gen, NULL, GAN_TRAIN, &z, &x);
 *
 * Parameters are store entries "NETWORK.LOCAL" under the names of the reference implementation's
 * state dict ("gen.model.0.weight"). Images are N,H,W,C. Errors are sticky on the graph (graph.h).
 * threads: one thread per graph. */
#ifndef GAN_NN_H
#define GAN_NN_H

#include <gan/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The context one application of a network runs in; valid during the network function only. */
typedef struct gan_nn gan_nn;

/** A declared network: name, function, options, list of parameters. */
typedef struct gan_net gan_net;

/**
 * A network: reads in[], fills out[]. Must ask for the same parameters whatever the mode, batch
 * size and values; it may be called any number of times, in any graph.
 */
typedef void (*gan_net_fn)(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts);

/** What normalisation and dropout do. */
typedef enum gan_mode {
    GAN_TRAIN,      /* batch statistics, running ones updated; dropout on */
    GAN_EVAL,       /* running statistics; dropout off; no state is written */
    GAN_BATCH_STATS /* batch statistics, running ones left alone; dropout off */
} gan_mode;

#define GAN_NET_MAX_IN 4
#define GAN_NET_MAX_OUT 8

/** Type of one input of a network. */
struct gan_net_input {
    gan_shape shape; /* with any batch extent, 1 will do */
    bool index;      /* i32 (class labels) instead of the real type */
};

/** What gan_net_new needs. */
struct gan_net_desc {
    const char *name; /* "gen"; prefix of the parameters' names; copied */
    gan_net_fn fn;
    const void *opts; /* given to fn; borrowed, must outlive the network */
    struct gan_net_input in[GAN_NET_MAX_IN];
    int n_in;
    gan_dtype real;   /* type parameters are stored in: GAN_F32 (0, the default) or GAN_F64 */
    const char *init; /* initialiser where a layer names none (gan_init_parse); NULL: "torch" */
    bool frozen;      /* entries are GAN_STATE_FROZEN: nothing trains or initialises them */
};

/** One parameter or running statistic of a network. */
struct gan_param {
    const char *name;    /* in the store: "gen.main.0.weight" */
    const char *local;   /* inside the network: "main.0.weight" */
    gan_state_kind kind; /* GAN_STATE_WEIGHT or GAN_STATE_STATISTIC */
    gan_shape shape;     /* PyTorch's layout: linear [out,in], conv OIHW, transposed conv IOHW */
    int64_t count;       /* elements */
    int role;            /* enum gan_role */
    int64_t fan_in, fan_out; /* as PyTorch counts them: dim 1 and dim 0 times the kernel's area */
    const char *init;        /* the layer's own initialiser, NULL: the network's */
};

/**
 * Declares a network: runs fn once on a throwaway graph, registers its parameters (all zero until
 * gan_net_init) and statistics in the store.
 *
 * owns:   the caller; gan_net_free. The store must outlive it. NULL on failure.
 * errors: GAN_E_ARG (name, type or initialiser), GAN_E_SHAPE and others of the layers, GAN_E_NOMEM
 */
GAN_API gan_net *gan_net_new(gan_store *st, const struct gan_net_desc *desc, gan_err *err);

/** Frees the declaration, not the store's entries; NULL is fine. */
GAN_API void gan_net_free(gan_net *net);

/**
 * Fills parameters by their initialisers and statistics with 0 (means) and 1 (variances). Each
 * draws from a stream keyed by (seed, full name): order and other networks do not matter.
 *
 * errors: GAN_E_NOMEM
 */
GAN_API gan_status gan_net_init(gan_net *net, uint64_t seed, gan_err *err);

/** The network's name. */
GAN_API const char *gan_net_name(const gan_net *net);
/** Number of trainable scalars: 3576704 for DCGAN-64's generator. */
GAN_API int64_t gan_net_params(const gan_net *net);
/** Number of parameter tensors, statistics included; they are numbered in order of declaration. */
GAN_API int gan_net_count(const gan_net *net);
/** Parameter i; NULL out of range. owns: the network. */
GAN_API const struct gan_param *gan_net_param(const gan_net *net, int i);
/** Index of a parameter by its local name, -1 when there is none. */
GAN_API int gan_net_find(const gan_net *net, const char *local);
/** Number of outputs fn filled when declared. */
GAN_API int gan_net_outputs(const gan_net *net);
/** Shape of output i when declared (with the declared batch extent); rank -1 out of range. */
GAN_API gan_shape gan_net_out_shape(const gan_net *net, int i);
/** Type of input i as declared; zeros out of range. */
GAN_API struct gan_net_input gan_net_in(const gan_net *net, int i);

/**
 * Other values for the parameters: EMA weights, unrolled steps, W/sigma(W). value[i] stands for
 * parameter i in the numbering of gan_net_param; GAN_NONE (or a NULL table) means the store's
 * newest. A statistic given here is read but never written back.
 */
struct gan_params {
    const gan_val *value; /* gan_net_count(net) values */
};

/**
 * Applies a network: adds its nodes to g under the scope of its name.
 *
 * in:     params  NULL: the newest versions of the store's entries, which g's store must hold
 *         in      as declared, with any batch extent (and any H, W the layers take)
 * out:    as many values as fn fills (gan_net_outputs)
 * grad:   any order, in in[] and in params (or in gan_net_weights of the same graph)
 * errors: GAN_E_NOTFOUND (the store lacks a parameter), GAN_E_SHAPE; sticky on g
 */
GAN_API void gan_net_apply(gan_graph *g, const gan_net *net, const struct gan_params *params,
                           gan_mode mode, const gan_val *in, gan_val *out);

/**
 * The trainable parameters of a network as optimisers and gan_grad take them.
 *
 * out:  names[i], values[i]: each may be NULL, else room for gan_net_count(net); names belong to
 * the network, values are the newest versions in g returns their number
 */
GAN_API int gan_net_weights(gan_graph *g, const gan_net *net, const char **names, gan_val *values);

/* --- inside a network: layers --------------------------------------------------------------------
 */

/** The graph being built; activations are its ops. owns: the caller of gan_net_apply. */
GAN_API gan_graph *gan_nn_graph(gan_nn *nn);
/** Text such as a layer's name, "main.%d"; it lives as long as the graph. Never NULL. */
GAN_API const char *gan_nn_format(gan_nn *nn, const char *fmt, ...) GAN_PRINTF(2, 3);
/** The mode of this application. */
GAN_API gan_mode gan_nn_mode(const gan_nn *nn);

/** A choice whose zero is the default of the place. */
typedef enum gan_choice { GAN_DEFAULT, GAN_YES, GAN_NO } gan_choice;

/** Affine layer. */
struct gan_linear {
    int64_t out; /* features */
    bool bias;
    bool spectral;         /* the weight is divided by its largest singular value */
    const char *init;      /* of weight, NULL: the network's */
    const char *bias_init; /* NULL: the network's */
};
/**
 * x W^T + b.
 *
 * in:     x [N,F]; weight "NAME.weight" [out,F], bias "NAME.bias" [out]
 * out:    [N,out]
 * grad:   any order
 * errors: GAN_E_SHAPE (x is not of rank 2: gan_flatten first)
 */
GAN_API gan_val gan_linear(gan_nn *nn, const char *name, gan_val x, struct gan_linear o);

/** Convolution and transposed convolution. 0 in a field ending in _w means "as the one before it".
 */
struct gan_conv_layer {
    int64_t out; /* channels */
    int64_t kernel, kernel_w;
    int64_t stride, stride_w; /* 0: 1 */
    int64_t pad, pad_w;       /* each side; pad_w -1: none. Transposed: rows dropped */
    int64_t pad_extra; /* more at bottom and right: 1 with pad 1 is TensorFlow SAME of k5 s2 */
    int64_t dilation, dilation_w; /* 0: 1 */
    int64_t groups;               /* 0: 1 */
    int64_t output_pad;           /* transposed only: rows and columns added at bottom and right */
    gan_pad_mode pad_mode;        /* convolution only: zeros, reflection or edge */
    bool bias;
    bool spectral; /* convolution only: weight [out,rest] divided by its largest singular value */
    const char *init, *bias_init; /* NULL: the network's */
};
/**
 * 2-D convolution.
 *
 * in:     x [N,H,W,I]; "NAME.weight" [out,I/groups,kh,kw], "NAME.bias" [out]
 * out:    [N,H',W',out], H' = floor((H + pads - dilation*(kernel-1) - 1)/stride) + 1
 * grad:   any order
 * errors: GAN_E_SHAPE
 */
GAN_API gan_val gan_conv(gan_nn *nn, const char *name, gan_val x, struct gan_conv_layer o);
/**
 * Transposed convolution: the data gradient of the convolution whose weight it stores.
 *
 * in:     x [N,H,W,I]; "NAME.weight" [I,out/groups,kh,kw], "NAME.bias" [out]
 * out:    [N,H',W',out], H' = (H-1)*stride - pads + dilation*(kernel-1) + 1 + output_pad
 * grad:   any order
 * errors: GAN_E_SHAPE
 */
GAN_API gan_val gan_conv_transpose(gan_nn *nn, const char *name, gan_val x,
                                   struct gan_conv_layer o);

/** Normalisation layers; zero-initialise for PyTorch's defaults. */
struct gan_norm {
    double eps;      /* 0: 1e-5 */
    double momentum; /* weight of the new statistics, 0: 0.1 */
    gan_choice
        affine; /* scale "NAME.weight" and offset "NAME.bias" [C]; default yes, instance norm: no */
    bool running;     /* instance norm: keep running statistics and use them in GAN_EVAL */
    int64_t groups;   /* group norm only */
    const char *init; /* of the scale, NULL: the network's (1, or N(1,.02) in "dcgan") */
};
/**
 * Batch normalisation over N (and H, W): biased variance normalises, the unbiased one is averaged.
 *
 * in:     x [N,C] or [N,H,W,C]
 * state:  "NAME.running_mean", "NAME.running_var" [C]: new = (1-momentum)*old + momentum*batch,
 * written by every GAN_TRAIN application, so that D on reals and then on fakes chains two updates;
 * an element that would become NaN or infinite keeps its old value grad:   any order; none through
 * the running statistics errors: GAN_E_SHAPE (also GAN_TRAIN with one value per channel, which has
 * no unbiased variance) ref:    Ioffe and Szegedy 2015, arXiv:1502.03167
 */
GAN_API gan_val gan_batch_norm(gan_nn *nn, const char *name, gan_val x, struct gan_norm o);
/** Over H, W of each sample and channel of [N,H,W,C]. grad: any order. ref: Ulyanov et al. 2016,
 * arXiv:1607.08022 */
GAN_API gan_val gan_instance_norm(gan_nn *nn, const char *name, gan_val x, struct gan_norm o);
/** Over C, H, W of each sample ([N,C] or [N,H,W,C]), scale and offset per channel. grad: any order.
 * ref: Ba et al. 2016, arXiv:1607.06450 */
GAN_API gan_val gan_layer_norm(gan_nn *nn, const char *name, gan_val x, struct gan_norm o);
/** Over H, W and C/groups neighbouring channels of each sample of [N,H,W,C] or [N,C]. grad: any
 * order. ref: Wu and He 2018, arXiv:1803.08494 */
GAN_API gan_val gan_group_norm(gan_nn *nn, const char *name, gan_val x, struct gan_norm o);

/**
 * Batch normalisation whose scale and offset depend on the sample's class.
 *
 * in:     x [N,C] or [N,H,W,C]; idx i32 [N], clamped to 0..classes-1; tables "NAME.weight" (1) and
 *         "NAME.bias" (0) [classes,C]; o.affine is not read
 * state:  as gan_batch_norm, over samples of all classes together
 * grad:   any order
 * errors: GAN_E_SHAPE
 * ref:    Dumoulin et al. 2016, arXiv:1610.07629; Miyato and Koyama 2018, arXiv:1802.05637
 */
GAN_API gan_val gan_conditional_batch_norm(gan_nn *nn, const char *name, gan_val x, gan_val idx,
                                           int64_t classes, struct gan_norm o);
/**
 * Virtual batch normalisation: the first `reference` rows are a fixed reference batch, normalised by
 * its own statistics; each other row by those of the reference with itself added as one more sample.
 * The same in every mode; there are no running statistics.
 *
 * in:     x [N,C] or [N,H,W,C], N > reference >= 1; o.momentum, o.running are not read
 * out:    like x, the reference rows included: later layers need them
 * grad:   any order, also through the reference
 * errors: GAN_E_SHAPE
 * ref:    Salimans et al. 2016, arXiv:1606.03498, section 3.5
 */
GAN_API gan_val gan_virtual_batch_norm(gan_nn *nn, const char *name, gan_val x, int64_t reference,
                                       struct gan_norm o);

/** Long short-term memory. */
struct gan_lstm {
    int64_t units;
    const char
        *init; /* of all four parameters, NULL: the network's; "torch" is U(+-1/sqrt(units)) */
};
/** What it carries from step to step: output and cell, [N,units] each. */
struct gan_lstm_state {
    gan_val h, c;
};
/**
 * One step: gates i, f, g, o = x W_ih^T + b_ih + h W_hh^T + b_hh; c' = sigmoid(f) c + sigmoid(i)
 * tanh(g); h' = sigmoid(o) tanh(c').
 *
 * in:     x [N,F]; "NAME.weight_ih" [4 units,F], "NAME.weight_hh" [4 units,units], "NAME.bias_ih",
 *         "NAME.bias_hh" [4 units], as PyTorch's LSTMCell
 * out:    the next state, whose h is the output
 * grad:   any order
 * errors: GAN_E_SHAPE
 * ref:    Hochreiter and Schmidhuber 1997
 */
GAN_API struct gan_lstm_state gan_lstm(gan_nn *nn, const char *name, gan_val x,
                                       struct gan_lstm_state s, struct gan_lstm o);

/** Table of vectors. */
struct gan_embedding {
    int64_t rows, dim;
    bool spectral;    /* the table is divided by its largest singular value */
    const char *init; /* NULL: "normal:0,1" */
};
/** Rows idx (i32 [N]) of "NAME.weight" [rows,dim] -> [N,dim]; indices out of range are clamped.
 * grad: any order, in the table. */
GAN_API gan_val gan_embedding(gan_nn *nn, const char *name, gan_val idx, struct gan_embedding o);

/**
 * In GAN_TRAIN: zero with probability p, else x/(1-p), from the stream "NAME" of the network's
 * scope; in the other modes x itself.
 *
 * in:     0 <= p < 1
 * grad:   any order
 * errors: GAN_E_RANGE
 * ref:    Srivastava et al. 2014
 */
GAN_API gan_val gan_dropout(gan_nn *nn, const char *name, gan_val x, double p);
/** The same with one draw per sample and channel of [N,H,W,C]. grad: any order. errors:
 * GAN_E_RANGE, GAN_E_SHAPE. */
GAN_API gan_val gan_dropout_channels(gan_nn *nn, const char *name, gan_val x, double p);

/** Units that take the largest of some affine pieces. */
struct gan_maxout {
    int64_t units, pieces;
    bool spectral;                /* the weight is divided by its largest singular value */
    const char *init, *bias_init; /* NULL: the network's */
};
/**
 * Unit u is the largest of the linear outputs u, u + units, u + 2 units, ...: the pieces of all
 * units lie side by side.
 *
 * in:   x [N,F]; "NAME.weight" [pieces*units,F], "NAME.bias" [pieces*units]
 * out:  [N,units]
 * grad: any order
 * ref:  Goodfellow et al. 2013, arXiv:1302.4389
 */
GAN_API gan_val gan_maxout(gan_nn *nn, const char *name, gan_val x, struct gan_maxout o);

/* --- inside a network: seeing the whole batch
 * -------------------------------------------------------- */

/** Size of minibatch discrimination. */
struct gan_minibatch_layer {
    int64_t kernels;  /* B, 0: 100 */
    int64_t dim;      /* C, 0: 5 */
    const char *init; /* NULL: "normal:0,.05" */
};
/**
 * Appends to each sample how close the others of its batch are: with M_i = x_i W^T as B rows of C
 * numbers, o_b(i) = sum over j != i of exp(-|M_ib - M_jb|_1), plus a bias that starts at -1. Rows of
 * W have the length exp(log_scale).
 *
 * in:     x [N,F]; "NAME.weight" [B*C,F], "NAME.log_scale" [B*C], "NAME.bias" [B]
 * out:    [N,F+B]
 * grad:   any order
 * errors: GAN_E_SHAPE
 * ref:    Salimans et al. 2016, arXiv:1606.03498, section 3.2; openai/improved-gan
 */
GAN_API gan_val gan_minibatch_discrimination(gan_nn *nn, const char *name, gan_val x,
                                             struct gan_minibatch_layer o);
/**
 * Appends a channel that holds the mean over features of the standard deviation within groups of
 * min(4,N) samples: m, m+M, m+2M, ... of M = N/4 groups. No parameters.
 *
 * in:     x [N,C] or [N,H,W,C], N below 4 or a multiple of 4
 * out:    one more channel
 * grad:   any order
 * errors: GAN_E_SHAPE
 * ref:    Karras et al. 2017, arXiv:1710.10196, section 3
 */
GAN_API gan_val gan_minibatch_stddev(gan_nn *nn, gan_val x);

/* --- inside a network: parameters of one's own
 * -------------------------------------------------------- */

/** What a parameter is to its layer: initialisers treat them differently. */
enum gan_role {
    GAN_ROLE_WEIGHT, /* of a linear map */
    GAN_ROLE_BIAS,   /* added to its output */
    GAN_ROLE_SCALE,  /* of a normalisation; 1 unless said */
    GAN_ROLE_OFFSET, /* of a normalisation; 0 unless said */
    GAN_ROLE_MEAN,   /* running mean: a statistic, starts at 0 */
    GAN_ROLE_VAR,    /* running variance: a statistic, starts at 1 */
    GAN_ROLE_VECTOR  /* iterate of a power method: a statistic, starts as N(0,1) */
};

/** A parameter a network asks for. */
struct gan_param_spec {
    const char *layer, *name; /* joined by a dot: "main.0" and "weight"; layer may be NULL */
    enum gan_role role;       /* MEAN and VAR are statistics, the others trained */
    gan_shape shape;
    int64_t fan_in, fan_out; /* 0: from the shape, as PyTorch does */
    const char *init;        /* NULL: the network's */
};
/**
 * The value of a parameter in this application. Asking twice for a name shares it.
 *
 * errors: GAN_E_ARG (a statistic as weight, or the initialiser), GAN_E_SHAPE (another shape than
 * before), GAN_E_NOTFOUND (the declaring run did not ask for it)
 */
GAN_API gan_val gan_nn_param(gan_nn *nn, const struct gan_param_spec *spec);
/** Writes the next version of a statistic; does nothing outside GAN_TRAIN or when its value was
 * given by gan_params. */
GAN_API void gan_nn_update(gan_nn *nn, const char *layer, const char *name, gan_val v);

/* --- initialisers
 * -------------------------------------------------------------------------------------- */

#define GAN_INIT_ARGS 2

/** One kind of initialiser. */
struct gan_initializer;

/** A parsed initialiser. */
struct gan_init {
    const struct gan_initializer *kind;
    double arg[GAN_INIT_ARGS];
};

/**
 * Reads "NAME[:A[,B]]": "normal:0,.02", "uniform:.05", "constant:0", "xavier:1" (normal, gain),
 * "he", "torch" (U(+-1/sqrt(fan_in)), also for biases), "dcgan" (N(0,.02), scales N(1,.02), biases
 * 0), "orthogonal:1".
 *
 * errors: GAN_E_ARG (unknown, with "did you mean"; too many or malformed numbers), GAN_E_RANGE
 */
GAN_API gan_status gan_init_parse(const char *text, struct gan_init *out, gan_err *err);
/** Name and one line about initialiser i of the table, NULL past the end. */
GAN_API const char *gan_init_name(int i);
GAN_API const char *gan_init_doc(int i);

#ifdef __cplusplus
}
#endif
#endif

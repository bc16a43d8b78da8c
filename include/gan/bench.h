/* bench.h: how fast this machine is, and how near to it a training comes.
 *
 *     #include <gan/bench.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         gan_err err = {0};
 *         struct gan_setting set[] = {{"size", "64"}, {"channels", "3"}};
 *         struct gan_train_cfg what = {.model = "dcgan", .set = set, .n_set = 2};
 *         struct gan_bench_step *r = NULL;
 *         if (gan_bench_step(&what, &(struct gan_bench_how){.threads = 2}, &r, &err) == GAN_OK) {
 *             printf("%.1f ms, %.1f images/s\n", r->time.median_ms, r->images_per_s);
 *         }
 *         gan_bench_step_free(r);
 *         return gan_status_exit_code(err.code);
 *     }
 *
 * Nothing is written. Times are medians after a warm-up; the user pins the process (taskset). */
#ifndef GAN_BENCH_H
#define GAN_BENCH_H

#include <gan/plan.h>
#include <gan/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How to measure; zero-initialise for the defaults in brackets. */
struct gan_bench_how {
    int threads;     /* compute threads [those of the recipe, else all processors] */
    int64_t iters;   /* measured [10] */
    int64_t warm_up; /* before [3] */
    bool no_roof;    /* gan_bench_step: leave the roofline out; shares are then 0 */
};

/** Median and spread of some runs. */
struct gan_bench_time {
    double median_ms, least_ms, most_ms;
    int64_t runs;
};

/** What the machine can do at best. Rates are 0 where the build or the processor cannot. */
struct gan_bench_roof {
    int threads;
    double product_f32, product_bf16; /* FLOP/s of a matrix product of 2048 x 2048 x 2048 */
    double conv_f32, conv_bf16;       /* FLOP/s of the best convolution of a set of shapes */
    char conv_f32_shape[64], conv_bf16_shape[64];
    double triad; /* bytes/s of a[i] = b[i] + s c[i], counted as STREAM does */
};

/** Measures the roofline with `threads` threads (0: all processors). errors: none */
GAN_API gan_status gan_bench_roofline(int threads, struct gan_bench_roof *out, gan_err *err);

/** A kernel call of an iteration, summed over the runs of its phase. */
struct gan_bench_node {
    char name[96];  /* "conv2d", "mul+add+relu" */
    char scope[48]; /* "disc/main.3" */
    gan_shape shape;
    int segment; /* graph of the iteration it belongs to */
    bool heavy;
    double ms; /* median */
    double flops, bytes;
    double share; /* of the roofline: the least time its FLOPs and bytes need, over ms */
};

/** Nodes that have something in common. */
struct gan_bench_group {
    char name[96];
    double ms, flops, bytes;
    int64_t nodes;
};

/** Cost of an iteration. */
struct gan_bench_step {
    const char *model;
    int64_t height, width, channels, batch;
    int threads;
    struct gan_bench_time time; /* of an iteration, nodes not timed */
    double images_per_s;
    double flops, heavy_flops, bytes; /* of an iteration, as the plan counts them */
    double compile_ms;                /* of all plans */
    double open_ms;  /* from the call to the first iteration: data, weights, plans */
    double first_ms; /* the first iteration */
    double timed_ms; /* median while nodes are timed: what the cost of timing is */
    uint64_t base_bytes, peak_bytes; /* resident: before anything is built, and the maximum */
    uint64_t workspace_bytes;
    struct gan_bench_roof roof;
    struct gan_bench_node *node; /* the most expensive first */
    int64_t n_nodes;
    struct gan_bench_group *phase, *scope, *kind; /* by graph, by network, by operation */
    int64_t n_phases, n_scopes, n_kinds;
};

/**
 * Measures training iterations. Without what->data every batch is the same, of random pixels.
 *
 * out:    owned by the caller, gan_bench_step_free; NULL on failure
 * errors: those of gan_train_plan, GAN_E_DIVERGED
 */
GAN_API gan_status gan_bench_step(const struct gan_train_cfg *what, const struct gan_bench_how *how,
                                  struct gan_bench_step **out, gan_err *err);
/** Frees it; NULL is fine. */
GAN_API void gan_bench_step_free(struct gan_bench_step *r);

/** A shape of convolution or product in an iteration. */
struct gan_bench_shape {
    char name[96];             /* "forward 64x32x32 64->128 k4 s2" */
    double runs;               /* in an iteration */
    double flops;              /* of one */
    double plain_s, blocked_s; /* of the library: N,H,W,C and its own order; 0: refused */
};

/**
 * The floor of an iteration: what it would take if every convolution and product ran alone at the
 * library's best rate for its shape, and memory were touched only where it must be.
 */
struct gan_bench_floor {
    const char *model;
    int64_t height, width, channels, batch;
    int threads;
    struct gan_bench_shape *shape; /* the most expensive first */
    int64_t n_shapes;
    double heavy_flops, heavy_ms; /* at the best of both orders */
    double norm_bytes;  /* a normalisation: one pass to read and one to write; its gradient:
                                     two and one */
    double state_bytes; /* weights, moments, averages: read once, written once */
    double feed_bytes;  /* batches, read once */
    double triad;       /* bytes/s */
    double memory_ms;
    double floor_ms;
    struct gan_bench_time time; /* measured, of an iteration */
    double share;               /* floor_ms / time.median_ms */
};

/**
 * Computes the floor of an iteration and measures the iteration, in turns.
 *
 * out:    owned by the caller, gan_bench_floor_free; NULL on failure
 * errors: as gan_bench_step
 */
GAN_API gan_status gan_bench_floor(const struct gan_train_cfg *what,
                                   const struct gan_bench_how *how, struct gan_bench_floor **out,
                                   gan_err *err);
/** Frees it; NULL is fine. */
GAN_API void gan_bench_floor_free(struct gan_bench_floor *r);

/** Cost of sampling. */
struct gan_bench_sample {
    char model[64];
    int64_t height, width, channels, batch;
    int threads;
    double open_ms;                  /* from nothing to a sampler ready to run */
    struct gan_bench_time one, many; /* latency of one image, time of a batch */
    double images_per_s;             /* in batches */
};

/**
 * Measures sampling of `batch` images (0: 64) at a time and of one.
 *
 * in:     path  run directory or checkpoint; NULL: `what` names a model, with fresh weights
 * errors: those of gan_sampler_open or gan_train_plan
 */
GAN_API gan_status gan_bench_sample(const char *path, const struct gan_train_cfg *what,
                                    int64_t batch, const struct gan_bench_how *how,
                                    struct gan_bench_sample *out, gan_err *err);

/** Rate of a loader. */
struct gan_bench_loader {
    int64_t height, width, channels, batch;
    int threads;
    double first_ms;            /* to open the data and have the first batch */
    struct gan_bench_time time; /* of a batch */
    double images_per_s;
};

/** Measures a loader as fast as it can go. errors: those of gan_dataset_open, gan_loader_new. */
GAN_API gan_status gan_bench_loader(const char *spec, const struct gan_loader_cfg *cfg,
                                    const struct gan_bench_how *how, struct gan_bench_loader *out,
                                    gan_err *err);

/** How an update rule does on quadratic problems: means over the problems. */
struct gan_bench_rule {
    char text[64];      /* "sgd:0.01": the best rate of its kind on other problems; "l2l" */
    double start;       /* |W t - y|^2 before the first step */
    double fifth, half; /* after a fifth and half of the steps */
    double end, median; /* after all steps; the median of the problems then */
    double mean;        /* over all steps */
};

#define GAN_BENCH_RULES 5

/** Result of gan_bench_l2l. */
struct gan_bench_l2l {
    int64_t dimensions, problems, steps;
    struct gan_bench_rule rule[GAN_BENCH_RULES]; /* the learned one first */
};

/**
 * A learned optimiser against tuned ones, on problems none of them has seen: gradient descent, with
 * momentum .9, Adam, RMSProp, each with the best of 29 rates (2^-13 to 2, a factor of sqrt 2 apart)
 * by the mean value after all steps on as many other problems.
 *
 * in:     path  run directory or checkpoint of `gan train l2l`
 *         how   iters: steps, 0: 100; threads
 * errors: those of opening a checkpoint; GAN_E_FORMAT (of another model); GAN_E_NOMEM
 * ref:    Andrychowicz et al. 2016, arXiv:1606.04474, section 3.1
 */
GAN_API gan_status gan_bench_l2l(const char *path, const struct gan_bench_how *how,
                                 struct gan_bench_l2l *out, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif

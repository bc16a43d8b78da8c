/* trace.h: replays ten iterations of a model on the inputs of a golden file. */
#ifndef GAN_TESTS_TRACE_H
#define GAN_TESTS_TRACE_H

#include "models/step.h"
#include <gan/checkpoint.h>
#include <gan/plan.h>

struct setting {
    const char *name, *value;
};

/* A network applied to hashed images "forward/NET", in training mode: image size of the case. */
struct forward {
    const char *net; /* NULL ends */
    int64_t channels;
};

/* What to replay, and how close it must come. */
struct trace_case {
    const char *file; /* in tests/golden/data, without ".safetensors" */
    const char *model;
    int64_t height, width, channels;
    int64_t channels_b;        /* of second images, 0: none */
    int64_t classes;           /* of labels, 0: none */
    bool points;               /* samples are points of `channels` numbers */
    const struct setting *set; /* options; NULL name ends */
    int64_t batch;
    gan_dtype real;
    const char *backend;
    int threads;
    bool hashed;                   /* weights and images are not in the file: hashed.h */
    const struct forward *forward; /* of hashed cases; or NULL */
    int steps;                     /* compared, from the first; 0: all ten */
    double trace_tol;              /* relative to 1+|v|, of losses and norms */
    double final_tol;              /* of weights and statistics; 0: not compared */
};

/* Runs the case and compares everything; fails the running test on a difference. */
void trace_replay(const struct trace_case *c);

/* Tensor of a file by name; the running test fails when it is not there. */
gan_tensor trace_tensor(const gan_checkpoint *f, const char *name);

#endif

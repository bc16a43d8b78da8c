/* call.h: what a kernel gets: views of its inputs and outputs, attributes, the run's numbers. */
#ifndef GAN_ENGINE_KERNELS_CALL_H
#define GAN_ENGINE_KERNELS_CALL_H

#include <gan/tensor.h>

#include <stdbool.h>

/* Numbers of one run, the same for all kernels of a plan. */
struct gan__run {
    uint64_t seed, iteration, run; /* random streams */
    uint64_t sample;               /* global index of the first sample */
    const double *scalars;         /* scalar feeds */
    int threads;
};

struct gan__call {
    const void *attr;
    const gan_tensor *in;
    const gan_tensor *out; /* data is to be written */
    int n_in, n_out;
    const struct gan__run *run;
    void *ctx;     /* what the kernel's prepare made, NULL without */
    void *scratch; /* bytes the kernel asked for in prepare */
    void *copy;    /* the packed copy the kernel asked for in prepare, shared by calls that agree */
    bool make_copy; /* this call fills it */
};

#endif

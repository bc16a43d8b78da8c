/* bench_entry.h: what `gan bench WORD` runs. A benchmark is one file that ends in GAN_BENCH(word) =
 * {...}; the build collects the entries and `gan bench` and its page read them. */
#ifndef GAN_CLI_BENCH_ENTRY_H
#define GAN_CLI_BENCH_ENTRY_H

#include "train_line.h"

#include <gan/bench.h>

/* Options of gan bench. */
struct gan__bench_opts {
    struct gan__train_places at; /* texts are NULL where the line has none, like cells */
    int64_t threads, iters, warm_up, nodes, seeds, jobs;
    const char *cells;
    bool json, roofline;
};

struct gan__bench {
    const char *name;
    const char *usage; /* "gan bench step MODEL [options ..]" */
    const char *about; /* sentences for `gan help bench` */
    gan_status (*run)(const struct gan__cmdline *a, const struct gan__bench_opts *o, gan_err *err);
};

#define GAN_BENCH(NAME) const struct gan__bench gan__bench_##NAME

/* The sorted table the build makes; ends with NULL. */
extern const struct gan__bench *const gan__benches[];

#endif

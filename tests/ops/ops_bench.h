/* ops_bench.h: what the op suite shares: random inputs for a case, a graph around one op, runs.
 *
 * A failed check prints the op, its case and the numbers, and counts; nothing stops at the first. */
#ifndef GAN_TESTS_OPS_BENCH_H
#define GAN_TESTS_OPS_BENCH_H

#include "engine/graph/attr.h"
#include "engine/graph/op.h"
#include <gan/plan.h>

enum { MAX_IN = 16, MAX_OUT = 8, MAX_FEEDS = 96 };

/* One case with types and values of its inputs. */
struct sample {
    const struct gan__op *op;
    const struct gan__case *cs;
    int index;      /* of the case */
    gan_dtype real; /* f32 or f64 */
    int n;
    struct gan__type type[MAX_IN]; /* real inputs: in the suite's real type */
    double *value[MAX_IN];
    bool aliased; /* every input is input 0 */
};

/* A graph of feeds and one op. */
struct bench {
    const struct sample *s;
    gan_graph *g;
    char name[MAX_FEEDS][16];
    struct gan_feed_data feed[MAX_FEEDS];
    int n_feed;
    gan_val x[MAX_IN], y[MAX_OUT];
};

extern int failures, checks;

/* Prints "op case 2 ([3,5]): message" and counts. */
void complain(const struct sample *s, const char *fmt, ...) GAN_PRINTF(2, 3);

/* Draws the inputs of a case; the same numbers at every call. False when the case cannot be read. */
bool sample_open(struct sample *s, const struct gan__op *op, int index, gan_dtype real);
void sample_close(struct sample *s);

/* Feeds x0, x1, .. and the op on them. False after complaining. */
bool bench_open(struct bench *b, const struct sample *s);
void bench_close(struct bench *b);

/* A feed with numbers of the stream (op, case, name), of size 0.5 to 1.5 and random sign. */
gan_val bench_random(struct bench *b, const char *name, struct gan__type type);

/* sum_i sum(v[i] * r_i) with random r_i, as a scalar in the real type; what is not real is cast. */
gan_val bench_weighted(struct bench *b, const gan_val *v, int n, int stage);

/* Compiles without the passes named. NULL after complaining. */
gan_plan *bench_plan(const struct bench *b, const gan_val *out, int n, const char *backend,
                     int threads, const char *without);
bool bench_run(const struct bench *b, gan_plan *p);

/* The checks of one op; ops_checks.c. */
void check_expansion(const struct sample *s);
void check_derivatives(const struct sample *s);
void check_closure(const struct sample *s);
void check_kernels(const struct sample *s);
void check_passes(const struct sample *s);
void check_large(const struct gan__op *op);

#endif

/* scalar.h: a scalar made from up to three fed tensors, in f64 on `ref`: its value, and its derivatives
 * against central differences. Step 1e-5 makes those good to about 1e-9; 1e-7 (1 + |d|) is asked. */
#ifndef TESTS_SUPPORT_SCALAR_H
#define TESTS_SUPPORT_SCALAR_H

#include <gan/plan.h>

enum { SCALAR_MAX_IN = 3, SCALAR_MAX_SIZE = 1024 };

struct scalar {
    gan_val (*build)(gan_graph *g, const gan_val *in);
    gan_shape shape[SCALAR_MAX_IN];
    gan_dtype dtype[SCALAR_MAX_IN];
    int n;
    double real[SCALAR_MAX_IN][SCALAR_MAX_SIZE];
    int32_t index[SCALAR_MAX_SIZE]; /* of the i32 input */
};

/* Numbers without pattern, in (-2, 2), none near 0. */
void scalar_scatter(struct scalar *q);

/* A scalar of two tensors of one shape, scattered. */
struct scalar scalar_two(gan_val (*build)(gan_graph *g, const gan_val *in), gan_shape shape);

/* Plan with the value and its derivatives in the real inputs. */
gan_plan *scalar_compile(const struct scalar *q, bool derivatives);
void scalar_run(gan_plan *p, const struct scalar *q, double x[SCALAR_MAX_IN][SCALAR_MAX_SIZE]);

double scalar_value(const struct scalar *q);
void scalar_check_derivatives(const struct scalar *q);

#endif

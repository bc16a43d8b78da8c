/* lapack.h: what metrics need of dense linear algebra in f64; matrices are row-major here. A build
 * without LAPACK answers GAN_E_UNSUPPORTED. */
#ifndef GAN_METRICS_LAPACK_H
#define GAN_METRICS_LAPACK_H

#include <gan/status.h>

#include <stdbool.h>
#include <stdint.h>

/* Eigenvalues of a symmetric matrix [n,n], ascending. With vectors, row i of `a` becomes the unit
 * eigenvector of value i; without, `a` is destroyed. */
gan_status gan__eigen_symmetric(double *a, int64_t n, bool vectors, double *values, gan_err *err);

/* c [n,n] += x^T x of x [m,n]; only the upper triangle (row <= column). */
gan_status gan__add_squares(const double *x, int64_t m, int64_t n, double *c, gan_err *err);

/* c [m,n] = a b, a [m,k] or its transpose's memory [k,m], b [k,n] or [n,k]. */
struct gan__product {
    const double *a, *b;
    bool a_transposed, b_transposed;
    int64_t m, n, k;
    double *c;
};
gan_status gan__multiply(const struct gan__product *p, gan_err *err);

#endif

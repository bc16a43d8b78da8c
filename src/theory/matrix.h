/* matrix.h: vectors and small symmetric matrices in f64, row-major. */
#ifndef GAN_THEORY_MATRIX_H
#define GAN_THEORY_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

/* Eigenvalues w [d] and vectors v [d,d] (columns) of a symmetric a, by Jacobi rotations. a is
 * destroyed. */
void gan__jacobi_eigen(double *a, size_t d, double *w, double *v);

/* out = sum_k f(w_k) v_k v_k^T. out may not be v. */
void gan__spectral(const double *w, const double *v, size_t d, double (*f)(double), double *out);

/* out = a b; out is neither. */
void gan__matrix_product(const double *a, const double *b, size_t d, double *out);

/* Inverse and log det of a symmetric positive definite a; false when it is not. inverse may be a. */
bool gan__invert_spd(const double *a, size_t d, double *inverse, double *log_det);

/* x^T a x and a x. */
double gan__quadratic_form(const double *a, const double *x, size_t d);
void gan__matrix_vector(const double *a, const double *x, size_t d, double *out);

/* |a| and |a - b|^2. */
double gan__vector_norm(const double *a, size_t d);
double gan__squared_distance(const double *a, const double *b, size_t d);

#endif

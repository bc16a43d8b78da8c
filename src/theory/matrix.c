/* matrix.c: eigenvalues by Jacobi's rotations, inverses by Cholesky's factorisation.
 * Golub and Van Loan 2013, "Matrix Computations", algorithms 4.2.1 and 8.5.2. */
#include "matrix.h"

#include <float.h>
#include <math.h>

/* One rotation that makes a[p][q] zero, applied to a and to the vectors. */
static void rotate(double *a, double *v, size_t d, size_t p, size_t q)
{
    const double apq = a[p * d + q];
    if (fabs(apq) <= DBL_MIN) {
        return;
    }
    const double theta = (a[q * d + q] - a[p * d + p]) / (2 * apq);
    const double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    const double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t k = 0; k < d; k++) {
        const double kp = a[k * d + p], kq = a[k * d + q];
        a[k * d + p] = c * kp - s * kq;
        a[k * d + q] = s * kp + c * kq;
    }
    for (size_t k = 0; k < d; k++) {
        const double pk = a[p * d + k], qk = a[q * d + k];
        a[p * d + k] = c * pk - s * qk;
        a[q * d + k] = s * pk + c * qk;
        const double vp = v[k * d + p], vq = v[k * d + q];
        v[k * d + p] = c * vp - s * vq;
        v[k * d + q] = s * vp + c * vq;
    }
}

void gan__jacobi_eigen(double *a, size_t d, double *w, double *v)
{
    enum { SWEEPS = 60 }; /* convergence is quadratic: about 10 do */
    for (size_t i = 0; i < d * d; i++) {
        v[i] = i % (d + 1) == 0 ? 1 : 0;
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double off = 0, all = 0;
        for (size_t i = 0; i < d * d; i++) {
            all += a[i] * a[i];
            off += i % (d + 1) == 0 ? 0 : a[i] * a[i];
        }
        if (off <= all * DBL_EPSILON * DBL_EPSILON * 1e-4) {
            break;
        }
        for (size_t p = 0; p + 1 < d; p++) {
            for (size_t q = p + 1; q < d; q++) {
                rotate(a, v, d, p, q);
            }
        }
    }
    for (size_t i = 0; i < d; i++) {
        w[i] = a[i * d + i];
    }
}

void gan__spectral(const double *w, const double *v, size_t d, double (*f)(double), double *out)
{
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            double sum = 0;
            for (size_t k = 0; k < d; k++) {
                sum += f(w[k]) * v[i * d + k] * v[j * d + k];
            }
            out[i * d + j] = sum;
        }
    }
}

void gan__matrix_product(const double *a, const double *b, size_t d, double *out)
{
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            double sum = 0;
            for (size_t k = 0; k < d; k++) {
                sum += a[i * d + k] * b[k * d + j];
            }
            out[i * d + j] = sum;
        }
    }
}

/* a = L L^T in the lower triangle of l; false when a is not positive definite. */
static bool cholesky(const double *a, size_t d, double *l)
{
    for (size_t j = 0; j < d; j++) {
        for (size_t i = j; i < d; i++) {
            double sum = a[i * d + j];
            for (size_t k = 0; k < j; k++) {
                sum -= l[i * d + k] * l[j * d + k];
            }
            if (i == j && !(sum > 0)) {
                return false;
            }
            l[i * d + j] = i == j ? sqrt(sum) : sum / l[j * d + j];
        }
    }
    return true;
}

bool gan__invert_spd(const double *a, size_t d, double *inverse, double *log_det)
{
    enum { MAX = 64 };
    double l[MAX * MAX], column[MAX];
    if (d > MAX || !cholesky(a, d, l)) {
        return false;
    }
    *log_det = 0;
    for (size_t i = 0; i < d; i++) {
        *log_det += 2 * log(l[i * d + i]);
    }
    for (size_t c = 0; c < d; c++) {
        for (size_t i = 0; i < d; i++) { /* L y = e_c */
            double sum = i == c ? 1 : 0;
            for (size_t k = 0; k < i; k++) {
                sum -= l[i * d + k] * column[k];
            }
            column[i] = sum / l[i * d + i];
        }
        for (size_t i = d; i-- > 0;) { /* L^T x = y */
            double sum = column[i];
            for (size_t k = i + 1; k < d; k++) {
                sum -= l[k * d + i] * column[k];
            }
            column[i] = sum / l[i * d + i];
        }
        for (size_t i = 0; i < d; i++) {
            inverse[i * d + c] = column[i];
        }
    }
    return true;
}

void gan__matrix_vector(const double *a, const double *x, size_t d, double *out)
{
    for (size_t i = 0; i < d; i++) {
        out[i] = 0;
        for (size_t j = 0; j < d; j++) {
            out[i] += a[i * d + j] * x[j];
        }
    }
}

double gan__quadratic_form(const double *a, const double *x, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            sum += x[i] * a[i * d + j] * x[j];
        }
    }
    return sum;
}

double gan__vector_norm(const double *a, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += a[i] * a[i];
    }
    return sqrt(sum);
}

double gan__squared_distance(const double *a, const double *b, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum;
}

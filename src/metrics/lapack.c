/* lapack.c: the only user of LAPACK and BLAS. Their Fortran interface is stable and small: the
 * prototypes stand here, so no header is needed. Fortran's matrices are column-major: a row-major
 * matrix is seen as its transpose. */
#include "lapack.h"

#include "base/alloc.h"
#include "base/err.h"
#include "gan_config.h"

#include <inttypes.h>
#include <limits.h>

#if GAN_HAVE_LAPACK

void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);
void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *beta, double *c, const int *ldc);
void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc);

enum { MOST = 30000 }; /* dsyevd's workspace 1 + 6n + 2n^2 must be an int */

gan_status gan__eigen_symmetric(double *a, int64_t n, bool vectors, double *values, gan_err *err)
{
    if (n < 1 || n > MOST) {
        return gan__fail(err, GAN_E_RANGE, "eigenvalues of a matrix of %" PRId64 ", 1 to %d are", n,
                         (int)MOST);
    }
    const char *job = vectors ? "V" : "N";
    int size = (int)n, lwork = -1, liwork = -1, best_i = 0, info = 0;
    double best = 0;
    dsyevd_(job, "L", &size, a, &size, values, &best, &lwork, &best_i, &liwork, &info);
    lwork = (int)best;
    liwork = best_i;
    double *work = gan__alloc_array((size_t)lwork, sizeof *work);
    int *iwork = gan__alloc_array((size_t)liwork, sizeof *iwork);
    gan_status status = GAN_OK;
    if (work == NULL || iwork == NULL) {
        status = gan__fail_nomem(err, (size_t)lwork * sizeof *work, "eigenvalues");
    } else {
        dsyevd_(job, "L", &size, a, &size, values, work, &lwork, iwork, &liwork, &info);
        if (info != 0) {
            status = gan__fail(err, GAN_E_FORMAT, "eigenvalues of %d x %d did not converge (%d)",
                               size, size, info);
        }
    }
    gan__free(work);
    gan__free(iwork);
    return status;
}

gan_status gan__add_squares(const double *x, int64_t m, int64_t n, double *c, gan_err *err)
{
    if (m > INT_MAX || n > INT_MAX) {
        return gan__fail(err, GAN_E_RANGE, "a product of %" PRId64 " x %" PRId64 " is too large", m,
                         n);
    }
    int rows = (int)m, size = (int)n;
    const double one = 1;
    dsyrk_("L", "N", &size, &rows, &one, x, &size, &one, c, &size);
    return GAN_OK;
}

/* Column-major: C^T = B^T A^T. */
gan_status gan__multiply(const struct gan__product *p, gan_err *err)
{
    if (p->m > INT_MAX || p->n > INT_MAX || p->k > INT_MAX) {
        return gan__fail(err, GAN_E_RANGE,
                         "a product of %" PRId64 " x %" PRId64 " x %" PRId64 " is too large", p->m,
                         p->n, p->k);
    }
    int m = (int)p->m, n = (int)p->n, k = (int)p->k;
    int lda = p->a_transposed ? m : k, ldb = p->b_transposed ? k : n;
    const double one = 1, zero = 0;
    dgemm_(p->b_transposed ? "T" : "N", p->a_transposed ? "T" : "N", &n, &m, &k, &one, p->b, &ldb,
           p->a, &lda, &zero, p->c, &n);
    return GAN_OK;
}

#else

static gan_status absent(gan_err *err)
{
    return gan__fail(err, GAN_E_UNSUPPORTED,
                     "this build has no LAPACK, which eigenvalues need: configure with "
                     "-DGAN_LAPACK=ON (Debian: liblapack-dev libopenblas0-openmp)");
}

gan_status gan__eigen_symmetric(double *a, int64_t n, bool vectors, double *values, gan_err *err)
{
    (void)a, (void)n, (void)vectors, (void)values;
    return absent(err);
}

gan_status gan__add_squares(const double *x, int64_t m, int64_t n, double *c, gan_err *err)
{
    (void)x, (void)m, (void)n, (void)c;
    return absent(err);
}

gan_status gan__multiply(const struct gan__product *p, gan_err *err)
{
    (void)p;
    return absent(err);
}

#endif

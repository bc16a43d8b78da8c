/* moments.c: two passes: the mean, then products of centred rows, a block of rows at a time. */
#include "moments.h"

#include "base/alloc.h"
#include "base/err.h"
#include "lapack.h"

enum { ROWS = 512 };

static const float *row(const float *x, const int64_t *index, int64_t i, int64_t size)
{
    return x + (index != NULL ? index[i] : i) * size;
}

static gan_status products(struct gan__moments *m, const float *x, const int64_t *index,
                           double *block, gan_err *err)
{
    for (int64_t first = 0; first < m->n; first += ROWS) {
        int64_t n = m->n - first < ROWS ? m->n - first : ROWS;
        for (int64_t i = 0; i < n; i++) {
            const float *v = row(x, index, first + i, m->size);
            for (int64_t k = 0; k < m->size; k++) {
                block[i * m->size + k] = (double)v[k] - m->mean[k];
            }
        }
        GAN_TRY(gan__add_squares(block, n, m->size, m->cov, err));
    }
    for (int64_t i = 0; i < m->size; i++) {
        for (int64_t k = i; k < m->size; k++) {
            double v = m->cov[i * m->size + k] / (double)(m->n - 1);
            m->cov[i * m->size + k] = m->cov[k * m->size + i] = v;
        }
    }
    return GAN_OK;
}

gan_status gan__moments_init(struct gan__moments *m, const float *x, const int64_t *index,
                             int64_t n, int64_t size, gan_err *err)
{
    size_t squares = (size_t)size * (size_t)size;
    *m = (struct gan__moments){.n = n, .size = size};
    m->mean = gan__alloc_array((size_t)size, sizeof *m->mean);
    m->cov = gan__alloc_array(squares, sizeof *m->cov);
    double *block = gan__alloc_array((size_t)(ROWS * size), sizeof *block);
    gan_status status = GAN_OK;
    if (m->mean == NULL || m->cov == NULL || block == NULL) {
        status = gan__fail_nomem(err, squares * sizeof *m->cov, "a covariance");
    }
    for (int64_t i = 0; status == GAN_OK && i < n; i++) {
        const float *v = row(x, index, i, size);
        for (int64_t k = 0; k < size; k++) {
            m->mean[k] += (double)v[k];
        }
    }
    for (int64_t k = 0; status == GAN_OK && k < size; k++) {
        m->mean[k] /= (double)n;
    }
    if (status == GAN_OK) {
        status = products(m, x, index, block, err);
    }
    gan__free(block);
    if (status != GAN_OK) {
        gan__moments_release(m);
    }
    return status;
}

void gan__moments_release(struct gan__moments *m)
{
    gan__free(m->mean);
    gan__free(m->cov);
    *m = (struct gan__moments){0};
}

/* init_orthogonal.c: weights whose rows (or columns, whichever are fewer) are orthonormal.
 *
 * The tensor is read as a matrix [dim 0, rest]. Independent normal vectors are made orthonormal by
 * Gram-Schmidt, each pass done twice ("twice is enough", Giraud et al. 2005); a positive diagonal
 * of R makes the result uniformly distributed (Haar). Ref: Saxe et al. 2014, arXiv:1312.6120. */
#include "initializer.h"

#include "base/alloc.h"
#include "base/err.h"

#include <math.h>

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* Makes v orthogonal to the k vectors of length n at q, and of length 1. */
static void orthonormalise(double *v, const double *q, int64_t k, int64_t n)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t j = 0; j < k; j++) {
            double d = dot(v, q + j * n, n);
            for (int64_t i = 0; i < n; i++) {
                v[i] -= d * q[j * n + i];
            }
        }
    }
    double scale = 1 / sqrt(dot(v, v, n));
    for (int64_t i = 0; i < n; i++) {
        v[i] *= scale;
    }
}

static gan_status orthogonal(const struct gan__init_call *c, gan_err *err)
{
    const gan_shape *s = &c->out->shape;
    int64_t count = gan_shape_count(s);
    int64_t rows = s->rank > 0 ? s->dim[0] : 1;
    if (count == 0) {
        return GAN_OK;
    }
    int64_t columns = count / rows;
    int64_t k = rows < columns ? rows : columns; /* vectors */
    int64_t n = rows < columns ? columns : rows; /* their length */
    double *q = gan__alloc_array((size_t)count, sizeof *q);
    if (q == NULL) {
        return gan__fail_nomem(err, (size_t)count * sizeof *q, c->param->name);
    }
    for (int64_t j = 0; j < k; j++) {
        for (int64_t i = 0; i < n; i++) {
            q[j * n + i] = gan__rng_normal(c->rng);
        }
        orthonormalise(q + j * n, q, j, n);
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t row = i / columns, column = i % columns;
        double v = rows < columns ? q[row * n + column] : q[column * n + row];
        gan_tensor_set(c->out, i, c->arg[0] * v);
    }
    gan__free(q);
    return GAN_OK;
}

GAN_INIT(orthogonal) = {
    .name = "orthogonal",
    .doc = "gain times orthonormal rows or columns: orthogonal:1",
    .ref = "Saxe et al. 2014, arXiv:1312.6120",
    .args = {{"gain", 1, 0, 1e6}, {0}},
    .fill = orthogonal,
};

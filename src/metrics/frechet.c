/* frechet.c: two symmetric eigenproblems, C^T B C in between.
 *
 * Slopes: with C^T B C = V l V^T, l_i moves by v_i^T C^T dB C v_i, so the slope of 2 sum sqrt(l_i) in B
 * is C V l^-1/2 V^T C^T = map_b^T map_b with map_b = l^-1/4 V^T C^T. The slope in A is the inverse map,
 * map_a = l^1/4 V^T C^-1. Directions in which a side has no spread are left out. */
#include "frechet.h"

#include "base/alloc.h"
#include "base/err.h"
#include "lapack.h"

#include <math.h>
#include <string.h>

struct work {
    double *c;     /* [size,size] C^T: row i is sqrt(w_i) u_i */
    double *w;     /* [size] eigenvalues of A */
    double *m, *t; /* C^T B C, then V^T; a product */
    double *l;     /* [size] eigenvalues of C^T B C */
};

static gan_status work_init(struct work *k, int64_t size, gan_err *err)
{
    size_t squares = (size_t)size * (size_t)size;
    *k = (struct work){0};
    k->c = gan__alloc_array(squares, sizeof *k->c);
    k->m = gan__alloc_array(squares, sizeof *k->m);
    k->t = gan__alloc_array(squares, sizeof *k->t);
    k->w = gan__alloc_array((size_t)size, sizeof *k->w);
    k->l = gan__alloc_array((size_t)size, sizeof *k->l);
    if (k->c == NULL || k->m == NULL || k->t == NULL || k->w == NULL || k->l == NULL) {
        return gan__fail_nomem(err, 3 * squares * sizeof *k->c, "covariances");
    }
    return GAN_OK;
}

static void work_release(struct work *k)
{
    gan__free(k->c);
    gan__free(k->m);
    gan__free(k->t);
    gan__free(k->w);
    gan__free(k->l);
}

static double trace(const double *a, int64_t size)
{
    double sum = 0;
    for (int64_t i = 0; i < size; i++) {
        sum += a[i * size + i];
    }
    return sum;
}

/* Eigenvalues (and vectors) of C^T B C into k->l (and the rows of k->m). */
static gan_status solve(struct work *k, const struct gan__gaussian *a,
                        const struct gan__gaussian *b, int64_t size, bool vectors, gan_err *err)
{
    memcpy(k->c, a->cov, (size_t)(size * size) * sizeof *k->c);
    GAN_TRY(gan__eigen_symmetric(k->c, size, true, k->w, err));
    for (int64_t i = 0; i < size; i++) {
        double root = sqrt(k->w[i] > 0 ? k->w[i] : 0);
        for (int64_t j = 0; j < size; j++) {
            k->c[i * size + j] *= root;
        }
    }
    struct gan__product right = {
        .a = k->c, .b = b->cov, .m = size, .n = size, .k = size, .c = k->t};
    struct gan__product both = {
        .a = k->t, .b = k->c, .b_transposed = true, .m = size, .n = size, .k = size, .c = k->m};
    GAN_TRY(gan__multiply(&right, err));
    GAN_TRY(gan__multiply(&both, err));
    for (int64_t i = 0; i < size; i++) { /* symmetric to the last bit */
        for (int64_t j = 0; j < i; j++) {
            double v = 0.5 * (k->m[i * size + j] + k->m[j * size + i]);
            k->m[i * size + j] = k->m[j * size + i] = v;
        }
    }
    return gan__eigen_symmetric(k->m, size, vectors, k->l, err);
}

/* map_b and map_a from V^T (rows of k->m), l, C^T and w. */
static gan_status slopes(struct gan__frechet *f, struct work *k, int64_t size, gan_err *err)
{
    size_t squares = (size_t)size * (size_t)size;
    f->map_a = gan__alloc_array(squares, sizeof *f->map_a);
    f->map_b = gan__alloc_array(squares, sizeof *f->map_b);
    if (f->map_a == NULL || f->map_b == NULL) {
        return gan__fail_nomem(err, 2 * squares * sizeof *f->map_a, "slopes");
    }
    struct gan__product p = {.a = k->m, .b = k->c, .m = size, .n = size, .k = size, .c = f->map_b};
    GAN_TRY(gan__multiply(&p, err));
    double least_w = 1e-10 * k->w[size - 1], least_l = 1e-10 * k->l[size - 1];
    for (int64_t i = 0; i < size; i++) { /* C^-1 = w^-1/2 U^T = w^-1 C^T */
        double inverse = k->w[i] > least_w ? 1 / k->w[i] : 0;
        for (int64_t j = 0; j < size; j++) {
            k->c[i * size + j] *= inverse;
        }
    }
    p.c = f->map_a;
    GAN_TRY(gan__multiply(&p, err));
    for (int64_t i = 0; i < size; i++) {
        double l = k->l[i] > least_l ? k->l[i] : 0, root = pow(l, 0.25);
        for (int64_t j = 0; j < size; j++) {
            f->map_b[i * size + j] *= l > 0 ? 1 / root : 0;
            f->map_a[i * size + j] *= root;
        }
    }
    return GAN_OK;
}

gan_status gan__frechet_init(struct gan__frechet *f, const struct gan__gaussian *a,
                             const struct gan__gaussian *b, int64_t size, bool with_slopes,
                             gan_err *err)
{
    struct work k;
    *f = (struct gan__frechet){0};
    gan_status status = work_init(&k, size, err);
    f->delta = gan__alloc_array((size_t)size, sizeof *f->delta);
    if (status == GAN_OK && f->delta == NULL) {
        status = gan__fail_nomem(err, (size_t)size * sizeof *f->delta, "means");
    }
    if (status == GAN_OK) {
        status = solve(&k, a, b, size, with_slopes, err);
    }
    if (status == GAN_OK) {
        double roots = 0, means = 0;
        for (int64_t i = 0; i < size; i++) {
            roots += sqrt(k.l[i] > 0 ? k.l[i] : 0);
            f->delta[i] = b->mean[i] - a->mean[i];
            means += f->delta[i] * f->delta[i];
        }
        f->value = means + trace(a->cov, size) + trace(b->cov, size) - 2 * roots;
        status = with_slopes ? slopes(f, &k, size, err) : GAN_OK;
    }
    work_release(&k);
    if (status != GAN_OK) {
        gan__frechet_release(f);
    }
    return status;
}

void gan__frechet_release(struct gan__frechet *f)
{
    gan__free(f->delta);
    gan__free(f->map_a);
    gan__free(f->map_b);
    *f = (struct gan__frechet){0};
}

/* One block of centred rows y [n,size] and their images z under the map. */
static void put_influence(const double *delta, double sign, const double *y, const double *z,
                          int64_t n, int64_t size, double *out)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < size; k++) {
            double a = y[i * size + k], b = z[i * size + k];
            sum += sign * 2 * delta[k] * a + a * a - b * b;
        }
        out[i] = sum;
    }
}

gan_status gan__frechet_influence(const struct gan__frechet *f, const struct gan__gaussian *side,
                                  bool of_b, const float *x, int64_t n, int64_t size, double *out,
                                  gan_err *err)
{
    enum { ROWS = 512 };
    double *y = gan__alloc_array((size_t)(2 * ROWS * size), sizeof *y), *z = y + ROWS * size;
    if (y == NULL) {
        return gan__fail_nomem(err, (size_t)(2 * ROWS * size) * sizeof *y, "features");
    }
    gan_status status = GAN_OK;
    for (int64_t first = 0; status == GAN_OK && first < n; first += ROWS) {
        int64_t rows = n - first < ROWS ? n - first : ROWS;
        for (int64_t i = 0; i < rows * size; i++) {
            y[i] = (double)x[first * size + i] - side->mean[i % size];
        }
        struct gan__product p = {.a = y,
                                 .b = of_b ? f->map_b : f->map_a,
                                 .b_transposed = true,
                                 .m = rows,
                                 .n = size,
                                 .k = size,
                                 .c = z};
        status = gan__multiply(&p, err);
        if (status == GAN_OK) {
            put_influence(f->delta, of_b ? 1 : -1, y, z, rows, size, out + first);
        }
    }
    gan__free(y);
    return status;
}

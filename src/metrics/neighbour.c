/* neighbour.c: nearest rows over blocks of distances. */
#include "neighbour.h"

#include "base/err.h"

#include <math.h>
#include <stddef.h>

struct nearest {
    double *d;
    int64_t *which;
    bool same;
    int threads;
};

static void keep(void *ctx, const struct gan__cross_block *b)
{
    struct nearest *s = ctx;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int64_t i = 0; i < b->n_x; i++) {
        int64_t row = b->first_x + i;
        for (int64_t j = 0; j < b->n_y; j++) {
            double v = (double)b->v[i * b->n_y + j];
            if (v < s->d[row] && !(s->same && row == b->first_y + j)) {
                s->d[row] = v;
                if (s->which != NULL) {
                    s->which[row] = b->first_y + j;
                }
            }
        }
    }
}

gan_status gan__nearest(const struct gan__cross *c, bool same, double *d, int64_t *which,
                        gan_err *err)
{
    struct nearest s = {d, which, same, c->threads};
    for (int64_t i = 0; i < c->n_x; i++) {
        d[i] = (double)INFINITY;
    }
    GAN_TRY(gan__cross_distances(c, keep, &s, err));
    for (int64_t i = 0; i < c->n_x; i++) {
        d[i] = sqrt(d[i] > 0 ? d[i] : 0);
    }
    return GAN_OK;
}

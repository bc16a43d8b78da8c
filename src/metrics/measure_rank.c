/* measure_rank.c: Spearman's rank correlation: Pearson's, of the ranks. */
#include <gan/measure.h>

#include "base/alloc.h"
#include "base/err.h"

#include <math.h>
#include <stdlib.h>

struct place {
    double value;
    int64_t at;
};

static int by_value(const void *x, const void *y)
{
    double a = ((const struct place *)x)->value, b = ((const struct place *)y)->value;
    return (a > b) - (a < b);
}

/* Ranks from 0; equal values share the mean of theirs. */
static void rank(const double *x, int64_t n, struct place *work, double *ranks)
{
    for (int64_t i = 0; i < n; i++) {
        work[i] = (struct place){x[i], i};
    }
    qsort(work, (size_t)n, sizeof *work, by_value);
    for (int64_t first = 0, end = 0; first < n; first = end) {
        while (end < n && !(work[end].value > work[first].value)) {
            end++;
        }
        for (int64_t i = first; i < end; i++) {
            ranks[work[i].at] = (double)(first + end - 1) / 2;
        }
    }
}

double gan_rank_correlation(const double *x, const double *y, int64_t n, gan_err *err)
{
    struct place *work = gan__alloc_array((size_t)(n > 0 ? n : 1), sizeof *work);
    double *a = gan__alloc_array((size_t)(n > 0 ? 2 * n : 1), sizeof *a);
    double xx = 0, yy = 0, xy = 0, mean = (double)(n - 1) / 2;
    if (work == NULL || a == NULL) {
        gan__fail_nomem(err, (size_t)n * sizeof *work, "ranks");
        n = 0;
    }
    if (n > 1) {
        rank(x, n, work, a);
        rank(y, n, work, a + n);
    }
    for (int64_t i = 0; n > 1 && i < n; i++) {
        double dx = a[i] - mean, dy = a[n + i] - mean;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    gan__free(work);
    gan__free(a);
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}

/* transport_line.c: transport on the line, where the sorted order is the plan, and cost matrices.
 * Villani 2003, "Topics in Optimal Transportation", theorem 2.18. */
#include "masses.h"

#include "base/alloc.h"
#include "base/err.h"

#include <gan/transport.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct place {
    double at, mass;
    size_t index;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->at < y->at || x->at > y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

static void sort_places(struct place *to, const double *x, const double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = (struct place){x[i], a != NULL ? a[i] : 1.0 / (double)n, i};
    }
    qsort(to, n, sizeof *to, by_place);
}

/* Both sorted lists are run through together, as much mass at a time as both have. */
static double merge(struct place *x, size_t n, struct place *y, size_t m, double order,
                    double *grad)
{
    double sum = 0;
    size_t i = 0, j = 0;
    while (i < n && j < m) {
        const double mass = fmin(x[i].mass, y[j].mass), gap = y[j].at - x[i].at;
        sum += mass * pow(fabs(gap), order);
        if (grad != NULL && fabs(gap) > 0) {
            grad[y[j].index] += mass * order * pow(fabs(gap), order - 1) * (gap > 0 ? 1 : -1);
        }
        x[i].mass -= mass;
        y[j].mass -= mass;
        if (x[i].mass <= y[j].mass) {
            i++;
        } else {
            j++;
        }
    }
    return sum;
}

static gan_status check_line(const char *name, const double *x, const double *a, size_t n,
                             gan_err *err)
{
    if (n == 0) {
        return gan__fail(err, GAN_E_RANGE, "%s has an empty support: at least one place is needed",
                         name);
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return gan__fail(err, GAN_E_RANGE, "place %zu of %s is not finite", i, name);
        }
    }
    return a != NULL ? gan__check_masses(name, a, n, err) : GAN_OK;
}

gan_status gan_transport_line(const double *x, const double *a, size_t n, const double *y,
                              const double *b, size_t m, double order, double *value,
                              double *grad_y, gan_err *err)
{
    GAN_TRY(check_line("a", x, a, n, err));
    GAN_TRY(check_line("b", y, b, m, err));
    if (!(order >= 1) || !isfinite(order)) {
        return gan__fail(err, GAN_E_RANGE, "the order of a Wasserstein distance is %g: at least 1",
                         order);
    }
    struct place *p = gan__alloc_array(n + m, sizeof *p);
    if (p == NULL) {
        return gan__fail_nomem(err, (n + m) * sizeof *p, "transport on the line");
    }
    sort_places(p, x, a, n);
    sort_places(p + n, y, b, m);
    if (grad_y != NULL) {
        memset(grad_y, 0, m * sizeof *grad_y);
    }
    const double sum = merge(p, n, p + n, m, order, grad_y);
    *value = pow(sum, 1 / order);
    for (size_t j = 0; grad_y != NULL && j < m; j++) {
        grad_y[j] *= sum > 0 ? *value / (order * sum) : 0; /* d(sum^(1/order)) */
    }
    gan__free(p);
    return GAN_OK;
}

gan_status gan_transport_cost(const struct gan_points *x, const struct gan_points *y, double order,
                              double *cost, gan_err *err)
{
    GAN_TRY(gan__check_points(x, y, 1, err));
    if (!(order > 0) || !isfinite(order)) {
        return gan__fail(err, GAN_E_RANGE, "the order of a cost is %g: positive and finite", order);
    }
    for (size_t i = 0; i < x->n; i++) {
        for (size_t j = 0; j < y->n; j++) {
            double sum = 0;
            for (size_t c = 0; c < x->d; c++) {
                const double gap = x->x[i * x->d + c] - y->x[j * x->d + c];
                sum += gap * gap;
            }
            cost[i * y->n + j] = pow(sum, order / 2);
        }
    }
    return GAN_OK;
}

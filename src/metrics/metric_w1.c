/* metric_w1.c: the exact Wasserstein-1 distance of two batches of features: the cheapest one-to-one
 * assignment, by shortest augmenting paths with dual prices.
 *
 * Each row in turn is matched by a path of least reduced cost (Dijkstra over the columns); prices keep
 * reduced costs non-negative, so the final matching is optimal. O(n^3).
 *
 * Ref: Jonker, Volgenant 1987, "A shortest augmenting path algorithm for dense and sparse linear
 * assignment problems". */
#include "cross.h"
#include "interval.h"
#include "metrics.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/philox.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MOST = 2000 };

struct costs {
    float *v; /* [n,n] */
    int64_t n;
};

static void keep_cost(void *ctx, const struct gan__cross_block *b)
{
    struct costs *c = ctx;
    for (int64_t i = 0; i < b->n_x; i++) {
        for (int64_t j = 0; j < b->n_y; j++) {
            double d = (double)b->v[i * b->n_y + j];
            c->v[(b->first_x + i) * c->n + b->first_y + j] = (float)sqrt(d > 0 ? d : 0);
        }
    }
}

struct match {
    double *u, *v;     /* prices of rows and columns */
    double *dist;      /* of columns in the current search */
    int64_t *row_of;   /* [n] row matched to a column, -1 */
    int64_t *from;     /* [n] column before this one on the path */
    unsigned char *in; /* [n] column is in the tree */
    int64_t n;
};

/* Matches row `r`: the tree grows by the nearest column until a free one is reached. */
static void augment(struct match *m, const float *cost, int64_t r)
{
    int64_t n = m->n, row = r, column = -1, free_column = -1;
    double low = 0;
    for (int64_t j = 0; j < n; j++) {
        m->dist[j] = (double)INFINITY;
        m->from[j] = -1;
        m->in[j] = 0;
    }
    while (free_column < 0) {
        double best = (double)INFINITY;
        int64_t next = -1;
        for (int64_t j = 0; j < n; j++) {
            if (m->in[j]) {
                continue;
            }
            double d = low + (double)cost[row * n + j] - m->u[row] - m->v[j];
            if (d < m->dist[j]) {
                m->dist[j] = d;
                m->from[j] = column;
            }
            if (m->dist[j] < best) {
                best = m->dist[j];
                next = j;
            }
        }
        m->in[next] = 1;
        low = best;
        column = next;
        row = m->row_of[next];
        free_column = row < 0 ? next : -1;
    }
    m->u[r] += low;
    for (int64_t j = 0; j < n; j++) {
        if (m->in[j] && j != free_column) {
            m->u[m->row_of[j]] += low - m->dist[j];
            m->v[j] -= low - m->dist[j];
        }
    }
    for (int64_t j = free_column; j >= 0; j = m->from[j]) {
        m->row_of[j] = m->from[j] >= 0 ? m->row_of[m->from[j]] : r;
    }
}

static gan_status solve(const struct costs *c, double *per_pair, gan_err *err)
{
    size_t n = (size_t)c->n;
    struct match m = {.n = c->n};
    double *prices = gan__alloc_array(3 * n, sizeof *prices);
    m.row_of = gan__alloc_array(2 * n, sizeof *m.row_of);
    m.in = gan__alloc_array(n, 1);
    gan_status status = GAN_OK;
    if (prices == NULL || m.row_of == NULL || m.in == NULL) {
        status = gan__fail_nomem(err, 3 * n * sizeof *prices, "an assignment");
    } else {
        m.u = prices;
        m.v = prices + n;
        m.dist = prices + 2 * n;
        m.from = m.row_of + n;
        for (size_t j = 0; j < n; j++) {
            m.row_of[j] = -1;
        }
        for (int64_t r = 0; r < c->n; r++) {
            augment(&m, c->v, r);
        }
        for (int64_t j = 0; j < c->n; j++) {
            per_pair[j] = (double)c->v[m.row_of[j] * c->n + j];
        }
    }
    gan__free(prices);
    gan__free(m.row_of);
    gan__free(m.in);
    return status;
}

/* The first n rows, or n drawn without repetition. */
static void draw(const struct gan_side *s, uint64_t seed, const char *name, int64_t n, float *dst)
{
    uint64_t key = gan__stream_key(seed, 0, 0, gan__hash_text(name));
    for (int64_t i = 0; i < n; i++) {
        int64_t k = n == s->n ? i : (int64_t)gan__permute(key, (uint64_t)s->n, (uint64_t)i);
        memcpy(dst + i * s->size, s->features + k * s->size, (size_t)s->size * sizeof *dst);
    }
}

static gan_status run(const struct gan_metric_input *in, struct gan_metric_result *out,
                      gan_err *err)
{
    const struct gan_side *a = &in->real, *b = &in->fake;
    if (a->features == NULL || b->features == NULL) {
        return gan__fail(err, GAN_E_ARG, "w1 needs features, not their mean and covariance");
    }
    int64_t least = a->n < b->n ? a->n : b->n, n = least < MOST ? least : MOST;
    size_t floats = (size_t)(n * b->size);
    struct costs c = {gan__alloc_array((size_t)(n * n), sizeof *c.v), n};
    float *x = gan__alloc_array(2 * floats, sizeof *x), *y = x != NULL ? x + floats : NULL;
    double *pair = gan__alloc_array((size_t)n, sizeof *pair), sum = 0;
    gan_status status = GAN_OK;
    if (c.v == NULL || x == NULL || pair == NULL) {
        status = gan__fail_nomem(err, (size_t)(n * n) * sizeof *c.v, "distances");
    } else {
        draw(a, in->seed, "w1-real", n, x);
        draw(b, in->seed, "w1-fake", n, y);
        struct gan__cross cross = {x, y, n, n, b->size, in->threads};
        status = gan__cross_distances(&cross, keep_cost, &c, err);
    }
    if (status == GAN_OK) {
        status = solve(&c, pair, err);
    }
    for (int64_t i = 0; status == GAN_OK && i < n; i++) {
        sum += pair[i] / (double)n;
    }
    if (status == GAN_OK) {
        struct gan_metric_value *w1 = gan__metric_value(out, "w1", sum, "");
        struct gan__influence pairs = {pair, n}, none = {NULL, 0};
        status = gan__interval(in, none, pairs, w1, err);
    }
    (void)gan__format(out->protocol, sizeof out->protocol,
                      "exact assignment of %" PRId64 " to %" PRId64
                      ", Euclidean cost; biased upwards for few",
                      n, n);
    gan__free(c.v);
    gan__free(x);
    gan__free(pair);
    return status;
}

GAN_METRIC(w1) = {
    .name = "w1",
    .help = "exact Wasserstein-1 distance of up to 2000 features of each side",
    .ref = "Jonker, Volgenant 1987",
    .needs = GAN_NEED_FEATURES,
    .least = 10,
    .lower = true,
    .run = run,
};

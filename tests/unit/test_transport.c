/* test_transport.c: exact, entropic and one-dimensional transport against linear programming, each
 * other and closed forms. */
#include <gan/transport.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/philox.h"
#include "support/close.h"
#include "support/st.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

/* Feasible, complete, and without a gap: together a proof of optimality. The tolerance is rounding of
 * sums of up to a few thousand terms. */
static void assert_optimal(const struct gan_transport *t, const double *a, size_t n,
                           const double *b, size_t m, const double *cost)
{
    double *left = gan__alloc_array(n + m, sizeof *left);
    assert_non_null(left);
    for (size_t k = 0; k < t->n_plan; k++) {
        assert_true(t->plan[k].mass > 0 && t->plan[k].i < n && t->plan[k].j < m);
        left[t->plan[k].i] += t->plan[k].mass;
        left[n + t->plan[k].j] += t->plan[k].mass;
    }
    for (size_t i = 0; i < n + m; i++) {
        assert_close(left[i], i < n ? a[i] : b[i - n], 1e-13);
    }
    for (size_t k = 0; k < n * m; k++) {
        assert_true(t->u[k / m] + t->v[k % m] <= cost[k] + 1e-12 * (1 + fabs(cost[k])));
    }
    assert_close(t->cost, t->dual, 1e-12 * (1 + fabs(t->cost)));
    gan__free(left);
}

/* 100 problems of tools/golden_theory.py: HiGHS meets its own tolerance of 1e-10. */
static void test_linear_programming(void **state)
{
    (void)state;
    struct st *f = st_open("transport");
    for (int k = 0; k < 100; k++) {
        const gan_tensor a = st_get(f, "%d/a", k), b = st_get(f, "%d/b", k);
        const gan_tensor cost = st_get(f, "%d/cost", k), want = st_get(f, "%d/optimum", k);
        const size_t n = (size_t)a.shape.dim[0], m = (size_t)b.shape.dim[0];
        struct gan_transport t;
        assert_int_equal(gan_transport_exact(a.data, n, b.data, m, cost.data, &t, NULL), GAN_OK);
        assert_close(t.cost, *(const double *)want.data, 1e-9);
        assert_optimal(&t, a.data, n, b.data, m, cost.data);
        gan_transport_release(&t);
    }
    st_close(f);
}

/* 2,000 x 2,000 points, as the issue asks within 10 s; 60 s here, for slow and busy machines. */
static void test_large(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct gan__rng rng;
    double *x = gan__alloc_array(4 * N, sizeof *x), *a = gan__alloc_array(N, sizeof *a);
    double *cost = gan__alloc_array((size_t)N * N, sizeof *cost);
    assert_true(x != NULL && a != NULL && cost != NULL);
    gan__rng_init(&rng, 5);
    for (int i = 0; i < 4 * N; i++) {
        x[i] = gan__rng_normal(&rng) + (i < 2 * N ? 0 : 1);
        a[i % N] = 1.0 / N;
    }
    const struct gan_points p = {N, 2, x}, q = {N, 2, x + (size_t)2 * N};
    struct gan_transport t;
    assert_int_equal(gan_transport_cost(&p, &q, 1, cost, NULL), GAN_OK);
    const double start = gan__now_s();
    assert_int_equal(gan_transport_exact(a, N, a, N, cost, &t, NULL), GAN_OK);
    const double seconds = gan__now_s() - start;
    print_message("2000 x 2000: %.2f s, %lld pivots\n", seconds, (long long)t.pivots);
    assert_true(seconds < 60);
    assert_int_equal(t.n_plan, N); /* equal masses: a permutation */
    assert_optimal(&t, a, N, a, N, cost);
    gan_transport_release(&t);
    gan__free(x);
    gan__free(a);
    gan__free(cost);
}

static void test_line(void **state)
{
    (void)state;
    enum { N = 30, M = 17 };
    struct gan__rng rng;
    double x[N], y[M], a[N], b[M], cost[N * M], grad[M], value, moved, sum[2] = {0, 0};
    gan__rng_init(&rng, 9);
    for (int i = 0; i < N; i++) {
        x[i] = gan__rng_normal(&rng);
        sum[0] += a[i] = gan__rng_uniform(&rng);
    }
    for (int j = 0; j < M; j++) {
        y[j] = gan__rng_normal(&rng) + 1;
        sum[1] += b[j] = gan__rng_uniform(&rng);
    }
    for (int i = 0; i < N; i++) {
        a[i] /= sum[0];
        b[i % M] /= i < M ? sum[1] : 1;
    }
    const struct gan_points p = {N, 1, x}, q = {M, 1, y};
    for (int order = 1; order <= 3; order++) {
        struct gan_transport t;
        assert_int_equal(gan_transport_cost(&p, &q, order, cost, NULL), GAN_OK);
        assert_int_equal(gan_transport_exact(a, N, b, M, cost, &t, NULL), GAN_OK);
        assert_int_equal(gan_transport_line(x, a, N, y, b, M, order, &value, grad, NULL), GAN_OK);
        assert_close(value, pow(t.cost, 1.0 / order), 1e-12);
        gan_transport_release(&t);
        for (int j = 0; j < M; j++) { /* differences of 1e-6: error 1e-9 */
            const double h = 1e-6, at = y[j];
            double below;
            y[j] = at + h;
            assert_int_equal(gan_transport_line(x, a, N, y, b, M, order, &moved, NULL, NULL),
                             GAN_OK);
            y[j] = at - h;
            assert_int_equal(gan_transport_line(x, a, N, y, b, M, order, &below, NULL, NULL),
                             GAN_OK);
            y[j] = at;
            assert_close(grad[j], (moved - below) / (2 * h), 1e-7);
        }
    }
}

/* Two places each: the plan is [[r, 1/2-r], [1/2-r, r]] and r/(1/2-r) = exp(2 c/2 reg) by the first
 * order condition, c the cost of a change of place. */
static void test_sinkhorn_closed_form(void **state)
{
    (void)state;
    const double half[] = {0.5, 0.5}, cost[] = {0, 1, 1, 0};
    double plan[4];
    for (double reg = 0.05; reg < 4; reg *= 2) {
        struct gan_sinkhorn_result r;
        const struct gan_sinkhorn o = {.reg = reg, .plan = plan, .tolerance = 1e-13};
        assert_int_equal(gan_transport_sinkhorn(half, 2, half, 2, cost, &o, &r, NULL), GAN_OK);
        const double want = 0.5 / (1 + exp(-1 / reg));
        assert_close(plan[0], want, 1e-12);
        assert_close(plan[1], 0.5 - want, 1e-12);
        assert_close(r.cost, 1 - 2 * want, 1e-12);
        double kl = 0;
        for (int k = 0; k < 4; k++) {
            kl += plan[k] * log(plan[k] / 0.25);
        }
        assert_close(r.value, r.cost + reg * kl, 1e-11);
        gan_sinkhorn_release(&r);
    }
}

static void test_sinkhorn_near_exact(void **state)
{
    (void)state;
    enum { N = 40, M = 30 };
    struct gan__rng rng;
    double x[2 * N], y[2 * M], a[N], b[M], cost[N * M], plan[N * M];
    gan__rng_init(&rng, 4);
    for (int i = 0; i < 2 * N; i++) {
        x[i] = gan__rng_normal(&rng);
        y[i % (2 * M)] = gan__rng_normal(&rng) + 2;
        a[i % N] = 1.0 / N;
        b[i % M] = 1.0 / M;
    }
    const struct gan_points p = {N, 2, x}, q = {M, 2, y};
    struct gan_transport t;
    struct gan_sinkhorn_result r;
    assert_int_equal(gan_transport_cost(&p, &q, 2, cost, NULL), GAN_OK);
    assert_int_equal(gan_transport_exact(a, N, b, M, cost, &t, NULL), GAN_OK);
    const struct gan_sinkhorn o = {.reg = 0.2, .plan = plan, .tolerance = 1e-7, .max_steps = 50000};
    assert_int_equal(gan_transport_sinkhorn(a, N, b, M, cost, &o, &r, NULL), GAN_OK);
    /* cost >= exact up to the marginals' error; the excess is at most reg log(n m) (entropy) */
    assert_true(r.cost >= t.cost - 1e-5 && r.cost <= t.cost + 0.2 * log(N * M));
    for (int j = 0; j < M; j++) {
        double sum = 0;
        for (int i = 0; i < N; i++) {
            sum += plan[i * M + j];
        }
        assert_close(sum, b[j], 1e-12); /* the last half step met the columns */
    }
    gan_transport_release(&t);
    gan_sinkhorn_release(&r);
}

static void test_errors(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan_transport t;
    struct gan_sinkhorn_result r;
    double value;
    const double ok[] = {0.5, 0.5}, off[] = {0.5, 0.6}, neg[] = {1.5, -0.5}, cost[] = {0, 1, 1, 0};
    const double bad[] = {0, 1, (double)INFINITY, 0};
    assert_int_equal(gan_transport_exact(off, 2, ok, 2, cost, &t, &err), GAN_E_RANGE);
    assert_string_equal(err.message, "a sums to 1.1: a distribution sums to 1 within 1e-09");
    err = (gan_err){0};
    assert_int_equal(gan_transport_exact(ok, 2, neg, 2, cost, &t, &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "b[1] is -0.5"));
    err = (gan_err){0};
    assert_int_equal(gan_transport_exact(ok, 0, ok, 2, cost, &t, &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "empty support"));
    err = (gan_err){0};
    assert_int_equal(gan_transport_exact(ok, 2, ok, 2, bad, &t, &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "from place 1 to place 0"));
    err = (gan_err){0};
    double *many = gan__alloc_array(5000, sizeof *many);
    assert_non_null(many);
    many[0] = 1;
    assert_int_equal(gan_transport_exact(many, 5000, many, 5000, cost, &t, &err), GAN_E_RANGE);
    assert_non_null(strstr(err.message, "16777216"));
    assert_non_null(strstr(err.message, "gan_transport_sinkhorn"));
    gan__free(many);
    err = (gan_err){0};
    const struct gan_sinkhorn few = {.reg = 0.001, .max_steps = 3};
    const double uneven[] = {0.3, 0.7};
    assert_int_equal(gan_transport_sinkhorn(ok, 2, uneven, 2, cost, &few, &r, &err),
                     GAN_E_DIVERGED);
    assert_non_null(strstr(err.message, "after 3 steps"));
    gan_sinkhorn_release(&r);
    err = (gan_err){0};
    assert_int_equal(gan_transport_line(ok, NULL, 2, ok, NULL, 2, 0.5, &value, NULL, &err),
                     GAN_E_RANGE);
    const struct gan_points p = {1, 2, ok}, q = {2, 1, ok};
    err = (gan_err){0};
    assert_int_equal(gan_transport_cost(&p, &q, 1, &value, &err), GAN_E_SHAPE);
}

/* Every allocation fails in turn: the right code, nothing left. */
static void test_no_memory(void **state)
{
    (void)state;
    const double half[] = {0.5, 0.5}, cost[] = {0, 1, 1, 0};
    for (uint64_t k = 1; k <= 4; k++) {
        struct gan_transport t;
        const uint64_t live = gan__alloc_stats().live;
        gan__alloc_fail_at(k);
        assert_int_equal(gan_transport_exact(half, 2, half, 2, cost, &t, NULL), GAN_E_NOMEM);
        gan__alloc_fail_at(0);
        gan_transport_release(&t);
        assert_int_equal(gan__alloc_stats().live, live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_programming),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_sinkhorn_closed_form),
        cmocka_unit_test(test_sinkhorn_near_exact),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

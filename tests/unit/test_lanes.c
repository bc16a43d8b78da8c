/* test_lanes.c: elementwise functions against libm in f64, the same bits on every instruction
 * set, special values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/kernels/lanes.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { TILE = 4099 }; /* no multiple of any vector: tails are tested too */

static const char *const isas[] = {"base", "v3", "v4"};

static double soft(double x)
{
    return fmax(x, 0.0) + log1p(exp(-fabs(x)));
}

static double logistic(double x)
{
    double e = exp(-fabs(x));
    return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}

static double elu_1(double x)
{
    return x > 0.0 ? x : expm1(x);
}

static double pow_third(double x)
{
    return pow(x, 0.3);
}

static double pow_minus(double x)
{
    return pow(x, -2.5);
}

static double pow_5(double x)
{
    return pow(x, 5.0);
}

static double rsqrt_of(double x)
{
    return 1.0 / sqrt(x);
}

/* Largest error allowed, in units of the last place of the f32 result: a little above what an
 * exhaustive run over all floats showed (0.98, 0.82, 1.5, 2.5, 2.3, 1.9, 1.4, 0.9, 0.51, 1.0). */
static const struct function {
    const char *name;
    size_t at;
    double (*f)(double x);
    double num, ulps;
} functions[] = {
    {"exp", offsetof(struct gan__lanes, exp), exp, 0.0, 1.1},
    {"log", offsetof(struct gan__lanes, log), log, 0.0, 1.0},
    {"log1p", offsetof(struct gan__lanes, log1p), log1p, 0.0, 1.8},
    {"tanh", offsetof(struct gan__lanes, tanh), tanh, 0.0, 3.0},
    {"sigmoid", offsetof(struct gan__lanes, sigmoid), logistic, 0.0, 2.6},
    {"softplus", offsetof(struct gan__lanes, softplus), soft, 0.0, 2.2},
    {"erf", offsetof(struct gan__lanes, erf), erf, 0.0, 1.6},
    {"elu", offsetof(struct gan__lanes, elu), elu_1, 1.0, 1.1},
    {"pow", offsetof(struct gan__lanes, pow), pow_third, 0.3, 0.51},
    {"pow", offsetof(struct gan__lanes, pow), pow_minus, -2.5, 0.51},
    {"pow", offsetof(struct gan__lanes, pow), pow_5, 5.0, 0.51},
    {"sqrt", offsetof(struct gan__lanes, sqrt), sqrt, 0.0, 0.5},
    {"rsqrt", offsetof(struct gan__lanes, rsqrt), rsqrt_of, 0.0, 1.5},
};

static gan__tile *tile_at(const struct gan__lanes *l, size_t at)
{
    gan__tile *f;
    memcpy(&f, (const char *)l + at, sizeof f);
    return f;
}

/* Error in units of the last place; 0 where both are NaN or the same infinity. */
static double ulps_off(float got, double want)
{
    int e;
    if (isnan(want) || isnan(got)) {
        return isnan(want) && isnan(got) ? 0.0 : HUGE_VAL;
    }
    if (isinf((float)want) || isinf(got)) {
        return (float)want == got ? 0.0 : HUGE_VAL;
    }
    (void)frexp(want, &e);
    return fabs((double)got - want) / ldexp(1.0, (e < -125 ? -125 : e) - 24);
}

static bool same_bits(const float *a, const float *b, int64_t n, int64_t *where)
{
    for (int64_t i = 0; i < n; i++) {
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i]))) {
            *where = i;
            return false;
        }
    }
    return true;
}

/* One float in 977 of all of them, NaN, infinities and denormals among them. */
static void accuracy(void **state)
{
    (void)state;
    static float x[TILE], y[3][TILE];
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        const struct function *fn = &functions[k];
        for (uint64_t first = 0; first < UINT64_C(1) << 32; first += UINT64_C(977) * TILE) {
            for (int i = 0; i < TILE; i++) {
                uint32_t bits = (uint32_t)(first + (uint64_t)i * 977);
                memcpy(&x[i], &bits, sizeof bits);
            }
            for (int s = 0; s < 3; s++) {
                const struct gan__lanes *l = gan__lanes_find(isas[s]);
                const float *in[] = {x};
                int64_t where = 0;
                if (l == NULL) {
                    continue;
                }
                tile_at(l, fn->at)(in, y[s], TILE, &fn->num);
                if (!same_bits(y[s], y[0], TILE, &where)) {
                    fail_msg("%s(%a) differs between base and %s", fn->name, (double)x[where],
                             l->isa);
                }
            }
            for (int i = 0; i < TILE; i++) {
                double off = ulps_off(y[0][i], fn->f((double)x[i]));
                if (!(off <= fn->ulps)) {
                    fail_msg("%s(%a) = %a, off by %.3g ulp, at most %.3g", fn->name, (double)x[i],
                             (double)y[0][i], off, fn->ulps);
                }
            }
        }
    }
}

static float next_float(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 4194304.0f - 2.0f;
}

/* Every tile of every set gives the bits of the base set, in place too. */
static void tiles_agree(void **state)
{
    (void)state;
    static float a[TILE], b[TILE], c[TILE], want[TILE], got[TILE];
    uint32_t seed = 5;
    for (int i = 0; i < TILE; i++) {
        a[i] = i % 37 == 0 ? NAN : next_float(&seed);
        b[i] = i % 41 == 0 ? a[i] : next_float(&seed);
        c[i] = next_float(&seed);
    }
    const double num[2] = {0.25, 1.0};
    const struct gan__lanes *base = gan__lanes_find("base");
    assert_non_null(base);
    for (int s = 0; s < 3; s++) {
        const struct gan__lanes *l = gan__lanes_find(isas[s]);
        if (l == NULL) {
            continue;
        }
        int64_t where = 0;
#define COMPARE(NAME)                                                                              \
    {                                                                                              \
        const float *in[] = {a, b, c, b, c, a, b, c};                                              \
        const float *over[] = {got, b, c, b, c, a, b, c};                                          \
        (base->NAME)(in, want, TILE, num);                                                         \
        memcpy(got, a, sizeof got);                                                                \
        (l->NAME)(over, got, TILE, num);                                                           \
        if (!same_bits(got, want, TILE, &where)) {                                                 \
            fail_msg(#NAME "(%a, %a) differs on %s", (double)a[where], (double)b[where], l->isa);  \
        }                                                                                          \
    }
        GAN_LANES_TILES(COMPARE)
#undef COMPARE
    }
}

/* An update of Adam, in place, against the operations one by one; nothing moves behind a shut guard. */
static void adam(void **state)
{
    (void)state;
    const struct gan__lanes *l = gan__lanes();
    const float open = 1.0f, shut = 0.0f, b1 = 0.5f, c1 = 0.5f, b2 = 0.999f, c2 = 0.001f;
    const float step = 2e-4f, root = 1.5f, eps = 1e-8f;
    static float g[TILE], m[TILE], v[TILE], p[TILE], was[3][TILE];
    uint32_t seed = 7;
    for (int i = 0; i < TILE; i++) {
        g[i] = next_float(&seed);
        m[i] = next_float(&seed);
        v[i] = fabsf(next_float(&seed));
        p[i] = next_float(&seed);
    }
    memcpy(was[0], m, sizeof m);
    memcpy(was[1], v, sizeof v);
    memcpy(was[2], p, sizeof p);
    for (int k = 0; k < 2; k++) {
        const float *guard = k == 0 ? &shut : &open;
        l->adam_m((const float *[]){guard, m, &b1, g, &c1}, m, TILE, NULL);
        l->adam_v((const float *[]){guard, v, &b2, g, &c2}, v, TILE, NULL);
        l->adam_p((const float *[]){guard, p, &step, m, v, &root, &eps, p}, p, TILE, NULL);
        for (int i = 0; i < TILE; i++) {
            volatile float mb = was[0][i] * b1, gc = g[i] * c1, vb = was[1][i] * b2;
            volatile float gg = g[i] * g[i], ggc = gg * c2, m1 = mb + gc, v1 = vb + ggc;
            volatile float r = sqrtf(v1) * root, d = r + eps, q = m1 / d, move = step * q;
            float p1 = was[2][i] - move;
            assert_true(m[i] == (k == 0 ? was[0][i] : m1));
            assert_true(v[i] == (k == 0 ? was[1][i] : v1));
            assert_true(p[i] == (k == 0 ? was[2][i] : p1));
        }
    }
}

static void special_values(void **state)
{
    (void)state;
    const struct gan__lanes *l = gan__lanes();
    const float x[] = {0.0f, -1.0f, INFINITY, -INFINITY, NAN, -0.0f, 3.0f};
    const float *in[] = {x, &x[1]};
    float y[7];
    l->log(in, y, 7, NULL);
    assert_true(y[0] == -INFINITY && isnan(y[1]) && y[2] == INFINITY && isnan(y[3]) && isnan(y[4]));
    l->exp(in, y, 7, NULL);
    assert_true(y[0] == 1.0f && y[2] == INFINITY && y[3] == 0.0f && isnan(y[4]));
    l->tanh(in, y, 7, NULL);
    assert_true(y[2] == 1.0f && y[3] == -1.0f && isnan(y[4]) && y[5] == 0.0f && signbit(y[5]));
    l->relu(in, y, 7, NULL);
    assert_true(y[1] == 0.0f && y[2] == INFINITY && y[3] == 0.0f && isnan(y[4]) && y[6] == 3.0f);
    (l->isfinite)(in, y, 7, NULL);
    assert_true(y[0] == 1.0f && y[1] == 1.0f && y[2] == 0.0f && y[3] == 0.0f && y[4] == 0.0f);
    l->max(in, y, 6, NULL); /* of neighbours: a NaN in either is the result */
    assert_true(y[0] == 0.0f && y[1] == INFINITY && isnan(y[3]) && isnan(y[4]) && y[5] == 3.0f);
    l->min(in, y, 6, NULL);
    assert_true(y[0] == -1.0f && y[2] == -INFINITY && isnan(y[3]) && isnan(y[4]));
    l->sign(in, y, 7, NULL);
    assert_true(y[0] == 0.0f && y[1] == -1.0f && y[2] == 1.0f && isnan(y[4]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accuracy),
        cmocka_unit_test(tiles_agree),
        cmocka_unit_test(adam),
        cmocka_unit_test(special_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

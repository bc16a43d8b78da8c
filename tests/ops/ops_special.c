/* ops_special.c: elementwise kernels on infinities, NaN, signed zeros, denormals and the ends of the
 * f32 range must agree with the reference: same infinities, NaN where it has NaN, the case's
 * tolerance elsewhere. Two inputs meet in all pairs. */
#include "ops_tests.h"

#include "base/alloc.h"

#include <math.h>
#include <stdio.h>

static const float special[] = {
    0.0f,    -0.0f,  1.0f,   -1.0f,  0.5f,   -0.5f,    2.0f,      -3.0f,  1e-8f,
    -1e-8f,  1e-30f, 1e-40f, 1e8f,   -1e8f,  88.0f,    89.0f,     -87.0f, -104.0f,
    16.635f, -20.0f, 3e38f,  -3e38f, 0.999f, INFINITY, -INFINITY, NAN,    7.5f,
};
enum { COUNT = sizeof special / sizeof *special };

/* Input `input` of n: each value against each of the other inputs'. */
static double value_at(int input, int64_t i)
{
    return (double)special[input == 0 ? i % COUNT : i / COUNT];
}

static bool takes(const struct gan__op *op)
{
    return (op->flags & GAN_OP_ELEMENTWISE) && op->cases && !op->cases[0].dtypes &&
           (op->n_in == 1 || op->n_in == 2) && !(op->flags & GAN_OP_INTERNAL);
}

static bool check_special(const struct gan__op *op, const struct gan__case *given, int index)
{
    struct gan__case cs = *given;
    cs.shapes = op->n_in == 1 ? "[27]" : "[729] [729]";
    struct sample s = {.op = op, .cs = &cs, .index = index, .real = GAN_F32, .n = op->n_in};
    int64_t count = op->n_in == 1 ? COUNT : COUNT * COUNT;
    bool good = true;
    for (int i = 0; i < s.n; i++) {
        s.type[i] = (struct gan__type){GAN_F32, GAN_SHAPE(count)};
        s.value[i] = gan__alloc_array((size_t)count, sizeof(double));
        good = good && s.value[i];
        for (int64_t k = 0; good && k < count; k++)
            s.value[i][k] = value_at(i, k);
    }
    if (good)
        check_kernels(&s);
    sample_close(&s);
    return good;
}

void test_special(void **state)
{
    (void)state;
    int before = failures;
    for (const struct gan__op *const *p = gan__ops; *p; p++) {
        for (int i = 0; takes(*p) && (*p)->cases[i].shapes; i++) {
            const struct gan__case *cs = &(*p)->cases[i];
            bool seen = cs->dtypes != NULL;
            for (int k = 0; k < i && !seen; k++)
                seen = (*p)->cases[k].attr == cs->attr;
            if (!seen)
                assert_true(check_special(*p, cs, i));
        }
    }
    assert_int_equal(failures, before);
}

/* test_blocks.c: blocked orders of weights against their definition, word by word. Packing rounds to
 * nearest even and unpacking adds in a fixed order, so the comparison is exact. Guards behind the
 * tensors show writes that go too far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/philox.h"
#include "engine/kernels/blocks.h"
#include "engine/kernels/lanes.h"

enum { GUARD = 64, PARTS = 3 };
static const uint32_t mark = 0xdeadbeefu;

/* The orders of dnnl_blocks.c for weights [o,i,taps]. */
static struct gan__blocks order(int which, int64_t o, int64_t i, int64_t t)
{
    const struct gan__blocks all[] = {
        {o, i / 2, t, 32, i / 2 * t * 32, 1, 32, 0, i / 2 * 32, i * t, 2 * t, true, t},
        {i, o / 2, t, 16, t * 128, 8, i * t * 8, 16, 128, t, 2 * i * t, true, i * t},
        {o, i, t, 16, i * t * 16, 16, t * 256, 16, 256, i * t, t, false, 0},
        {i, o, t, 16, t * 256, 16, i * t * 16, 16, 256, t, i * t, false, 0},
        {o, i, t, 16, i * t * 16, 1, 16, 0, i * 16, i * t, t, false, 0},
    };
    return all[which];
}

static int64_t at(const struct gan__blocks *b, int64_t lane, int64_t row, int64_t tap)
{
    return lane / b->lane_block * b->lane_step + lane % b->lane_block +
           row / b->row_block * b->row_step + row % b->row_block * b->inner_step +
           tap * b->tap_step;
}

static uint16_t half(float v)
{
    uint16_t h;
    gan__lanes()->to_bf16(&v, &h, 1);
    return h;
}

static uint32_t bits(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}

static void check_pack(const struct gan__blocks *b, const float *plain, size_t words)
{
    uint32_t *packed = malloc((words + GUARD) * sizeof *packed);
    assert_non_null(packed);
    for (size_t k = 0; k < words + GUARD; k++) {
        packed[k] = mark;
    }
    gan__blocks_pack(b, plain, packed);
    for (int64_t l = 0; l < b->lanes; l++) {
        for (int64_t r = 0; r < b->rows; r++) {
            for (int64_t t = 0; t < b->taps; t++) {
                const float *p = plain + l * b->plain_lane + r * b->plain_row + t;
                const uint32_t want =
                    b->pairs ? half(p[0]) | (uint32_t)half(p[b->plain_pair]) << 16 : bits(p[0]);
                assert_int_equal(packed[at(b, l, r, t)], want);
            }
        }
    }
    for (size_t k = words; k < words + GUARD; k++) {
        assert_int_equal(packed[k], mark);
    }
    free(packed);
}

static void check_unpack(const struct gan__blocks *b, const float *blocked, size_t words)
{
    float *plain = malloc((words + GUARD) * sizeof *plain);
    assert_non_null(plain);
    for (size_t k = 0; k < words + GUARD; k++) {
        memcpy(plain + k, &mark, sizeof mark);
    }
    gan__blocks_unpack(b, blocked, PARTS, (int64_t)words, plain);
    for (int64_t l = 0; l < b->lanes; l++) {
        for (int64_t r = 0; r < b->rows; r++) {
            for (int64_t t = 0; t < b->taps; t++) {
                const float *p = blocked + at(b, l, r, t);
                const float want = (p[0] + p[words]) + p[2 * words];
                assert_int_equal(bits(plain[l * b->plain_lane + r * b->plain_row + t]), bits(want));
            }
        }
    }
    for (size_t k = words; k < words + GUARD; k++) {
        assert_int_equal(bits(plain[k]), mark);
    }
    free(plain);
}

static void orders_match_their_definition(void **state)
{
    (void)state;
    static const int64_t taps[] = {4, 9, 16, 25, 49};
    for (int which = 0; which < 5; which++) {
        for (int k = 0; k < 5; k++) {
            const int64_t o = 32, i = which == 4 ? 6 : 48;
            const struct gan__blocks b = order(which, o, i, taps[k]);
            const size_t n = (size_t)(o * i * taps[k]);
            float *x =
                malloc(n * PARTS * sizeof *x); /* no byte more: sanitizers see a read too far */
            assert_non_null(x);
            struct gan__rng rng;
            gan__rng_init(&rng, (uint64_t)(which * 10 + k));
            for (size_t j = 0; j < n * PARTS; j++) {
                x[j] = (float)gan__rng_normal(&rng);
            }
            if (!b.pairs) {
                check_unpack(&b, x, n);
            }
            float *exact = malloc(n * sizeof *exact);
            assert_non_null(exact);
            memcpy(exact, x, n * sizeof *exact);
            check_pack(&b, exact, b.pairs ? n / 2 : n);
            free(exact);
            free(x);
        }
    }
}

static void windows_are_turned(void **state)
{
    (void)state;
    enum { CHANNELS = 48, MOST = 49 };
    static const int64_t taps[] = {4, 9, 16, 25, MOST};
    for (int k = 0; k < 5; k++) {
        const size_t n = (size_t)taps[k] * CHANNELS;
        uint16_t *x = malloc(n * sizeof *x), *y = malloc((n + GUARD) * sizeof *y);
        const uint16_t *rows[MOST];
        assert_true(x != NULL && y != NULL);
        memset(y, 0xee, (n + GUARD) * sizeof *y);
        for (size_t i = 0; i < n; i++) {
            x[i] = (uint16_t)(i * 7919u);
        }
        for (int64_t t = 0; t < taps[k]; t++) {
            rows[t] = x + (taps[k] - 1 - t) * CHANNELS;
        }
        gan__block_lanes()->unfold(rows, taps[k], CHANNELS, y);
        for (int64_t c = 0; c < CHANNELS; c++) {
            for (int64_t t = 0; t < taps[k]; t++) {
                assert_int_equal(y[c * taps[k] + t], rows[t][c]);
            }
        }
        for (size_t i = n; i < n + GUARD; i++) {
            assert_int_equal(y[i], 0xeeee);
        }
        free(x);
        free(y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(orders_match_their_definition),
                                       cmocka_unit_test(windows_are_turned)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

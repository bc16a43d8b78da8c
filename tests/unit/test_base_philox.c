/* test_base_philox.c: published vectors, streams, ranges, moments, permutations. */
#include "base/philox.h"
#include "base/alloc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Random123's known-answer file kat_vectors, lines of philox4x32 with 10 rounds. */
static void published_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t ctr[4], key[2], out[4];
    } kat[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof kat / sizeof kat[0]; i++) {
        uint32_t out[4];
        gan__philox4x32(kat[i].ctr, kat[i].key, out);
        assert_memory_equal(out, kat[i].out, sizeof out);
    }
}

static void streams(void **state)
{
    (void)state;
    uint64_t k = gan__stream_key(1, 2, 3, 4);
    assert_true(k != gan__stream_key(2, 1, 3, 4));
    assert_true(k != gan__stream_key(1, 3, 2, 4));
    assert_true(k != gan__stream_key(1, 2, 4, 3));
    assert_true(k == gan__stream_key(1, 2, 3, 4));
    uint32_t a[4], b[4], c[4];
    gan__stream_block(0, 0, 0, a);
    assert_int_equal(a[0], 0x6627e8d5);
    gan__stream_block(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3243f6a88u, b);
    assert_int_equal(b[3], 0x24126ea1); /* key, sample, block: low words first */
    gan__stream_block(0, 1, 0, b);
    gan__stream_block(0, 0, 1, c);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(b, c, sizeof b);
}

static void open_interval(void **state)
{
    (void)state;
    assert_true(gan__u01(0) > 0.0f);
    assert_true(gan__u01(0xffffffffu) < 1.0f);
    for (uint32_t w = 0; w < 0xffff0000u; w += 0x10007u) {
        double exact = ((double)(w >> 9) + 0.5) / 8388608.0;
        double diff = (double)gan__u01(w) - exact;
        assert_true(diff >= 0 && diff <= 0); /* no rounding at all */
    }
}

static void sequence(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct gan__rng r, again;
    gan__rng_init(&r, 42);
    gan__rng_init(&again, 42);
    double sum = 0, square = 0, usum = 0;
    for (int i = 0; i < N; i++) {
        double x = gan__rng_normal(&r);
        sum += x;
        square += x * x;
        double u = gan__rng_uniform(&r);
        assert_true(u > 0 && u < 1);
        usum += u;
    }
    /* five standard errors: 1/sqrt N, sqrt(2/N), 1/sqrt(12 N) */
    assert_true(fabs(sum / N) < 5 / sqrt(N));
    assert_true(fabs(square / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(usum / N - 0.5) < 5 / sqrt(12.0 * N));
    uint32_t first[4];
    gan__stream_block(42, 0, 0, first);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(gan__rng_u32(&again), first[i]);
    }
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++) {
        seen[gan__rng_below(&r, 7)]++;
    }
    for (size_t i = 0; i < 7; i++) {
        assert_true(abs(seen[i] - 10000) < 5 * 93); /* sqrt(70000 * 1/7 * 6/7) = 92.6 */
    }
    assert_int_equal(gan__rng_below(&r, 1), 0);
}

static void permutations(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1,  2,  3,  4,  5,   7,   8,    9,    15,    16,   17,
                                     31, 64, 65, 99, 255, 256, 1000, 4096, 10000, 60000};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        uint64_t n = sizes[k];
        for (uint64_t key = 0; key < 5; key++) {
            unsigned char *seen = gan__alloc(n);
            uint64_t fixed = 0;
            assert_non_null(seen);
            for (uint64_t i = 0; i < n; i++) {
                uint64_t x = gan__permute(key, n, i);
                assert_true(x < n);
                assert_int_equal(seen[x], 0); /* nobody twice, so everybody once */
                seen[x] = 1;
                fixed += x == i;
            }
            gan__free(seen);
            assert_true(n < 64 || fixed < 12); /* about one fixed point in a random permutation */
        }
    }
    uint64_t big = (uint64_t)1 << 62;
    assert_true(gan__permute(9, big + 3, big) < big + 3);
    int differ = 0;
    for (uint64_t i = 0; i < 100; i++) {
        differ += gan__permute(1, 1000, i) != gan__permute(2, 1000, i);
    }
    assert_true(differ > 90);
}

/* Position of element 0 over many keys is spread evenly: chi-squared, 9 degrees of freedom. */
static void permutation_spread(void **state)
{
    (void)state;
    enum { KEYS = 20000 };
    int at[10] = {0};
    for (uint64_t key = 0; key < KEYS; key++) {
        at[gan__permute(key, 10, 0)]++;
    }
    double chi = 0;
    for (size_t i = 0; i < 10; i++) {
        double d = at[i] - KEYS / 10.0;
        chi += d * d / (KEYS / 10.0);
    }
    assert_true(chi < 33.7); /* P < 1e-4 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors), cmocka_unit_test(streams),
        cmocka_unit_test(open_interval),     cmocka_unit_test(sequence),
        cmocka_unit_test(permutations),      cmocka_unit_test(permutation_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

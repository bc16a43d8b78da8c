/* test_half.c: loops over bf16 pairs, each instruction set against sums in f64.
 *
 * Tolerance: none. Numbers are multiples of 1/4 of a few bits: transforms, roundings to bf16 and
 * sums are exact in f32 whatever the order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kernels/half.h"

enum { PLACES = GAN_WINO_PLACES, PANEL = GAN_HALF_PANEL, MOST = 64 };

static const char *const sets[] = {"base", "v3", "v4"};
static uint32_t state_of = 1;

static float number(void)
{
    state_of = state_of * 1664525u + 1013904223u;
    return (float)((int)(state_of >> 24) % 7 - 3);
}

static uint16_t half_of(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return (uint16_t)(u >> 16);
}

static float float_of(uint32_t half)
{
    float v;
    half <<= 16;
    memcpy(&v, &half, sizeof v);
    return v;
}

static void products_are_exact(void **state)
{
    (void)state;
    enum { N = 2 * PANEL - 16, PANELS = 2 * PANEL, PAIRS = 5 };
    static uint32_t a[MOST * PAIRS], b[PANELS * PAIRS];
    static float c[MOST * N];
    for (size_t s = 0; s < 3; s++) {
        const struct gan__half_lanes *l = gan__half_lanes_find(sets[s]);
        for (int64_t m = 1; m < 20 && l != NULL; m++) {
            for (int order = 0; order < 2; order++) { /* rows by pairs, or groups of 8 rows */
                for (size_t i = 0; i < sizeof a / sizeof *a; i++) {
                    a[i] = half_of(number()) | (uint32_t)half_of(number()) << 16;
                }
                for (size_t i = 0; i < sizeof b / sizeof *b; i++) {
                    b[i] = half_of(number()) | (uint32_t)half_of(number()) << 16;
                }
                struct gan__half_product p = {.m = m,
                                              .n = N,
                                              .pairs = PAIRS,
                                              .a = a,
                                              .a_group = GAN_HALF_GROUP * PAIRS,
                                              .a_row = order == 0 ? PAIRS : 1,
                                              .a_pair = order == 0 ? 1 : GAN_HALF_GROUP,
                                              .b = b,
                                              .b_panel = PAIRS * PANEL,
                                              .c = c,
                                              .c_row = N};
                memset(c, 0xff, sizeof c);
                l->product(&p);
                p.add = true;
                l->product(&p);
                for (int64_t i = 0; i < m * N; i++) {
                    const int64_t row = i / N, col = i % N;
                    double want = 0;
                    for (int64_t k = 0; k < PAIRS; k++) {
                        const uint32_t u =
                            a[row / 8 * p.a_group + row % 8 * p.a_row + k * p.a_pair];
                        const uint32_t v = b[col / PANEL * p.b_panel + k * PANEL + col % PANEL];
                        want += 2.0 * (double)float_of(u & 0xffffu) * (double)float_of(v & 0xffffu);
                        want += 2.0 * (double)float_of(u >> 16) * (double)float_of(v >> 16);
                    }
                    assert_true((double)c[i] == want);
                }
            }
        }
    }
}

static void words_are_joined(void **state)
{
    (void)state;
    uint16_t even[MOST], odd[MOST];
    uint32_t y[MOST + 1];
    for (int i = 0; i < MOST; i++) {
        even[i] = (uint16_t)(i * 1031 + 7);
        odd[i] = (uint16_t)(i * 2053 + 60000);
    }
    for (size_t s = 0; s < 3; s++) {
        const struct gan__half_lanes *l = gan__half_lanes_find(sets[s]);
        for (int n = 0; n <= MOST && l != NULL; n += 7) {
            y[n] = 5;
            l->join(even, odd, n, y);
            for (int i = 0; i < n; i++) {
                assert_int_equal(y[i] & 0xffffu, even[i]);
                assert_int_equal(y[i] >> 16, odd[i]);
            }
            assert_int_equal(y[n], 5);
        }
    }
}

static void pixels_are_joined(void **state)
{
    (void)state;
    enum { CHANNELS = 2 * PANEL + 5, PIXELS = 5, PAIRS = 3, PANEL_WORDS = PAIRS * PANEL + 7 };
    static uint16_t x[PIXELS * CHANNELS], zeros[CHANNELS];
    static uint32_t y[3 * PANEL_WORDS];
    for (int i = 0; i < PIXELS * CHANNELS; i++) {
        x[i] = (uint16_t)(i * 1031 + 7);
    }
    for (size_t s = 0; s < 3; s++) {
        const struct gan__half_lanes *l = gan__half_lanes_find(sets[s]);
        for (int channels = 1; channels <= CHANNELS && l != NULL; channels++) {
            memset(y, 0xff, sizeof y);
            l->join_pixels(x, PIXELS, channels, zeros, y, PANEL_WORDS);
            for (int k = 0; k < PAIRS; k++) {
                for (int c = 0; c < (channels + 15) / 16 * 16; c++) {
                    const uint32_t w = y[c / PANEL * PANEL_WORDS + k * PANEL + c % PANEL];
                    const bool odd = c < channels && 2 * k + 1 < PIXELS;
                    assert_int_equal(w & 0xffffu, c < channels ? x[2 * k * channels + c] : 0);
                    assert_int_equal(w >> 16, odd ? x[(2 * k + 1) * channels + c] : 0);
                }
            }
        }
    }
}

/* Even and odd product of two words. */
static double both(uint32_t u, uint32_t v)
{
    return (double)float_of(u & 0xffffu) * (double)float_of(v & 0xffffu) +
           (double)float_of(u >> 16) * (double)float_of(v >> 16);
}

static double after(enum gan__half_act act, double v)
{
    return v > 0 || act == GAN_HALF_NONE ? v : act == GAN_HALF_RELU ? 0 : .25 * v;
}

/* The sums of small integers are multiples of 1/4 below 64: exact in bf16, too. */
static void windows_are_exact(void **state)
{
    (void)state;
    enum { N = 2 * PANEL - 16, WORDS = 3, GROUP = GAN_HALF_GROUP };
    static const int64_t at[WORDS] = {4, 0, 9};
    static uint32_t x[16 + 3 * GROUP], b[2 * PANEL * WORDS];
    static float bias[N], y[GROUP * N];
    static uint16_t half[GROUP * N];
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        x[i] = half_of(number()) | (uint32_t)half_of(number()) << 16;
    }
    for (size_t i = 0; i < sizeof b / sizeof *b; i++) {
        b[i] = half_of((float)((int)(number()) % 2)) | (uint32_t)half_of(number()) << 16;
    }
    for (int i = 0; i < N; i++) {
        bias[i] = number();
    }
    for (size_t s = 0; s < 3; s++) {
        const struct gan__half_lanes *l = gan__half_lanes_find(sets[s]);
        for (int round = 0; round < 24 && l != NULL; round++) {
            struct gan__half_windows p = {.rows = round % GROUP + 1,
                                          .at = at,
                                          .words = WORDS,
                                          .b = b,
                                          .b_panel = WORDS * PANEL,
                                          .n = N,
                                          .bias = round % 2 == 0 ? bias : NULL,
                                          .act = (enum gan__half_act)(round % 3),
                                          .slope = .25f,
                                          .y = y,
                                          .y_row = N};
            for (int r = 0; r < GROUP; r++) {
                p.pixel[r] = x + 3 * r;
            }
            memset(y, 0xff, sizeof y);
            memset(half, 0xff, sizeof half);
            l->windows(&p);
            p.y = half;
            p.half = true;
            l->windows(&p);
            for (int64_t i = 0; i < GROUP * N; i++) {
                const int64_t r = i / N, j = i % N;
                double want = p.bias != NULL ? (double)bias[j] : 0;
                for (int64_t k = 0; k < WORDS; k++) {
                    want +=
                        both(p.pixel[r][at[k]], b[j / PANEL * p.b_panel + k * PANEL + j % PANEL]);
                }
                if (r < p.rows) {
                    assert_true((double)y[i] == after(p.act, want));
                    assert_true((double)float_of(half[i]) == (double)y[i]);
                } else {
                    assert_int_equal(half[i], 0xffff);
                    assert_true(isnan(y[i]));
                }
            }
        }
    }
}

static void taps_are_exact(void **state)
{
    (void)state;
    enum { N = 2 * PANEL - 16, ROWS = 2, PAIRS = 3, MOST_TAPS = 32, PANEL_WORDS = 200 };
    static int64_t at[MOST_TAPS];
    static uint32_t words[128], b[2 * PANEL_WORDS];
    static float c[MOST_TAPS * N], before[MOST_TAPS * N];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        words[i] = half_of(number()) | (uint32_t)half_of(number()) << 16;
    }
    for (size_t i = 0; i < sizeof b / sizeof *b; i++) {
        b[i] = half_of(number()) | (uint32_t)half_of(number()) << 16;
    }
    for (int64_t t = 0; t < MOST_TAPS; t++) {
        at[t] = t * 7 % 61;
    }
    for (size_t s = 0; s < 3; s++) {
        const struct gan__half_lanes *l = gan__half_lanes_find(sets[s]);
        for (int64_t taps = 1; taps <= MOST_TAPS - 8 && l != NULL; taps++) {
            const struct gan__half_taps p = {words, at,          taps, 31, 4, ROWS,         PAIRS,
                                             b,     PANEL_WORDS, N,    c,  N, taps % 2 == 0};
            for (int64_t i = 0; i < MOST_TAPS * N; i++) {
                before[i] = c[i] = number();
            }
            l->taps(&p);
            for (int64_t i = 0; i < taps * N; i++) {
                const int64_t t = i / N, j = i % N;
                double want = p.add ? (double)before[i] : 0;
                for (int64_t k = 0; k < ROWS * PAIRS; k++) {
                    want += both(words[at[t] + k / PAIRS * p.row_step + k % PAIRS * p.pair_step],
                                 b[j / PANEL * PANEL_WORDS + k * PANEL + j % PANEL]);
                }
                assert_true((double)c[i] == want);
            }
        }
    }
}

static void pixels_are_turned(void **state)
{
    (void)state;
    enum { CHANNELS = 64 };
    static uint32_t x[PANEL * CHANNELS / 2], y[CHANNELS / 2 * PANEL];
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        x[i] = (uint32_t)i + 1;
    }
    for (size_t s = 0; s < 3; s++) {
        const struct gan__half_lanes *l = gan__half_lanes_find(sets[s]);
        for (int64_t pixels = 1; pixels <= PANEL && l != NULL; pixels++) {
            memset(y, 0xff, sizeof y);
            l->turn_pixels((const uint16_t *)x, pixels, CHANNELS, y);
            for (int64_t p = 0; p < CHANNELS / 2; p++) {
                for (int64_t q = 0; q < (pixels > 16 ? 32 : 16); q++) {
                    assert_int_equal(y[p * PANEL + q], q < pixels ? x[q * CHANNELS / 2 + p] : 0);
                }
            }
        }
    }
}

static void segments_are_added(void **state)
{
    (void)state;
    enum { SEGMENTS = 3 };
    float x[MOST], y[MOST + 1], mixed[MOST + 1];
    for (int i = 0; i < MOST; i++) {
        x[i] = (float)(i + 1);
    }
    for (size_t s = 0; s < 3; s++) {
        const struct gan__half_lanes *l = gan__half_lanes_find(sets[s]);
        for (int n = 1; n <= MOST && l != NULL; n++) {
            const struct gan__half_segment seg[SEGMENTS] = {
                {x, 0, n}, {x, n / 2, n + 9}, {x, 2, n - 1}};
            y[n] = 5;
            l->sum_segments(seg, SEGMENTS, .5f, y, n);
            for (int i = 0; i < n; i++) {
                const float want = x[i] + (i >= n / 2 ? x[i - n / 2] : 0) +
                                   (i >= 2 && i < n - 1 ? x[i - 2] : 0) + .5f;
                assert_true(y[i] == want);
            }
            assert_true(y[n] == 5);
            mixed[n] = 5;
            l->interleave(x, y, mixed, n);
            for (int i = 0; i < n; i++) {
                assert_true(mixed[i] == (i % 2 == 0 ? x[i / 2] : y[i / 2]));
            }
            assert_true(mixed[n] == 5);
        }
    }
}

static const double b_rows[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
static const double a_rows[4][2] = {{1, 0}, {1, 1}, {1, -1}, {0, -1}};
static const double g_rows[4][3] = {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}};

/* Element (y, x) of L d L', d [n][n] with numbers of any stride. */
static double transformed(const double *rows, int n, int y, int x, const double *d)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            sum += rows[y * n + i] * rows[x * n + j] * d[i * n + j];
        }
    }
    return sum;
}

/* Element (y, x) of L' u L, u [4][4]. */
static double back(const double *rows, int n, int y, int x, const double *u)
{
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            sum += rows[i * n + y] * rows[j * n + x] * u[i * 4 + j];
        }
    }
    return sum;
}

static void check_images(const struct gan__half_lanes *l)
{
    static uint16_t image[2 * PLACES][MOST], v[PLACES * MOST];
    static uint32_t pairs[PLACES * MOST], grads[PLACES * MOST];
    const uint16_t *pixel[2 * PLACES];
    for (int i = 0; i < 2 * PLACES; i++) {
        pixel[i] = image[i];
        for (int c = 0; c < MOST; c++) {
            image[i][c] = half_of(number());
        }
    }
    l->input(pixel, MOST, v, MOST);
    l->input_pair(pixel, MOST, pairs, 8, PLACES * 8); /* groups outside, places inside */
    l->grad_pair(pixel, MOST, grads, PANEL, PLACES * PANEL);
    for (int c = 0; c < MOST; c++) {
        double d[2][PLACES], dy[2][4];
        for (int i = 0; i < 2 * PLACES; i++) {
            d[i / PLACES][i % PLACES] = (double)float_of(image[i][c]);
        }
        for (int i = 0; i < 8; i++) {
            dy[i / 4][i % 4] = (double)float_of(image[i][c]);
        }
        for (int k = 0; k < PLACES; k++) {
            const uint32_t p = pairs[c / 8 * PLACES * 8 + k * 8 + c % 8];
            const uint32_t z = grads[c / PANEL * PLACES * PANEL + k * PANEL + c % PANEL];
            const double even = transformed(&b_rows[0][0], 4, k / 4, k % 4, d[0]);
            const double odd = transformed(&b_rows[0][0], 4, k / 4, k % 4, d[1]);
            assert_true((double)float_of(v[k * MOST + c]) == even);
            assert_true((double)float_of(p & 0xffffu) == even);
            assert_true((double)float_of(p >> 16) == odd);
            for (int t = 0; t < 2; t++) {
                double want = 0;
                for (int e = 0; e < 4; e++) {
                    want += a_rows[k / 4][e / 2] * a_rows[k % 4][e % 2] * dy[t][e];
                }
                assert_true((double)float_of(t == 0 ? z & 0xffffu : z >> 16) == want);
            }
        }
    }
}

static void check_results(const struct gan__half_lanes *l)
{
    static float m[PLACES * PANEL], full[4][PANEL];
    static uint16_t half[4][PANEL];
    for (int i = 0; i < PLACES * PANEL; i++) {
        m[i] = number();
    }
    l->output(m, PANEL, (void *[]){full[0], full[1], full[2], NULL}, false);
    l->output(m, PANEL, (void *[]){half[0], half[1], NULL, half[3]}, true);
    for (int c = 0; c < PANEL; c++) {
        double u[PLACES];
        for (int k = 0; k < PLACES; k++) {
            u[k] = (double)m[k * PANEL + c];
        }
        for (int q = 0; q < 4; q++) {
            const double want = back(&a_rows[0][0], 2, q / 2, q % 2, u);
            assert_true(q == 3 || (double)full[q][c] == want);
            assert_true(q == 2 || (double)float_of(half[q][c]) == want);
        }
    }
}

static void check_weights(const struct gan__half_lanes *l, bool flip)
{
    static float w[PANEL * 18], du[PLACES * 16], dw[16 * 9 + 1];
    static uint32_t u[PLACES * PANEL];
    for (int i = 0; i < PANEL * 18; i++) {
        w[i] = 2 * number();
    }
    l->weights(w, 18, 9, flip, u, PANEL);
    for (int o = 0; o < PANEL; o++) {
        for (int row = 0; row < 2; row++) {
            double g[9];
            for (int t = 0; t < 9; t++) {
                g[t] = (double)w[o * 18 + row * 9 + (flip ? 8 - t : t)];
            }
            for (int k = 0; k < PLACES; k++) {
                const uint32_t word = u[k * PANEL + o];
                assert_true((double)float_of(row == 0 ? word & 0xffffu : word >> 16) ==
                            transformed(&g_rows[0][0], 3, k / 4, k % 4, g));
            }
        }
    }
    for (int i = 0; i < PLACES * 16; i++) {
        du[i] = number();
    }
    dw[16 * 9] = 7;
    l->weights_back(du, 16, dw, 9);
    for (int o = 0; o < 16; o++) {
        double e[PLACES];
        for (int k = 0; k < PLACES; k++) {
            e[k] = (double)du[k * 16 + o];
        }
        for (int t = 0; t < 9; t++) {
            assert_true((double)dw[o * 9 + t] == back(&g_rows[0][0], 3, t / 3, t % 3, e));
        }
    }
    assert_true(dw[16 * 9] == 7); /* nothing behind the taps */
}

static void transforms_are_exact(void **state)
{
    (void)state;
    for (size_t s = 0; s < 3; s++) {
        const struct gan__half_lanes *l = gan__half_lanes_find(sets[s]);
        if (l == NULL) {
            continue;
        }
        check_images(l);
        check_results(l);
        check_weights(l, false);
        check_weights(l, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_exact), cmocka_unit_test(words_are_joined),
        cmocka_unit_test(pixels_are_joined),  cmocka_unit_test(pixels_are_turned),
        cmocka_unit_test(segments_are_added), cmocka_unit_test(windows_are_exact),
        cmocka_unit_test(taps_are_exact),     cmocka_unit_test(transforms_are_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

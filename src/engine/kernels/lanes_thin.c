/* lanes_thin.c: the inner loops of thin products for AVX-512: 6 rows by 64 lanes of sums fill 24 of
 * 32 registers. Unlike the other loops it multiplies and adds in one rounding: it stands beside the
 * library's products, which do so too, and serves one instruction set only. */
#include "thin.h"
#include "lanes_name.h"

#if defined(__AVX512F__)

#include <stddef.h>

typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));

#if defined(__clang__)
#define FUSED
#define FUSE _Pragma("clang fp contract(fast)")
#else
#define FUSED __attribute__((optimize("fp-contract=fast")))
#define FUSE
#endif

enum { LINE = 16 }; /* floats of a cache line */

#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5)

static inline vec at(const float *p)
{
    return *(const vec *)(const void *)p;
}

static inline void put(float *p, vec v)
{
    *(vec *)(void *)p = v;
}

/* Rows that do not exist repeat the last one and are not stored. Weights come from memory, each
 * line once: those of the next tile are fetched while this one is summed. */
FUSED static void tile(const float *w, const float *x, int64_t k, int64_t ldx, const float *start,
                       int rows, float *out)
{
    FUSE const vec zero = {0};
    const int64_t next = GAN_THIN_ROWS * k;
#define START(R)                                                                                   \
    const float *w##R = w + ((R) < rows ? (R) : rows - 1) * k;                                     \
    vec c##R##0 = zero + (start != NULL && (R) < rows ? start[R] : 0.0f);                          \
    vec c##R##1 = c##R##0, c##R##2 = c##R##0, c##R##3 = c##R##0;
    EACH_ROW(START)
    for (int64_t i = 0; i < k;) {
        const int64_t end = i + LINE < k ? i + LINE : k;
#define FETCH(R) __builtin_prefetch(w##R + i + next);
        EACH_ROW(FETCH)
        for (; i < end; i++, x += ldx) {
            const vec x0 = at(x), x1 = at(x + 16), x2 = at(x + 32), x3 = at(x + 48);
#define STEP(R)                                                                                    \
    {                                                                                              \
        const float s = w##R[i];                                                                   \
        c##R##0 += x0 * s;                                                                         \
        c##R##1 += x1 * s;                                                                         \
        c##R##2 += x2 * s;                                                                         \
        c##R##3 += x3 * s;                                                                         \
    }
            EACH_ROW(STEP)
        }
    }
#define FINISH(R)                                                                                  \
    if ((R) < rows) {                                                                              \
        put(out + (R)*GAN_THIN_LANES, c##R##0);                                                    \
        put(out + (R)*GAN_THIN_LANES + 16, c##R##1);                                               \
        put(out + (R)*GAN_THIN_LANES + 32, c##R##2);                                               \
        put(out + (R)*GAN_THIN_LANES + 48, c##R##3);                                               \
    }
    EACH_ROW(FINISH)
}

FUSED static void wide(const float *d, const float *w, int64_t k, int64_t ldo, int rows, float *out,
                       const float *next, int64_t line)
{
    FUSE const vec zero = {0};
#define START_D(R)                                                                                 \
    const float *d##R = d + ((R) < rows ? (R) : rows - 1) * k;                                     \
    vec c##R##0 = zero, c##R##1 = zero, c##R##2 = zero, c##R##3 = zero;
    EACH_ROW(START_D)
    for (int64_t i = 0; i < k;) {
        const int64_t end = i + LINE < k ? i + LINE : k;
        for (int f = 0; f < 6; f++, line++) {
            __builtin_prefetch(next + line / 4 * ldo + line % 4 * LINE, 0, 2);
        }
        for (; i < end; i++, w += ldo) {
            const vec x0 = at(w), x1 = at(w + 16), x2 = at(w + 32), x3 = at(w + 48);
#define STEP_D(R)                                                                                  \
    {                                                                                              \
        const float s = d##R[i];                                                                   \
        c##R##0 += x0 * s;                                                                         \
        c##R##1 += x1 * s;                                                                         \
        c##R##2 += x2 * s;                                                                         \
        c##R##3 += x3 * s;                                                                         \
    }
            EACH_ROW(STEP_D)
        }
    }
#define FINISH_D(R)                                                                                \
    if ((R) < rows) {                                                                              \
        put(out + (R)*ldo, c##R##0);                                                               \
        put(out + (R)*ldo + 16, c##R##1);                                                          \
        put(out + (R)*ldo + 32, c##R##2);                                                          \
        put(out + (R)*ldo + 48, c##R##3);                                                          \
    }
    EACH_ROW(FINISH_D)
}

FUSED static void narrow(const float *d, const float *w, int64_t k, int64_t ldo, int rows,
                         float *out)
{
    FUSE const vec zero = {0};
#define START_N(R)                                                                                 \
    const float *d##R = d + ((R) < rows ? (R) : rows - 1) * k;                                     \
    vec c##R = zero;
    EACH_ROW(START_N)
    for (int64_t i = 0; i < k; i++, w += ldo) {
        const vec x = at(w);
#define STEP_N(R) c##R += x * d##R[i];
        EACH_ROW(STEP_N)
    }
#define FINISH_N(R)                                                                                \
    if ((R) < rows) {                                                                              \
        put(out + (R)*ldo, c##R);                                                                  \
    }
    EACH_ROW(FINISH_N)
}

/* Lane l of the two results of exchanging, between vectors D apart, the lanes D apart. */
#define LOW(D, L) (((L) & (D)) ? 16 + (L) - (D) : (L))
#define HIGH(D, L) (((L) & (D)) ? 16 + (L) : (L) + (D))
#define SHUFFLE(A, B, F, D)                                                                        \
    __builtin_shufflevector(A, B, F(D, 0), F(D, 1), F(D, 2), F(D, 3), F(D, 4), F(D, 5), F(D, 6),   \
                            F(D, 7), F(D, 8), F(D, 9), F(D, 10), F(D, 11), F(D, 12), F(D, 13),     \
                            F(D, 14), F(D, 15))
#define STAGE(D)                                                                                   \
    for (int i = 0; i < 16; i++) {                                                                 \
        if ((i & (D)) == 0) {                                                                      \
            const vec a = r[i], b = r[i + (D)];                                                    \
            r[i] = SHUFFLE(a, b, LOW, D);                                                          \
            r[i + (D)] = SHUFFLE(a, b, HIGH, D);                                                   \
        }                                                                                          \
    }

static void turn(const float *src, int64_t lds, float *dst, int64_t ldd)
{
    vec r[GAN_THIN_BLOCK];
    for (int i = 0; i < GAN_THIN_BLOCK; i++) {
        r[i] = at(src + i * lds);
    }
    STAGE(8)
    STAGE(4)
    STAGE(2)
    STAGE(1)
    for (int i = 0; i < GAN_THIN_BLOCK; i++) {
        put(dst + i * ldd, r[i]);
    }
}

#define THIN GAN_LANES_NAME(gan__thin)

extern const struct gan__thin THIN;
const struct gan__thin THIN = {tile, wide, narrow, turn};

#else
typedef int gan__thin_unused; /* a file is not empty */
#endif

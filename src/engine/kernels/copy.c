/* copy.c: copies between strided boxes.
 *
 * Axes that lie together on both sides are joined. Then the innermost axis is a run on both sides
 * (memcpy), one repeated element (fill), or a transpose, which goes by square tiles over the axis
 * that is innermost in the source. */
#include "copy.h"

#include <string.h>

enum { EDGE = 16, WORTH = 16384 }; /* edge of a transposed tile; elements worth a second thread */

void gan__row_major(const gan_shape *s, int64_t stride[GAN_MAX_RANK])
{
    int64_t step = 1;
    for (int64_t i = s->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= s->dim[i];
    }
}

static void drop(struct gan__box *b, int axis)
{
    b->rank--;
    for (int i = axis; i < b->rank; i++) {
        b->dim[i] = b->dim[i + 1];
        b->from[i] = b->from[i + 1];
        b->to[i] = b->to[i + 1];
    }
}

static void join(struct gan__box *b)
{
    for (int i = b->rank - 1; i >= 0; i--) {
        if (b->dim[i] == 1) {
            drop(b, i);
        }
    }
    for (int i = b->rank - 2; i >= 0; i--) {
        if (b->from[i] == b->from[i + 1] * b->dim[i + 1] &&
            b->to[i] == b->to[i + 1] * b->dim[i + 1]) {
            b->dim[i] *= b->dim[i + 1];
            b->from[i] = b->from[i + 1];
            b->to[i] = b->to[i + 1];
            drop(b, i + 1);
        }
    }
}

/* Runs the statement with T an unsigned integer of the element's size. */
#define BY_SIZE(SIZE, STATEMENT)                                                                   \
    switch (SIZE) {                                                                                \
    case 1: {                                                                                      \
        typedef uint8_t T;                                                                         \
        STATEMENT                                                                                  \
    } break;                                                                                       \
    case 2: {                                                                                      \
        typedef uint16_t T;                                                                        \
        STATEMENT                                                                                  \
    } break;                                                                                       \
    case 4: {                                                                                      \
        typedef uint32_t T;                                                                        \
        STATEMENT                                                                                  \
    } break;                                                                                       \
    default: {                                                                                     \
        typedef uint64_t T;                                                                        \
        STATEMENT                                                                                  \
    } break;                                                                                       \
    }

/* One run along the innermost axis. */
static void copy_run(const char *src, char *dst, int64_t n, int64_t from, int64_t to, size_t size)
{
    if (from == 1 && to == 1) {
        memcpy(dst, src, (size_t)n * size);
        return;
    }
    BY_SIZE(size, {
        const T *s = (const T *)(const void *)src;
        T *d = (T *)(void *)dst;
        if (to == 1 && from == 0) {
            T v = *s;
            for (int64_t i = 0; i < n; i++) {
                d[i] = v;
            }
        } else {
            for (int64_t i = 0; i < n; i++) {
                d[i * to] = s[i * from];
            }
        }
    })
}

/* d[i*ti + j*tj] = s[i*fi + j*fj] with fi = tj = 1, by tiles. */
static void copy_plane(const char *src, char *dst, int64_t ni, int64_t nj, int64_t fj, int64_t ti,
                       size_t size)
{
    BY_SIZE(size, {
        const T *s = (const T *)(const void *)src;
        T *d = (T *)(void *)dst;
        for (int64_t i0 = 0; i0 < ni; i0 += EDGE) {
            int64_t i1 = i0 + EDGE < ni ? i0 + EDGE : ni;
            for (int64_t j0 = 0; j0 < nj; j0 += EDGE) {
                int64_t j1 = j0 + EDGE < nj ? j0 + EDGE : nj;
                for (int64_t i = i0; i < i1; i++) {
                    for (int64_t j = j0; j < j1; j++) {
                        d[i * ti + j] = s[i + j * fj];
                    }
                }
            }
        }
    })
}

/* Offsets of the index-th element of the outer axes. */
static void locate(const struct gan__box *b, int outer, int64_t index, int64_t *from, int64_t *to)
{
    *from = *to = 0;
    for (int i = outer - 1; i >= 0; i--) {
        int64_t c = index % b->dim[i];
        index /= b->dim[i];
        *from += c * b->from[i];
        *to += c * b->to[i];
    }
}

static void copy_rows(const struct gan__box *b, const char *src, char *dst, size_t size)
{
    int last = b->rank - 1;
    int64_t rows = 1, n = b->dim[last];
    for (int i = 0; i < last; i++) {
        rows *= b->dim[i];
    }
#pragma omp parallel for schedule(static) if (rows * n > WORTH)
    for (int64_t r = 0; r < rows; r++) {
        int64_t from, to;
        locate(b, last, r, &from, &to);
        copy_run(src + from * (int64_t)size, dst + to * (int64_t)size, n, b->from[last],
                 b->to[last], size);
    }
}

/* Transposes: the axis `inner` that is contiguous in the source against the last one. A plane is
 * cut into strips along `inner` so that one large plane still feeds all threads. */
static void copy_planes(struct gan__box b, int inner, const char *src, char *dst, size_t size)
{
    int64_t ni = b.dim[inner], ti = b.to[inner], strip = 4 * EDGE,
            strips = (ni + strip - 1) / strip;
    drop(&b, inner);
    int last = b.rank - 1;
    int64_t planes = 1, nj = b.dim[last], fj = b.from[last];
    for (int i = 0; i < last; i++) {
        planes *= b.dim[i];
    }
#pragma omp parallel for collapse(2) schedule(static) if (planes * ni * nj > WORTH)
    for (int64_t p = 0; p < planes; p++) {
        for (int64_t s = 0; s < strips; s++) {
            int64_t from, to, i0 = s * strip, n = ni - i0 < strip ? ni - i0 : strip;
            locate(&b, last, p, &from, &to);
            copy_plane(src + (from + i0) * (int64_t)size, dst + (to + i0 * ti) * (int64_t)size, n,
                       nj, fj, ti, size);
        }
    }
}

void gan__copy_box(const struct gan__box *box, const void *src, void *dst, size_t size)
{
    struct gan__box b = *box;
    for (int i = 0; i < b.rank; i++) {
        if (b.dim[i] == 0) {
            return;
        }
    }
    join(&b);
    if (b.rank == 0) {
        memcpy(dst, src, size);
        return;
    }
    int last = b.rank - 1, inner = -1;
    for (int i = 0; i < last; i++) {
        if (b.from[i] == 1) {
            inner = i;
        }
    }
    if (inner >= 0 && b.to[last] == 1 && b.from[last] > 1) {
        copy_planes(b, inner, src, dst, size);
    } else {
        copy_rows(&b, src, dst, size);
    }
}

/* dnnl_fold_half.c: weight gradients of bf16 convolutions into few channels.
 *
 * dW [ca, kh kw cb] = sum over pixels of A [pixel, ca] and the window of B that the pixel meets. B,
 * which is small, is first copied into a frame of zeros, so that each row of a window is one run. Then
 * two pixels at a time become words (half.h): their rows of A, and their windows as one row. Each
 * thread takes every n-th block of pairs and has sums of its own, added at the end. */
#include "dnnl_fold.h"

#include "base/err.h"
#include "engine/kernels/half.h"
#include "engine/kernels/lanes.h"

#include <omp.h>
#include <string.h>

enum { PAIRS = 64, PANEL = GAN_HALF_PANEL }; /* pairs of pixels in one block */

/* Scratch: the frame with zeros for a missing partner behind it, then for each thread sums, words
 * of A and words of windows. */
struct sizes {
    int64_t fh, fw;    /* extents of the frame */
    size_t frame, own; /* bytes: frame, one thread */
    size_t sums, wide, windows;
};

static size_t lines(int64_t bytes)
{
    return ((size_t)bytes + 63) / 64 * 64;
}

static struct sizes sizes_of(const struct gan__fold *f)
{
    const int64_t most = f->kw * f->cb > f->ca ? f->kw * f->cb : f->ca;
    struct sizes s = {.fh = f->ah + f->kh - 1, .fw = f->aw + f->kw - 1};
    s.frame = lines((f->n * s.fh * s.fw * f->cb + most) * 2);
    s.sums = lines(f->ca * f->ld * 4);
    s.wide = lines(PAIRS * f->ca * 4);
    s.windows = lines((f->ld + 16) / PANEL * PANEL * PAIRS * 4);
    s.own = s.sums + s.wide + s.windows;
    return s;
}

gan_status gan__fold_weight_prepare(struct gan__prepare *p, const struct gan__fold *f, gan_err *err)
{
    struct gan__fold *own = gan__arena_alloc(p->arena, sizeof *own);
    if (own == NULL) {
        return gan__fail_nomem(err, sizeof *own, "a convolution");
    }
    *own = *f;
    own->threads = p->threads > 1 ? p->threads : 1;
    own->ld = (f->kh * f->kw * f->cb + 15) / 16 * 16;
    const struct sizes s = sizes_of(own);
    p->scratch_bytes = s.frame + (size_t)own->threads * s.own;
    p->ctx = own;
    return GAN_OK;
}

/* Row r of the frame, all images counted on: B begins pad_h rows and pad_w columns inside. */
static void frame_row(const struct gan__fold *f, const struct sizes *s, const uint16_t *b,
                      int64_t r, uint16_t *frame)
{
    const int64_t row = r % s->fh - f->pad_h, skip = f->pad_w < 0 ? -f->pad_w : 0;
    const int64_t at = f->pad_w + skip, room = s->fw - at, left = f->bw - skip;
    uint16_t *dst = frame + r * s->fw * f->cb;
    memset(dst, 0, (size_t)(s->fw * f->cb) * sizeof *dst);
    if (row >= 0 && row < f->bh && left > 0 && room > 0) {
        memcpy(dst + at * f->cb, b + ((r / s->fh * f->bh + row) * f->bw + skip) * f->cb,
               (size_t)((left < room ? left : room) * f->cb) * sizeof *dst);
    }
}

/* The windows of two pixels (a place of the frame each, NULL: none) as one row of words. */
static void windows_of(const struct gan__fold *f, const struct sizes *s,
                       const uint16_t *const at[2], const uint16_t *zeros, uint32_t *dst)
{
    const int64_t run = f->kw * f->cb, step = s->fw * f->cb;
    for (int64_t i = 0; i < f->kh; i++) {
        const uint16_t *odd = at[1] != NULL ? at[1] + i * step : zeros;
        for (int64_t done = 0; done < run;) { /* panels are contiguous, a run may cross them */
            const int64_t t = i * run + done, room = PANEL - t % PANEL;
            const int64_t n = run - done < room ? run - done : room;
            gan__half_lanes()->join(at[0] + i * step + done, odd + done, n,
                                    dst + t / PANEL * PAIRS * PANEL + t % PANEL);
            done += n;
        }
    }
}

/* Pairs first .. first+count-1 added to sums [ca, ld]. */
static void add_block(const struct gan__fold *f, const struct sizes *s, const struct gan__call *c,
                      int64_t first, int64_t count, char *own, bool add)
{
    const int64_t pixels = f->n * f->ah * f->aw;
    const uint16_t *a = c->in[0].data, *frame = c->scratch;
    const uint16_t *zeros = frame + f->n * s->fh * s->fw * f->cb;
    uint32_t *wide = (uint32_t *)(void *)(own + s->sums);
    uint32_t *windows = (uint32_t *)(void *)(own + s->sums + s->wide);
    for (int64_t p = 0; p < count; p++) {
        const uint16_t *at[2] = {NULL, NULL};
        const int64_t even = 2 * (first + p);
        for (int64_t q = even; q < even + 2 && q < pixels; q++) {
            const int64_t row = q / f->aw, image = row / f->ah;
            at[q - even] = frame + ((image * s->fh + row % f->ah) * s->fw + q % f->aw) * f->cb;
        }
        windows_of(f, s, at, zeros, windows + p * PANEL);
        gan__half_lanes()->join(a + even * f->ca, at[1] != NULL ? a + (even + 1) * f->ca : zeros,
                                f->ca, wide + p * f->ca);
    }
    const struct gan__half_product p = {.m = f->ca,
                                        .n = f->ld,
                                        .pairs = count,
                                        .a = wide,
                                        .a_group = GAN_HALF_GROUP,
                                        .a_row = 1,
                                        .a_pair = f->ca,
                                        .b = windows,
                                        .b_panel = PAIRS * PANEL,
                                        .c = (float *)(void *)own,
                                        .c_row = f->ld,
                                        .add = add};
    gan__half_lanes()->product(&p);
}

/* Sums of all threads to the order of the store. */
static void store_sums(const struct gan__fold *f, const struct sizes *s, const char *own, int parts,
                       float *w)
{
    for (int64_t a = 0; a < f->ca; a++) {
        for (int64_t t = 0; t < f->kh * f->kw * f->cb; t++) {
            double sum = 0;
            for (int k = 0; k < parts; k++) {
                const char *part = own + (size_t)k * s->own;
                sum += (double)((const float *)(const void *)part)[a * f->ld + t];
            }
            w[gan__fold_weight_at(f, a, t % f->cb, t / f->cb / f->kw, t / f->cb % f->kw)] =
                (float)sum;
        }
    }
}

void gan__fold_weight_run(const struct gan__call *c)
{
    const struct gan__fold *f = c->ctx;
    const struct sizes s = sizes_of(f);
    uint16_t *frame = c->scratch;
    char *own = (char *)c->scratch + s.frame;
    const int64_t pairs = (f->n * f->ah * f->aw + 1) / 2, blocks = (pairs + PAIRS - 1) / PAIRS;
    memset(frame + f->n * s.fh * s.fw * f->cb, 0,
           s.frame - (size_t)(f->n * s.fh * s.fw * f->cb) * sizeof *frame);
#pragma omp parallel num_threads(f->threads)
    {
        char *mine = own + (size_t)omp_get_thread_num() * s.own;
        memset(mine, 0, s.own); /* a thread may get no block; columns beyond the taps stay zero */
#pragma omp for schedule(static)
        for (int64_t r = 0; r < f->n * s.fh; r++) {
            frame_row(f, &s, c->in[1].data, r, frame);
        }
#pragma omp for schedule(static)
        for (int64_t b = 0; b < blocks; b++) {
            const int64_t first = b * PAIRS, left = pairs - first;
            add_block(f, &s, c, first, left < PAIRS ? left : PAIRS, mine, true);
        }
#pragma omp single
        store_sums(f, &s, own, omp_get_num_threads(), c->out[0].data);
    }
}

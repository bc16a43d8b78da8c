/* bench_roofline.c: the best rates of this machine: arithmetic as the library reaches it on shapes
 * that suit it, memory by STREAM's triad. Williams, Waterman, Patterson 2009, Roofline. */
#include "bench.h"

#include "base/str.h"
#include "engine/execute/rate.h"

#include <omp.h>
#include <string.h>

enum { SIDE = 2048 };

static double product_rate(bool bf16, int threads)
{
    struct gan__heavy h;
    memset(&h, 0, sizeof h);
    h.kind = GAN_HEAVY_MATMUL;
    h.bf16 = bf16;
    h.batch = 1;
    h.m = h.n = h.k = SIDE;
    double plain = gan__rate_seconds(&h, false, threads);
    double blocked = gan__rate_seconds(&h, true, threads);
    double s = blocked > 0 && (plain <= 0 || blocked < plain) ? blocked : plain;
    return s > 0 ? 2.0 * SIDE * SIDE * SIDE / s : 0;
}

/* Convolutions that networks of images are made of. */
static double conv_rate(bool bf16, int threads, char *name, size_t cap)
{
    static const struct {
        int64_t n_hw_i_o[4], k, stride, pad;
    } shapes[] = {{{16, 32, 64, 128}, 4, 2, 1},  {{16, 16, 128, 256}, 4, 2, 1},
                  {{16, 8, 256, 512}, 4, 2, 1},  {{8, 32, 128, 128}, 3, 1, 1},
                  {{1, 32, 256, 256}, 3, 1, 1},  {{4, 16, 512, 512}, 3, 1, 1},
                  {{16, 16, 256, 256}, 1, 1, 0}, {{1, 128, 64, 64}, 3, 1, 1}};
    double best = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int kind = GAN_HEAVY_FORWARD; kind <= GAN_HEAVY_DATA; kind++) {
            struct gan__heavy h = gan__heavy_conv((enum gan__heavy_kind)kind, shapes[i].n_hw_i_o,
                                                  shapes[i].k, shapes[i].stride, shapes[i].pad);
            h.bf16 = bf16;
            for (int blocked = 0; blocked < 2; blocked++) {
                double s = gan__rate_seconds(&h, blocked != 0, threads);
                if (s > 0 && h.flops / s > best) {
                    best = h.flops / s;
                    (void)gan__heavy_text(&h, name, cap);
                }
            }
        }
    }
    return best;
}

gan_status gan_bench_roofline(int threads, struct gan_bench_roof *out, gan_err *err)
{
    (void)err;
    *out = (struct gan_bench_roof){.threads = threads > 0 ? threads : omp_get_num_procs()};
    out->product_f32 = product_rate(false, out->threads);
    out->product_bf16 = product_rate(true, out->threads);
    out->conv_f32 = conv_rate(false, out->threads, out->conv_f32_shape, sizeof out->conv_f32_shape);
    out->conv_bf16 =
        conv_rate(true, out->threads, out->conv_bf16_shape, sizeof out->conv_bf16_shape);
    out->triad = gan__rate_triad(out->threads);
    return GAN_OK;
}

/* cpu_post.c: bias and activation in one pass over rows of channels. */
#include "cpu_post.h"

#include "engine/kernels/lanes.h"

enum { BLOCK = 4096 }; /* elements of one task */

void gan__cpu_activate(const struct gan__attr_post *post, float *y, int64_t n)
{
    const struct gan__lanes *l = gan__lanes();
    const float *const in[] = {y};
    switch ((enum gan__post_act)post->act) {
    case GAN_POST_NONE:
        break;
    case GAN_POST_RELU:
        l->relu(in, y, n, NULL);
        break;
    case GAN_POST_LEAKY:
        l->leaky_relu(in, y, n, &post->slope);
        break;
    case GAN_POST_TANH:
        l->tanh(in, y, n, NULL);
        break;
    case GAN_POST_SIGMOID:
        l->sigmoid(in, y, n, NULL);
        break;
    }
}

void gan__cpu_post(const struct gan__attr_post *post, float *dst, int64_t rows, int64_t channels,
                   const float *bias)
{
    int64_t block = BLOCK / channels > 0 ? BLOCK / channels : 1,
            blocks = (rows + block - 1) / block;
#pragma omp parallel for schedule(static) if (rows * channels > 32768)
    for (int64_t b = 0; b < blocks; b++) {
        int64_t first = b * block, n = rows - first < block ? rows - first : block;
        float *y = dst + first * channels;
        if (bias != NULL) {
            gan__lanes()->add_rows(y, bias, n, channels);
        }
        gan__cpu_activate(post, y, n * channels);
    }
}

void gan__cpu_post_bf16(const struct gan__attr_post *post, uint16_t *dst, int64_t rows,
                        int64_t channels, const float *bias)
{
    const int64_t part = channels < BLOCK ? channels : BLOCK, joined = BLOCK / part;
    const int64_t blocks = (rows + joined - 1) / joined;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        float y[BLOCK];
        int64_t first = b * joined, n = rows - first < joined ? rows - first : joined;
        for (int64_t c = 0; c < channels; c += part) { /* more than one part: n is 1 */
            int64_t width = channels - c < part ? channels - c : part;
            uint16_t *at = dst + first * channels + c;
            gan__lanes()->from_bf16(at, y, n * width);
            if (bias != NULL) {
                gan__lanes()->add_rows(y, bias + c, n, width);
            }
            gan__cpu_activate(post, y, n * width);
            gan__lanes()->to_bf16(y, at, n * width);
        }
    }
}

void gan__cpu_post_any(const struct gan__attr_post *post, gan_dtype type, void *dst, int64_t rows,
                       int64_t channels, const float *bias)
{
    if (type == GAN_BF16) {
        gan__cpu_post_bf16(post, dst, rows, channels, bias);
    } else {
        gan__cpu_post(post, dst, rows, channels, bias);
    }
}

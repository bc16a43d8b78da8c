/* cpu_post.c: bias and activation in one pass over rows of channels. */
#include "cpu_post.h"

#include "engine/kernels/lanes.h"

void gan__cpu_post(const struct gan__attr_post *post, float *dst, int64_t rows, int64_t channels,
                   const float *bias)
{
    const struct gan__lanes *l = gan__lanes();
    int64_t block = 4096 / channels > 0 ? 4096 / channels : 1, blocks = (rows + block - 1) / block;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < blocks; b++) {
        int64_t first = b * block, n = rows - first < block ? rows - first : block;
        float *y = dst + first * channels;
        const float *const in[] = {y};
        if (bias != NULL) {
            l->add_rows(y, bias, n, channels);
        }
        n *= channels;
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
}

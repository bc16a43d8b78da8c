/* cpu_post.h: bias and activation on a result that lies hot in the caches. */
#ifndef GAN_ENGINE_EXECUTE_CPU_POST_H
#define GAN_ENGINE_EXECUTE_CPU_POST_H

#include "engine/compile/fused.h"

#include <stdbool.h>

/* dst [rows, channels] = act(dst + bias); bias may be NULL. Runs on the current OpenMP threads. */
void gan__cpu_post(const struct gan__attr_post *post, float *dst, int64_t rows, int64_t channels,
                   const float *bias);

#endif

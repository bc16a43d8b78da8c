/* cpu_post.h: bias and activation on a result that lies hot in the caches. */
#ifndef GAN_ENGINE_EXECUTE_CPU_POST_H
#define GAN_ENGINE_EXECUTE_CPU_POST_H

#include "engine/compile/fused.h"

#include <stdbool.h>

/* y = act(y), n elements, on the calling thread. */
void gan__cpu_activate(const struct gan__attr_post *post, float *y, int64_t n);

/* dst [rows, channels] = act(dst + bias); bias may be NULL. Runs on the current OpenMP threads. */
void gan__cpu_post(const struct gan__attr_post *post, float *dst, int64_t rows, int64_t channels,
                   const float *bias);

/* The same on bf16, computed in f32. */
void gan__cpu_post_bf16(const struct gan__attr_post *post, uint16_t *dst, int64_t rows,
                        int64_t channels, const float *bias);

/* Whichever the type says. */
void gan__cpu_post_any(const struct gan__attr_post *post, gan_dtype type, void *dst, int64_t rows,
                       int64_t channels, const float *bias);

#endif

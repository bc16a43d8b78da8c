/* lanes_name.h: names of what is compiled once for each instruction set: NAME_base, NAME_v3, NAME_v4. */
#ifndef GAN_ENGINE_KERNELS_LANES_NAME_H
#define GAN_ENGINE_KERNELS_LANES_NAME_H

#define GAN_LANES_PASTE_2(A, B) A##B
#define GAN_LANES_PASTE(A, B) GAN_LANES_PASTE_2(A, B)
#define GAN_LANES_NAME(NAME) GAN_LANES_PASTE(NAME, GAN_LANES_SUFFIX)

#endif

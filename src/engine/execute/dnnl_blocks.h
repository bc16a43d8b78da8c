/* dnnl_blocks.h: which of oneDNN's orders of weights our own loops pack and unpack. */
#ifndef GAN_ENGINE_EXECUTE_DNNL_BLOCKS_H
#define GAN_ENGINE_EXECUTE_DNNL_BLOCKS_H

#include "dnnl_compat.h"
#include "engine/kernels/blocks.h"

/* Fills *b when weights [O,I,kh,kw] in the order of md are blocks of at least 16 words without
 * padding; false: the library's reorder must do. */
bool gan__dnnl_blocks(const gan__md *md, struct gan__blocks *b);

#endif

/* regs.h: what a regulariser's file ends in. */
#ifndef GAN_LOSSES_REGS_H
#define GAN_LOSSES_REGS_H

#include <gan/reg.h>

#define GAN_REG(NAME) const struct gan_reg gan__reg_##NAME

extern const struct gan_reg *const gan__regs[]; /* generated, sorted, NULL at the end */

#endif

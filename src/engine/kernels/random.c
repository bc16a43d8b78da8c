/* random.c: chooses the instruction set of the random numbers. */
#include "random.h"

#include "gan_config.h"
#include "lanes.h"

#include <string.h>

extern const struct gan__random_lanes gan__random_lanes_base;
#if GAN_LANES_X86
extern const struct gan__random_lanes gan__random_lanes_v3, gan__random_lanes_v4;
#endif

const struct gan__random_lanes *gan__random_lanes(void)
{
#if GAN_LANES_X86
    const char *isa = gan__lanes()->isa;
    if (strcmp(isa, "v4") == 0) {
        return &gan__random_lanes_v4;
    }
    if (strcmp(isa, "v3") == 0) {
        return &gan__random_lanes_v3;
    }
#endif
    return &gan__random_lanes_base;
}

/* channels.c: chooses the instruction set of the loops over channels. */
#include "channels.h"

#include "gan_config.h"
#include "lanes.h"

#include <string.h>

extern const struct gan__channel_lanes gan__channel_lanes_base;
#if GAN_LANES_X86
extern const struct gan__channel_lanes gan__channel_lanes_v3, gan__channel_lanes_v4;
#endif

const struct gan__channel_lanes *gan__channel_lanes(void)
{
#if GAN_LANES_X86
    const char *isa = gan__lanes()->isa;
    if (strcmp(isa, "v4") == 0) {
        return &gan__channel_lanes_v4;
    }
    if (strcmp(isa, "v3") == 0) {
        return &gan__channel_lanes_v3;
    }
#endif
    return &gan__channel_lanes_base;
}

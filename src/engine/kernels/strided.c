/* strided.c: chooses the loops of 4x4 convolutions of stride 2. */
#include "strided.h"

#include "gan_config.h"
#include "lanes.h"

#include <stddef.h>
#include <string.h>

#if GAN_LANES_X86
extern const struct gan__strided gan__strided_2_v4, gan__strided_4_v4;
#endif

const struct gan__strided *gan__strided(int tile)
{
#if GAN_LANES_X86
    if (strcmp(gan__lanes()->isa, "v4") != 0) {
        return NULL;
    }
    return tile == 4 ? &gan__strided_4_v4 : &gan__strided_2_v4;
#else
    (void)tile;
    return NULL;
#endif
}

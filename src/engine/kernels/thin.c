/* thin.c: chooses the loops of thin products. */
#include "thin.h"

#include "gan_config.h"
#include "lanes.h"

#include <stddef.h>
#include <string.h>

#if GAN_LANES_X86
extern const struct gan__thin gan__thin_v4;
#endif

const struct gan__thin *gan__thin(void)
{
#if GAN_LANES_X86
    return strcmp(gan__lanes()->isa, "v4") == 0 ? &gan__thin_v4 : NULL;
#else
    return NULL;
#endif
}

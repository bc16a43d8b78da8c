/* half.c: chooses the instruction set of the loops over bf16 pairs. */
#include "half.h"

#include "gan_config.h"
#include "lanes.h"

#include <stdatomic.h>
#include <string.h>

extern const struct gan__half_lanes gan__half_lanes_base;
#if GAN_LANES_X86
extern const struct gan__half_lanes gan__half_lanes_v3, gan__half_lanes_v4;
#endif

const struct gan__half_lanes *gan__half_lanes_find(const char *isa)
{
    if (gan__lanes_find(isa) == NULL) {
        return NULL;
    }
#if GAN_LANES_X86
    if (strcmp(isa, "v4") == 0) { /* that build has more than level 4 */
        return __builtin_cpu_supports("avx512bf16") ? &gan__half_lanes_v4 : NULL;
    }
    if (strcmp(isa, "v3") == 0) {
        return &gan__half_lanes_v3;
    }
#endif
    return &gan__half_lanes_base;
}

static const struct gan__half_lanes *choose(void)
{
    const struct gan__half_lanes *l = gan__half_lanes_find(gan__lanes()->isa);
#if GAN_LANES_X86
    return l != NULL ? l : &gan__half_lanes_v3;
#else
    return l != NULL ? l : &gan__half_lanes_base;
#endif
}

const struct gan__half_lanes *gan__half_lanes(void)
{
    static _Atomic(const struct gan__half_lanes *) chosen;
    const struct gan__half_lanes *l = atomic_load_explicit(&chosen, memory_order_acquire);
    if (l == NULL) {
        l = choose();
        atomic_store_explicit(&chosen, l, memory_order_release);
    }
    return l;
}

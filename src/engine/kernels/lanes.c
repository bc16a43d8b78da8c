/* lanes.c: chooses the instruction set of the vector loops. */
#include "lanes.h"

#include "gan_config.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

extern const struct gan__lanes gan__lanes_base;
#if GAN_LANES_X86
extern const struct gan__lanes gan__lanes_v3, gan__lanes_v4;
#endif

const struct gan__lanes *gan__lanes_find(const char *isa)
{
    if (strcmp(isa, "base") == 0) {
        return &gan__lanes_base;
    }
#if GAN_LANES_X86
    __builtin_cpu_init();
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
              __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl");
    if (strcmp(isa, "v3") == 0 && v3) {
        return &gan__lanes_v3;
    }
    if (strcmp(isa, "v4") == 0 && v4) {
        return &gan__lanes_v4;
    }
#endif
    return NULL;
}

static const struct gan__lanes *choose(void)
{
    static const char *const best_first[] = {"v4", "v3", "base"};
    const char *limit = getenv("GAN_ISA");
    const struct gan__lanes *l = limit != NULL ? gan__lanes_find(limit) : NULL;
    for (int i = 0; i < 3 && l == NULL; i++) {
        l = gan__lanes_find(best_first[i]);
    }
    return l;
}

const struct gan__lanes *gan__lanes(void)
{
    static _Atomic(const struct gan__lanes *) chosen;
    const struct gan__lanes *l = atomic_load_explicit(&chosen, memory_order_acquire);
    if (l == NULL) {
        l = choose();
        atomic_store_explicit(&chosen, l, memory_order_release);
    }
    return l;
}

/* dnnl_about.c: version and instruction set of the oneDNN in use. */
#include "machine.h"

#include "base/str.h"

#include <dnnl.h>

#include <stddef.h>

const char *gan__dnnl_version(void)
{
    static char text[48];
    const dnnl_version_t *v = dnnl_version();
    if (v != NULL) {
        (void)gan__format(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    }
    return text;
}

const char *gan__dnnl_isa(void)
{
    /* Each set's bits contain those of the ones before it; both versions have these. */
    static const struct {
        unsigned bits;
        const char *name;
    } known[] = {
        {dnnl_cpu_isa_sse41, "sse41"},
        {dnnl_cpu_isa_avx, "avx"},
        {dnnl_cpu_isa_avx2, "avx2"},
        {dnnl_cpu_isa_avx512_core, "avx512_core"},
        {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
        {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
        {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
    };
    unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
    const char *best = "generic";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if ((isa & known[i].bits) == known[i].bits) {
            best = known[i].name;
        }
    }
    return best;
}

bool gan__dnnl_bf16(void)
{
    unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
    unsigned want = (unsigned)dnnl_cpu_isa_avx512_core_bf16;
    return (isa & want) == want;
}

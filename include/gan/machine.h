/* machine.h: what this build of libgan is and what it makes of this machine.
 *
 *     struct gan_machine m;
 *     gan_machine_about(&m);
 *     printf("%s on %s, kernels for %s\n", m.version, m.cpu, m.isa);
 */
#ifndef GAN_MACHINE_H
#define GAN_MACHINE_H

#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Build and machine. Texts are static. */
struct gan_machine {
    const char *version;    /* of libgan: "0.1.0" */
    const char *compiler;   /* "GNU 12.2.0" */
    const char *flags;      /* of the compiler */
    const char *build_type; /* "Release" */
    const char *system;     /* "Linux x86_64" */
    char cpu[128];          /* as the system names it, "" when it does not */
    const char *isa;        /* of libgan's own kernels here: "base", "v3" or "v4" */
    const char *onednn;     /* version of the oneDNN in use: "2.6.0"; "" in a build without it */
    const char *onednn_isa; /* highest instruction set it uses here: "avx512_core"; or "" */
    int threads;            /* processors this process may run on */
    uint64_t memory_bytes;  /* of the machine, or the limit set on this process' group */
    uint64_t free_bytes;    /* of it that can be had */
};

/** Looks at the build and the machine. */
GAN_API void gan_machine_about(struct gan_machine *out);

/** A library libgan may be built with. */
struct gan_library {
    const char *name;    /* switch of the build: "onednn" for GAN_ONEDNN */
    bool on;             /* this build has it */
    const char *purpose; /* one line */
};

/** Library i, a NULL name past the end. */
GAN_API struct gan_library gan_library_at(int i);

#ifdef __cplusplus
}
#endif
#endif

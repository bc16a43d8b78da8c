/* cpu_fused.h: a program made ready to run over tiles of its elements. */
#ifndef GAN_ENGINE_EXECUTE_CPU_FUSED_H
#define GAN_ENGINE_EXECUTE_CPU_FUSED_H

#include "engine/compile/fused.h"
#include "engine/kernels/reduce.h"
#include "kernel.h"

/* Element-operations that are worth a second thread: some 10 us. */
#define GAN__PARALLEL_WORK 262144

struct gan__machine {
    const struct gan__program *p;
    int64_t tile;
    int64_t tasks;                 /* tiles, or blocks of the sums */
    struct gan__reduce r;          /* with sums */
    int64_t partial;               /* f64 numbers of one block and sum */
    size_t sums_at;                /* place of the blocks' sums in the scratch memory, bytes */
    int last_read[GAN__MAX_LOADS]; /* last instruction that reads a load, -1 none */
    void (**fn)(const float *const *in, float *out, int64_t n, const double *num);
};

/* Fills *m, whose memory is zero; arrays come from the arena. */
gan_status gan__machine_prepare(const struct gan__program *prog, struct gan__arena *arena,
                                struct gan__machine *m, gan_err *err);

/* Bytes of one thread's registers, a multiple of 64. */
size_t gan__machine_bench(const struct gan__machine *m);

/* Element-operations of a run. */
static inline int64_t gan__machine_work(const struct gan__machine *m)
{
    return m->p->count * (m->p->n_code + 2 * m->p->n_tails);
}

/* Registers of a thread in the scratch memory of the call. */
static inline void *gan__bench_at(const struct gan__call *c, size_t bytes, int64_t thread)
{
    return (unsigned char *)c->scratch + (size_t)thread * bytes;
}

/* Runs tasks first..end-1 of a program without sums in the registers at `own`. */
void gan__machine_run(const struct gan__machine *m, const struct gan__call *c, int64_t first,
                      int64_t end, void *own);

#endif

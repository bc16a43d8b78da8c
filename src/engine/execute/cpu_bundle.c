/* cpu_bundle.c: several programs as one step: one parallel region over the elements of all of them.
 * Each thread takes an equal share of the work, cut at tiles; an element's bits do not depend on
 * where tiles begin or which thread runs them. */
#include "cpu_fused.h"

#include "base/err.h"

#include <omp.h>

struct bundle {
    int64_t n_parts;
    const struct gan__part *parts;
    struct gan__machine *machines; /* by part */
    int64_t *before;               /* by part: work of the parts before it, n_parts + 1 entries */
    size_t bench;                  /* bytes of a thread's registers */
};

static gan_status prepare(struct gan__prepare *p, gan_err *err)
{
    const struct gan__attr_bundle *a = p->attr;
    struct bundle *b = gan__arena_alloc(p->arena, sizeof *b);
    size_t n = (size_t)a->n_parts;
    if (!b || !(b->machines = gan__arena_array(p->arena, n, sizeof *b->machines)) ||
        !(b->before = gan__arena_array(p->arena, n + 1, sizeof *b->before))) {
        return gan__fail_nomem(err, n * sizeof *b->machines, "a bundle");
    }
    b->n_parts = a->n_parts;
    b->parts = a->parts;
    for (size_t i = 0; i < n; i++) {
        struct gan__machine *m = &b->machines[i];
        GAN_TRY(gan__machine_prepare(a->parts[i].program, p->arena, m, err));
        size_t bench = gan__machine_bench(m);
        b->bench = bench > b->bench ? bench : b->bench;
        b->before[i + 1] = b->before[i] + gan__machine_work(m);
    }
    p->ctx = b;
    p->scratch_bytes = b->bench * (size_t)p->threads;
    return GAN_OK;
}

/* First task of part i that belongs to the work from `at` on. */
static int64_t task_at(const struct bundle *b, int64_t i, int64_t at)
{
    int64_t work = b->before[i + 1] - b->before[i], in = at - b->before[i];
    in = in < 0 ? 0 : in > work ? work : in;
    return work > 0 ? b->machines[i].tasks * in / work : b->machines[i].tasks;
}

/* The work from `from` up to `to`. */
static void run_share(const struct bundle *b, const struct gan__call *c, int64_t from, int64_t to,
                      void *own)
{
    for (int64_t i = 0; i < b->n_parts; i++) {
        const struct gan__part *p = &b->parts[i];
        int64_t first = task_at(b, i, from), end = task_at(b, i, to);
        if (first < end) {
            struct gan__call part = *c;
            part.in = c->in + p->first_in;
            part.n_in = p->n_in;
            part.out = c->out + p->first_out;
            part.n_out = p->n_out;
            gan__machine_run(&b->machines[i], &part, first, end, own);
        }
    }
}

static void run(const struct gan__call *c)
{
    const struct bundle *b = c->ctx;
    int64_t all = b->before[b->n_parts];
    if (c->run->threads <= 1 || all < GAN__PARALLEL_WORK) {
        run_share(b, c, 0, all, c->scratch);
        return;
    }
#pragma omp parallel num_threads(c->run->threads)
    {
        int64_t i = omp_get_thread_num(), n = omp_get_num_threads();
        run_share(b, c, all / n * i, i + 1 < n ? all / n * (i + 1) : all,
                  gan__bench_at(c, b->bench, i));
    }
}

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    (void)in;
    (void)n_in;
    (void)out;
    (void)n_out;
    return attr != NULL; /* its programs were served one by one */
}

GAN_KERNEL(cpu, bundle) = {
    .backend = "cpu", .op = "bundle", .match = match, .prepare = prepare, .run = run};

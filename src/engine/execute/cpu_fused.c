/* cpu_fused.c: runs a program over tiles of its elements. A tile's registers stay in the first two
 * caches; whole inputs are read where they lie, results are written where they belong unless a
 * later operation still reads the input whose memory they take over. Threads get fixed runs of
 * tiles; an element's bits do not depend on where tiles begin.
 *
 * A program that ends in sums runs over the blocks of kernels/reduce.c, each tile by tile; a block's
 * sums go on from tile to tile, so they have the bits of the op `sum`. */
#include "cpu_fused.h"

#include "base/err.h"
#include "engine/kernels/lanes.h"
#include "steps.h"

#include <omp.h>
#include <string.h>

#define MOST_TILE 2048      /* elements: 8 KiB a register */
#define LEAST_TILE 256      /* below, calls cost more than the first cache saves */
#define CACHED 8192         /* elements of all registers together: 32 KiB */
#define LONGEST_PERIOD 4096 /* tiles are whole multiples of a period up to this */

/* Elements of a tile whose registers fit into the first cache. */
static int64_t wanted_tile(const struct gan__program *p)
{
    int64_t tile = CACHED / (p->n_regs > 0 ? p->n_regs : 1) / 64 * 64;
    tile = tile < MOST_TILE ? tile : MOST_TILE;
    return tile > LEAST_TILE ? tile : LEAST_TILE;
}

/* Tile that keeps the longest period whole, and four rows (or the lanes) of sums. */
static int64_t choose_tile(const struct gan__program *p, const struct gan__reduce *r)
{
    const int64_t wanted = wanted_tile(p);
    if (p->n_tails > 0) {
        int64_t unit = r->vector ? GAN_SUM_LANES : 4 * r->len;
        int64_t tile = unit >= wanted ? unit : wanted / unit * unit;
        return p->count < tile ? (p->count + unit - 1) / unit * unit : tile;
    }
    int64_t period = 1;
    for (int i = 0; i < p->n_loads; i++) {
        const struct gan__load *l = &p->loads[i];
        if (l->kind == GAN_LOAD_PERIOD && l->period <= LONGEST_PERIOD && l->period > period) {
            period = l->period;
        }
    }
    int64_t tile = period >= wanted ? period : wanted / period * period;
    return p->count < tile ? (p->count + 15) / 16 * 16 : tile; /* one tile: whole vectors */
}

/* Tile functions of the code, and where each load is read last. */
static gan_status find_code(struct gan__machine *m, gan_err *err)
{
    const struct gan__program *prog = m->p;
    for (int i = 0; i < prog->n_loads; i++) {
        m->last_read[i] = -1;
    }
    for (int i = 0; i < prog->n_code; i++) {
        const struct gan__instr *c = &prog->code[i];
        struct gan__type f32[GAN__MAX_OPERANDS] = {{GAN_F32, {0}}};
        for (int j = 1; j < c->n_in; j++) {
            f32[j] = f32[0];
        }
        const struct gan__kernel *k = gan__kernel_tile("cpu", c->op, f32, c->n_in, f32, 1, c->num);
        if (!k) {
            return gan__fail(err, GAN_E_INTERNAL, "%s has no tile function", c->op->name);
        }
        m->fn[i] = k->tile;
        for (int j = 0; j < c->n_in; j++) {
            if (c->in[j] < prog->n_loads) {
                m->last_read[c->in[j]] = i;
            }
        }
    }
    for (int i = 0; i < prog->n_tails; i++) {
        if (prog->tails[i].reg < prog->n_loads) {
            m->last_read[prog->tails[i].reg] = prog->n_code;
        }
    }
    return GAN_OK;
}

gan_status gan__machine_prepare(const struct gan__program *prog, struct gan__arena *arena,
                                struct gan__machine *m, gan_err *err)
{
    m->p = prog;
    if (prog->n_tails > 0 && !gan__reduce_plan(&prog->shape, prog->axes, &m->r)) {
        return gan__fail(err, GAN_E_INTERNAL, "a program's sums do not fit its shape");
    }
    m->tile = choose_tile(prog, &m->r);
    m->tasks = prog->n_tails > 0 ? m->r.k0 * m->r.blocks : (prog->count + m->tile - 1) / m->tile;
    m->partial = m->r.vector ? 1 : m->r.len;
    m->fn = gan__arena_array(arena, (size_t)prog->n_code, sizeof *m->fn);
    if (!m->fn) {
        return gan__fail_nomem(err, (size_t)prog->n_code * sizeof *m->fn, "a program");
    }
    return find_code(m, err);
}

size_t gan__machine_bench(const struct gan__machine *m)
{
    return ((size_t)m->p->n_regs * (size_t)m->tile * sizeof(float) + 63) / 64 * 64;
}

static gan_status prepare(struct gan__prepare *p, gan_err *err)
{
    struct gan__machine *m = gan__arena_alloc(p->arena, sizeof *m);
    if (!m) {
        return gan__fail_nomem(err, sizeof *m, "a program");
    }
    const struct gan__attr_fused *attr = p->attr;
    GAN_TRY(gan__machine_prepare(attr->program, p->arena, m, err));
    p->ctx = m;
    size_t threads = (size_t)(p->threads < m->tasks ? p->threads : m->tasks);
    m->sums_at = threads * gan__machine_bench(m);
    p->scratch_bytes =
        m->sums_at + (size_t)(m->tasks * m->partial * m->p->n_tails) * sizeof(double);
    return GAN_OK;
}

/* n elements from `at` on, as f32. */
static void read_run(float *dst, const gan_tensor *src, int64_t at, int64_t n)
{
    if (src->dtype == GAN_BOOL) {
        gan__lanes()->from_mask((const uint8_t *)src->data + at, dst, n);
    } else if (src->dtype == GAN_BF16) {
        gan__lanes()->from_bf16((const uint16_t *)src->data + at, dst, n);
    } else {
        memcpy(dst, (const float *)src->data + at, (size_t)n * sizeof *dst);
    }
}

static float read_one(const gan_tensor *src, int64_t at)
{
    float v;
    read_run(&v, src, at, 1);
    return v;
}

static void fill_run(float *dst, float v, int64_t n)
{
    gan__lanes()->fill(v, dst, n);
}

/* dst[have..n) repeats dst[0..have), by doubling. */
static void repeat_run(float *dst, int64_t have, int64_t n)
{
    while (have < n) {
        int64_t more = have < n - have ? have : n - have;
        memcpy(dst + have, dst, (size_t)more * sizeof *dst);
        have += more;
    }
}

static void load_period(const struct gan__load *l, const gan_tensor *src, float *dst, int64_t start,
                        int64_t n)
{
    int64_t at = start % l->period, done = 0;
    while (done < n) {
        int64_t run = l->period - at < n - done ? l->period - at : n - done;
        read_run(dst + done, src, at, run);
        done += run;
        at = 0;
        if (done >= l->period && done < n) { /* a whole period is there */
            repeat_run(dst + done - l->period, l->period, n - done + l->period);
            return;
        }
    }
}

/* Coordinates of an element; `at` = its place in the input. */
struct place {
    int64_t c[GAN_MAX_RANK];
    int64_t at;
};

static void place_start(const struct gan__load *l, int64_t start, struct place *w)
{
    w->at = 0;
    for (int d = l->rank - 1; d >= 0; d--) {
        w->c[d] = start % l->dim[d];
        start /= l->dim[d];
        w->at += w->c[d] * l->stride[d];
    }
}

/* Moves by `step` along axis d, whose end it reaches at most. */
static void place_move(const struct gan__load *l, struct place *w, int d, int64_t step)
{
    w->c[d] += step;
    w->at += step * l->stride[d];
    while (d > 0 && w->c[d] == l->dim[d]) {
        w->at -= l->dim[d] * l->stride[d];
        w->c[d] = 0;
        d--;
        w->c[d]++;
        w->at += l->stride[d];
    }
}

static void load_strided(const struct gan__load *l, const gan_tensor *src, float *dst,
                         int64_t start, int64_t n)
{
    int last = l->rank - 1;
    int64_t row = l->dim[last];
    struct place w;
    place_start(l, start, &w);
    for (int64_t done = 0; done < n;) {
        int64_t left = n - done, run = row - w.c[last] < left ? row - w.c[last] : left;
        if (l->stride[last] == 0) {
            fill_run(dst + done, read_one(src, w.at), run);
        } else {
            read_run(dst + done, src, w.at, run);
            int64_t rows = l->dim[last - 1] - w.c[last - 1];
            rows = rows < left / row ? rows : left / row;
            if (w.c[last] == 0 && l->stride[last - 1] == 0 && rows > 1) {
                repeat_run(dst + done, row, rows * row);
                place_move(l, &w, last - 1, rows);
                done += rows * row;
                continue;
            }
        }
        place_move(l, &w, last, run);
        done += run;
    }
}

/* One thread's registers. */
struct bench {
    const float *reg[GAN__MAX_LOADS + GAN__MAX_CODE];
    float *own;   /* n_regs tiles */
    double *sums; /* of the block being run */
};

/* Does every tile begin at a whole number of periods? */
static bool tiles_begin_at(const struct gan__machine *m, int64_t period)
{
    const struct gan__reduce *r = &m->r;
    int64_t row = r->vector ? 1 : r->len, all = r->vector ? r->r1 : r->rows * r->len;
    return m->tile % period == 0 &&
           (m->p->n_tails == 0 || ((r->blocks == 1 || r->block * row % period == 0) &&
                                   (r->k0 == 1 || all % period == 0)));
}

/* Loads that are the same in every tile of the thread. */
static bool constant_load(const struct gan__machine *m, const struct gan__load *l)
{
    return l->kind == GAN_LOAD_SCALAR || l->kind == GAN_LOAD_IMM ||
           (l->kind == GAN_LOAD_PERIOD && tiles_begin_at(m, l->period));
}

static void load_once(const struct gan__machine *m, const struct gan__call *c, struct bench *b,
                      int64_t longest)
{
    for (int i = 0; i < m->p->n_loads; i++) {
        const struct gan__load *l = &m->p->loads[i];
        float *own = b->own + i * m->tile;
        b->reg[i] = own;
        if (!constant_load(m, l)) {
            continue;
        }
        if (l->kind == GAN_LOAD_IMM) {
            fill_run(own, l->imm, longest);
        } else if (l->kind == GAN_LOAD_SCALAR) {
            fill_run(own, read_one(&c->in[l->input], 0), longest);
        } else {
            load_period(l, &c->in[l->input], own, 0, longest);
        }
    }
}

static void load_tile(const struct gan__machine *m, const struct gan__call *c, struct bench *b,
                      int64_t start, int64_t n)
{
    for (int i = 0; i < m->p->n_loads; i++) {
        const struct gan__load *l = &m->p->loads[i];
        if (constant_load(m, l)) {
            continue;
        }
        const gan_tensor *src = &c->in[l->input];
        float *own = b->own + i * m->tile;
        if (l->kind == GAN_LOAD_FULL && src->dtype == GAN_F32) {
            b->reg[i] = (const float *)src->data + start;
        } else if (l->kind == GAN_LOAD_FULL) {
            read_run(own, src, start, n);
        } else if (l->kind == GAN_LOAD_PERIOD) {
            load_period(l, src, own, start, n);
        } else {
            load_strided(l, src, own, start, n);
        }
    }
}

/* May the save's operation write to the result's memory at once? */
static bool writes_at_once(const struct gan__machine *m, const struct gan__call *c,
                           const struct gan__save *s)
{
    if (c->out[s->output].dtype != GAN_F32) {
        return false;
    }
    for (int i = 0; i < m->p->n_loads; i++) {
        const struct gan__load *l = &m->p->loads[i];
        if (l->kind == GAN_LOAD_FULL && c->in[l->input].data == c->out[s->output].data &&
            m->last_read[i] > s->instr) {
            return false;
        }
    }
    return true;
}

static void save(const struct gan__call *c, const struct gan__save *s, const float *reg,
                 int64_t start, int64_t n)
{
    const gan_tensor *dst = &c->out[s->output];
    if (dst->dtype == GAN_BOOL) {
        gan__lanes()->to_mask(reg, (uint8_t *)dst->data + start, n);
    } else if (dst->dtype == GAN_BF16) {
        gan__lanes()->to_bf16(reg, (uint16_t *)dst->data + start, n);
    } else {
        memcpy((float *)dst->data + start, reg, (size_t)n * sizeof *reg);
    }
}

/* Adds the tile's registers to the block's sums. */
static void add_tails(const struct gan__machine *m, const struct bench *b, double *sums, int64_t n)
{
    for (int i = 0; i < m->p->n_tails; i++) {
        const float *x = b->reg[m->p->tails[i].reg];
        if (m->r.vector) {
            gan__lanes()->sum_lanes(x, n, sums + GAN_SUM_LANES * i);
        } else {
            gan__lanes()->sum_rows(x, n / m->r.len, m->r.len, sums + i * m->r.len);
        }
    }
}

static void run_tile(const struct gan__machine *m, const struct gan__call *c, struct bench *b,
                     float *const *direct, int64_t start, int64_t n)
{
    const struct gan__program *p = m->p;
    load_tile(m, c, b, start, n);
    for (int i = 0; i < p->n_code; i++) {
        const struct gan__instr *code = &p->code[i];
        const float *in[GAN__MAX_OPERANDS] = {NULL};
        for (int j = 0; j < code->n_in; j++) {
            in[j] = b->reg[code->in[j]];
        }
        float *out = direct[i] ? direct[i] + start : b->own + code->out * m->tile;
        m->fn[i](in, out, n, code->num);
        b->reg[code->out] = out;
    }
    add_tails(m, b, b->sums, n);
    for (int i = 0; i < p->n_saves; i++) {
        const struct gan__save *s = &p->saves[i];
        if (direct[s->instr] != c->out[s->output].data) {
            save(c, s, b->reg[s->reg], start, n);
        }
    }
}

static double *block_sums(const struct gan__machine *m, const struct gan__call *c, int64_t task)
{
    double *all = (double *)(void *)((unsigned char *)c->scratch + m->sums_at);
    return all + task * m->partial * m->p->n_tails;
}

/* One block of the sums, from its first element on. */
static void run_block(const struct gan__machine *m, const struct gan__call *c, struct bench *b,
                      float *const *direct, int64_t task)
{
    const struct gan__reduce *r = &m->r;
    int64_t k = task / r->blocks, first = task % r->blocks * r->block;
    int64_t row = r->vector ? 1 : r->len, rows = r->vector ? r->r1 : r->rows;
    int64_t n = (rows - first < r->block ? rows - first : r->block) * row;
    int64_t start = (k * rows + first) * row;
    double lanes[GAN_SUM_LANES * GAN__MAX_STORES], *sums = block_sums(m, c, task);
    b->sums = r->vector ? lanes : sums;
    memset(b->sums, 0,
           (size_t)((r->vector ? GAN_SUM_LANES : m->partial) * m->p->n_tails) * sizeof *sums);
    for (int64_t at = 0; at < n; at += m->tile) {
        run_tile(m, c, b, direct, start + at, m->tile < n - at ? m->tile : n - at);
    }
    for (int i = 0; i < m->p->n_tails && r->vector; i++) {
        sums[i] = gan__reduce_join(lanes + GAN_SUM_LANES * i);
    }
}

/* Tasks first..end-1; own: memory of gan__machine_bench bytes. */
static void run_tasks(const struct gan__machine *m, const struct gan__call *c, float *const *direct,
                      int64_t first, int64_t end, float *own)
{
    struct bench b; /* registers are set before they are read */
    b.own = own;
    b.sums = NULL;
    int64_t count = m->p->count;
    load_once(m, c, &b, m->tile < count ? m->tile : count);
    for (int64_t t = first; t < end; t++) {
        if (m->p->n_tails > 0) {
            run_block(m, c, &b, direct, t);
            continue;
        }
        int64_t start = t * m->tile;
        run_tile(m, c, &b, direct, start, m->tile < count - start ? m->tile : count - start);
    }
}

/* direct[i] = where instruction i may write its result at once, NULL for nowhere. */
static void find_direct(const struct gan__machine *m, const struct gan__call *c, float **direct)
{
    memset(direct, 0, (size_t)m->p->n_code * sizeof *direct);
    for (int i = 0; i < m->p->n_saves; i++) {
        if (writes_at_once(m, c, &m->p->saves[i])) {
            direct[m->p->saves[i].instr] = c->out[m->p->saves[i].output].data;
        }
    }
}

void gan__machine_run(const struct gan__machine *m, const struct gan__call *c, int64_t first,
                      int64_t end, void *own)
{
    float *direct[GAN__MAX_CODE];
    find_direct(m, c, direct);
    run_tasks(m, c, direct, first, end, own);
}

/* Adds the blocks of each k0 in their order. */
static void finish_sums(const struct gan__machine *m, const struct gan__call *c)
{
    int64_t step = m->partial * m->p->n_tails;
    for (int i = 0; i < m->p->n_tails; i++) {
        float *y = c->out[m->p->tails[i].output].data;
        for (int64_t k = 0; k < m->r.k0; k++) {
            double *first = block_sums(m, c, k * m->r.blocks) + i * m->partial;
            gan__reduce_blocks(&m->r, first, step, y + k * m->r.k1);
        }
    }
}

static void run(const struct gan__call *c)
{
    const struct gan__machine *m = c->ctx;
    float *direct[GAN__MAX_CODE];
    find_direct(m, c, direct);
    int threads = c->run->threads;
    if (threads > m->tasks) {
        threads = (int)m->tasks;
    }
    if (threads <= 1 || gan__machine_work(m) < GAN__PARALLEL_WORK) {
        run_tasks(m, c, direct, 0, m->tasks, c->scratch);
    } else {
#pragma omp parallel num_threads(threads)
        {
            int64_t i = omp_get_thread_num(), n = omp_get_num_threads();
            run_tasks(m, c, direct, m->tasks * i / n, m->tasks * (i + 1) / n,
                      gan__bench_at(c, gan__machine_bench(m), i));
        }
    }
    finish_sums(m, c);
}

static bool match(const struct gan__type *in, int n_in, const struct gan__type *out, int n_out,
                  const void *attr)
{
    (void)attr;
    bool ok = true;
    for (int i = 0; i < n_in + n_out; i++) {
        gan_dtype d = i < n_in ? in[i].dtype : out[i - n_in].dtype;
        ok = ok && (d == GAN_F32 || d == GAN_BOOL || d == GAN_BF16);
    }
    return ok;
}

GAN_KERNEL(cpu, fused) = {
    .backend = "cpu", .op = "fused", .match = match, .prepare = prepare, .run = run};

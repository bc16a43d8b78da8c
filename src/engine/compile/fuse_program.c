/* fuse_program.c: a group of elementwise nodes as a program: loads with their broadcast patterns,
 * operations on registers, saves of what others read. */
#include "fuse.h"

#include "base/err.h"

#include <string.h>

#define MAX_REGS (GAN__MAX_LOADS + GAN__MAX_CODE)

extern const struct gan__op gan__op_fused;

static bool infer_fused(struct gan__infer *c)
{
    return gan__infer_fail(c, GAN_E_INTERNAL, "programs are made by the compiler only");
}

GAN_OP(fused) = {
    .name = "fused",
    .doc = "a program of elementwise operations, run tile by tile",
    .n_in = -1,
    .n_out = -1,
    .flags = GAN_OP_INTERNAL | GAN_OP_EMPTY_OK,
    .attr_size = sizeof(struct gan__attr_fused),
    .infer = infer_fused,
};

/* A program being written. Registers are virtual until `assign`. */
struct draft {
    const struct gan__fusion *f;
    struct gan__load loads[GAN__MAX_LOADS];
    gan_val load_of[GAN__MAX_LOADS]; /* the graph's value behind each load, broadcast included */
    int n_loads;
    gan_val inputs[GAN__MAX_LOADS];
    int n_inputs;
    struct gan__instr code[GAN__MAX_CODE];
    int n_code;
    struct gan__save saves[GAN__MAX_STORES];
    gan_val saved[GAN__MAX_STORES];
    int n_saves; /* and n_tails: at most GAN__MAX_STORES together */
    struct gan__tail tails[GAN__MAX_STORES];
    gan_val summed[GAN__MAX_STORES];
    int n_tails;
    gan_shape shape; /* of the elements, with sums */
    uint64_t axes;
    int n_regs, n_ops;
    bool bad; /* limits exceeded: a defect of the grouping */
};

gan_val gan__fusion_source(const gan_graph *g, gan_val v)
{
    const struct gan__node *n = gan__node_of(g, v);
    return n->op == &gan__op_broadcast ? n->in[0] : v;
}

/* Pattern of a broadcast from `from` to `to` (equal ranks): neighbouring axes of one kind join. */
static void set_pattern(struct gan__load *l, const gan_shape *from, const gan_shape *to)
{
    int64_t stride[GAN_MAX_RANK], step = 1;
    int n = 0;
    for (int64_t i = from->rank - 1; i >= 0; i--) {
        stride[i] = from->dim[i] == 1 ? 0 : step;
        step *= from->dim[i];
    }
    for (int64_t i = 0; i < to->rank; i++) {
        if (to->dim[i] == 1) {
            continue;
        }
        bool full = stride[i] != 0;
        if (n > 0 && (l->stride[n - 1] != 0) == full) {
            l->dim[n - 1] *= to->dim[i];
            l->stride[n - 1] = stride[i];
        } else {
            l->dim[n] = to->dim[i];
            l->stride[n++] = stride[i];
        }
    }
    l->rank = n;
    l->period = n > 0 ? l->dim[n - 1] : 1;
    if (step == 1) {
        l->kind = GAN_LOAD_SCALAR;
    } else if (n == 1) {
        l->kind = GAN_LOAD_FULL;
    } else if (n == 2 && l->stride[0] == 0) {
        l->kind = GAN_LOAD_PERIOD;
    } else {
        l->kind = GAN_LOAD_STRIDED;
    }
}

static int input_index(struct draft *d, gan_val v)
{
    for (int i = 0; i < d->n_inputs; i++) {
        if (d->inputs[i].node == v.node && d->inputs[i].out == v.out) {
            return i;
        }
    }
    d->inputs[d->n_inputs] = v;
    return d->n_inputs++;
}

/* Register of a value from outside. */
static int load(struct draft *d, gan_val v)
{
    const gan_graph *g = d->f->g;
    for (int i = 0; i < d->n_loads; i++) {
        if (d->load_of[i].node == v.node && d->load_of[i].out == v.out) {
            return i;
        }
    }
    if (d->n_loads == GAN__MAX_LOADS) {
        d->bad = true;
        return 0;
    }
    struct gan__load *l = &d->loads[d->n_loads];
    gan_val u = gan__fusion_source(g, v);
    const struct gan__node *n = gan__node_of(g, u);
    const struct gan__type *t = gan__type_of(g, u);
    *l = (struct gan__load){.input = -1, .boolean = t->dtype == GAN_BOOL, .period = 1};
    if (n->op == &gan__op_fill) {
        double value = ((const struct gan__attr_fill *)n->attr)->value;
        l->kind = GAN_LOAD_IMM;
        l->imm = l->boolean ? (value != 0 ? 1.0f : 0.0f) : (float)value;
    } else {
        set_pattern(l, &t->shape, &gan__type_of(g, v)->shape);
        l->input = input_index(d, u);
    }
    d->load_of[d->n_loads] = v;
    return d->n_loads++;
}

/* Loads of all members, so that their registers come first. */
static void collect_loads(struct draft *d, const uint32_t *members, int n, uint32_t *reg_of)
{
    const gan_graph *g = d->f->g;
    for (int i = 0; i < n; i++) {
        const struct gan__node *m = &g->nodes[members[i]];
        for (int j = 0; j < m->n_in; j++) {
            if (d->f->group[m->in[j].node] != d->f->group[members[i]]) {
                uint32_t v = d->f->base[m->in[j].node] + m->in[j].out;
                reg_of[v] = (uint32_t)load(d, m->in[j]) + 1;
            }
        }
    }
}

static void write_tail(struct draft *d, uint32_t i, const uint32_t *reg_of)
{
    const gan_graph *g = d->f->g;
    const struct gan__node *n = &g->nodes[i];
    if (d->n_tails == GAN__MAX_STORES) {
        d->bad = true;
        return;
    }
    d->shape = gan__type_of(g, n->in[0])->shape;
    d->axes = ((const struct gan__attr_axes *)n->attr)->axes;
    d->tails[d->n_tails].reg = (int)reg_of[d->f->base[n->in[0].node] + n->in[0].out] - 1;
    d->summed[d->n_tails++] = (gan_val){i, 0};
}

static void write_code(struct draft *d, const uint32_t *members, int n, uint32_t *reg_of)
{
    const gan_graph *g = d->f->g;
    for (int i = 0; i < n; i++) {
        const struct gan__node *m = &g->nodes[members[i]];
        if (m->op == &gan__op_sum) {
            write_tail(d, members[i], reg_of);
            continue;
        }
        struct gan__instr *c = &d->code[d->n_code];
        *c = (struct gan__instr){.op = m->op, .n_in = m->n_in, .out = d->n_loads + d->n_code};
        for (int j = 0; j < m->n_in; j++) {
            c->in[j] = (int)reg_of[d->f->base[m->in[j].node] + m->in[j].out] - 1;
        }
        if (m->op->attr_size == sizeof(struct gan__attr_num)) {
            memcpy(c->num, m->attr, sizeof c->num);
        }
        reg_of[d->f->base[members[i]]] = (uint32_t)c->out + 1;
        d->n_code++;
    }
}

/* Readers of a member inside the group. */
static void count_inside(const struct draft *d, const uint32_t *members, int n, uint32_t *inside)
{
    for (int i = 0; i < n; i++) {
        const struct gan__node *m = &d->f->g->nodes[members[i]];
        for (int j = 0; j < m->n_in; j++) {
            for (int k = 0; k < i; k++) {
                inside[k] += members[k] == m->in[j].node;
            }
        }
    }
}

static void write_saves(struct draft *d, const uint32_t *members, int n)
{
    uint32_t inside[GAN__MAX_CODE] = {0};
    count_inside(d, members, n, inside);
    for (int i = 0, instr = -1; i < n; i++) {
        if (d->f->g->nodes[members[i]].op == &gan__op_sum) {
            continue;
        }
        instr++;
        /* a node nobody reads (dead code kept) is saved too: a program has results */
        uint32_t readers = d->f->readers[d->f->base[members[i]]];
        if (readers != 0 && readers == inside[i]) {
            continue;
        }
        if (d->n_saves + d->n_tails == GAN__MAX_STORES) {
            d->bad = true;
            return;
        }
        gan_val v = {members[i], 0};
        d->saves[d->n_saves] =
            (struct gan__save){.reg = d->n_loads + instr,
                               .output = d->n_saves,
                               .instr = instr,
                               .boolean = gan__type_of(d->f->g, v)->dtype == GAN_BOOL};
        d->saved[d->n_saves++] = v;
    }
    for (int i = 0; i < d->n_tails; i++) {
        d->tails[i].output = d->n_saves + i;
    }
}

static void combine(struct draft *d)
{
    struct gan__code c = {.loads = d->loads,
                          .n_loads = d->n_loads,
                          .code = d->code,
                          .n_code = d->n_code,
                          .saves = d->saves,
                          .n_saves = d->n_saves,
                          .tails = d->tails,
                          .n_tails = d->n_tails};
    gan__fusion_combine(d->f->c, &c);
    gan__fusion_adam(d->f->c, &c);
    d->n_code = c.n_code;
}

/* Real registers: a virtual one ends with its last reader; saved ones live to the end. */
static void assign(struct draft *d)
{
    int last[MAX_REGS], real[MAX_REGS], vacant[MAX_REGS], n_vacant = 0;
    for (int i = 0; i < d->n_loads + d->n_code; i++) {
        last[i] = i < d->n_loads ? d->n_code : -1;
        real[i] = i;
    }
    for (int i = 0; i < d->n_code; i++) {
        for (int j = 0; j < d->code[i].n_in; j++) {
            int r = d->code[i].in[j];
            last[r] = r < d->n_loads ? last[r] : i;
        }
    }
    for (int i = 0; i < d->n_saves; i++) {
        last[d->saves[i].reg] = d->n_code;
    }
    for (int i = 0; i < d->n_tails; i++) {
        last[d->tails[i].reg] = d->n_code;
    }
    d->n_regs = d->n_loads;
    for (int i = 0; i < d->n_code; i++) {
        struct gan__instr *c = &d->code[i];
        int virtual_out = c->out;
        for (int j = 0; j < c->n_in; j++) { /* a tile function may write over its input */
            int r = c->in[j];
            c->in[j] = real[r];
            if (last[r] == i) {
                vacant[n_vacant++] = real[r];
                last[r] = -1;
            }
        }
        c->out = n_vacant > 0 ? vacant[--n_vacant] : d->n_regs++;
        real[virtual_out] = c->out;
    }
    for (int i = 0; i < d->n_saves; i++) {
        d->saves[i].reg = real[d->saves[i].reg];
    }
    for (int i = 0; i < d->n_tails; i++) {
        d->tails[i].reg = real[d->tails[i].reg];
    }
}

static const struct gan__program *keep(const struct draft *d, int64_t count)
{
    struct gan__arena *a = d->f->c->arena;
    struct gan__program *p = gan__arena_alloc(a, sizeof *p);
    if (!p) {
        return NULL;
    }
    p->count = count;
    p->n_loads = d->n_loads;
    p->n_code = d->n_code;
    p->n_saves = d->n_saves;
    p->n_tails = d->n_tails;
    p->shape = d->shape;
    p->axes = d->axes;
    p->n_regs = d->n_regs;
    p->n_ops = d->n_ops;
    p->loads = gan__arena_copy(a, d->loads, (size_t)d->n_loads * sizeof *d->loads);
    p->code = gan__arena_copy(a, d->code, (size_t)d->n_code * sizeof *d->code);
    p->saves = gan__arena_copy(a, d->saves, (size_t)d->n_saves * sizeof *d->saves);
    p->tails = gan__arena_copy(a, d->tails, (size_t)d->n_tails * sizeof *d->tails);
    return p->loads && p->code && p->saves && p->tails ? p : NULL;
}

/* The node of the program; its outputs stand for the saved values. */
static void append(const struct draft *d, struct gan__rewrite *rw, const struct gan__node *like,
                   const struct gan__program *p)
{
    gan_val in[GAN__MAX_LOADS];
    struct gan__type out[GAN__MAX_STORES];
    struct gan__attr_fused attr = {p};
    for (int i = 0; i < d->n_inputs; i++) {
        in[i] = gan__rewrite_get(rw, d->inputs[i]);
    }
    for (int i = 0; i < d->n_saves; i++) {
        out[i] = *gan__type_of(d->f->g, d->saved[i]);
    }
    for (int i = 0; i < d->n_tails; i++) {
        out[d->n_saves + i] = *gan__type_of(d->f->g, d->summed[i]);
    }
    struct gan__arena *a = &rw->dst->arena;
    int n_out = d->n_saves + d->n_tails;
    struct gan__node n = {.op = &gan__op_fused,
                          .n_in = d->n_inputs,
                          .n_out = n_out,
                          .scope = like->scope,
                          .copy = like->copy,
                          .out = gan__arena_copy(a, out, (size_t)n_out * sizeof *out),
                          .attr = gan__arena_copy(a, &attr, sizeof attr)};
    if (!n.out || !n.attr) {
        gan_graph_fail(rw->dst, GAN_E_NOMEM, "cannot allocate a program");
        return;
    }
    uint32_t id = gan__ir_append(rw->dst, &n, in);
    for (int i = 0; i < d->n_saves && id != 0; i++) {
        gan__rewrite_set(rw, d->saved[i], (gan_val){id, (uint32_t)i});
    }
    for (int i = 0; i < d->n_tails && id != 0; i++) {
        gan__rewrite_set(rw, d->summed[i], (gan_val){id, (uint32_t)(d->n_saves + i)});
    }
}

void gan__fusion_emit(const struct gan__fusion *f, struct gan__rewrite *rw, const uint32_t *members,
                      int n, uint32_t *reg_of)
{
    struct draft d = {.f = f};
    const struct gan__node *last = &f->g->nodes[members[n - 1]];
    collect_loads(&d, members, n, reg_of);
    write_code(&d, members, n, reg_of);
    write_saves(&d, members, n);
    for (int i = 0; i < n; i++) {
        const struct gan__node *m = &f->g->nodes[members[i]];
        for (int j = 0; j < m->n_in; j++) {
            reg_of[f->base[m->in[j].node] + m->in[j].out] = 0;
        }
        reg_of[f->base[members[i]]] = 0;
    }
    if (d.bad) {
        gan_graph_fail(rw->dst, GAN_E_INTERNAL, "a program of %d operations exceeds its limits", n);
        return;
    }
    d.n_ops = n;
    combine(&d);
    assign(&d);
    const struct gan__program *p = keep(&d, f->count[members[n - 1]]);
    if (!p) {
        gan_graph_fail(rw->dst, GAN_E_NOMEM, "cannot allocate a program");
        return;
    }
    append(&d, rw, last, p);
}

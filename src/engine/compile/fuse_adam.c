/* fuse_adam.c: Adam's update inside a program, as three operations that pass each element through
 * the machine's registers once.
 *
 *   adam_m  k ? m b1 + g c1 : m                     adam_v  k ? v b2 + (g g) c2 : v
 *   adam_p  k ? p - step (m' / (sqrt(v') root + eps)) : old
 *
 * k is the guard that keeps the last good state. adam_p reads what the guard lets through: where the
 * guard is shut it does not read at all. The same operations in the same order, the same bits.
 * Ref: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1. */
#include "fuse.h"

#include "known.h"

#include <string.h>

static bool infer_step(struct gan__infer *c)
{
    return gan__infer_fail(c, GAN_E_INTERNAL, "made by the compiler inside programs only");
}

#define STEP(NAME, DOC, INPUTS)                                                                    \
    GAN_OP(NAME) = {.name = #NAME,                                                                 \
                    .doc = DOC,                                                                    \
                    .n_in = INPUTS,                                                                \
                    .n_out = 1,                                                                    \
                    .flags = GAN_OP_INTERNAL | GAN_OP_EMPTY_OK,                                    \
                    .infer = infer_step}

/* clang-format off */
STEP(adam_m, "k ? m*b + g*c : m", 5);
STEP(adam_v, "k ? v*b + g*g*c : v", 5);
STEP(adam_p, "k ? p - s*(m/(sqrt(v)*r + e)) : old", 8);
/* clang-format on */

extern const struct gan__op gan__op_sqrt, gan__op_mul_add, gan__op_sub_prod;

enum { NOTHING = -1 };

struct search {
    struct gan__code *p;
    int reads[GAN__MAX_LOADS + GAN__MAX_CODE];
    int becomes[GAN__MAX_CODE]; /* the instruction that takes over, NOTHING, or itself */
};

/* The instruction of this op that makes register r and has so many readers; NULL otherwise. */
static struct gan__instr *made_by(const struct search *s, int r, const struct gan__op *op,
                                  int readers)
{
    int i = r - s->p->n_loads;
    return i >= 0 && s->reads[r] == readers && s->p->code[i].op == op ? &s->p->code[i] : NULL;
}

/* Is the register one number for all elements? */
static bool uniform(const struct search *s, int r)
{
    return r < s->p->n_loads &&
           (s->p->loads[r].kind == GAN_LOAD_IMM || s->p->loads[r].kind == GAN_LOAD_SCALAR);
}

/* One of two factors is uniform: *number it, *other the other. */
static bool scaled(const struct search *s, const int factor[2], int *other, int *number)
{
    int at = uniform(s, factor[1]) ? 1 : 0;
    *number = factor[at];
    *other = factor[1 - at];
    return uniform(s, *number);
}

/* slot b + x c, guarded. */
struct moment {
    struct gan__instr *sum, *product, *guard;
    int slot, b, x, c;
};

/* The guard by k of register r; NULL when there is none. */
static struct gan__instr *guard_of(const struct search *s, int r, int k)
{
    for (int i = 0; i < s->p->n_code; i++) {
        struct gan__instr *c = &s->p->code[i];
        if (c->op == &gan__op_select && c->in[0] == k && c->in[1] == r) {
            return c;
        }
    }
    return NULL;
}

/* The moment in register r, which its guard by k reads and one instruction else. */
static bool find_moment(const struct search *s, int r, int k, struct moment *m)
{
    m->sum = made_by(s, r, &gan__op_mul_add, 2);
    m->product = m->sum ? made_by(s, m->sum->in[2], &gan__op_mul, 1) : NULL;
    m->guard = guard_of(s, r, k);
    if (!m->product || !m->guard || !scaled(s, m->sum->in, &m->slot, &m->b) ||
        !scaled(s, m->product->in, &m->x, &m->c)) {
        return false;
    }
    if (m->guard->in[2] == m->x) { /* a sum's two products come in any order */
        int x = m->slot, c = m->b;
        m->slot = m->x;
        m->b = m->c;
        m->x = x;
        m->c = c;
    }
    return m->guard->in[2] == m->slot;
}

static void replace(struct gan__instr *c, const struct gan__op *op, const int *in, int n_in)
{
    c->op = op;
    c->n_in = n_in;
    memcpy(c->in, in, (size_t)n_in * sizeof *in);
}

static void drop(struct search *s, const struct gan__instr *c, const struct gan__instr *by)
{
    s->becomes[c - s->p->code] = by ? (int)(by - s->p->code) : NOTHING;
}

/* The update that ends in this guard of a parameter; false when it is none. */
static bool find_update(struct search *s, struct gan__instr *guard)
{
    struct moment m, v;
    int k = guard->in[0], step, ratio, root, top, eps;
    const struct gan__instr *p = made_by(s, guard->in[1], &gan__op_sub_prod, 1);
    if (!p || !uniform(s, k) || !scaled(s, p->in + 1, &ratio, &step)) {
        return false;
    }
    const struct gan__instr *d = made_by(s, ratio, &gan__op_div, 1);
    const struct gan__instr *shift = d ? made_by(s, d->in[1], &gan__op_mul_add, 1) : NULL;
    if (!shift || !uniform(s, shift->in[2]) || !scaled(s, shift->in, &top, &root)) {
        return false;
    }
    eps = shift->in[2];
    const struct gan__instr *sqrt_v = made_by(s, top, &gan__op_sqrt, 1);
    if (!sqrt_v || !find_moment(s, d->in[0], k, &m) || !find_moment(s, sqrt_v->in[0], k, &v)) {
        return false;
    }
    const struct gan__instr *square = made_by(s, v.x, &gan__op_mul, 1);
    if (!square || square->in[0] != square->in[1]) {
        return false;
    }
    int last = (int)(p - s->p->code), to_m = m.sum->out, to_v = v.sum->out;
    replace(m.sum, &gan__op_adam_m, (int[]){k, m.slot, m.b, m.x, m.c}, 5);
    replace(v.sum, &gan__op_adam_v, (int[]){k, v.slot, v.b, square->in[0], v.c}, 5);
    replace(&s->p->code[last], &gan__op_adam_p,
            (int[]){k, p->in[0], step, to_m, to_v, root, eps, guard->in[2]}, 8);
    drop(s, m.product, NULL);
    drop(s, v.product, NULL);
    drop(s, square, NULL);
    drop(s, sqrt_v, NULL);
    drop(s, shift, NULL);
    drop(s, d, NULL);
    drop(s, m.guard, m.sum);
    drop(s, v.guard, v.sum);
    drop(s, guard, &s->p->code[last]);
    return true;
}

/* Moves the instructions that are left together; registers follow their instructions. */
static void close_ranks(const struct search *s)
{
    struct gan__code *p = s->p;
    int to[GAN__MAX_LOADS + GAN__MAX_CODE], n = 0;
    for (int r = 0; r < p->n_loads; r++) {
        to[r] = r;
    }
    for (int i = 0; i < p->n_code; i++) {
        if (s->becomes[i] != i) {
            to[p->n_loads + i] =
                s->becomes[i] == NOTHING ? NOTHING : to[p->n_loads + s->becomes[i]];
            continue;
        }
        struct gan__instr c = p->code[i];
        for (int j = 0; j < c.n_in; j++) {
            c.in[j] = to[c.in[j]];
        }
        c.out = to[p->n_loads + i] = p->n_loads + n;
        p->code[n++] = c;
    }
    for (int i = 0; i < p->n_saves; i++) {
        p->saves[i].reg = to[p->saves[i].reg];
        p->saves[i].instr = p->saves[i].reg - p->n_loads;
    }
    for (int i = 0; i < p->n_tails; i++) {
        p->tails[i].reg = to[p->tails[i].reg];
    }
    p->n_code = n;
}

void gan__fusion_adam(const struct gan__compile *c, struct gan__code *p)
{
    struct search s = {.p = p};
    struct gan__type t[GAN__MAX_OPERANDS] = {{GAN_F32, {0}}};
    bool any = false;
    for (int i = 1; i < GAN__MAX_OPERANDS; i++) {
        t[i] = t[0];
    }
    if (!c->tiled(c->backend, &gan__op_adam_p, t, GAN__MAX_OPERANDS, t, 1, NULL)) {
        return;
    }
    for (int i = 0; i < p->n_code; i++) {
        s.becomes[i] = i;
        for (int j = 0; j < p->code[i].n_in; j++) {
            s.reads[p->code[i].in[j]]++;
        }
    }
    for (int i = 0; i < p->n_saves; i++) {
        s.reads[p->saves[i].reg]++;
    }
    for (int i = 0; i < p->n_tails; i++) {
        s.reads[p->tails[i].reg]++;
    }
    for (int i = 0; i < p->n_code; i++) {
        if (p->code[i].op == &gan__op_select && s.becomes[i] == i) {
            any = find_update(&s, &p->code[i]) || any;
        }
    }
    if (any) {
        close_ranks(&s);
    }
}

/* fuse_combine.c: two or three operations of a program as one, so that what lies between them never
 * leaves the machine's registers. Each does the same IEEE operations in the same order, without
 * contraction: the same bits.
 *
 *   mul_add   a b + c      mul_sub  a b - c      sub_mul     (a - b) c
 *   sub_prod  a - b c      gate     a > 0 ? b : c      leaky_gate  a > 0 ? b : p b */
#include "fuse.h"

#include "known.h"

static bool infer_step(struct gan__infer *c)
{
    return gan__infer_fail(c, GAN_E_INTERNAL, "made by the compiler inside programs only");
}

#define STEP(NAME, DOC, INPUTS, ATTR)                                                              \
    GAN_OP(NAME) = {.name = #NAME,                                                                 \
                    .doc = DOC,                                                                    \
                    .n_in = INPUTS,                                                                \
                    .n_out = 1,                                                                    \
                    .flags = GAN_OP_INTERNAL | GAN_OP_EMPTY_OK,                                    \
                    .attr_size = ATTR,                                                             \
                    .infer = infer_step}

/* clang-format off */
STEP(mul_add, "a*b + c", 3, 0);
STEP(mul_sub, "a*b - c", 3, 0);
STEP(sub_mul, "(a - b)*c", 3, 0);
STEP(sub_prod, "a - b*c", 3, 0);
STEP(gate, "a > 0 ? b : c", 3, 0);
STEP(leaky_gate, "a > 0 ? b : p*b", 2, sizeof(struct gan__attr_num));
/* clang-format on */

extern const struct gan__op gan__op_greater;

/* Instructions by virtual register: every one has its own. */
struct combine {
    struct gan__code *p;
    int reads[GAN__MAX_LOADS + GAN__MAX_CODE];
    bool dead[GAN__MAX_CODE];
};

/* The instruction that makes register r, when it is this op and nobody else reads r. */
static struct gan__instr *made_by(const struct combine *w, int r, const struct gan__op *op)
{
    int i = r - w->p->n_loads;
    return i >= 0 && w->reads[r] == 1 && w->p->code[i].op == op ? &w->p->code[i] : NULL;
}

/* The number in register r; false when it is no constant. */
static bool constant(const struct combine *w, int r, float *value)
{
    if (r >= w->p->n_loads || w->p->loads[r].kind != GAN_LOAD_IMM) {
        return false;
    }
    *value = w->p->loads[r].imm;
    return true;
}

/* c becomes op(a, b, x) and takes over what m read. */
static void merge(struct combine *w, struct gan__instr *c, const struct gan__instr *m,
                  const struct gan__op *op, const int in[3])
{
    w->dead[m->out - w->p->n_loads] = true;
    w->reads[m->out] = 0;
    c->op = op;
    c->n_in = 3;
    for (int j = 0; j < 3; j++) {
        c->in[j] = in[j];
    }
}

static void combine_sum(struct combine *w, struct gan__instr *c)
{
    bool add = c->op == &gan__op_add;
    int x = c->in[0], y = c->in[1];
    const struct gan__instr *m = made_by(w, x, &gan__op_mul);
    if (m) {
        merge(w, c, m, add ? &gan__op_mul_add : &gan__op_mul_sub, (int[]){m->in[0], m->in[1], y});
        return;
    }
    m = made_by(w, y, &gan__op_mul);
    if (m && add) {
        merge(w, c, m, &gan__op_mul_add, (int[]){m->in[0], m->in[1], x});
    } else if (m) {
        merge(w, c, m, &gan__op_sub_prod, (int[]){x, m->in[0], m->in[1]});
    }
}

static void combine_product(struct combine *w, struct gan__instr *c)
{
    for (int j = 0; j < 2; j++) {
        const struct gan__instr *m = made_by(w, c->in[j], &gan__op_sub);
        if (m) {
            merge(w, c, m, &gan__op_sub_mul, (int[]){m->in[0], m->in[1], c->in[1 - j]});
            return;
        }
    }
}

/* select(x > 0, a, a p) and select(x > 0, a, b) */
static void combine_select(struct combine *w, struct gan__instr *c)
{
    const struct gan__instr *m = made_by(w, c->in[0], &gan__op_greater);
    float p;
    if (!m || !constant(w, m->in[1], &p) || p < 0.0f || p > 0.0f) {
        return;
    }
    int a = c->in[1];
    const struct gan__instr *scaled = made_by(w, c->in[2], &gan__op_mul);
    for (int j = 0; j < 2 && scaled; j++) {
        if (scaled->in[j] == a && constant(w, scaled->in[1 - j], &p)) {
            merge(w, c, m, &gan__op_leaky_gate, (int[]){m->in[0], a, a});
            w->dead[scaled->out - w->p->n_loads] = true;
            w->reads[scaled->out] = 0;
            w->reads[a]--;
            c->n_in = 2;
            c->num[0] = (double)p;
            return;
        }
    }
    merge(w, c, m, &gan__op_gate, (int[]){m->in[0], a, c->in[2]});
}

/* Moves the instructions that are left together; registers follow their instructions. */
static void close_ranks(struct combine *w)
{
    struct gan__code *p = w->p;
    int to[GAN__MAX_LOADS + GAN__MAX_CODE], at[GAN__MAX_CODE], n = 0;
    for (int r = 0; r < p->n_loads; r++) {
        to[r] = r;
    }
    for (int i = 0; i < p->n_code; i++) {
        at[i] = n;
        to[p->n_loads + i] = p->n_loads + n;
        if (w->dead[i]) {
            continue;
        }
        struct gan__instr c = p->code[i];
        for (int j = 0; j < c.n_in; j++) {
            c.in[j] = to[c.in[j]];
        }
        c.out = p->n_loads + n;
        p->code[n++] = c;
    }
    for (int i = 0; i < p->n_saves; i++) {
        p->saves[i].reg = to[p->saves[i].reg];
        p->saves[i].instr = at[p->saves[i].instr];
    }
    for (int i = 0; i < p->n_tails; i++) {
        p->tails[i].reg = to[p->tails[i].reg];
    }
    p->n_code = n;
}

void gan__fusion_combine(const struct gan__compile *c, struct gan__code *p)
{
    struct combine w = {.p = p};
    struct gan__type t = {GAN_F32, {0}}, in[3] = {t, t, t};
    if (!c->tiled(c->backend, &gan__op_mul_add, in, 3, &t, 1, NULL)) {
        return;
    }
    for (int i = 0; i < p->n_code; i++) {
        for (int j = 0; j < p->code[i].n_in; j++) {
            w.reads[p->code[i].in[j]]++;
        }
    }
    for (int i = 0; i < p->n_saves; i++) {
        w.reads[p->saves[i].reg]++;
    }
    for (int i = 0; i < p->n_tails; i++) {
        w.reads[p->tails[i].reg]++;
    }
    for (int i = 0; i < p->n_code; i++) {
        struct gan__instr *k = &p->code[i];
        if (k->op == &gan__op_add || k->op == &gan__op_sub) {
            combine_sum(&w, k);
        } else if (k->op == &gan__op_mul) {
            combine_product(&w, k);
        } else if (k->op == &gan__op_select) {
            combine_select(&w, k);
        }
    }
    close_ranks(&w);
}

/* pass_precision.c: which values are stored in bf16, and which heavy operations compute in it.
 *
 * Runs after fusion, when every value left is one that passes through memory. A convolution or
 * product that the backend can run in bf16 takes its images (a product both operands) in bf16;
 * weights of convolutions stay f32 and are converted where they are packed. An activation or its
 * gradient is stored in bf16 when its maker can write that and somebody gains by it; programs
 * convert as they load and save and compute in f32. State and what is on its way there (gradients
 * of weights, moments), sums, moments of normalisation, roots, small and one-channel values
 * (logits) stay f32. Pooling and resize pass the type on. Where a reader wants the other type there is one cast, shared by all such
 * readers.
 *
 * Ref: Kalamkar et al. 2019, arXiv:1905.12322 (training in bf16 without loss scaling). */
#include "fused.h"
#include "known.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

#define SMALL 4096         /* elements below which the type of a value does not matter */
#define LIGHT 1e6          /* operations below which a heavy node stays as it is */
#define CHANNELS_OF_MAPS 2 /* fewer are logits */

extern const struct gan__op gan__op_conv2d_weight_grad, gan__op_normalize, gan__op_normalize_grad,
    gan__op_moments, gan__op_pad_grad, gan__op_avg_pool, gan__op_avg_pool_grad, gan__op_max_pool,
    gan__op_max_pool_grad, gan__op_resize, gan__op_resize_grad;

/* Work arrays; by value number unless said otherwise. */
struct search {
    const struct gan__compile *c;
    const gan_graph *g;
    const uint32_t *base;
    uint32_t *root;             /* value whose memory this one is: views */
    bool *fixed;                /* must be f32 */
    bool *wanted;               /* by root: somebody gains by bf16 */
    bool *half;                 /* stored in bf16 */
    bool *mixed;                /* by node: a heavy node of bf16 operands */
    gan_val *as_half, *as_full; /* casts, in the new graph */
};

static uint32_t number(const struct search *s, gan_val v)
{
    return s->base[v.node] + v.out;
}

static int64_t count_of(const gan_graph *g, gan_val v)
{
    return gan_shape_count(&gan__type_of(g, v)->shape);
}

/* Operations that move elements: the type goes through. */
static bool moves(const struct gan__op *op)
{
    return op == &gan__op_transpose || op == &gan__op_slice || op == &gan__op_concat ||
           op == &gan__op_pad || op == &gan__op_broadcast;
}

/* Operations that blend a few neighbours: the type goes through where the backend serves it. */
static bool blends(const struct search *s, const struct gan__node *n)
{
    static const struct gan__op *const ops[] = {
        &gan__op_pad_grad,      &gan__op_avg_pool, &gan__op_avg_pool_grad, &gan__op_max_pool,
        &gan__op_max_pool_grad, &gan__op_resize,   &gan__op_resize_grad};
    struct gan__type in[2], out = n->out[0];
    bool known = false;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        known = known || n->op == ops[i];
    }
    if (!known || n->n_in > 2 || out.dtype != GAN_F32) {
        return false;
    }
    for (int j = 0; j < n->n_in; j++) {
        in[j] = *gan__type_of(s->g, n->in[j]);
        in[j].dtype = GAN_BF16;
    }
    out.dtype = GAN_BF16;
    return s->c->served(s->c->backend, n->op, in, n->n_in, &out, 1, n->attr);
}

/* Nodes whose result has the type of what they read. */
static bool passes_on(const struct search *s, const struct gan__node *n)
{
    return moves(n->op) || blends(s, n);
}

static bool is_product(const struct gan__op *op)
{
    return op == &gan__op_matmul || op == &gan__op_matmul_post;
}

static bool is_conv(const struct gan__op *op)
{
    return op == &gan__op_conv2d || op == &gan__op_conv2d_post ||
           op == &gan__op_conv2d_input_grad || op == &gan__op_conv2d_input_grad_post;
}

/* Is input j of the operation one of the large ones of normalisation? */
static bool normalises(const struct gan__op *op, int j)
{
    return j < 2 &&
           (op == &gan__op_normalize || op == &gan__op_normalize_grad || op == &gan__op_moments);
}

/* Operands of a heavy node that are bf16 when it computes in bf16. */
static bool heavy_operand(const struct gan__op *op, int j)
{
    return j == 0 || (j == 1 && (is_product(op) || op == &gan__op_conv2d_weight_grad));
}

/* Types of node n with bf16 operands and, with `out`, a bf16 result: does the backend serve them? */
static bool serves_half(const struct search *s, const struct gan__node *n, bool out)
{
    struct gan__type in[3], result = n->out[0];
    if (n->n_in < 2 || n->n_in > 3 || result.dtype != GAN_F32) {
        return false;
    }
    for (int j = 0; j < n->n_in; j++) {
        in[j] = *gan__type_of(s->g, n->in[j]);
        if (in[j].dtype != GAN_F32) {
            return false;
        }
        in[j].dtype = heavy_operand(n->op, j) ? GAN_BF16 : GAN_F32;
    }
    result.dtype = out ? GAN_BF16 : GAN_F32;
    return s->c->served(s->c->backend, n->op, in, n->n_in, &result, 1, n->attr);
}

/* Heavy nodes worth and able to compute in bf16. */
static void find_mixed(struct search *s)
{
    for (uint32_t i = 1; i < s->g->n_nodes; i++) {
        const struct gan__node *n = &s->g->nodes[i];
        bool known = is_product(n->op) || is_conv(n->op) || n->op == &gan__op_conv2d_weight_grad;
        struct gan__type in[3];
        for (int j = 0; j < n->n_in && j < 3; j++) {
            in[j] = *gan__type_of(s->g, n->in[j]);
        }
        s->mixed[i] =
            known && n->op->flops(in, n->out, n->attr) >= LIGHT && serves_half(s, n, false);
    }
}

/* Values that state is made of, backwards through whatever neither reduces nor multiplies; and
 * the roots. */
static void find_fixed(struct search *s)
{
    for (int i = 0; i < s->c->n_outputs; i++) {
        s->fixed[s->root[number(s, s->c->outputs[i])]] = true;
    }
    for (uint32_t i = (uint32_t)s->g->n_nodes; i-- > 1;) {
        const struct gan__node *n = &s->g->nodes[i];
        bool set = n->op == &gan__op_state_set;
        if (n->op->flags & GAN_OP_HEAVY) {
            continue;
        }
        for (int j = 0; j < n->n_in; j++) {
            bool fixed = set;
            for (int k = 0; k < n->n_out && !fixed; k++) {
                gan_val y = {i, (uint32_t)k};
                fixed = s->fixed[s->root[number(s, y)]] &&
                        count_of(s->g, y) >= count_of(s->g, n->in[j]);
            }
            if (fixed) {
                s->fixed[s->root[number(s, n->in[j])]] = true;
            }
        }
    }
}

/* Can the node write output k in bf16, and is that a value worth storing so? */
static bool may_store(const struct search *s, uint32_t i, int k)
{
    const struct gan__node *n = &s->g->nodes[i];
    const struct gan__type *t = &n->out[k];
    int64_t count = gan_shape_count(&t->shape);
    if (t->dtype != GAN_F32 || count < SMALL ||
        t->shape.dim[t->shape.rank - 1] < CHANNELS_OF_MAPS) {
        return false;
    }
    if (n->op == &gan__op_fused) {
        return count == ((const struct gan__attr_fused *)n->attr)->program->count;
    }
    if (n->op == &gan__op_normalize || n->op == &gan__op_normalize_grad) {
        return k == 0;
    }
    if (is_conv(n->op) || is_product(n->op)) {
        return s->mixed[i] && serves_half(s, n, true);
    }
    return passes_on(s, n);
}

/* Does the node gain when input j is bf16? Its own results are decided. */
static bool gains(const struct search *s, uint32_t i, int j)
{
    const struct gan__node *n = &s->g->nodes[i];
    if (n->op->flags & GAN_OP_HEAVY) {
        return s->mixed[i] && heavy_operand(n->op, j);
    }
    return n->op == &gan__op_fused || normalises(n->op, j) ||
           (s->half[s->base[i]] && passes_on(s, n));
}

static void find_half(struct search *s)
{
    for (uint32_t i = (uint32_t)s->g->n_nodes; i-- > 1;) {
        const struct gan__node *n = &s->g->nodes[i];
        if (n->op->flags & GAN_OP_VIEW) {
            continue;
        }
        for (int k = 0; k < n->n_out; k++) {
            uint32_t v = s->base[i] + (uint32_t)k;
            s->half[v] = s->wanted[v] && !s->fixed[v] && may_store(s, i, k);
        }
        for (int j = 0; j < n->n_in; j++) {
            if (gains(s, i, j)) {
                s->wanted[s->root[number(s, n->in[j])]] = true;
            }
        }
    }
    for (uint32_t v = 0; v < s->base[s->g->n_nodes]; v++) {
        s->half[v] = s->half[s->root[v]];
    }
}

/* The type in which node i reads input j. */
static gan_dtype read_type(const struct search *s, uint32_t i, int j)
{
    const struct gan__node *n = &s->g->nodes[i];
    struct gan__type t = *gan__type_of(s->g, n->in[j]);
    gan_dtype stored = s->half[number(s, n->in[j])] ? GAN_BF16 : GAN_F32;
    if (n->op->flags & GAN_OP_HEAVY) {
        return s->mixed[i] && heavy_operand(n->op, j) ? GAN_BF16 : GAN_F32;
    }
    if (n->op == &gan__op_sum) {
        t.dtype = stored;
        return s->c->served(s->c->backend, n->op, &t, 1, n->out, 1, n->attr) ? stored : GAN_F32;
    }
    if (passes_on(s, n)) {
        return s->half[s->base[i]] ? GAN_BF16 : GAN_F32;
    }
    bool any = n->op == &gan__op_fused || (n->op->flags & GAN_OP_VIEW) || normalises(n->op, j);
    return any ? stored : GAN_F32;
}

/* Input j of node i in the new graph, cast where the types differ. */
static gan_val input(struct search *s, struct gan__rewrite *rw, uint32_t i, int j)
{
    gan_val v = s->g->nodes[i].in[j], x = gan__rewrite_get(rw, v);
    const struct gan__type *t = gan__type_of(s->g, v);
    gan_dtype stored = s->half[number(s, v)] ? GAN_BF16 : GAN_F32, want = read_type(s, i, j);
    if (t->dtype != GAN_F32 || stored == want) {
        return x;
    }
    gan_val *memo = want == GAN_BF16 ? &s->as_half[number(s, v)] : &s->as_full[number(s, v)];
    if (!gan_ok(*memo)) {
        struct gan__attr_cast attr = {want};
        struct gan__type to = {want, t->shape};
        *memo = gan__ir_make(rw->dst, &gan__op_cast, &x, 1, &attr, &to, &s->g->nodes[i]);
    }
    return *memo;
}

static void emit(struct search *s, struct gan__rewrite *rw, uint32_t i)
{
    struct gan__node n = s->g->nodes[i];
    struct gan__arena *a = &rw->dst->arena;
    gan_val *in = gan__arena_array(a, (size_t)n.n_in + 1, sizeof *in);
    struct gan__type *out = gan__arena_array(a, (size_t)n.n_out + 1, sizeof *out);
    if (!in || !out) {
        gan_graph_fail(rw->dst, GAN_E_NOMEM, "cannot allocate node %s", n.op->name);
        return;
    }
    for (int j = 0; j < n.n_in; j++) {
        in[j] = input(s, rw, i, j);
        if (!gan_ok(in[j])) {
            gan_graph_fail(rw->dst, GAN_E_INTERNAL, "input %d of %s #%u was lost by precision", j,
                           n.op->name, i);
            return;
        }
    }
    for (int k = 0; k < n.n_out; k++) {
        out[k] = n.out[k];
        out[k].dtype = s->half[s->base[i] + (uint32_t)k] ? GAN_BF16 : out[k].dtype;
    }
    n.out = out;
    uint32_t id = gan__ir_append(rw->dst, &n, in);
    for (int k = 0; k < (n.n_out > 0 ? n.n_out : 1); k++) {
        rw->map[s->base[i] + (uint32_t)k] = id ? (gan_val){id, (uint32_t)k} : GAN_NONE;
    }
}

static void find_roots(struct search *s)
{
    for (uint32_t i = 0; i < s->g->n_nodes; i++) {
        const struct gan__node *n = &s->g->nodes[i];
        for (uint32_t v = s->base[i]; v < s->base[i + 1]; v++) {
            bool view = i > 0 && (n->op->flags & GAN_OP_VIEW);
            s->root[v] = view ? s->root[number(s, n->in[0])] : v;
        }
    }
}

static bool allocate(struct search *s, size_t n_values)
{
    s->root = gan__alloc_array(n_values + 1, sizeof *s->root);
    s->fixed = gan__alloc_array(n_values + 1, sizeof *s->fixed);
    s->wanted = gan__alloc_array(n_values + 1, sizeof *s->wanted);
    s->half = gan__alloc_array(n_values + 1, sizeof *s->half);
    s->mixed = gan__alloc_array(s->g->n_nodes + 1, sizeof *s->mixed);
    s->as_half = gan__alloc_array(n_values + 1, sizeof *s->as_half);
    s->as_full = gan__alloc_array(n_values + 1, sizeof *s->as_full);
    return s->root && s->fixed && s->wanted && s->half && s->mixed && s->as_half && s->as_full;
}

static void release(struct search *s)
{
    gan__free(s->root);
    gan__free(s->fixed);
    gan__free(s->wanted);
    gan__free(s->half);
    gan__free(s->mixed);
    gan__free(s->as_half);
    gan__free(s->as_full);
}

gan_status gan__compile_precision(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    struct search s = {.c = c, .g = rw.src, .base = rw.base};
    gan_status status = GAN_OK;
    if (allocate(&s, rw.n_values)) {
        find_roots(&s);
        find_mixed(&s);
        find_fixed(&s);
        find_half(&s);
        for (uint32_t i = 1; i < rw.src->n_nodes && rw.dst->err.code == GAN_OK; i++) {
            emit(&s, &rw, i);
        }
    } else {
        status = gan__fail_nomem(err, rw.n_values * 24, "precision");
    }
    release(&s);
    status = gan__rewrite_end(&rw, status, err);
    c->mixed = status == GAN_OK;
    return status == GAN_OK && c->verify ? gan__verify_graph(c, "precision", err) : status;
}

GAN_PASS(precision) = {
    .name = "precision",
    .doc = "with opts.precision bf16: activations stored in bf16, heavy operations of bf16",
    .rank = 95,
};

/* pass_epilogue.c: bias and activation move into the convolution or product before them, when the
 * backend has a kernel for that and nobody else reads what lies between. Reshapes between that keep
 * the last axis are looked through. Results may differ in the last bits: the sum and the bias are
 * rounded once instead of twice, and the library has its own tanh and sigmoid. */
#include "known.h"

#include "base/alloc.h"
#include "base/err.h"
#include "fused.h"

/* What was found behind one heavy node. */
struct chain {
    struct gan__attr_post post;
    const struct gan__op *op; /* of the new node */
    gan_val bias;             /* in src */
    gan_val last;             /* value of src that the new node stands for */
    uint32_t passed[16];      /* nodes that vanish */
    int n_passed;
};

struct search {
    const gan_graph *g;
    const uint32_t *base;
    const uint32_t *readers; /* by value: how many */
    uint32_t *reader;        /* by value: the last one */
    uint32_t *ends;          /* by node: index + 1 of the chain that ends there */
    bool *gone;              /* by node: part of a chain */
};

static bool start(struct chain *k, const struct gan__node *n)
{
    *k = (struct chain){.op = NULL};
    if (n->op == &gan__op_conv2d || n->op == &gan__op_conv2d_input_grad) {
        k->post.conv = *(const struct gan__attr_conv *)n->attr;
        k->op = n->op == &gan__op_conv2d ? &gan__op_conv2d_post : &gan__op_conv2d_input_grad_post;
    } else if (n->op == &gan__op_matmul) {
        const struct gan__attr_matmul *a = n->attr;
        k->post.ta = a->ta;
        k->post.tb = a->tb;
        k->op = &gan__op_matmul_post;
    }
    return k->op && n->out[0].dtype == GAN_F32;
}

/* The only reader of v, 0 when there are several or the root is read. */
static uint32_t only_reader(const struct search *s, gan_val v)
{
    uint32_t at = s->base[v.node] + v.out;
    return s->readers[at] == 1 ? s->reader[at] : 0;
}

static int64_t last_extent(const gan_graph *g, gan_val v)
{
    const gan_shape *s = &gan__type_of(g, v)->shape;
    return s->rank > 0 ? s->dim[s->rank - 1] : 1;
}

/* The vector that `add` adds along the last axis of v; GAN_NONE when it is something else. */
static gan_val bias_of(const gan_graph *g, const struct gan__node *add, gan_val v)
{
    int64_t channels = last_extent(g, v);
    gan_val other = add->in[add->in[0].node == v.node && add->in[0].out == v.out ? 1 : 0];
    if (gan__node_of(g, other)->op == &gan__op_broadcast) {
        other = gan__node_of(g, other)->in[0];
    }
    const struct gan__type *t = gan__type_of(g, other);
    if (t->dtype != GAN_F32 || gan_shape_count(&t->shape) != channels ||
        last_extent(g, other) != channels) {
        return GAN_NONE;
    }
    const struct gan__node *m = gan__node_of(g, other); /* [C] made [1,..,C] */
    if (m->op == &gan__op_reshape && gan__type_of(g, m->in[0])->shape.rank == 1) {
        return m->in[0];
    }
    return other;
}

static int64_t activation_of(const struct gan__node *n, double *slope)
{
    if (n->op == &gan__op_relu) {
        return GAN_POST_RELU;
    }
    if (n->op == &gan__op_leaky_relu) {
        *slope = ((const struct gan__attr_num *)n->attr)->a;
        return GAN_POST_LEAKY;
    }
    return n->op == &gan__op_tanh      ? GAN_POST_TANH
           : n->op == &gan__op_sigmoid ? GAN_POST_SIGMOID
                                       : GAN_POST_NONE;
}

/* Would the backend run this chain? */
static bool served(const struct gan__compile *c, const struct search *s, const struct chain *k,
                   const struct gan__node *heavy)
{
    struct gan__type in[3];
    int n = 2;
    in[0] = *gan__type_of(s->g, heavy->in[0]);
    in[1] = *gan__type_of(s->g, heavy->in[1]);
    if (k->post.has_bias) {
        in[n++] = *gan__type_of(s->g, k->bias);
    }
    return c->served(c->backend, k->op, in, n, heavy->out, 1, &k->post);
}

/* Follows single readers from the heavy node; keeps the longest chain that is served. */
static bool follow(const struct gan__compile *c, const struct search *s, uint32_t heavy,
                   struct chain *best)
{
    struct chain k;
    const struct gan__node *h = &s->g->nodes[heavy];
    bool found = false;
    if (!start(&k, h)) {
        return false;
    }
    gan_val v = {heavy, 0};
    while (k.n_passed < 15) {
        uint32_t r = only_reader(s, v);
        const struct gan__node *n = &s->g->nodes[r];
        if (r == 0 || n->n_out != 1 || k.post.act != GAN_POST_NONE || s->ends[r] || s->gone[r]) {
            break; /* the sum of two products belongs to the first */
        }
        double slope = 0;
        int64_t act = activation_of(n, &slope);
        gan_val next = {r, 0};
        k.passed[k.n_passed++] = v.node;
        k.last = next;
        v = next;
        if (n->op == &gan__op_reshape) {
            if (last_extent(s->g, next) != last_extent(s->g, (gan_val){heavy, 0})) {
                break;
            }
            continue; /* alone it gains nothing */
        }
        if (act != GAN_POST_NONE) {
            k.post.act = act;
            k.post.slope = slope;
        } else if (n->op == &gan__op_add && !k.post.has_bias) {
            k.bias = bias_of(s->g, n, (gan_val){k.passed[k.n_passed - 1], 0});
            if (!gan_ok(k.bias)) {
                break;
            }
            k.post.has_bias = 1;
        } else {
            break;
        }
        if (served(c, s, &k, h)) {
            *best = k;
            found = true;
        }
    }
    return found;
}

/* The new node, and a reshape to the type the chain ended with. */
static void emit(struct gan__rewrite *rw, const struct chain *k)
{
    const struct gan__node *h = &rw->src->nodes[k->passed[0]];
    const struct gan__node *end = gan__node_of(rw->src, k->last);
    gan_val in[3];
    int n = 2;
    in[0] = gan__rewrite_get(rw, h->in[0]);
    in[1] = gan__rewrite_get(rw, h->in[1]);
    if (k->post.has_bias) {
        in[n++] = gan__rewrite_get(rw, k->bias);
    }
    gan_val y = gan__ir_make(rw->dst, k->op, in, n, &k->post, h->out, h);
    if (gan_ok(y) && !gan_shape_equal(&h->out[0].shape, &end->out[0].shape)) {
        y = gan__ir_make(rw->dst, &gan__op_reshape, &y, 1,
                         &(struct gan__attr_shape){end->out[0].shape}, end->out, end);
    }
    gan__rewrite_set(rw, k->last, y);
}

static void find_readers(const gan_graph *g, const uint32_t *base, uint32_t *reader)
{
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        for (int j = 0; j < g->nodes[i].n_in; j++) {
            reader[base[g->nodes[i].in[j].node] + g->nodes[i].in[j].out] = i;
        }
    }
}

static void rewrite(struct gan__rewrite *rw, struct search *s, struct chain *chains)
{
    size_t n = 0;
    for (uint32_t i = 1; i < rw->src->n_nodes; i++) {
        struct chain *k = &chains[n];
        if (!s->gone[i] && (rw->src->nodes[i].op->flags & GAN_OP_HEAVY) && follow(rw->c, s, i, k)) {
            for (int j = 0; j < k->n_passed; j++) {
                s->gone[k->passed[j]] = true;
            }
            s->ends[k->last.node] = (uint32_t)++n;
        }
    }
    for (uint32_t i = 1; i < rw->src->n_nodes && rw->dst->err.code == GAN_OK; i++) {
        if (s->ends[i]) {
            emit(rw, &chains[s->ends[i] - 1]);
        } else if (!s->gone[i]) {
            gan__rewrite_copy(rw, i);
        }
    }
}

static gan_status run(struct gan__compile *c, gan_err *err)
{
    struct gan__rewrite rw;
    size_t n_heavy = 1;
    GAN_TRY(gan__rewrite_begin(&rw, c, err));
    for (size_t i = 1; i < rw.src->n_nodes; i++) {
        n_heavy += (rw.src->nodes[i].op->flags & GAN_OP_HEAVY) != 0;
    }
    uint32_t *readers = gan__ir_readers(c, rw.base);
    struct chain *chains = gan__alloc_array(n_heavy, sizeof *chains);
    struct search s = {.g = rw.src,
                       .base = rw.base,
                       .readers = readers,
                       .reader = gan__alloc_array(rw.n_values, sizeof(uint32_t)),
                       .ends = gan__alloc_array(rw.src->n_nodes, sizeof(uint32_t)),
                       .gone = gan__alloc_array(rw.src->n_nodes, sizeof(bool))};
    gan_status status = GAN_OK;
    if (readers && chains && s.reader && s.ends && s.gone) {
        find_readers(rw.src, rw.base, s.reader);
        rewrite(&rw, &s, chains);
    } else {
        status = gan__fail_nomem(err, rw.n_values * 8, "epilogues");
    }
    gan__free(readers);
    gan__free(chains);
    gan__free(s.reader);
    gan__free(s.ends);
    gan__free(s.gone);
    return gan__rewrite_end(&rw, status, err);
}

GAN_PASS(epilogue) = {
    .name = "epilogue",
    .doc = "let convolutions and products add the bias and apply the activation",
    .rank = 60,
    .run = run,
};

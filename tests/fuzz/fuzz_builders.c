/* fuzz_builders.c: bytes as calls of graph builders of every family. The graph must give a sticky error, which
 * compiling repeats, or compile with the verifier on and mean the same with passes and without:
 *
 *   dce, cse, inplace, memplan, fuse    bit for bit, NaN included, over two runs with state
 *   fold, simplify, epilogue as well    within 1e-6 of the largest magnitude in f64 on `ref`, for
 *                                       graphs without kinks whose values stay below 1e6: builders
 *                                       are called on bounded arguments, so rounding grows slowly */
#include "base/alloc.h"

#include <gan/plan.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { POOL = 64, MAX_OPS = 40, OUTS = 4, SAVED = 1 << 14, RUNS = 2 };

struct build {
    const uint8_t *p;
    size_t left;
    gan_graph *g;
    gan_val pool[POOL];
    int n;
    bool kinked; /* an op whose value or derivative jumps: rounding may change sides */
};

static uint8_t byte(struct build *b)
{
    if (b->left == 0) {
        return 0;
    }
    b->left--;
    return *b->p++;
}

static void keep(struct build *b, gan_val v)
{
    if (b->n < POOL && gan_ok(v)) {
        b->pool[b->n++] = v;
    }
}

/* The first value of this type from a random place on. */
static gan_val pick(struct build *b, gan_dtype dtype)
{
    int start = byte(b) % b->n;
    for (int i = 0; i < b->n; i++) {
        gan_val v = b->pool[(start + i) % b->n];
        if (gan_dtype_get(b->g, v) == dtype) {
            return v;
        }
    }
    return b->pool[start];
}

static gan_val pick_real(struct build *b)
{
    return pick(b, gan_graph_real(b->g));
}

static gan_val pick_rank(struct build *b, int rank)
{
    int start = byte(b) % b->n;
    for (int i = 0; i < b->n; i++) {
        gan_val v = b->pool[(start + i) % b->n];
        if (gan_dtype_get(b->g, v) == gan_graph_real(b->g) && gan_shape_get(b->g, v).rank == rank) {
            return v;
        }
    }
    return b->pool[start];
}

/* A real value that goes with a: of its shape or a scalar where there is one. */
static gan_val pick_like(struct build *b, gan_val a)
{
    gan_shape want = gan_shape_get(b->g, a);
    int start = byte(b) % b->n;
    for (int i = 0; i < b->n; i++) {
        gan_val v = b->pool[(start + i) % b->n];
        gan_shape s = gan_shape_get(b->g, v);
        if (gan_dtype_get(b->g, v) == gan_graph_real(b->g) &&
            (gan_shape_equal(&s, &want) || s.rank == 0)) {
            return v;
        }
    }
    return pick_real(b);
}

static gan_val unary(struct build *b, int which, gan_val x)
{
    gan_graph *g = b->g;
    gan_val one_up = gan_shift(g, gan_square(g, gan_tanh(g, x)), 1);
    b->kinked |= which >= 12;
    switch (which) {
    case 0:
        return gan_neg(g, x);
    case 1:
        return gan_exp(g, gan_tanh(g, x));
    case 2:
        return gan_log(g, one_up);
    case 3:
        return gan_sqrt(g, one_up);
    case 4:
        return gan_rsqrt(g, one_up);
    case 5:
        return gan_square(g, gan_tanh(g, x));
    case 6:
        return gan_sigmoid(g, x);
    case 7:
        return gan_softplus(g, x);
    case 8:
        return gan_erf(g, x);
    case 9:
        return gan_scale(g, x, (double)(int8_t)byte(b) / 64);
    case 10:
        return gan_shift(g, x, (double)(int8_t)byte(b) / 64);
    case 11:
        return gan_pow(g, one_up, (double)(int8_t)byte(b) / 32);
    case 12:
        return gan_abs(g, x);
    case 13:
        return gan_relu(g, x);
    case 14:
        return gan_leaky_relu(g, x, byte(b) / 256.0);
    case 15:
        return gan_elu(g, x, 1);
    case 16:
        return gan_clamp(g, x, -0.5, byte(b) / 64.0 - 1);
    case 17:
        return gan_sign(g, x);
    case 18:
        return gan_log(g, x); /* NaN where it wants */
    default:
        return gan_cast(g, gan_isfinite(g, x), gan_graph_real(g));
    }
}

static gan_val binary(struct build *b, int which)
{
    gan_graph *g = b->g;
    gan_val x = pick_real(b), y = pick_like(b, x);
    b->kinked |= which >= 4;
    switch (which) {
    case 0:
        return gan_add(g, x, y);
    case 1:
        return gan_sub(g, x, y);
    case 2:
        return gan_mul(g, x, gan_tanh(g, y));
    case 3:
        return gan_div(g, x, gan_shift(g, gan_square(g, y), 1));
    case 4:
        return gan_min(g, x, y);
    case 5:
        return gan_max(g, x, y);
    case 6:
        return gan_select(g, gan_greater(g, x, y), x, gan_tanh(g, y));
    default:
        return gan_select(g, gan_equal(g, x, y), gan_zeros_like(g, x), y);
    }
}

static gan_val reshaped(struct build *b, gan_val x)
{
    gan_shape s = gan_shape_get(b->g, x), flat = GAN_SHAPE(-1);
    if (s.rank == 4 && byte(b) % 2) {
        return gan_flatten(b->g, x);
    }
    if (s.rank == 2 && s.dim[1] == 24) {
        return gan_unflatten(b->g, x, 3, 4, 2);
    }
    return gan_reshape(b->g, x, flat);
}

static gan_val moved(struct build *b, int which)
{
    gan_graph *g = b->g;
    gan_val x = pick_real(b);
    gan_shape s = gan_shape_get(g, x);
    int axis = s.rank > 0 ? byte(b) % (int)s.rank : 0;
    int64_t extent = s.rank > 0 ? s.dim[axis] : 1;
    switch (which) {
    case 0:
        return gan_slice_axis(g, x, axis, byte(b) % 3, extent > 1 ? extent - 1 : extent);
    case 1: {
        gan_val both[2] = {x, pick_like(b, x)};
        return gan_concat(g, both, 2, axis);
    }
    case 2: {
        int perm[GAN_MAX_RANK] = {0};
        for (int i = 0; i < s.rank; i++) {
            perm[i] = (i + axis) % (int)s.rank;
        }
        return gan_transpose(g, x, perm);
    }
    case 3: {
        int64_t before[GAN_MAX_RANK] = {0}, after[GAN_MAX_RANK] = {0};
        before[axis] = byte(b) % 2;
        after[axis] = byte(b) % 2;
        return gan_pad(g, x, before, after, (gan_pad_mode)(byte(b) % 3));
    }
    case 4:
        return gan_gather(g, x, pick(b, GAN_I32));
    case 5:
        return gan_scatter_add(g, pick(b, GAN_I32), x, 1 + byte(b) % 4);
    case 6:
        return gan_one_hot(g, pick(b, GAN_I32), 1 + byte(b) % 4);
    default:
        return reshaped(b, x);
    }
}

static gan_val reduced(struct build *b, int which)
{
    gan_graph *g = b->g;
    gan_val x = pick_real(b);
    uint32_t axes = byte(b) & 15u;
    bool hold = byte(b) % 2;
    b->kinked |= which >= 2;
    switch (which) {
    case 0:
        return gan_sum(g, x, axes, hold);
    case 1:
        return gan_mean(g, x, axes, hold);
    case 2:
        return gan_reduce_max(g, x, axes, hold);
    default:
        return gan_argmax(g, x, byte(b) % 4);
    }
}

static struct gan_conv geometry(struct build *b)
{
    uint8_t k = byte(b);
    return (struct gan_conv){.stride_h = 1 + (k & 1),
                             .stride_w = 1 + (k >> 1 & 1),
                             .pad_top = k >> 2 & 1,
                             .pad_bottom = k >> 3 & 1,
                             .pad_left = k >> 4 & 1,
                             .pad_right = k >> 5 & 1,
                             .dilation_h = 1 + (k >> 6 & 1),
                             .dilation_w = 1,
                             .groups = 1 + (k >> 7)};
}

static gan_val heavy(struct build *b, int which)
{
    gan_graph *g = b->g;
    struct gan_pool window = {.kernel_h = 1 + byte(b) % 3, .kernel_w = 2, .stride_h = 1};
    b->kinked |= which == 4;
    switch (which) {
    case 0: {
        gan_val m = pick_rank(b, 2), w = pick_rank(b, 2);
        return gan_matmul(g, m, w, byte(b) % 2, byte(b) % 2);
    }
    case 1:
        return gan_conv2d(g, pick_rank(b, 4), gan_state_get(g, "w"), geometry(b));
    case 2:
        return gan_conv2d_input_grad(g, pick_rank(b, 4), gan_state_get(g, "w"), geometry(b),
                                     1 + byte(b) % 8, 1 + byte(b) % 8);
    case 3:
        return gan_avg_pool(g, pick_rank(b, 4), window);
    case 4:
        return gan_max_pool(g, pick_rank(b, 4), window);
    case 5:
        return gan_resize(g, pick_rank(b, 4), 1 + byte(b) % 7, 1 + byte(b) % 7,
                          (gan_resize_mode)(byte(b) % 2));
    case 6:
        return gan_softmax(g, pick_real(b));
    case 7:
        return gan_log_softmax(g, pick_real(b));
    case 8:
        return gan_logsumexp(g, pick_real(b));
    default:
        return gan_normalize(g, pick_real(b), 1 + byte(b) % 15u, 0.1).x_hat;
    }
}

static gan_val derivative(struct build *b)
{
    gan_val wrt[2] = {pick_real(b), b->pool[0]}, out[2];
    gan_grad(b->g, gan_mean_all(b->g, gan_square(b->g, gan_tanh(b->g, pick_real(b)))), wrt, 2, out);
    keep(b, out[1]);
    return out[0];
}

/* w moves on by something of its shape. */
static gan_val new_state(struct build *b)
{
    gan_val w = gan_state_get(b->g, "w"), dw;
    gan_val loss = gan_mean_all(b->g, gan_tanh(b->g, pick_real(b)));
    gan_grad(b->g, loss, &w, 1, &dw);
    gan_state_set(b->g, "w", gan_add(b->g, w, gan_scale(b->g, gan_tanh(b->g, dw), 0.25)));
    return loss;
}

static void add_op(struct build *b)
{
    uint8_t code = byte(b);
    int which = code / 8;
    gan_val v;
    switch (code % 8) {
    case 0:
    case 1:
        v = unary(b, which % 20, pick_real(b));
        break;
    case 2:
        v = binary(b, which % 8);
        break;
    case 3:
        v = moved(b, which % 8);
        break;
    case 4:
        v = reduced(b, which % 4);
        break;
    case 5:
        v = heavy(b, which % 10);
        break;
    case 6:
        v = derivative(b);
        break;
    default:
        v = which % 4 == 0   ? new_state(b)
            : which % 4 == 1 ? gan_stop(b->g, pick_real(b))
            : which % 4 == 2 ? gan_random_normal(b->g, "noise", GAN_SHAPE(2, 3, 4, 2))
                             : gan_fill(b->g, byte(b) / 64.0 - 2, GAN_SHAPE(2, 3, 4, 2));
        break;
    }
    keep(b, v);
}

/* Everything one way of compiling gives: outputs of all runs, then the state. */
struct result {
    double v[SAVED];
    size_t n;
};

static void save(struct result *r, const gan_tensor *t)
{
    int64_t n = gan_shape_count(&t->shape);
    for (int64_t i = 0; i < n && r->n < SAVED; i++) {
        r->v[r->n++] = gan_tensor_get(t, i);
    }
}

static gan_store *store_of(gan_dtype real)
{
    gan_err err = {0};
    gan_store *st = gan_store_new();
    int at = st != NULL
                 ? gan_store_add(st, "w", GAN_STATE_WEIGHT, real, GAN_SHAPE(2, 2, 3, 2), &err)
                 : -1;
    if (at < 0) {
        abort();
    }
    return st;
}

static void reset(gan_store *st)
{
    for (int64_t i = 0; i < 24; i++) {
        gan_tensor_set(&gan_store_at(st, 0)->value, i, 0.1 * (double)(i % 7) - 0.31);
    }
}

static gan_status run(const struct build *b, gan_store *st, const char *backend,
                      const char *without, struct result *r, gan_err *err)
{
    double f64[48];
    float f32[48];
    int first = b->n > OUTS ? b->n - OUTS : 0;
    struct gan_plan_opts o = {.backend = backend, .without = without, .verify = true};
    gan_dtype real = gan_graph_real(b->g);
    reset(st);
    r->n = 0;
    gan_plan *p = gan_plan_new(b->g, b->pool + first, b->n - first, &o, err);
    if (p == NULL) {
        return err->code;
    }
    for (int i = 0; i < 48; i++) {
        f64[i] = 0.05 * (i % 37) - 0.9;
        f32[i] = (float)f64[i];
    }
    struct gan_feed_data x = {
        "x", {real, GAN_SHAPE(2, 3, 4, 2), real == GAN_F64 ? (void *)f64 : (void *)f32}};
    for (int i = 0; i < RUNS; i++) {
        struct gan_run args = {.seed = 3, .iteration = (uint64_t)i, .feeds = &x, .n_feeds = 1};
        if (gan_plan_run(p, &args, err) != GAN_OK) {
            (void)fprintf(stderr, "%s\n", err->message);
            abort(); /* what compiles runs */
        }
        for (int k = 0; k < b->n - first; k++) {
            save(r, gan_plan_output(p, k));
        }
    }
    save(r, &gan_store_at(st, 0)->value);
    gan_plan_free(p);
    return GAN_OK;
}

static void differ(const char *what, size_t i, double a, double b)
{
    (void)fprintf(stderr, "%s: value %zu is %.17g, without passes %.17g\n", what, i, b, a);
    abort();
}

static void same_bits(const char *what, const struct result *a, const struct result *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (a->v[i] != b->v[i] && !(isnan(a->v[i]) && isnan(b->v[i]))) {
            differ(what, i, a->v[i], b->v[i]);
        }
    }
}

static void close_enough(const struct result *a, const struct result *b)
{
    double most = 1;
    for (size_t i = 0; i < a->n; i++) {
        if (!(fabs(a->v[i]) < 1e6)) {
            return;
        }
        most = fmax(most, fabs(a->v[i]));
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!(fabs(a->v[i] - b->v[i]) <= 1e-6 * most)) {
            differ("all passes", i, a->v[i], b->v[i]);
        }
    }
}

static void compare(struct build *b, gan_store *st, const char *backend)
{
    static struct result plain, other;
    gan_err err = {0}, sticky = {0};
    gan_status built = gan_graph_status(b->g, &sticky);
    gan_status status = run(b, st, backend, "all", &plain, &err);
    if (status != built) {
        (void)fprintf(stderr, "built: %s; compiled: %s %s\n", gan_status_name(built),
                      gan_status_name(status), err.message);
        abort();
    }
    if (status != GAN_OK) {
        if (sticky.message[0] == '\0' || strcmp(err.message, sticky.message) != 0) {
            abort();
        }
        return;
    }
    if (run(b, st, backend, "fold,simplify,epilogue", &other, &err) != GAN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        abort();
    }
    same_bits("bit-exact passes", &plain, &other);
    if (run(b, st, backend, NULL, &other, &err) != GAN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        abort();
    }
    if (!b->kinked && gan_graph_real(b->g) == GAN_F64) {
        close_enough(&plain, &other);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t live = gan__alloc_stats().live;
    struct build b = {.p = data, .left = size};
    bool cpu = byte(&b) % 2;
    gan_dtype real = cpu ? GAN_F32 : GAN_F64;
    gan_store *st = store_of(real);
    b.g = gan_graph_new(st, real);
    if (b.g == NULL) {
        abort();
    }
    keep(&b, gan_feed(b.g, "x", real, GAN_SHAPE(2, 3, 4, 2)));
    keep(&b, gan_state_get(b.g, "w"));
    keep(&b, gan_const(b.g, 0.75));
    keep(&b, gan_iota(b.g, 3));
    keep(&b, gan_random_uniform(b.g, "u", GAN_SHAPE(2, 24)));
    for (int i = 0; i < MAX_OPS && b.left > 0 && gan_graph_nodes(b.g) < 3000; i++) {
        add_op(&b);
    }
    compare(&b, st, cpu ? "cpu" : "ref");
    gan_graph_free(b.g);
    gan_store_free(st);
    if (gan__alloc_stats().live != live) {
        abort();
    }
    return 0;
}

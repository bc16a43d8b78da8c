/* fuzz_graph.c: any bytes as a graph with state and derivatives. Whatever they build compiles under
 * the verifier and runs; passes that promise the same bits keep them (any NaN equals any other:
 * ordering the inputs of a sum may change which one survives). */
#include <gan/plan.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { POOL = 10, STATES = 3, MAX_NODES = 60, OUTPUTS = 4 };

struct input {
    const uint8_t *p;
    size_t left;
};

static unsigned take(struct input *in, unsigned n)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->p++ % n;
}

static const char *const names[STATES] = {"a", "b", "c"};
static const gan_shape shapes[STATES] = {{4, {2, 4, 6, 3}}, {2, {6, 5}}, {1, {5}}};

static gan_store *new_store(void)
{
    gan_store *st = gan_store_new();
    for (int i = 0; i < STATES; i++) {
        int at = gan_store_add(st, names[i], GAN_STATE_WEIGHT, GAN_F32, shapes[i], NULL);
        const gan_tensor *t = &gan_store_at(st, at)->value;
        for (int64_t k = 0; k < gan_shape_count(&t->shape); k++) {
            gan_tensor_set(t, k, sin((double)k + i));
        }
    }
    return st;
}

static gan_val elementwise(gan_graph *g, struct input *in, gan_val a)
{
    switch (take(in, 10)) {
    case 0:
        return gan_tanh(g, a);
    case 1:
        return gan_leaky_relu(g, a, 0.2);
    case 2:
        return gan_scale(g, a, (double)take(in, 5) - 2);
    case 3:
        return gan_shift(g, a, (double)take(in, 5) - 2);
    case 4:
        return gan_select(g, gan_greater(g, a, gan_zeros_like(g, a)), gan_neg(g, a), a);
    case 5:
        return gan_div(g, gan_ones_like(g, a), a);
    case 6:
        return gan_sigmoid(g, gan_neg(g, a));
    case 7:
        return gan_cast(g, gan_isfinite(g, gan_log(g, a)), gan_graph_real(g));
    case 8:
        return gan_sqrt(g, gan_abs(g, a));
    default:
        return gan_stop(g, gan_square(g, a));
    }
}

/* Same shapes combine; others meet through a sum or mean. */
static gan_val combine(gan_graph *g, struct input *in, gan_val a, gan_val b)
{
    gan_shape sa = gan_shape_get(g, a), sb = gan_shape_get(g, b);
    if (!gan_shape_equal(&sa, &sb)) {
        b = gan_broadcast(g, gan_mean_all(g, b), sa);
    }
    switch (take(in, 4)) {
    case 0:
        return gan_add(g, a, b);
    case 1:
        return gan_sub(g, a, b);
    case 2:
        return gan_mul(g, a, b);
    default:
        return gan_max(g, a, b);
    }
}

static gan_val move(gan_graph *g, struct input *in, gan_val a)
{
    gan_shape s = gan_shape_get(g, a);
    if (s.rank < 1) { /* an invalid value passes through, with the error that made it */
        return a;
    }
    int axis = (int)take(in, (unsigned)s.rank);
    switch (take(in, 8)) {
    case 0:
        return gan_broadcast(g, gan_sum(g, a, GAN_AXIS(axis), true), s);
    case 1:
        return gan_reshape(g, a, GAN_SHAPE(-1));
    case 2:
        return gan_slice_axis(g, a, axis, 0, (s.dim[axis] + 1) / 2);
    case 3:
        return s.dim[axis] < 12 ? gan_concat(g, (gan_val[]){a, a}, 2, axis) : a;
    case 4: {
        int perm[GAN_MAX_RANK];
        for (int i = 0; i < s.rank; i++) {
            perm[i] = (i + axis) % (int)s.rank;
        }
        return gan_transpose(g, a, perm);
    }
    case 5:
        return gan_mul(g, a, gan_mean(g, a, GAN_AXIS(axis), true));
    case 6:
        return s.rank == 2 ? gan_matmul(g, a, a, take(in, 2), false) : gan_softmax(g, a);
    default:
        return gan_normalize(g, a, GAN_AXIS(axis), 1e-5).x_hat;
    }
}

static void set_state(gan_graph *g, struct input *in, const gan_val *pool, const gan_shape *s)
{
    unsigned which = take(in, STATES);
    for (int i = 0; i < POOL; i++) {
        if (gan_shape_equal(&s[i], &shapes[which])) {
            gan_state_set(g, names[which], pool[i]);
            return;
        }
    }
}

/* A graph; products of shapes that do not fit leave a sticky error, which is a result too. */
static int build(gan_graph *g, struct input in, gan_val *out)
{
    gan_val pool[POOL];
    gan_shape s[POOL];
    for (int i = 0; i < POOL; i++) {
        pool[i] = i % 4 < STATES ? gan_state_get(g, names[i % 4])
                                 : gan_random_normal(g, "z", shapes[i % STATES]);
    }
    for (int n = 0; n < MAX_NODES && in.left > 0; n++) {
        unsigned at = take(&in, POOL), kind = take(&in, 8);
        gan_val a = pool[take(&in, POOL)];
        gan_val y = kind < 3   ? elementwise(g, &in, a)
                    : kind < 5 ? combine(g, &in, a, pool[take(&in, POOL)])
                               : move(g, &in, a);
        if (kind == 7 && gan_depends(g, a, pool[at])) {
            gan_grad(g, gan_sum_all(g, a), &pool[at], 1, &y);
        }
        pool[at] = y;
        for (int i = 0; i < POOL; i++) {
            s[i] = gan_shape_get(g, pool[i]);
        }
        if (gan_shape_count(&s[at]) > 4096) {
            pool[at] = gan_mean(g, y, GAN_AXIS(0), true);
            s[at] = gan_shape_get(g, pool[at]);
        }
        if (take(&in, 5) == 0) {
            set_state(g, &in, pool, s);
            pool[take(&in, POOL)] = gan_state_get(g, names[take(&in, STATES)]);
        }
    }
    memcpy(out, pool, OUTPUTS * sizeof *out);
    return OUTPUTS;
}

struct result {
    float *v;
    size_t n;
};

static void record(struct result *r, const gan_tensor *t)
{
    int64_t n = gan_shape_count(&t->shape);
    float *v = realloc(r->v, (r->n + (size_t)n + 1) * sizeof *v);
    if (!v) {
        abort();
    }
    for (int64_t i = 0; i < n; i++) {
        v[r->n + (size_t)i] = (float)gan_tensor_get(t, i);
    }
    r->v = v;
    r->n += (size_t)n;
}

/* Two runs; false when the graph has an error. */
static int run(const uint8_t *data, size_t size, const char *backend, const char *without,
               struct result *r)
{
    gan_store *st = new_store();
    gan_graph *g = gan_graph_new(st, GAN_F32);
    gan_val out[OUTPUTS];
    gan_err err = {0};
    struct gan_plan_opts o = {.backend = backend, .without = without, .threads = 2, .verify = true};
    *r = (struct result){NULL, 0};
    int n = build(g, (struct input){data, size}, out);
    gan_plan *p = gan_plan_new(g, out, n, &o, &err);
    int built = gan_graph_status(g, NULL) == GAN_OK;
    if (built != (p != NULL)) {
        abort(); /* a sound graph compiles, a broken one does not */
    }
    for (int k = 0; k < 2 && p; k++) {
        if (gan_plan_run(p, &(struct gan_run){.iteration = (uint64_t)k}, &err) != GAN_OK) {
            abort();
        }
        for (int i = 0; i < n; i++) {
            record(r, gan_plan_output(p, i));
        }
    }
    for (int i = 0; i < STATES; i++) {
        record(r, &gan_store_at(st, i)->value);
    }
    gan_plan_free(p);
    gan_graph_free(g);
    gan_store_free(st);
    return built;
}

static void compare(const struct result *a, const struct result *b)
{
    if (a->n != b->n) {
        abort();
    }
    for (size_t i = 0; i < a->n; i++) {
        uint32_t x, y;
        memcpy(&x, &a->v[i], sizeof x);
        memcpy(&y, &b->v[i], sizeof y);
        if (x != y && !(isnan(a->v[i]) && isnan(b->v[i]))) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const backends[] = {"cpu", "ref"};
    for (int i = 0; i < 2; i++) {
        struct result none, exact, all;
        if (run(data, size, backends[i], "all", &none)) {
            run(data, size, backends[i], "fold,simplify,epilogue", &exact);
            run(data, size, backends[i], NULL, &all);
            compare(&exact, &none);
            free(exact.v);
            free(all.v);
        }
        free(none.v);
    }
    return 0;
}

/* ops_checks.c: what must hold for every case of every op.
 *
 * Derivatives: order k is the analytic derivative of L = sum(v * r), v being the values (k = 1) or
 * the derivatives of order k-1, against differences of L itself in f64. The five-point formula
 * (L(-2h) - 8 L(-h) + 8 L(h) - L(2h)) / 12h errs by h^4; with h = 1e-4 (1 + |x|) that is below
 * 1e-14, rounding leaves about 1e-11 |L|, so 1e-6 (1 + |v|) holds with room and any wrong
 * coefficient shows. Kernels: case's own tolerance t, |a - b| <= t (1 + |b|), 0 meaning equality. */
#include "ops_bench.h"

#include "base/alloc.h"
#include "gan_config.h"

#include <math.h>
#include <string.h>

static const double STEP = 1e-4, DERIVATIVE_TOLERANCE = 1e-6;

/* Of f32 derivatives in two orders of evaluation: some ten roundings of 6e-8 and factors of ten. */
static const double PASSES_TOLERANCE = 1e-5;

static bool close_to(double a, double b, double tolerance)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    if (isinf(a) || isinf(b))
        return a == b;
    return a == b || fabs(a - b) <= tolerance * (1.0 + fabs(b));
}

/* --- forward against expansion --------------------------------------------------------------- */

/* First element where two outputs differ is reported. */
static void compare_outputs(const struct bench *b, gan_plan *p, gan_plan *q, int at_p, int at_q,
                            double tolerance, const char *what)
{
    const gan_tensor *t = gan_plan_output(p, at_p), *u = gan_plan_output(q, at_q);
    checks++;
    if (!t || !u || t->dtype != u->dtype || !gan_shape_equal(&t->shape, &u->shape)) {
        complain(b->s, "%s: outputs %d and %d differ in type", what, at_p, at_q);
        return;
    }
    int64_t n = gan_shape_count(&t->shape);
    for (int64_t i = 0; i < n; i++) {
        double v = gan_tensor_get(t, i), w = gan_tensor_get(u, i);
        if (!close_to(v, w, tolerance)) {
            complain(b->s, "%s: element %lld of output %d is %.9g, expected %.9g", what,
                     (long long)i, at_p, v, w);
            return;
        }
    }
}

/* Reference kernel and expansion mean the same: in f64 they differ by rounding only. */
void check_expansion(const struct sample *s)
{
    struct bench b;
    if (!s->op->ref || !s->op->expand || !bench_open(&b, s))
        return;
    gan_val both[2 * MAX_OUT];
    int n = s->op->n_out;
    for (int i = 0; i < n; i++)
        both[i] = b.y[i];
    s->op->expand(b.g, s->cs->attr, b.x, both + n);
    gan_plan *p = bench_plan(&b, both, 2 * n, "ref", 1, "all");
    if (p && bench_run(&b, p)) {
        for (int i = 0; i < n; i++)
            compare_outputs(&b, p, p, i, n + i, 1e-12, "kernel against expansion");
    }
    gan_plan_free(p);
    bench_close(&b);
}

/* --- derivatives ----------------------------------------------------------------------------- */

/* Real inputs, each value once, and the feed each comes from. */
static int real_inputs(const struct bench *b, gan_val *wrt, int *feed)
{
    int n = 0;
    for (int i = 0; i < (b->s->aliased ? 1 : b->s->n); i++) {
        if (gan_dtype_is_real(b->s->type[i].dtype)) {
            wrt[n] = b->x[i];
            feed[n++] = i;
        }
    }
    return n;
}

static bool loss_at(const struct bench *b, gan_plan *p, const gan_tensor *x, int64_t i, double v,
                    double *loss)
{
    gan_tensor_set(x, i, v);
    if (!bench_run(b, p))
        return false;
    *loss = gan_tensor_get(gan_plan_output(p, 0), 0);
    return true;
}

/* Difference quotient of the plan's loss in element i of x; restores x. */
static bool difference(const struct bench *b, gan_plan *p, const gan_tensor *x, int64_t i,
                       double *slope)
{
    double v = gan_tensor_get(x, i), h = STEP * (1.0 + fabs(v)), l[4];
    bool good = loss_at(b, p, x, i, v - 2 * h, &l[0]) && loss_at(b, p, x, i, v - h, &l[1]) &&
                loss_at(b, p, x, i, v + h, &l[2]) && loss_at(b, p, x, i, v + 2 * h, &l[3]);
    gan_tensor_set(x, i, v);
    *slope = good ? (l[0] - 8 * l[1] + 8 * l[2] - l[3]) / (12 * h) : 0.0;
    return good;
}

/* d[k] against differences of loss; ops without derivative must give exact zeros. */
static void compare_order(const struct bench *b, int order, gan_val loss, const gan_val *d,
                          const int *feed, int n)
{
    bool zero = (b->s->op->flags & GAN_OP_ZERO_GRAD) != 0;
    gan_plan *exact = bench_plan(b, d, n, "ref", 1, "all"),
             *value = bench_plan(b, &loss, 1, "ref", 1, "all");
    bool good = exact && value && bench_run(b, exact);
    for (int k = 0; good && k < n; k++) {
        const gan_tensor *x = &b->feed[feed[k]].value, *t = gan_plan_output(exact, k);
        int64_t count = gan_shape_count(&x->shape);
        for (int64_t i = 0; good && i < count; i++) {
            double v = gan_tensor_get(t, i), slope = 0.0;
            good = zero || difference(b, value, x, i, &slope);
            checks++;
            if (good && (zero ? v != 0.0 : !close_to(v, slope, DERIVATIVE_TOLERANCE))) {
                complain(b->s, "order %d: dL/dx%d[%lld] is %.12g, expected %.12g", order, feed[k],
                         (long long)i, v, slope);
                good = false;
            }
        }
    }
    gan_plan_free(exact);
    gan_plan_free(value);
}

void check_derivatives(const struct sample *s)
{
    struct bench b;
    int orders = (s->op->flags & GAN_OP_ZERO_GRAD) || s->aliased ? 1 : s->cs->order;
    if (s->cs->order == 0 || !bench_open(&b, s))
        return;
    gan_val wrt[MAX_IN], d[MAX_IN];
    int feed[MAX_IN], n = real_inputs(&b, wrt, feed);
    gan_val loss = bench_weighted(&b, b.y, s->op->n_out, 0);
    for (int order = 1; order <= orders && n > 0; order++) {
        gan_err err = {0};
        int before = failures;
        gan_grad(b.g, loss, wrt, n, d);
        if (gan_graph_status(b.g, &err) != GAN_OK)
            complain(s, "order %d cannot be built: %s", order, err.message);
        else
            compare_order(&b, order, loss, d, feed, n);
        if (failures != before)
            break;
        loss = bench_weighted(&b, d, n, order);
    }
    bench_close(&b);
}

/* A derivative consists of nodes that can be differentiated again or have derivative zero. */
void check_closure(const struct sample *s)
{
    struct bench b;
    if (!s->op->vjp || (s->op->flags & (GAN_OP_ZERO_GRAD | GAN_OP_INTERNAL)) || !bench_open(&b, s))
        return;
    gan_val wrt[MAX_IN], d[MAX_IN];
    int feed[MAX_IN], n = real_inputs(&b, wrt, feed);
    gan_grad(b.g, bench_weighted(&b, b.y, s->op->n_out, 0), wrt, n, d);
    gan_err err = {0};
    checks++;
    if (gan_graph_status(b.g, &err) != GAN_OK)
        complain(s, "the derivative cannot be built: %s", err.message);
    for (size_t i = 1; i < b.g->n_nodes; i++) {
        const struct gan__op *op = b.g->nodes[i].op;
        bool closed = op->vjp || op->expand || (op->flags & (GAN_OP_ZERO_GRAD | GAN_OP_SOURCE));
        if (!closed || (op->flags & GAN_OP_INTERNAL))
            complain(s, "the derivative contains %s, which has none", op->name);
    }
    bench_close(&b);
}

/* --- kernels -------------------------------------------------------------------------------- */

/* True when outputs of two plans are equal bit by bit. */
static bool same_bits(gan_plan *p, gan_plan *q, int n)
{
    for (int i = 0; i < n; i++) {
        const gan_tensor *t = gan_plan_output(p, i), *u = gan_plan_output(q, i);
        if (!t || !u || gan_tensor_bytes(t) != gan_tensor_bytes(u) ||
            (gan_tensor_bytes(t) && memcmp(t->data, u->data, gan_tensor_bytes(t)) != 0))
            return false;
    }
    return true;
}

/* oneDNN may split the sums of heavy ops by threads; own kernels never do. */
static bool threads_keep_bits(const struct gan__op *op)
{
    return !(GAN_HAVE_ONEDNN && (op->flags & GAN_OP_HEAVY));
}

/* Every f32 kernel must leave f64 alone, so there only rounding of another order remains. */
static double kernel_tolerance(const struct sample *s)
{
    return s->real == GAN_F64 ? 1e-12 : s->cs->tolerance;
}

/* cpu against ref in the sample's type, and 2 and 3 threads against 1. */
void check_kernels(const struct sample *s)
{
    struct bench b;
    if (!bench_open(&b, s))
        return;
    int n = s->op->n_out;
    gan_plan *ref = bench_plan(&b, b.y, n, "ref", 1, "all"), *one = NULL;
    bool good = ref && bench_run(&b, ref);
    for (int threads = 1; good && threads <= 3; threads++) {
        gan_plan *cpu = bench_plan(&b, b.y, n, "cpu", threads, "all");
        good = cpu && bench_run(&b, cpu);
        for (int i = 0; good && i < n; i++)
            compare_outputs(&b, cpu, ref, i, i, kernel_tolerance(s), "cpu against ref");
        checks++;
        if (good && one && threads_keep_bits(s->op) && !same_bits(one, cpu, n))
            complain(s, "%d threads change bits", threads);
        if (!one)
            one = cpu;
        else
            gan_plan_free(cpu);
    }
    gan_plan_free(one);
    gan_plan_free(ref);
    bench_close(&b);
}

/* Value and derivative as a plan with all passes on cpu gives them, against none on ref. */
void check_passes(const struct sample *s)
{
    struct bench b;
    if (!bench_open(&b, s))
        return;
    gan_val out[MAX_OUT + MAX_IN], wrt[MAX_IN];
    int feed[MAX_IN], n_out = s->op->n_out, n = real_inputs(&b, wrt, feed);
    for (int i = 0; i < n_out; i++)
        out[i] = b.y[i];
    if (n > 0)
        gan_grad(b.g, bench_weighted(&b, b.y, n_out, 0), wrt, n, out + n_out);
    gan_plan *ref = bench_plan(&b, out, n_out + n, "ref", 1, "all");
    gan_plan *cpu = bench_plan(&b, out, n_out + n, "cpu", 2, NULL);
    bool good = ref && cpu && bench_run(&b, ref) && bench_run(&b, cpu);
    for (int i = 0; good && i < n_out + n; i++)
        compare_outputs(&b, cpu, ref, i, i, i < n_out ? s->cs->tolerance : PASSES_TOLERANCE,
                        i < n_out ? "all passes" : "derivative with all passes");
    gan_plan_free(cpu);
    gan_plan_free(ref);
    bench_close(&b);
}

/* Elementwise ops again, on enough elements that kernels use all threads and end in a part tile. */
void check_large(const struct gan__op *op)
{
    if (!(op->flags & GAN_OP_ELEMENTWISE) || op->n_in < 1 || !op->cases)
        return;
    struct gan__case cs = op->cases[0];
    cs.shapes = op->n_in == 1   ? "[3,40007]"
                : op->n_in == 2 ? "[3,40007] [3,40007]"
                                : "[3,40007] [3,40007] [3,40007]";
    struct gan__op large = *op;
    const struct gan__case list[2] = {cs, {0}};
    large.cases = list;
    struct sample s;
    if (op->n_in <= 3 && sample_open(&s, &large, 0, GAN_F32)) {
        s.op = op; /* kernels are found by name, the executor may compare addresses */
        check_kernels(&s);
    }
    sample_close(&s);
}

/* transport_sinkhorn.c: entropic transport: potentials that meet one marginal and the other in turn.
 *
 * The plan is P_ij = a_i b_j exp((u_i + v_j - c_ij)/reg). A step sets
 *     u_i = -reg log sum_j b_j exp((v_j - c_ij)/reg)
 * and v alike: nothing overflows however small reg is. A large reg is halved down to the wanted one,
 * each solution being the start of the next (epsilon scaling: Schmitzer 2019, arXiv:1610.06519).
 * Cuturi 2013, arXiv:1306.0895; Peyre and Cuturi 2019, "Computational Optimal Transport", 4.4. */
#include "masses.h"

#include "base/alloc.h"
#include "base/err.h"

#include <gan/transport.h>

#include <inttypes.h>
#include <math.h>

struct problem {
    const double *a, *b, *cost;
    size_t n, m;
    double *u, *v;
};

/* -reg log sum over k of w_k exp((v_k - c_k)/reg); c_k is cost[k * step]. */
static double soft_min(const double *w, const double *v, const double *cost, size_t n, size_t step,
                       double reg)
{
    double most = -(double)INFINITY, sum = 0;
    for (size_t k = 0; k < n; k++) {
        if (w[k] > 0) {
            most = fmax(most, v[k] - cost[k * step]);
        }
    }
    for (size_t k = 0; k < n; k++) {
        sum += w[k] > 0 ? w[k] * exp((v[k] - cost[k * step] - most) / reg) : 0;
    }
    return -most - reg * log(sum);
}

/* One step; returns the error of the rows before it, with the columns met. */
static double step(const struct problem *p, double reg)
{
    double error = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double u = soft_min(p->b, p->v, p->cost + i * p->m, p->m, 1, reg);
        error += p->a[i] * fabs(expm1((p->u[i] - u) / reg));
        p->u[i] = u;
    }
    for (size_t j = 0; j < p->m; j++) {
        p->v[j] = soft_min(p->a, p->u, p->cost + j, p->n, p->m, reg);
    }
    return error;
}

/* Costs and, where wanted, the plan. KL(P||ab) = sum P (u+v-c)/reg, since sum P = 1. */
static void finish(const struct problem *p, double reg, double *plan,
                   struct gan_sinkhorn_result *out)
{
    out->cost = out->value = 0;
    for (size_t i = 0; i < p->n; i++) {
        for (size_t j = 0; j < p->m; j++) {
            const double c = p->cost[i * p->m + j], gap = p->u[i] + p->v[j] - c;
            const double mass = p->a[i] > 0 && p->b[j] > 0 ? p->a[i] * p->b[j] * exp(gap / reg) : 0;
            out->cost += mass * c;
            out->value += mass * (c + gap);
            if (plan != NULL) {
                plan[i * p->m + j] = mass;
            }
        }
    }
}

static gan_status iterate(const struct problem *p, const struct gan_sinkhorn *o, double most,
                          struct gan_sinkhorn_result *out, gan_err *err)
{
    const double coarse = 1e-2; /* where a larger reg is only a start */
    double reg = fmax(o->reg, most);
    for (;;) {
        const bool last = reg <= o->reg;
        do {
            if (out->steps >= o->max_steps) {
                return gan__fail(err, GAN_E_DIVERGED,
                                 "Sinkhorn: the marginals are off by %g after %" PRId64
                                 " steps, limit %g; raise reg (%g) or max_steps",
                                 out->error, out->steps, o->tolerance, o->reg);
            }
            out->error = step(p, reg);
            out->steps++;
        } while (out->error > (last ? o->tolerance : coarse));
        if (last) {
            return GAN_OK;
        }
        reg = fmax(reg / 2, o->reg);
    }
}

gan_status gan_transport_sinkhorn(const double *a, size_t n, const double *b, size_t m,
                                  const double *cost, const struct gan_sinkhorn *opts,
                                  struct gan_sinkhorn_result *out, gan_err *err)
{
    struct gan_sinkhorn o = opts != NULL ? *opts : (struct gan_sinkhorn){0};
    double most, mean = 0;
    *out = (struct gan_sinkhorn_result){0};
    GAN_TRY(gan__check_masses("a", a, n, err));
    GAN_TRY(gan__check_masses("b", b, m, err));
    GAN_TRY(gan__check_costs(cost, n, m, &most, err));
    for (size_t k = 0; k < n * m; k++) {
        mean += fabs(cost[k]) / (double)(n * m);
    }
    if (o.reg < 0 || !isfinite(o.reg)) {
        return gan__fail(err, GAN_E_RANGE, "Sinkhorn: reg is %g: positive and finite", o.reg);
    }
    o.reg = o.reg > 0 ? o.reg : (mean > 0 ? 0.05 * mean : 1);
    o.tolerance = o.tolerance > 0 ? o.tolerance : 1e-9;
    o.max_steps = o.max_steps > 0 ? o.max_steps : 10000;
    out->u = gan__alloc_array(n, sizeof *out->u);
    out->v = gan__alloc_array(m, sizeof *out->v);
    if (out->u == NULL || out->v == NULL) {
        return gan__fail_nomem(err, (n + m) * sizeof *out->u, "Sinkhorn's potentials");
    }
    const struct problem p = {a, b, cost, n, m, out->u, out->v};
    GAN_TRY(iterate(&p, &o, most, out, err));
    finish(&p, o.reg, o.plan, out);
    return GAN_OK;
}

void gan_sinkhorn_release(struct gan_sinkhorn_result *r)
{
    gan__free(r->u);
    gan__free(r->v);
    *r = (struct gan_sinkhorn_result){0};
}

/* scalar.c: see scalar.h. */
#include "scalar.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "close.h"

static const char *const names[SCALAR_MAX_IN] = {"a", "b", "c"};

void scalar_run(gan_plan *p, const struct scalar *q, double x[SCALAR_MAX_IN][SCALAR_MAX_SIZE])
{
    struct gan_feed_data feeds[SCALAR_MAX_IN];
    int32_t index[SCALAR_MAX_SIZE];
    gan_err err = {0};
    memcpy(index, q->index, sizeof index);
    for (int i = 0; i < q->n; i++) {
        void *data = q->dtype[i] == GAN_I32 ? (void *)index : (void *)x[i];
        feeds[i] = (struct gan_feed_data){names[i], {q->dtype[i], q->shape[i], data}};
    }
    struct gan_run run = {.feeds = feeds, .n_feeds = (size_t)q->n};
    if (gan_plan_run(p, &run, &err) != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

gan_plan *scalar_compile(const struct scalar *q, bool derivatives)
{
    gan_err err = {0};
    gan_graph *g = gan_graph_new(NULL, GAN_F64);
    gan_val in[SCALAR_MAX_IN], out[1 + SCALAR_MAX_IN], wrt[SCALAR_MAX_IN];
    int n = 0;
    for (int i = 0; i < q->n; i++) {
        in[i] = gan_feed(g, names[i], q->dtype[i], q->shape[i]);
        if (q->dtype[i] == GAN_F64) {
            wrt[n++] = in[i];
        }
    }
    out[0] = q->build(g, in);
    if (derivatives) {
        gan_grad(g, out[0], wrt, n, out + 1);
    }
    gan_plan *p = gan_plan_new(g, out, derivatives ? 1 + n : 1,
                               &(struct gan_plan_opts){.backend = "ref"}, &err);
    assert_string_equal(err.message, "");
    gan_graph_free(g);
    return p;
}

struct scalar scalar_two(gan_val (*build)(gan_graph *, const gan_val *), gan_shape shape)
{
    struct scalar q = {
        .build = build, .shape = {shape, shape}, .dtype = {GAN_F64, GAN_F64}, .n = 2};
    scalar_scatter(&q);
    return q;
}

double scalar_value(const struct scalar *q)
{
    double x[SCALAR_MAX_IN][SCALAR_MAX_SIZE];
    memcpy(x, q->real, sizeof x);
    gan_plan *p = scalar_compile(q, false);
    scalar_run(p, q, x);
    double v = gan_tensor_get(gan_plan_output(p, 0), 0);
    gan_plan_free(p);
    return v;
}

void scalar_check_derivatives(const struct scalar *q)
{
    const double h = 1e-5;
    double x[SCALAR_MAX_IN][SCALAR_MAX_SIZE], d[SCALAR_MAX_IN][SCALAR_MAX_SIZE];
    memcpy(x, q->real, sizeof x);
    gan_plan *p = scalar_compile(q, true);
    scalar_run(p, q, x);
    int k = 0;
    for (int i = 0; i < q->n; i++) {
        if (q->dtype[i] == GAN_F64) {
            const gan_tensor *t = gan_plan_output(p, ++k);
            memcpy(d[i], t->data, gan_tensor_bytes(t));
        }
    }
    for (int i = 0; i < q->n; i++) {
        int64_t count = q->dtype[i] == GAN_F64 ? gan_shape_count(&q->shape[i]) : 0;
        for (int64_t j = 0; j < count; j++) {
            x[i][j] = q->real[i][j] + h;
            scalar_run(p, q, x);
            double up = gan_tensor_get(gan_plan_output(p, 0), 0);
            x[i][j] = q->real[i][j] - h;
            scalar_run(p, q, x);
            double down = gan_tensor_get(gan_plan_output(p, 0), 0);
            x[i][j] = q->real[i][j];
            assert_close(d[i][j], (up - down) / (2 * h), 1e-7 * (1 + fabs(d[i][j])));
        }
    }
    gan_plan_free(p);
}

void scalar_scatter(struct scalar *q)
{
    uint32_t u = 12345;
    for (int i = 0; i < SCALAR_MAX_IN; i++) {
        for (int j = 0; j < SCALAR_MAX_SIZE; j++) {
            u = u * 1664525u + 1013904223u;
            double v = 4.0 * (double)(u >> 8) / 16777216.0 - 2;
            q->real[i][j] = v + (v < 0 ? -0.05 : 0.05);
        }
    }
}

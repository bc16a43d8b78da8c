/* test_loss_values.c: every loss of the table against PyTorch in f64: both values, and the derivatives
 * in the outputs at reals, fakes and second fakes. A loss without golden values fails.
 *
 * Tolerance 1e-10 (1 + |v|): both sides compute in f64; PyTorch's distances come from differences,
 * libgan's from products of matrices, which costs some digits near 0. */
#include <gan/loss.h>
#include <gan/plan.h>

#include "base/str.h"
#include "support/st.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const double tolerance = 1e-10;

enum { N_IN = 3, DECODER = 5, N_FEEDS = 7 };

static const char *const input_name[N_IN] = {"x", "y", "y2"};

struct world {
    struct st *file;
    const struct gan_loss *loss;
    int64_t outputs;
    struct gan_feed_data feed[N_FEEDS];
    gan_val in[N_FEEDS];
    int n_feeds;
    gan_graph *g;
    int kept;
};

static gan_val add_feed(struct world *w, const char *name, gan_tensor t)
{
    w->feed[w->n_feeds] = (struct gan_feed_data){name, t};
    w->in[w->n_feeds] = gan_feed(w->g, name, t.dtype, t.shape);
    return w->in[w->n_feeds++];
}

/* Fisher's multiplier. */
static gan_val kept(void *world, const char *name, double initial)
{
    struct world *w = world;
    assert_string_equal(name, "fisher.lambda");
    assert_true(initial >= 0 && initial <= 0);
    return gan_const(w->g, 0.25);
}

static void keep(void *world, const char *name, gan_val value)
{
    struct world *w = world;
    assert_string_equal(name, "fisher.lambda");
    assert_true(gan_ok(value));
    w->kept++;
}

static gan_val decode(void *world, gan_val outputs)
{
    struct world *w = world;
    return gan_matmul(w->g, outputs, add_feed(w, "decoder", st_get(w->file, "decoder")), false,
                      false);
}

/* The decoder is fed once, used twice. */
static gan_val decode_once(void *world, gan_val outputs)
{
    struct world *w = world;
    return w->n_feeds == DECODER ? decode(w, outputs)
                                 : gan_matmul(w->g, outputs, w->in[DECODER], false, false);
}

static gan_val normal(void *world, const char *name, gan_shape shape)
{
    struct world *w = world;
    gan_tensor t = st_get(w->file, "%s", name);
    assert_true(gan_shape_equal(&t.shape, &shape));
    return add_feed(w, name, t);
}

static struct gan_loss_context context(struct world *w)
{
    static const char *const feed_name[] = {"points.real", "points.fake"};
    for (int i = 0; i < N_IN; i++) {
        add_feed(w, input_name[i],
                 st_get(w->file, "outputs.%lld/%s", (long long)w->outputs, input_name[i]));
    }
    gan_val real = add_feed(w, feed_name[0], st_get(w->file, "points/real"));
    gan_val fake = add_feed(w, feed_name[1], st_get(w->file, "points/fake"));
    return (struct gan_loss_context){.g = w->g,
                                     .on_real = w->in[0],
                                     .on_fake = {w->in[1], w->in[2]},
                                     .real = real,
                                     .fake = {fake},
                                     .kept = kept,
                                     .keep = keep,
                                     .decode = decode_once,
                                     .normal = normal,
                                     .user = w};
}

static void check_objective(struct world *w, const char *kind)
{
    char what[96];
    gan_err err = {0};
    w->g = gan_graph_new(NULL, GAN_F64);
    w->n_feeds = 0;
    const struct gan_loss_context c = context(w);
    gan_val out[1 + N_IN], wrt[N_IN];
    const char *name[N_IN];
    int n = 0;
    out[0] = kind[0] == 'd' ? w->loss->disc(&c) : w->loss->gen(&c);
    for (int i = 0; i < N_IN; i++) {
        bool depends = gan_depends(w->g, out[0], w->in[i]);
        assert_true(
            gan__format(what, sizeof what, "%s/%s/d%s", w->loss->name, kind, input_name[i]));
        if (depends != st_has(w->file, what)) {
            fail_msg("%s: the loss %s, the oracle %s", what, depends ? "depends" : "does not",
                     depends ? "does not" : "depends");
        }
        if (depends) {
            name[n] = input_name[i];
            wrt[n++] = w->in[i];
        }
    }
    gan_grad(w->g, out[0], wrt, n, out + 1);
    gan_plan *p = gan_plan_new(w->g, out, 1 + n, &(struct gan_plan_opts){.backend = "ref"}, &err);
    if (p == NULL) {
        fail_msg("%s: %s", w->loss->name, err.message);
    }
    const struct gan_run run = {.feeds = w->feed, .n_feeds = (size_t)w->n_feeds};
    if (gan_plan_run(p, &run, &err) != GAN_OK) {
        fail_msg("%s: %s", w->loss->name, err.message);
    }
    for (int i = 0; i <= n; i++) {
        (void)gan__format(what, sizeof what, i > 0 ? "%s/%s/d%s" : "%s/%s", w->loss->name, kind,
                          i > 0 ? name[i - 1] : "");
        gan_tensor want = st_tensor(w->file, what);
        st_close_to(what, gan_plan_output(p, i), &want, tolerance);
    }
    gan_plan_free(p);
    gan_graph_free(w->g);
}

static void test_every_loss(void **state)
{
    (void)state;
    struct world w = {.file = st_open("losses")};
    int count = 0;
    for (; (w.loss = gan_loss_at(count)) != NULL; count++) {
        w.outputs = w.loss->outputs > 0 ? w.loss->outputs : 1;
        w.kept = 0;
        check_objective(&w, "disc");
        assert_int_equal(w.kept > 0, (w.loss->needs & GAN_LOSS_STATE) != 0);
        check_objective(&w, "gen");
    }
    assert_true(count >= 35);
    st_close(w.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_loss)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

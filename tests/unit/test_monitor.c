/* The monitor: every alarm provoked by a training that deserves it, none by one that does not, and
 * the same weights with and without it. */
#include "base/str.h"
#include "run/monitor.h"
#include "support/settings.h"
#include "support/temp_fixture.h"

#include <gan/checkpoint.h>
#include <gan/log.h>
#include <gan/train.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

static void mute(void *ctx, gan_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    (void)line;
}

static int make_muted(void **state)
{
    (void)make(state);
    gan_set_log(mute, NULL);
    return 0;
}

/* What a training told while it ran. */
struct heard {
    uint32_t raised, over;
    int n;
    int64_t step, since; /* of the first alarm */
    char where[200];
    double evidence[GAN__MAX_EVIDENCE];
};

static void hear(void *ctx, const struct gan_train_alarm *a)
{
    struct heard *h = ctx;
    if (a->over) {
        h->over |= (uint32_t)a->kind;
        return;
    }
    if (h->n++ == 0) {
        h->step = a->step;
        h->since = a->since;
        (void)gan__copy(h->where, sizeof h->where, a->where);
        for (int i = 0; i < a->n_evidence; i++) {
            h->evidence[i] = a->evidence[i].value;
        }
    }
    assert_string_equal(a->name, gan_alarm_name(a->kind));
    assert_true(strlen(a->remedy) > 20);
    h->raised |= (uint32_t)a->kind;
}

/* What to train: model plain on the points of the ring, with "name=value" words on top. */
struct game {
    const char *out, *words;
    const char *init; /* file of weights, or NULL */
};

static gan_status train(const struct game *g, struct heard *h, struct gan_train_result *result)
{
    static const char base[] =
        "arch=tanh128 batch=64 threads=1 monitor-every=10 sample-every=100000";
    struct settings r;
    char dir[TEMP_PATH_MAX];
    gan_err err = {0};
    settings_read(&r, base, g->words);
    struct gan_train_cfg cfg = {.model = "plain",
                                .data = "toy:ring8",
                                .out = temp_path(&tmp, g->out, dir),
                                .init = &g->init,
                                .n_init = g->init != NULL ? 1 : 0,
                                .set = r.set,
                                .n_set = r.n};
    struct gan_train_watch watch = {.ctx = h, .alarm = hear};
    memset(h, 0, sizeof *h);
    gan_status status = gan_train(&cfg, &watch, result, &err);
    if (status != GAN_E_DIVERGED) {
        assert_string_equal(err.message, "");
    }
    return status;
}

/* A file with the fresh weights of `net` times `scale`, those of the other network as they are. */
static const char *scaled_weights(const char *net, double scale, char path[TEMP_PATH_MAX])
{
    struct heard h;
    struct gan_train_result r;
    gan_checkpoint *c = NULL;
    gan_err err = {0};
    const char *name;
    gan_tensor t;
    const struct game fresh = {.out = "fresh", .words = "steps=0"};
    assert_int_equal(train(&fresh, &h, &r), GAN_OK);
    assert_int_equal(gan_checkpoint_open(r.checkpoint, &c, &err), GAN_OK);
    gan_store *st = gan_store_new();
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        if (!gan__starts_with(name, "gen.") && !gan__starts_with(name, "disc.")) {
            continue;
        }
        int at = gan_store_add(st, name, GAN_STATE_WEIGHT, t.dtype, t.shape, &err);
        assert_true(at >= 0);
        double factor = gan__starts_with(name, net) ? scale : 1;
        for (int64_t k = 0; k < gan_shape_count(&t.shape); k++) {
            gan_tensor_set(&gan_store_at(st, at)->value, k, factor * gan_tensor_get(&t, k));
        }
    }
    gan_checkpoint_close(c);
    (void)temp_path(&tmp, "scaled.safetensors", path);
    assert_int_equal(gan_checkpoint_save(st, NULL, 0, path, &err), GAN_OK);
    gan_store_free(st);
    return path;
}

/* --- running medians ----------------------------------------------------------------------------- */

static void levels(void **state)
{
    (void)state;
    struct gan__level l = {0};
    for (int i = 0; i < GAN__LEVEL_WARM; i++) {
        assert_float_equal(gan__level_value(&l), 0, 0);
        gan__level_add(&l, i % 3 == 1 ? 1e6 : 4); /* a third are wild: the median is 4 */
    }
    /* Its last steps are 8/50 octave: three of them are a factor of 1.4. */
    assert_true(gan__level_value(&l) > 4 / 1.4 && gan__level_value(&l) < 4 * 1.4);
    gan__level_add(&l, (double)NAN);
    gan__level_add(&l, 0);
    gan__level_add(&l, -1);
    assert_int_equal(l.seen, GAN__LEVEL_WARM);
    for (int i = 0; i < 4000; i++) {
        gan__level_add(&l, 0.01);
    }
    assert_true(fabs(gan__level_value(&l) - 0.01) < 1e-4); /* follows, to a step of 1/200 octave */
    assert_true(gan__level_height(&l) > 4 / 1.4);          /* and remembers */
}

/* --- alarms -------------------------------------------------------------------------------------- */

/* A generator whose output hardly depends on its input, and that does not move. */
static void collapse(void **state)
{
    (void)state;
    struct heard h;
    struct gan_train_result r;
    char path[TEMP_PATH_MAX];
    const struct game g = {.out = "run",
                           .words = "steps=250 optim-gen=sgd:0,0 optim-disc=sgd:0,0",
                           .init = scaled_weights("gen.", 1e-2, path)};
    assert_int_equal(train(&g, &h, &r), GAN_OK);
    assert_int_equal(h.raised, GAN_ALARM_COLLAPSE);
    assert_int_equal(h.n, 1); /* told once */
    assert_int_equal(r.alarms, GAN_ALARM_COLLAPSE);
    assert_int_equal(r.alarms_raised, 1);
    assert_int_equal(h.step, 200); /* it never was spread: 20 looks */
    assert_int_equal(h.since, 10);
    assert_true(h.evidence[0] < 0.05); /* the spread */
}

/* D learns, G does not, and the minimax loss leaves G nothing where D is sure; of single points and of
 * pairs. */
static void won(void **state)
{
    (void)state;
    static const char *const words[] = {
        "steps=1500 loss=minimax optim-gen=sgd:0,0 optim-disc=adam:2e-3",
        "steps=1500 loss=minimax optim-gen=sgd:0,0 optim-disc=adam:2e-3 pack=2"};
    char path[TEMP_PATH_MAX];
    char init[TEMP_PATH_MAX + 4]; /* pairs need another D: only G's weights are read */
    assert_true(gan__format(init, sizeof init, "gen=%s", scaled_weights("gen.", 1e-1, path)));
    for (int i = 0; i < 2; i++) {
        struct heard h;
        struct gan_train_result r;
        const struct game g = {.out = i == 0 ? "run" : "pairs", .words = words[i], .init = init};
        assert_int_equal(train(&g, &h, &r), GAN_OK);
        assert_true((h.raised & GAN_ALARM_WON) != 0);
        assert_true((r.alarms & GAN_ALARM_WON) != 0);
        assert_int_equal(h.raised & (GAN_ALARM_EXPLODING | GAN_ALARM_NAN), 0);
    }
}

/* Tiny weights: the first layer learns through the product of the others. */
static void vanishing(void **state)
{
    (void)state;
    struct heard h;
    struct gan_train_result r;
    char path[TEMP_PATH_MAX];
    const struct game g = {.out = "run",
                           .words = "steps=80 optim-gen=sgd:0,0 optim-disc=sgd:0,0",
                           .init = scaled_weights("gen.", 1e-6, path)};
    assert_int_equal(train(&g, &h, &r), GAN_OK);
    assert_true((h.raised & GAN_ALARM_VANISHING) != 0);
    assert_true((r.alarms & GAN_ALARM_VANISHING) != 0);
    assert_string_equal(h.where, "gen.main.0");
    assert_int_equal(h.step, 50);
    assert_int_equal(h.since, 1);
}

/* A critic without any bound: its weights, and with them the gradients, blow up in finite time. */
static void exploding_and_not_finite(void **state)
{
    (void)state;
    struct heard h;
    struct gan_train_result r;
    const struct game g = {.out = "run",
                           .words = "arch=toy width=32 steps=3000 loss=wasserstein "
                                    "optim-gen=sgd:0,0 optim-disc=sgd:5e-4,0"};
    assert_int_equal(train(&g, &h, &r), GAN_E_DIVERGED);
    assert_int_equal(h.raised & (GAN_ALARM_EXPLODING | GAN_ALARM_NAN),
                     GAN_ALARM_EXPLODING | GAN_ALARM_NAN);
    assert_true((r.alarms & GAN_ALARM_NAN) != 0);
    assert_true(strlen(h.where) > 0);
}

/* WGAN-GP learns the ring: nothing is told. */
static void healthy(void **state)
{
    (void)state;
    struct heard h;
    struct gan_train_result r;
    const struct game g = {.out = "run",
                           .words = "arch=toy width=64 steps=600 n-critic=3 loss=wasserstein "
                                    "reg=gp:.1 optim-gen=adam:1e-3,.5,.9 "
                                    "optim-disc=adam:1e-3,.5,.9"};
    assert_int_equal(train(&g, &h, &r), GAN_OK);
    assert_int_equal(h.n, 0);
    assert_int_equal(r.alarms, 0);
}

/* An alarm ends when its cause does: the scaled generator learns to spread. */
static void over(void **state)
{
    (void)state;
    struct heard h;
    struct gan_train_result r;
    char path[TEMP_PATH_MAX];
    const struct game g = {.out = "run",
                           .words = "steps=1500 monitor-every=2 loss=wasserstein reg=gp:.1 "
                                    "optim-gen=adam:1e-3,.5,.9 optim-disc=adam:1e-3,.5,.9",
                           .init = scaled_weights("gen.", 1e-2, path)};
    assert_int_equal(train(&g, &h, &r), GAN_OK);
    assert_true((h.raised & GAN_ALARM_COLLAPSE) != 0);
    assert_true((h.over & GAN_ALARM_COLLAPSE) != 0);
    assert_int_equal(r.alarms & GAN_ALARM_COLLAPSE, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test_setup_teardown(collapse, make_muted, drop),
        cmocka_unit_test_setup_teardown(won, make_muted, drop),
        cmocka_unit_test_setup_teardown(vanishing, make_muted, drop),
        cmocka_unit_test_setup_teardown(exploding_and_not_finite, make_muted, drop),
        cmocka_unit_test_setup_teardown(healthy, make_muted, drop),
        cmocka_unit_test_setup_teardown(over, make_muted, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

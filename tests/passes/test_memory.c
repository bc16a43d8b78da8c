/* test_memory.c: the workspace of whole training steps, from plans that are compiled, not run.
 *
 * The bounds are the figures of the day they were set plus 3 %, so that a pass that keeps more alive
 * is noticed; lower figures are welcome, and the bounds go down with them. They are those of a build
 * with oneDNN, whose convolutions need less room beside them; others state their figures only. What is alive in one step
 * is what no placement can undercut: the plan must stay within 10 % of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"
#include "gan_config.h"
#include "models/step.h"
#include <gan/plan.h>

struct step {
    const char *model;
    int64_t size, channels, width; /* width 0: the model's own */
    double mib[3];                 /* bounds by enum gan_recompute */
};

static void set(const struct gan_model *m, void *opts, const char *name, int64_t value)
{
    char text[32];
    gan_err err = {0};
    assert_true(gan__format(text, sizeof text, "%lld", (long long)value));
    assert_int_equal(gan_opt_set(m->opts, opts, name, text, &err), GAN_OK);
}

/* Largest workspace and what is alive at most, over the phases of a batch of 64. */
static struct gan_plan_info largest(gan_step *step, enum gan_recompute recompute)
{
    struct gan_plan_info most = {0};
    gan_err err = {0};
    for (int i = 0; i < gan__step_segments(step); i++) {
        const struct gan__segment *seg = gan__step_segment(step, i);
        gan_val outs[GAN__MAX_REPORTS];
        for (int k = 0; k < seg->n_reports; k++) {
            outs[k] = seg->report[k].val;
        }
        struct gan_plan_opts o = {.threads = 2, .verify = true, .recompute = recompute};
        gan_plan *p = gan_plan_new(seg->graph, outs, seg->n_reports, &o, &err);
        if (p == NULL) {
            fail_msg("%s", err.message);
        }
        struct gan_plan_info info = gan_plan_info(p);
        most = info.workspace_bytes > most.workspace_bytes ? info : most;
        gan_plan_free(p);
    }
    return most;
}

static void check(const struct step *c)
{
    gan_err err = {0};
    struct gan_net_list nets = {0};
    const struct gan_model *m = gan_model_find(c->model, &err);
    assert_non_null(m);
    void *opts = gan__alloc(m->size);
    gan_store *store = gan_store_new();
    assert_int_equal(gan_opt_defaults(m->opts, opts, &err), GAN_OK);
    if (c->width > 0) {
        set(m, opts, "width", c->width);
    }
    struct gan_task *t = opts;
    t->height = t->width = c->size;
    t->channels = c->channels;
    if (m->fit != NULL) {
        assert_int_equal(m->fit(opts, true, &err), GAN_OK);
    }
    assert_int_equal(gan_model_declare(m, opts, store, GAN_F32, &nets, &err), GAN_OK);
    struct gan__step_cfg cfg = {.model = m,
                                .opts = opts,
                                .store = store,
                                .nets = &nets,
                                .real = GAN_F32,
                                .batch = 64,
                                .mode = GAN_TRAIN};
    gan_step *step = gan__step_build(&cfg, &err);
    if (step == NULL) {
        fail_msg("%s: %s", c->model, err.message);
    }
    double kept_flops = 0;
    for (int mode = GAN_RECOMPUTE_NONE; mode <= GAN_RECOMPUTE_FULL; mode++) {
        struct gan_plan_info info = largest(step, (enum gan_recompute)mode);
        double mib = (double)info.workspace_bytes / 1048576;
        print_message("%s %lld, recompute %d: %.1f MiB, alive %.1f MiB, %.2f GFLOP\n", c->model,
                      (long long)c->size, mode, mib, (double)info.live_bytes / 1048576,
                      info.flops * 1e-9);
        assert_true(!GAN_HAVE_ONEDNN || mib <= c->mib[mode]);
        assert_true((double)info.workspace_bytes <= 1.10 * (double)info.live_bytes);
        kept_flops = mode == GAN_RECOMPUTE_NONE ? info.flops : kept_flops;
        assert_true(info.flops >= kept_flops && info.flops <= 1.34 * kept_flops);
    }
    gan__step_free(step);
    gan_net_list_free(&nets);
    gan_store_free(store);
    gan__free(opts);
}

static void test_steps(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {"dcgan", 64, 3, 64, {138.1, 105.2, 78.5}},
        {"dcgan", 32, 1, 32, {19.0, 15.4, 11.9}},
        {"gan", 28, 1, 0, {6.3, 6.3, 6.2}},
        {"autoencoder", 28, 1, 0, {8.8, 8.8, 8.8}},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        check(&steps[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

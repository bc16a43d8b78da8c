/* test_oom_models.c: memory that runs out while the networks of a model are declared and filled, and
 * its iteration and its sampling graph are built and compiled. */
#include "base/alloc.h"
#include "base/err.h"
#include "models/step.h"
#include "oom/oom.h"

#include <gan/plan.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct subject {
    const struct gan_model *model;
    void *opts;
    int64_t microbatch;
    bool compile;
};

static gan_status compile(const gan_graph *g, const gan_val *out, int n, gan_err *err)
{
    gan_plan *p = gan_plan_new(g, out, n, &(struct gan_plan_opts){.backend = "cpu"}, err);
    gan_status status = p == NULL ? err->code : GAN_OK;
    gan_plan_free(p);
    return status;
}

static gan_status build(const struct subject *s, struct gan__step_cfg *cfg, gan_err *err)
{
    gan_status status = GAN_OK;
    gan_step *step = gan__step_build(cfg, err);
    if (step == NULL) {
        return err->code;
    }
    for (int i = 0; s->compile && i < gan__step_segments(step) && status == GAN_OK; i++) {
        const struct gan__segment *seg = gan__step_segment(step, i);
        gan_val out[GAN__MAX_REPORTS];
        for (int k = 0; k < seg->n_reports; k++) {
            out[k] = seg->report[k].val;
        }
        status = compile(seg->graph, out, seg->n_reports, err);
    }
    gan__step_free(step);
    if (status != GAN_OK) {
        return status;
    }
    gan_val images;
    cfg->mode = GAN_EVAL;
    cfg->microbatch = 0;
    step = gan__step_build_sample(cfg, false, &images, err);
    status = step == NULL ? err->code : GAN_OK;
    gan__step_free(step);
    return status;
}

static gan_status scene(void *ctx, gan_err *err)
{
    const struct subject *s = ctx;
    struct gan_net_list nets = {0};
    gan_store *st = gan_store_new();
    if (st == NULL) {
        return gan__fail_nomem(err, 0, "a store");
    }
    gan_status status = gan_model_declare(s->model, s->opts, st, GAN_F32, &nets, err);
    if (status == GAN_OK) {
        status = gan_model_init(s->model, s->opts, st, &nets, 1, err);
    }
    if (status == GAN_OK) {
        struct gan__step_cfg cfg = {.model = s->model,
                                    .opts = s->opts,
                                    .store = st,
                                    .nets = &nets,
                                    .real = GAN_F32,
                                    .batch = 4,
                                    .microbatch = s->microbatch,
                                    .mode = GAN_TRAIN};
        status = build(s, &cfg, err);
    }
    gan_net_list_free(&nets);
    gan_store_free(st);
    return status;
}

static void each(const char *model, int64_t microbatch, bool compiled, const char *const *set)
{
    gan_err err = {0};
    struct subject s = {gan_model_find(model, &err), NULL, microbatch, compiled};
    assert_non_null(s.model);
    s.opts = calloc(1, s.model->size);
    assert_non_null(s.opts);
    assert_int_equal(gan_opt_defaults(s.model->opts, s.opts, &err), GAN_OK);
    for (int i = 0; set[i] != NULL; i += 2) {
        if (gan_opt_set(s.model->opts, s.opts, set[i], set[i + 1], &err) != GAN_OK) {
            fail_msg("%s", err.message);
        }
    }
    struct gan_task *t = s.opts;
    t->height = t->width = 16;
    t->channels = 1;
    t->classes = 3;
    assert_int_equal(s.model->fit(s.opts, true, &err), GAN_OK);
    oom_each(model, scene, &s, (struct oom_rules){.points = compiled ? 12 : 24});
    free(s.opts);
}

static void dcgan(void **state)
{
    (void)state;
    const char *const set[] = {"width", "2", "z", "3", NULL};
    each("dcgan", 0, true, set);
    each("dcgan", 2, false, set);
}

static void gan(void **state)
{
    (void)state;
    const char *const set[] = {"z", "3", NULL};
    each("gan", 2, false, set);
}

static void autoencoder(void **state)
{
    (void)state;
    const char *const vae[] = {"kind", "vae", "z", "3", NULL};
    const char *const aae[] = {"kind", "aae", "z", "3", NULL};
    each("autoencoder", 2, true, vae);
    each("autoencoder", 0, false, aae);
}

static void plain(void **state)
{
    (void)state;
    const char *const critic[] = {"reg",   "gp,clip", "loss", "wasserstein", "n-critic", "2",
                                  "width", "2",       "z",    "3",           NULL};
    const char *const spectral[] = {"reg", "sn", "loss", "hinge", "width", "2", "z", "3", NULL};
    each("plain", 0, true, critic);
    each("plain", 2, false, spectral);
}

static void conditional(void **state)
{
    (void)state;
    const char *const mlp[] = {"width", "2", "z", "3", NULL};
    const char *const cond[] = {"cond", "projection", "width", "2", "z", "3", "ema", "9", NULL};
    each("cgan", 2, true, mlp);
    each("plain", 2, false, cond);
}

/* Updates as values, and a rule that is a network. */
static void unrolled(void **state)
{
    (void)state;
    const char *const adam[] = {"unroll", "2", "width", "2", "z", "3", NULL};
    const char *const learned[] = {"unroll",    "1",   "width",      "2",   "z", "3",
                                   "optim-gen", "l2l", "optim-disc", "l2l", NULL};
    each("unrolled", 2, true, adam);
    each("unrolled", 0, false, learned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dcgan), cmocka_unit_test(gan),      cmocka_unit_test(autoencoder),
        cmocka_unit_test(plain), cmocka_unit_test(unrolled), cmocka_unit_test(conditional),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

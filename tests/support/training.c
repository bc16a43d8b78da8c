/* training.c: see training.h. */
#include "training.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void need(gan_status status, const gan_err *err)
{
    if (status != GAN_OK) {
        fail_msg("%s", err->message);
    }
}

void training_open(struct training *t, const char *model, const char *const *set,
                   const struct gan_task *task, int64_t batch, bool external_noise)
{
    gan_err err = {0};
    const struct gan_model *m = gan_model_find(model, &err);
    need(m != NULL ? GAN_OK : err.code, &err);
    *t = (struct training){.opts = calloc(1, m->size), .store = gan_store_new()};
    need(gan_opt_defaults(m->opts, t->opts, &err), &err);
    for (int i = 0; set[i] != NULL; i += 2) {
        need(gan_opt_set(m->opts, t->opts, set[i], set[i + 1], &err), &err);
    }
    *(struct gan_task *)t->opts = *task;
    need(m->fit(t->opts, true, &err), &err);
    need(gan_model_declare(m, t->opts, t->store, GAN_F64, &t->nets, &err), &err);
    need(gan_model_init(m, t->opts, t->store, &t->nets, 1, &err), &err);
    const struct gan__step_cfg cfg = {.model = m,
                                      .opts = t->opts,
                                      .store = t->store,
                                      .nets = &t->nets,
                                      .real = GAN_F64,
                                      .batch = batch,
                                      .mode = GAN_TRAIN,
                                      .external_noise = external_noise};
    t->step = gan__step_build(&cfg, &err);
    need(t->step != NULL ? GAN_OK : err.code, &err);
}

void training_close(struct training *t)
{
    gan_plan_free(t->plan);
    gan__step_free(t->step);
    gan_net_list_free(&t->nets);
    gan_store_free(t->store);
    free(t->opts);
}

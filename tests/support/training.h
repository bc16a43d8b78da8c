/* training.h: one iteration of a model in small: f64, options by name, graph built, plan left to the
 * test. Every failure fails the test with its message. */
#ifndef TESTS_SUPPORT_TRAINING_H
#define TESTS_SUPPORT_TRAINING_H

#include "models/step.h"
#include <gan/plan.h>

struct training {
    void *opts;
    gan_store *store; /* weights as --seed 1 has them */
    struct gan_net_list nets;
    gan_step *step;
    gan_plan *plan; /* NULL after opening; closing frees it */
};

/* The model with options {"name", "value", ..., NULL} on data of the task's size; batch images. Random
 * inputs are feeds when `external_noise`. */
void training_open(struct training *t, const char *model, const char *const *set,
                   const struct gan_task *task, int64_t batch, bool external_noise);
void training_close(struct training *t);

#endif

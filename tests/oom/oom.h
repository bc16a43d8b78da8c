/* oom.h: runs a scene again and again, each time with another allocation failing. */
#ifndef TESTS_OOM_OOM_H
#define TESTS_OOM_OOM_H

#include <gan/status.h>

#include <stdbool.h>

/* Builds something, uses it, frees all of it. GAN_OK, or the code it failed with. Must not use
 * cmocka's assertions after it owns something. */
typedef gan_status (*oom_scene)(void *ctx, gan_err *err);

/* What is not the same for all scenes. */
struct oom_rules {
    bool threads; /* other threads allocate too: the n-th allocation is not the same each time */
    bool partial; /* one failing allocation may be survived (a cache that is not written) */
    int points;   /* of failure in the short form, spread over the scene; 0: 48 */
};

/* The scene must succeed when nothing fails; fail with GAN_E_NOMEM and one line when allocation n
 * and all after it fail, and when allocation n alone fails; leave no block behind, ever; and
 * succeed again at the end. Short form: the first 12 allocations and a sample of the others;
 * GAN_TEST_FULL: every one. */
void oom_each(const char *name, oom_scene scene, void *ctx, struct oom_rules rules);

#endif

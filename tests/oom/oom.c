/* oom.c: the loop over failing allocations. */
#include "oom/oom.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct attempt {
    const char *name;
    oom_scene scene;
    void *ctx;
    struct oom_rules rules;
};

/* Runs the scene with the hook set; checks what must hold whatever happened. */
static gan_status attempt(const struct attempt *a, uint64_t n, bool once)
{
    gan_err err = {0};
    uint64_t live = gan__alloc_stats().live;
    if (once) {
        gan__alloc_fail_once(n);
    } else {
        gan__alloc_fail_at(n);
    }
    gan_status status = a->scene(a->ctx, &err);
    gan__alloc_fail_at(0);
    long long at = (long long)n;
    const char *how = once ? "alone" : "and later ones";
    if (gan__alloc_stats().live != live) {
        fail_msg("%s: allocation %lld (%s) failing: %lld blocks stay behind", a->name, at, how,
                 (long long)(gan__alloc_stats().live - live));
    }
    if (status != GAN_OK && status != GAN_E_NOMEM) {
        fail_msg("%s: allocation %lld (%s) failing: %s instead of GAN_E_NOMEM: %s", a->name, at,
                 how, gan_status_name(status), err.message);
    }
    if (status != GAN_OK &&
        (err.code != status || err.message[0] == '\0' || strchr(err.message, '\n') != NULL)) {
        fail_msg("%s: allocation %lld (%s) failing: code %s, err.code %s, message \"%s\"", a->name,
                 at, how, gan_status_name(status), gan_status_name(err.code), err.message);
    }
    return status;
}

/* Allocations of an undisturbed run; the first run may fill tables that stay. */
static uint64_t count(const struct attempt *a)
{
    uint64_t before = 0;
    for (int i = 0; i < 2; i++) {
        gan_err err = {0};
        gan__alloc_fail_at(UINT64_MAX); /* far away, but arenas do as if it were near */
        before = gan__alloc_stats().calls;
        gan_status status = a->scene(a->ctx, &err);
        gan__alloc_fail_at(0);
        if (status != GAN_OK) {
            fail_msg("%s: undisturbed: %s", a->name, err.message);
        }
    }
    return gan__alloc_stats().calls - before;
}

void oom_each(const char *name, oom_scene scene, void *ctx, struct oom_rules rules)
{
    struct attempt a = {name, scene, ctx, rules};
    uint64_t total = count(&a);
    const char *full = getenv("GAN_TEST_FULL");
    uint64_t points = rules.points > 0 ? (uint64_t)rules.points : 48;
    bool every = full != NULL && strcmp(full, "all") == 0; /* an hour */
    if (full != NULL && *full == '1') {
        points = 150;
    }
    uint64_t stride = every ? 1 : total / points + 1;
    assert_true(total > 0);
    for (uint64_t n = 1; n <= total; n += n < 12 ? 1 : stride) {
        if (attempt(&a, n, false) == GAN_OK && !rules.threads) {
            fail_msg("%s: succeeds although allocation %lld and all after it fail", name,
                     (long long)n);
        }
        if (attempt(&a, n, true) == GAN_OK && !rules.threads && !rules.partial) {
            fail_msg("%s: succeeds although allocation %lld fails", name, (long long)n);
        }
    }
    if (attempt(&a, rules.threads ? 0 : total + 1, false) != GAN_OK) {
        fail_msg("%s: fails although no allocation does", name);
    }
    print_message("%s: %lld allocations, every %lld-th\n", name, (long long)total,
                  (long long)stride);
}

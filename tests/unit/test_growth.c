/* test_growth.c: 1,000 iterations of a DCGAN at 16 pixels, data and log values included, allocate
 * nothing of ours, and the process does not grow.
 *
 * The first iterations touch memory for the first time (workspace, loader, oneDNN's own buffers,
 * stacks of threads); after them 512 KiB are left for what the C library and the kernel round. A
 * leak of one block of 1 KiB in each iteration is twice that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "run/session.h"
#include "support/idx_file.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

enum { COUNT = 40, SIDE = 16, WARM = 100, GROWTH_BYTES = 512 * 1024 };

#ifdef SANITIZED
enum { ITERATIONS = 100 }; /* shadow memory and quarantines grow on their own: only ours counts */
#else
enum { ITERATIONS = 1000 };
#endif

static void open_session(struct gan__session *s, struct gan__recipe *r, const struct temp_dir *dir)
{
    static const char *const set[][2] = {{"steps", "2000"}, {"batch", "4"}, {"width", "4"},
                                         {"z", "8"},        {"size", "16"}, {"threads", "1"}};
    static unsigned char px[COUNT * SIDE * SIDE];
    const uint32_t shape[3] = {COUNT, SIDE, SIDE};
    char spec[TEMP_PATH_MAX + 64];
    gan_err err = {0};
    for (size_t i = 0; i < sizeof px; i++) {
        px[i] = (unsigned char)(i * 31);
    }
    idx_write(dir, "train-images-idx3-ubyte", 3, shape, px, sizeof px, false);
    (void)snprintf(spec, sizeof spec, "idx:%s/train-images-idx3-ubyte?labels=none", dir->path);
    gan_status status = gan__recipe_init(r, "dcgan", &err);
    for (size_t i = 0; i < sizeof set / sizeof *set && status == GAN_OK; i++) {
        status = gan__recipe_set(r, set[i][0], set[i][1], &err);
    }
    status = status == GAN_OK ? gan__recipe_set_data(r, spec, &err) : status;
    status = status == GAN_OK ? gan__session_build(s, r, &err) : status;
    status = status == GAN_OK ? gan__session_init_weights(s, &err) : status;
    status = status == GAN_OK ? gan__session_compile(s, &err) : status;
    status = status == GAN_OK ? gan__session_start(s, &err) : status;
    if (status != GAN_OK) {
        fail_msg("%s", err.message);
    }
}

static void iterate(struct gan__session *s, int n)
{
    double values[GAN__MAX_VALUES];
    gan_err err = {0};
    for (int i = 0; i < n; i++) {
        if (gan__session_step(s, values, &err) != GAN_OK) {
            fail_msg("iteration %d: %s", i, err.message);
        }
    }
}

static void iterations_take_no_memory(void **state)
{
    (void)state;
    struct temp_dir dir;
    struct gan__recipe r = {0};
    struct gan__session s = {0};
    temp_dir_make(&dir);
    open_session(&s, &r, &dir);
    iterate(&s, WARM);
    int64_t rss = (int64_t)gan__rss_bytes(); /* reads a file, which allocates */
    struct gan__alloc_stats before = gan__alloc_stats();
    iterate(&s, ITERATIONS);
    struct gan__alloc_stats after = gan__alloc_stats();
    int64_t growth = (int64_t)gan__rss_bytes() - rss;
    print_message("%d iterations: %lld allocations, %lld KiB\n", (int)ITERATIONS,
                  (long long)(after.calls - before.calls), (long long)(growth / 1024));
    assert_int_equal(after.calls, before.calls);
    assert_int_equal(after.live_bytes, before.live_bytes);
#ifndef SANITIZED
    const char *preload = getenv("LD_PRELOAD"); /* valgrind's own memory grows with the code seen */
    assert_true(growth <= GROWTH_BYTES || (preload != NULL && strstr(preload, "vgpreload")));
#endif
    gan__session_release(&s);
    gan__recipe_release(&r);
    temp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(iterations_take_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

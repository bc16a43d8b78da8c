/* test_base_memory.c: counted allocation, the failing hook, growth, arenas. */
#include "base/alloc.h"
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void zeroed_and_counted(void **state)
{
    (void)state;
    struct gan__alloc_stats before = gan__alloc_stats();
    unsigned char *p = gan__alloc(1000);
    unsigned char *q = gan__alloc_array(30, 10);
    void *empty = gan__alloc(0);
    assert_non_null(p);
    assert_non_null(q);
    assert_non_null(empty);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(p[i], 0);
    }
    struct gan__alloc_stats now = gan__alloc_stats();
    assert_int_equal(now.calls - before.calls, 3);
    assert_int_equal(now.live - before.live, 3);
    assert_int_equal(now.live_bytes - before.live_bytes, 1300);
    assert_true(now.peak_bytes >= now.live_bytes);
    gan__free(p);
    gan__free(q);
    gan__free(empty);
    gan__free(NULL);
    now = gan__alloc_stats();
    assert_int_equal(now.live, before.live);
    assert_int_equal(now.live_bytes, before.live_bytes);
    assert_true(now.peak_bytes >= before.live_bytes + 1300);
}

static void products_and_sums(void **state)
{
    (void)state;
    size_t out = 7;
    assert_true(gan__mul(0, SIZE_MAX, &out));
    assert_int_equal(out, 0);
    assert_true(gan__mul(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_false(gan__mul(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(gan__add(SIZE_MAX - 1, 1, &out));
    assert_false(gan__add(SIZE_MAX, 1, &out));
    assert_null(gan__alloc_array(SIZE_MAX / 4, 8));
    assert_null(gan__alloc(SIZE_MAX));
    assert_null(gan__alloc_aligned(64, SIZE_MAX - 8));
}

static void aligned(void **state)
{
    (void)state;
    struct gan__alloc_stats before = gan__alloc_stats();
    for (size_t align = 16; align <= 4096; align *= 2) {
        unsigned char *p = gan__alloc_aligned(align, 100);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % align, 0);
        memset(p, 0x5a, 100);
        p = gan__realloc(p, 300);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % align, 0);
        assert_int_equal(p[99], 0x5a);
        gan__free(p);
    }
    assert_int_equal(gan__alloc_stats().live, before.live);
    assert_int_equal(gan__alloc_stats().live_bytes, before.live_bytes);
}

static void resized(void **state)
{
    (void)state;
    struct gan__alloc_stats before = gan__alloc_stats();
    char *p = gan__realloc(NULL, 4);
    assert_non_null(p);
    memcpy(p, "abc", 4);
    p = gan__realloc(p, 100000);
    assert_string_equal(p, "abc");
    assert_int_equal(gan__alloc_stats().live_bytes - before.live_bytes, 100000);
    gan__alloc_fail_at(1);
    assert_null(gan__realloc(p, 200000));
    gan__alloc_fail_at(0);
    assert_string_equal(p, "abc"); /* the old block stays valid */
    gan__free(p);
    char *s = gan__strdup("text");
    assert_string_equal(s, "text");
    gan__free(s);
    assert_int_equal(gan__alloc_stats().live_bytes, before.live_bytes);
}

static void failing_hook(void **state)
{
    (void)state;
    gan__alloc_fail_at(3);
    void *a = gan__alloc(1);
    void *b = gan__alloc_aligned(64, 1);
    void *c = gan__alloc(1);
    void *d = gan__strdup("x");
    gan__alloc_fail_at(0);
    void *e = gan__alloc(1);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(c);
    assert_null(d);
    assert_non_null(e);
    gan__free(a);
    gan__free(b);
    gan__free(e);
}

static void growing(void **state)
{
    (void)state;
    int *items = NULL;
    size_t cap = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(gan__grow(&items, &cap, (size_t)i + 1, sizeof *items));
        items[i] = i;
    }
    assert_true(cap >= 1000 && cap <= 2048);
    assert_int_equal(items[999], 999);
    size_t kept = cap;
    assert_false(gan__grow(&items, &cap, SIZE_MAX / 2, sizeof *items));
    gan__alloc_fail_at(1);
    assert_false(gan__grow(&items, &cap, 5000, sizeof *items));
    gan__alloc_fail_at(0);
    assert_int_equal(cap, kept);
    assert_int_equal(items[500], 500);
    gan__free(items);
}

static void arenas(void **state)
{
    (void)state;
    struct gan__alloc_stats before = gan__alloc_stats();
    struct gan__arena a = {.block_bytes = 256};
    size_t sum = 0;
    for (size_t i = 0; i < 200; i++) {
        size_t n = i % 7 == 0 ? 1000 : i % 30;
        unsigned char *p = gan__arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(p[k], 0); /* zero, and no one else's bytes */
            p[k] = 0xff;
        }
        sum += n;
    }
    assert_int_equal(a.used_bytes, sum);
    assert_string_equal(gan__arena_strdup(&a, "name"), "name");
    assert_string_equal(gan__arena_printf(&a, "%s.%d", "conv", 3), "conv.3");
    static const int three[3] = {1, 2, 3};
    const int *copy = gan__arena_copy(&a, three, sizeof three);
    assert_memory_equal(copy, three, sizeof three);
    assert_null(gan__arena_array(&a, SIZE_MAX / 2, 4));
    assert_null(gan__arena_alloc(&a, SIZE_MAX));
    gan__arena_release(&a);
    assert_int_equal(gan__alloc_stats().live, before.live);
    gan__alloc_fail_at(1);
    assert_null(gan__arena_alloc(&a, 8));
    assert_null(gan__arena_printf(&a, "%d", 1));
    gan__alloc_fail_at(0);
    assert_non_null(gan__arena_alloc(&a, 8)); /* ready for reuse */
    gan__arena_release(&a);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_and_counted),
        cmocka_unit_test(products_and_sums),
        cmocka_unit_test(aligned),
        cmocka_unit_test(resized),
        cmocka_unit_test(failing_hook),
        cmocka_unit_test(growing),
        cmocka_unit_test(arenas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_base_file.c: reading, mapping, atomic replacement, folders, places, process figures. */
#include "base/alloc.h"
#include "base/file.h"
#include "support/temp_dir.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/temp_fixture.h"

static size_t files_in(const char *path)
{
    char **names;
    size_t n;
    gan_err err = {0};
    assert_int_equal(gan__list_dir(path, &names, &n, &err), GAN_OK);
    gan__list_free(names, n);
    return n;
}

static void reading(void **state)
{
    (void)state;
    gan_err err = {0};
    char *data;
    size_t size;
    struct gan__map m;
    temp_write(&tmp, "five", "h\0llo", 5);
    temp_write(&tmp, "none", "", 0);
    assert_int_equal(gan__file_read(in("five"), 5, &data, &size, &err), GAN_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(data, "h\0llo", 6); /* and a NUL behind */
    gan__free(data);
    assert_int_equal(gan__file_read(in("five"), 4, &data, &size, &err), GAN_E_FORMAT);
    assert_non_null(strstr(err.message, "limit is 4"));
    assert_null(data);
    err = (gan_err){0};
    assert_int_equal(gan__file_read(in("none"), 4, &data, &size, &err), GAN_OK);
    assert_int_equal(size, 0);
    assert_string_equal(data, "");
    gan__free(data);
    assert_int_equal(gan__file_read(in("absent"), 4, &data, &size, &err), GAN_E_NOTFOUND);
    assert_non_null(strstr(err.message, "absent: No such file"));
    err = (gan_err){0};
    assert_int_equal(gan__file_read(tmp.path, 4, &data, &size, &err), GAN_E_IO);
    assert_non_null(strstr(err.message, "directory"));
    err = (gan_err){0};
    assert_int_equal(gan__map_open(&m, in("five"), &err), GAN_OK);
    assert_int_equal(m.size, 5);
    assert_memory_equal(m.data, "h\0llo", 5);
    gan__map_close(&m);
    gan__map_close(&m);
    assert_int_equal(gan__map_open(&m, in("none"), &err), GAN_OK);
    assert_null(m.data);
    gan__map_close(&m);
    assert_int_equal(gan__map_open(&m, in("absent"), &err), GAN_E_NOTFOUND);
    if (access("/dev/zero", R_OK) == 0) { /* a source without an end stops at the limit */
        err = (gan_err){0};
        assert_int_equal(gan__file_read("/dev/zero", 10000, &data, &size, &err), GAN_E_FORMAT);
    }
}

static void expect_content(const char *path, const char *text)
{
    char *data;
    size_t size;
    gan_err err = {0};
    assert_int_equal(gan__file_read(path, 1 << 20, &data, &size, &err), GAN_OK);
    assert_string_equal(data, text);
    gan__free(data);
}

static void replacing(void **state)
{
    (void)state;
    gan_err err = {0};
    struct gan__alloc_stats before = gan__alloc_stats();
    struct gan__writer w;
    assert_int_equal(gan__file_replace(in("f"), "one", 3, &err), GAN_OK);
    expect_content(in("f"), "one");
    assert_int_equal(gan__writer_open(&w, in("f"), &err), GAN_OK);
    assert_int_equal(gan__writer_put(&w, "tw", 2, &err), GAN_OK);
    expect_content(in("f"), "one"); /* until commit the old file stays */
    assert_int_equal(gan__writer_put(&w, "o", 1, &err), GAN_OK);
    assert_int_equal(w.bytes, 3);
    assert_int_equal(gan__writer_commit(&w, &err), GAN_OK);
    gan__writer_abort(&w);
    expect_content(in("f"), "two");
    assert_int_equal(gan__writer_open(&w, in("f"), &err), GAN_OK);
    assert_int_equal(gan__writer_put(&w, "three", 5, &err), GAN_OK);
    gan__writer_abort(&w);
    gan__writer_abort(&w);
    expect_content(in("f"), "two");
    assert_int_equal(files_in(tmp.path), 1); /* no temporary is left */
    assert_int_equal(gan__writer_put(&w, "x", 1, &err), GAN_E_INTERNAL);
    err = (gan_err){0};
    assert_int_equal(gan__file_replace(in("no/f"), "x", 1, &err), GAN_E_NOTFOUND);
    assert_non_null(strstr(err.message, "no/f: No such file"));
    err = (gan_err){0};
    assert_int_equal(gan__file_replace(tmp.path, "x", 1, &err), GAN_E_IO);
    assert_int_equal(gan__alloc_stats().live, before.live);
}

/* A file size limit stands in for a full disk: a short write, then an error. */
static void full_disk(void **state)
{
    (void)state;
    gan_err err = {0};
    struct rlimit old, small;
    static char big[5000];
    memset(big, 'b', sizeof big);
    assert_int_equal(gan__file_replace(in("f"), "kept", 4, &err), GAN_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 3000;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    gan_status status = gan__file_replace(in("f"), big, sizeof big, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, GAN_E_IO);
    assert_non_null(strstr(err.message, "/f: File too large"));
    expect_content(in("f"), "kept");
    assert_int_equal(files_in(tmp.path), 1);
}

static void failing_memory(void **state)
{
    (void)state;
    struct gan__alloc_stats before = gan__alloc_stats();
    assert_int_equal(gan__file_replace(in("f"), "old", 3, NULL), GAN_OK);
    for (uint64_t n = 1;; n++) {
        gan_err err = {0};
        char *data = NULL, **names = NULL;
        size_t size, count = 0;
        gan__alloc_fail_at(n);
        gan_status a = gan__file_replace(in("f"), "old", 3, &err);
        gan_status b = gan__file_read(in("f"), 100, &data, &size, &err);
        gan_status c = gan__list_dir(tmp.path, &names, &count, &err);
        gan__alloc_fail_at(0);
        gan__free(data);
        gan__list_free(names, count);
        assert_int_equal(gan__alloc_stats().live, before.live);
        expect_content(in("f"), "old");
        assert_int_equal(files_in(tmp.path), 1);
        if (a == GAN_OK && b == GAN_OK && c == GAN_OK) {
            assert_true(n > 3);
            break;
        }
        assert_int_equal(err.code, GAN_E_NOMEM);
    }
}

static void folders(void **state)
{
    (void)state;
    gan_err err = {0};
    char deep[TEMP_PATH_MAX];
    assert_int_equal(gan__mkdirs(temp_path(&tmp, "a//b/c/", deep), &err), GAN_OK);
    assert_int_equal(gan__mkdirs(deep, &err), GAN_OK);
    assert_true(gan__path_is_dir(deep));
    temp_write(&tmp, "a/file", "x", 1);
    assert_int_equal(gan__mkdirs(in("a/file/d"), &err), GAN_E_IO);
    err = (gan_err){0};
    assert_int_equal(gan__mkdirs("", &err), GAN_E_ARG);
    err = (gan_err){0};
    temp_write(&tmp, "a/Z", "x", 1);
    temp_write(&tmp, "a/.h", "x", 1);
    char **names;
    size_t n;
    assert_int_equal(gan__list_dir(in("a"), &names, &n, &err), GAN_OK);
    assert_int_equal(n, 4);
    static const char *const sorted[] = {".h", "Z", "b", "file"};
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(names[i], sorted[i]);
    }
    gan__list_free(names, n);
    assert_int_equal(gan__list_dir(in("absent"), &names, &n, &err), GAN_E_NOTFOUND);
    err = (gan_err){0};
    uint64_t here = 0, below = 0;
    assert_int_equal(gan__free_space(tmp.path, &here, &err), GAN_OK);
    assert_int_equal(gan__free_space(in("x/y/z"), &below, &err), GAN_OK);
    assert_true(below > 0 || here == 0);
    assert_int_equal(gan__free_space("not-there", &below, &err), GAN_OK);
    assert_int_equal(gan__free_space("/not-there", &below, &err), GAN_OK);
    assert_true(gan__path_exists(in("a/Z")));
    assert_int_equal(gan__remove(in("a/Z"), &err), GAN_OK);
    assert_false(gan__path_exists(in("a/Z")));
    assert_int_equal(gan__remove(in("a/Z"), &err), GAN_OK);
    assert_int_equal(gan__remove(in("a"), &err), GAN_E_IO);
}

static void names(void **state)
{
    (void)state;
    gan_err err = {0};
    char dst[12];
    assert_int_equal(gan__path_join(dst, sizeof dst, "dir", "name", &err), GAN_OK);
    assert_string_equal(dst, "dir/name");
    assert_int_equal(gan__path_join(dst, sizeof dst, "dir/", "name", &err), GAN_OK);
    assert_string_equal(dst, "dir/name");
    assert_int_equal(gan__path_join(dst, sizeof dst, "", "name", &err), GAN_OK);
    assert_string_equal(dst, "name");
    assert_int_equal(gan__path_join(dst, sizeof dst, "longfolder", "name", &err), GAN_E_ARG);
    assert_string_equal(gan__path_base("a/b.c"), "b.c");
    assert_string_equal(gan__path_base("b.c"), "b.c");
    assert_string_equal(gan__path_base("a/"), "");
}

static void cache_place(void **state)
{
    (void)state;
    gan_err err = {0};
    char dst[TEMP_PATH_MAX], own[TEMP_PATH_MAX];
    const char *kept = getenv("GAN_CACHE");
    assert_int_equal(setenv("GAN_CACHE", temp_path(&tmp, "c/d", own), 1), 0);
    assert_int_equal(gan__cache_dir(dst, sizeof dst, &err), GAN_OK);
    assert_true(gan__path_is_dir(own));
    assert_int_equal(unsetenv("GAN_CACHE"), 0);
    assert_int_equal(setenv("XDG_CACHE_HOME", temp_path(&tmp, "xdg", own), 1), 0);
    assert_int_equal(gan__cache_dir(dst, sizeof dst, &err), GAN_OK);
    assert_string_equal(dst, in("xdg/libgan"));
    assert_true(gan__path_is_dir(dst));
    assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
    assert_int_equal(setenv("HOME", tmp.path, 1), 0);
    assert_int_equal(gan__cache_dir(dst, sizeof dst, &err), GAN_OK);
    assert_string_equal(dst, in(".cache/libgan"));
    temp_write(&tmp, "plain", "x", 1);
    assert_int_equal(setenv("GAN_CACHE", in("plain"), 1), 0);
    assert_int_equal(gan__cache_dir(dst, sizeof dst, &err), GAN_E_IO);
    assert_non_null(strstr(err.message, "plain"));
    if (kept != NULL) {
        assert_int_equal(setenv("GAN_CACHE", kept, 1), 0);
    } else {
        assert_int_equal(unsetenv("GAN_CACHE"), 0);
    }
}

static void process_figures(void **state)
{
    (void)state;
    double t0 = gan__now_s();
    assert_true(gan__now_s() >= t0);
    if (gan__path_exists("/proc/self/status")) {
        uint64_t rss = gan__rss_bytes();
        assert_true(rss > 100000);
        assert_true(gan__rss_peak_bytes() >= rss / 2);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(reading),           CASE(replacing),
        CASE(full_disk),         CASE(failing_memory),
        CASE(folders),           CASE(cache_place),
        cmocka_unit_test(names), cmocka_unit_test(process_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* temp_dir.c: folders for tests, under $TMPDIR or /tmp. */
#include "support/temp_dir.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void temp_dir_make(struct temp_dir *t)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(t->path, sizeof t->path, "%s/gan-test-XXXXXX",
                     tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");
    assert_true(n > 0 && (size_t)n < sizeof t->path);
    assert_non_null(mkdtemp(t->path));
}

char *temp_path(const struct temp_dir *t, const char *name, char *dst)
{
    int n = snprintf(dst, TEMP_PATH_MAX, "%s/%s", t->path, name);
    assert_true(n > 0 && n < TEMP_PATH_MAX);
    return dst;
}

void temp_write(const struct temp_dir *t, const char *name, const void *p, size_t n)
{
    char path[TEMP_PATH_MAX];
    FILE *f = fopen(temp_path(t, name, path), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    if (dir != NULL) {
        const struct dirent *e;
        while ((e = readdir(dir)) != NULL) {
            char below[TEMP_PATH_MAX * 2];
            if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
                continue;
            }
            (void)snprintf(below, sizeof below, "%s/%s", path, e->d_name);
            struct stat st;
            if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode)) {
                (void)chmod(below, 0700);
                remove_tree(below);
            } else {
                (void)unlink(below);
            }
        }
        (void)closedir(dir);
    }
    (void)rmdir(path);
}

void temp_dir_remove(struct temp_dir *t)
{
    remove_tree(t->path);
}

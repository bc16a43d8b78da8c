/* path.c: folders, names, places, and what the system tells of this process. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "file.h"

#include "alloc.h"
#include "err.h"
#include "str.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

bool gan__path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool gan__path_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

gan_status gan__path_join(char *dst, size_t cap, const char *dir, const char *name, gan_err *err)
{
    bool slash = dir[0] != '\0' && !gan__ends_with(dir, "/");
    if (!gan__format(dst, cap, "%s%s%s", dir, slash ? "/" : "", name)) {
        return gan__fail(err, GAN_E_ARG, "path too long: %.200s/%.100s, at most %zu bytes", dir,
                         name, cap - 1);
    }
    return GAN_OK;
}

const char *gan__path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Makes one folder; one that is there is fine, a file in its place is not. */
static gan_status make_one(const char *path, gan_err *err)
{
    if (mkdir(path, 0777) == 0) {
        return GAN_OK;
    }
    int cause = errno;
    if (gan__path_is_dir(path)) {
        return GAN_OK;
    }
    errno = cause; /* looking whether it is there has set its own */
    return gan__fail_errno(err, "cannot make the directory", path);
}

gan_status gan__mkdirs(const char *path, gan_err *err)
{
    if (path[0] == '\0') {
        return gan__fail(err, GAN_E_ARG, "cannot make a directory without a name");
    }
    char *work = gan__strdup(path);
    if (work == NULL) {
        return gan__fail_nomem(err, strlen(path), "a path");
    }
    gan_status status = GAN_OK;
    for (char *p = work + 1; status == GAN_OK && *p != '\0'; p++) {
        if (*p == '/' && p[-1] != '/') {
            *p = '\0';
            status = make_one(work, err);
            *p = '/';
        }
    }
    if (status == GAN_OK) {
        status = make_one(work, err);
    }
    gan__free(work);
    return status;
}

gan_status gan__free_space(const char *path, uint64_t *bytes, gan_err *err)
{
    struct statvfs vfs;
    char *work = gan__strdup(path);
    if (work == NULL) {
        return gan__fail_nomem(err, strlen(path), "a path");
    }
    const char *asked = work;
    int rc = statvfs(asked, &vfs);
    while (rc != 0 && errno == ENOENT && strcmp(asked, ".") != 0) {
        char *slash = strrchr(work, '/');
        if (slash == NULL) {
            asked = ".";
        } else if (slash == work) {
            asked = "/";
        } else {
            *slash = '\0';
        }
        if (strcmp(asked, "/") == 0) {
            rc = statvfs(asked, &vfs);
            break;
        }
        rc = statvfs(asked, &vfs);
    }
    gan_status status = GAN_OK;
    if (rc != 0) {
        status = gan__fail_errno(err, "cannot examine", path);
    } else {
        *bytes = (uint64_t)vfs.f_bavail * (uint64_t)vfs.f_frsize;
    }
    gan__free(work);
    return status;
}

gan_status gan__remove(const char *path, gan_err *err)
{
    if (unlink(path) != 0 && errno != ENOENT) {
        return gan__fail_errno(err, "cannot remove", path);
    }
    return GAN_OK;
}

static int by_bytes(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

gan_status gan__list_dir(const char *path, char ***names, size_t *count, gan_err *err)
{
    char **list = NULL;
    size_t n = 0, cap = 0;
    *names = NULL;
    *count = 0;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return gan__fail_errno(err, "cannot read the directory", path);
    }
    gan_status status = GAN_OK;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            status = errno != 0 ? gan__fail_errno(err, "cannot read the directory", path) : GAN_OK;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (!gan__grow(&list, &cap, n + 1, sizeof *list) ||
            (list[n] = gan__strdup(entry->d_name)) == NULL) {
            status = gan__fail_nomem(err, strlen(entry->d_name), "a directory listing");
            break;
        }
        n++;
    }
    (void)closedir(dir);
    if (status != GAN_OK) {
        gan__list_free(list, n);
        return status;
    }
    if (n > 1) {
        qsort(list, n, sizeof *list, by_bytes);
    }
    *names = list;
    *count = n;
    return GAN_OK;
}

void gan__list_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gan__free(names[i]);
    }
    gan__free(names);
}

/* A folder under /tmp may have been laid there by someone else: it must be ours and no link. */
static gan_status own_tmp_dir(char *dst, size_t cap, gan_err *err)
{
    struct stat st;
    if (!gan__format(dst, cap, "/tmp/libgan-%lu", (unsigned long)geteuid())) {
        return gan__fail(err, GAN_E_INTERNAL, "cache path longer than %zu bytes", cap - 1);
    }
    if (mkdir(dst, 0700) != 0 && errno != EEXIST) {
        return gan__fail_errno(err, "cannot make the directory", dst);
    }
    if (lstat(dst, &st) != 0) {
        return gan__fail_errno(err, "cannot examine", dst);
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
        return gan__fail(err, GAN_E_IO, "cannot use %s as a cache: it belongs to someone else",
                         dst);
    }
    return GAN_OK;
}

gan_status gan__cache_dir(char *dst, size_t cap, gan_err *err)
{
    const char *own = getenv("GAN_CACHE");
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (own != NULL && own[0] != '\0') {
        GAN_TRY(gan__path_join(dst, cap, own, "", err));
    } else if (xdg != NULL && xdg[0] == '/') {
        GAN_TRY(gan__path_join(dst, cap, xdg, "libgan", err));
    } else if (home != NULL && home[0] == '/' && gan__path_is_dir(home)) {
        GAN_TRY(gan__path_join(dst, cap, home, ".cache/libgan", err));
    } else {
        return own_tmp_dir(dst, cap, err);
    }
    return gan__mkdirs(dst, err);
}

/* A "Name:   123 kB" line of /proc/self/status, in bytes; 0 where there is none. */
static uint64_t status_figure(const char *name)
{
    char *text = NULL;
    size_t size = 0;
    uint64_t bytes = 0;
    if (gan__file_read("/proc/self/status", 1 << 16, &text, &size, NULL) != GAN_OK) {
        return 0;
    }
    const char *at = strstr(text, name);
    if (at != NULL) {
        bytes = (uint64_t)strtoull(at + strlen(name), NULL, 10) * 1024;
    }
    gan__free(text);
    return bytes;
}

uint64_t gan__rss_bytes(void)
{
    return status_figure("VmRSS:");
}

uint64_t gan__rss_peak_bytes(void)
{
    return status_figure("VmHWM:");
}

double gan__now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

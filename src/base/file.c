/* file.c: files as wholes. Writing goes to a temporary beside the target and is renamed over it
 * after fsync, so a reader sees the old file or the new one, never a part. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "file.h"

#include "alloc.h"
#include "err.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_retry(const char *path, int flags)
{
    int fd;
    do {
        fd = open(path, flags | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* Opens a regular file for reading and tells its size. */
static gan_status open_regular(const char *path, int *fd, off_t *size, gan_err *err)
{
    struct stat st;
    *fd = open_retry(path, O_RDONLY);
    if (*fd < 0) {
        return gan__fail_errno(err, "cannot open", path);
    }
    if (fstat(*fd, &st) != 0) {
        gan_status status = gan__fail_errno(err, "cannot examine", path);
        (void)close(*fd);
        return status;
    }
    if (S_ISDIR(st.st_mode)) {
        (void)close(*fd);
        return gan__fail(err, GAN_E_IO, "cannot read %s: it is a directory", path);
    }
    *size = S_ISREG(st.st_mode) ? st.st_size : 0;
    return GAN_OK;
}

gan_status gan__map_open(struct gan__map *m, const char *path, gan_err *err)
{
    int fd;
    off_t size;
    *m = (struct gan__map){0};
    GAN_TRY(open_regular(path, &fd, &size, err));
    gan_status status = GAN_OK;
    if (size > 0) {
        void *p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            status = gan__fail_errno(err, "cannot map", path);
        } else {
            m->data = p;
            m->size = (size_t)size;
        }
    }
    (void)close(fd);
    return status;
}

void gan__map_close(struct gan__map *m)
{
    if (m->data != NULL) {
        union {
            const unsigned char *in;
            void *out;
        } p = {.in = m->data}; /* munmap wants a plain pointer */
        (void)munmap(p.out, m->size);
    }
    *m = (struct gan__map){0};
}

/* Reads to the end of fd; the size the system told is only where the buffer starts. */
static gan_status read_all(int fd, const char *path, size_t limit, struct gan__str *s, gan_err *err)
{
    for (;;) {
        size_t room = s->cap - s->len;
        if (room < 2) {
            size_t need;
            if (!gan__add(s->cap, 4096, &need) || !gan__grow(&s->p, &s->cap, need, 1)) {
                return gan__fail_nomem(err, s->cap, path);
            }
            room = s->cap - s->len;
        }
        ssize_t n = read(fd, s->p + s->len, room - 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return gan__fail_errno(err, "cannot read", path);
        }
        if (n == 0) {
            s->p[s->len] = '\0';
            return GAN_OK;
        }
        s->len += (size_t)n;
        if (s->len > limit) {
            return gan__fail(err, GAN_E_FORMAT, "%s is larger than the limit of %zu bytes", path,
                             limit);
        }
    }
}

gan_status gan__file_read(const char *path, size_t limit, char **data, size_t *size, gan_err *err)
{
    int fd;
    off_t told;
    struct gan__str s = {0};
    *data = NULL;
    *size = 0;
    GAN_TRY(open_regular(path, &fd, &told, err));
    gan_status status = GAN_OK;
    if ((uint64_t)told > limit) {
        status = gan__fail(err, GAN_E_FORMAT, "%s is %lld bytes, the limit is %zu", path,
                           (long long)told, limit);
    } else if (told > 0) {
        s.p = gan__alloc((size_t)told + 2); /* one byte more shows the end without growing */
        s.cap = s.p != NULL ? (size_t)told + 2 : 0;
        status = s.p != NULL ? GAN_OK : gan__fail_nomem(err, (size_t)told, path);
    }
    if (status == GAN_OK) {
        status = read_all(fd, path, limit, &s, err);
    }
    (void)close(fd);
    if (status != GAN_OK) {
        gan__str_release(&s);
        return status;
    }
    *data = s.p;
    *size = s.len;
    return GAN_OK;
}

/* Opens a temporary beside path under a name no other writer of this process uses. */
static gan_status open_temporary(struct gan__writer *w, gan_err *err)
{
    static _Atomic unsigned serial;
    struct gan__str name = {0};
    for (int attempt = 0; attempt < 100; attempt++) {
        gan__str_clear(&name);
        gan__str_printf(&name, "%s.tmp-%ld-%u", w->path, (long)getpid(),
                        atomic_fetch_add(&serial, 1));
        if (name.bad) {
            gan__str_release(&name);
            return gan__fail_nomem(err, strlen(w->path), "a file name");
        }
        w->fd = open_retry(name.p, O_WRONLY | O_CREAT | O_EXCL);
        if (w->fd >= 0 || errno != EEXIST) {
            break;
        }
    }
    if (w->fd < 0) {
        gan_status status = gan__fail_errno(err, "cannot write", w->path);
        gan__str_release(&name);
        return status;
    }
    w->tmp = name.p;
    return GAN_OK;
}

gan_status gan__writer_open(struct gan__writer *w, const char *path, gan_err *err)
{
    *w = (struct gan__writer){.fd = -1};
    if (gan__path_is_dir(path)) {
        return gan__fail(err, GAN_E_IO, "cannot write %s: it is a directory", path);
    }
    w->path = gan__strdup(path);
    if (w->path == NULL) {
        return gan__fail_nomem(err, strlen(path), "a file name");
    }
    gan_status status = open_temporary(w, err);
    if (status != GAN_OK) {
        gan__writer_abort(w);
    }
    return status;
}

gan_status gan__writer_put(struct gan__writer *w, const void *p, size_t n, gan_err *err)
{
    const unsigned char *bytes = p;
    if (w->fd < 0) {
        return gan__fail(err, GAN_E_INTERNAL, "write to a closed writer");
    }
    while (n > 0) {
        ssize_t done = write(w->fd, bytes, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            errno = done == 0 ? ENOSPC : errno;
            gan_status status = gan__fail_errno(err, "cannot write", w->path);
            gan__writer_abort(w);
            return status;
        }
        bytes += done;
        n -= (size_t)done;
        w->bytes += (uint64_t)done;
    }
    return GAN_OK;
}

/* Makes the rename itself last. File systems that cannot sync a folder say EINVAL: fine. `dir` has
 * room for the path and becomes its folder: after the rename nothing may fail for want of memory. */
static gan_status sync_folder_of(const char *path, char *dir, gan_err *err)
{
    size_t n = (size_t)(gan__path_base(path) - path);
    memcpy(dir, n > 0 ? path : ".", n > 0 ? n : 1);
    dir[n > 0 ? n : 1] = '\0';
    gan_status status = GAN_OK;
    int fd = open_retry(dir, O_RDONLY | O_DIRECTORY);
    if (fd >= 0) {
        if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP) {
            status = gan__fail_errno(err, "cannot sync", dir);
        }
        (void)close(fd);
    } /* a folder may be writable without being readable: then the rename stands unsynced */
    return status;
}

gan_status gan__writer_commit(struct gan__writer *w, gan_err *err)
{
    gan_status status = GAN_OK;
    if (w->fd < 0) {
        return gan__fail(err, GAN_E_INTERNAL, "commit of a closed writer");
    }
    if (fsync(w->fd) != 0 && errno != EINVAL) {
        status = gan__fail_errno(err, "cannot write", w->path);
    }
    int closed = close(w->fd);
    w->fd = -1;
    if (status == GAN_OK && closed != 0) {
        status = gan__fail_errno(err, "cannot write", w->path);
    }
    if (status == GAN_OK && rename(w->tmp, w->path) != 0) {
        status = gan__fail_errno(err, "cannot replace", w->path);
    }
    if (status == GAN_OK) {
        char *dir = w->tmp; /* longer than the path; abort below must not remove it */
        w->tmp = NULL;
        status = sync_folder_of(w->path, dir, err);
        gan__free(dir);
    }
    gan__writer_abort(w);
    return status;
}

void gan__writer_abort(struct gan__writer *w)
{
    if (w->fd >= 0) {
        (void)close(w->fd);
    }
    if (w->tmp != NULL) {
        (void)unlink(w->tmp);
    }
    gan__free(w->tmp);
    gan__free(w->path);
    *w = (struct gan__writer){.fd = -1};
}

gan_status gan__file_replace(const char *path, const void *p, size_t n, gan_err *err)
{
    struct gan__writer w;
    GAN_TRY(gan__writer_open(&w, path, err));
    GAN_TRY(gan__writer_put(&w, p, n, err)); /* a failed put has released w */
    return gan__writer_commit(&w, err);
}

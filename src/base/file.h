/* file.h: files as wholes: read, map, replace atomically. Every failure names the path. */
#ifndef GAN_BASE_FILE_H
#define GAN_BASE_FILE_H

#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A read-only mapping. An empty file maps to data = NULL, size = 0. */
struct gan__map {
    const unsigned char *data;
    size_t size;
};
gan_status gan__map_open(struct gan__map *m, const char *path, gan_err *err);
void gan__map_close(struct gan__map *m);

/* Whole file into memory (NUL added after the end); limit guards against lying sizes. Free with
 * gan__free. */
gan_status gan__file_read(const char *path, size_t limit, char **data, size_t *size, gan_err *err);

/* Atomic replacement: write to PATH.tmp-PID, fsync, rename, fsync the folder.
 * Until commit the old file stays; abort (or a failure) removes the temporary. */
struct gan__writer {
    int fd;         /* -1 when closed */
    char *path;     /* final name */
    char *tmp;      /* temporary beside it */
    uint64_t bytes; /* written so far */
};
gan_status gan__writer_open(struct gan__writer *w, const char *path, gan_err *err);
gan_status gan__writer_put(struct gan__writer *w, const void *p, size_t n, gan_err *err);
gan_status gan__writer_commit(struct gan__writer *w, gan_err *err); /* frees w's memory */
void gan__writer_abort(struct gan__writer *w); /* safe after commit or failure */
gan_status gan__file_replace(const char *path, const void *p, size_t n, gan_err *err);

bool gan__path_exists(const char *path);
bool gan__path_is_dir(const char *path);
gan_status gan__path_join(char *dst, size_t cap, const char *dir, const char *name, gan_err *err);
const char *gan__path_base(const char *path); /* after the last slash */
gan_status gan__mkdirs(const char *path, gan_err *err);
gan_status
gan__free_space(const char *path, uint64_t *bytes,
                gan_err *err); /* of the file system of path or its nearest existing parent */
gan_status gan__remove(const char *path, gan_err *err); /* a missing file is fine */

/* Names in a folder, sorted bytewise, without . and ..; free with gan__list_free. */
gan_status gan__list_dir(const char *path, char ***names, size_t *count, gan_err *err);
void gan__list_free(char **names, size_t count);

/* Folder for caches: $GAN_CACHE, else $XDG_CACHE_HOME/libgan, else $HOME/.cache/libgan, else a
 * folder under /tmp. Made if absent. */
gan_status gan__cache_dir(char *dst, size_t cap, gan_err *err);

/* Process figures from /proc/self; 0 where the system does not tell. */
uint64_t gan__rss_bytes(void);
uint64_t gan__rss_peak_bytes(void);
double gan__now_s(void); /* monotonic seconds */

#endif

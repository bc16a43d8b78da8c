/* err.h: filling a gan_err, and passing one on. */
#ifndef GAN_BASE_ERR_H
#define GAN_BASE_ERR_H

#include <gan/status.h>

#include <stddef.h>

/* Writes the message (if err is not NULL and holds no earlier failure) and returns code. */
gan_status gan__fail_at(gan_err *err, gan_status code, const char *where, const char *fmt, ...)
    GAN_PRINTF(4, 5);

/* The usual form: fills `where` with the calling function's name. */
#define gan__fail(err, code, ...) gan__fail_at((err), (code), __func__, __VA_ARGS__)

/* "cannot allocate N bytes for WHAT" */
gan_status gan__fail_nomem(gan_err *err, size_t bytes, const char *what);

/* "VERB PATH: strerror" with errno; keeps errno. */
gan_status gan__fail_errno(gan_err *err, const char *verb, const char *path);

/* Returns on failure; only where nothing is owned. */
#define GAN_TRY(expr)                                                                              \
    do {                                                                                           \
        gan_status gan__try_status = (expr);                                                       \
        if (gan__try_status != GAN_OK) {                                                           \
            return gan__try_status;                                                                \
        }                                                                                          \
    } while (0)

/* An invariant: checked in debug builds, free in release ones; never checks input. */
#ifdef NDEBUG
#define gan__assert(cond) ((void)sizeof(cond))
#else
#include <assert.h>
#define gan__assert(cond) assert(cond)
#endif

#endif

/* err.c: status codes in words, and the filling of gan_err. The first failure written stays: a
 * later one is usually its consequence. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "err.h"

#include "str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined(__has_include)
#if __has_include("gan_config.h")
#include "gan_config.h"
#endif
#endif
#ifndef GAN_VERSION_STRING
#define GAN_VERSION_STRING "0.1.0"
#endif

const char *gan_status_name(gan_status code)
{
    switch (code) {
    case GAN_OK:
        return "GAN_OK";
    case GAN_E_ARG:
        return "GAN_E_ARG";
    case GAN_E_RANGE:
        return "GAN_E_RANGE";
    case GAN_E_SHAPE:
        return "GAN_E_SHAPE";
    case GAN_E_DTYPE:
        return "GAN_E_DTYPE";
    case GAN_E_NOPATH:
        return "GAN_E_NOPATH";
    case GAN_E_NOMEM:
        return "GAN_E_NOMEM";
    case GAN_E_IO:
        return "GAN_E_IO";
    case GAN_E_FORMAT:
        return "GAN_E_FORMAT";
    case GAN_E_NOTFOUND:
        return "GAN_E_NOTFOUND";
    case GAN_E_UNSUPPORTED:
        return "GAN_E_UNSUPPORTED";
    case GAN_E_DIVERGED:
        return "GAN_E_DIVERGED";
    case GAN_E_INTERRUPTED:
        return "GAN_E_INTERRUPTED";
    case GAN_E_INTERNAL:
        return "GAN_E_INTERNAL";
    }
    return "unknown status";
}

int gan_status_exit_code(gan_status code)
{
    switch (code) {
    case GAN_OK:
        return 0;
    case GAN_E_ARG:
    case GAN_E_RANGE:
        return 2;
    case GAN_E_DIVERGED:
        return 3;
    case GAN_E_INTERRUPTED:
        return 130;
    case GAN_E_SHAPE:
    case GAN_E_DTYPE:
    case GAN_E_NOPATH:
    case GAN_E_NOMEM:
    case GAN_E_IO:
    case GAN_E_FORMAT:
    case GAN_E_NOTFOUND:
    case GAN_E_UNSUPPORTED:
    case GAN_E_INTERNAL:
        return 1;
    }
    return 1;
}

const char *gan_version(void)
{
    return GAN_VERSION_STRING;
}

/* One line whatever a file name or a value held: control characters become spaces. */
static void one_line(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = ' ';
        }
    }
}

gan_status gan__fail_at(gan_err *err, gan_status code, const char *where, const char *fmt, ...)
{
    if (err == NULL || err->code != GAN_OK) {
        return code;
    }
    va_list args;
    err->code = code;
    (void)gan__copy(err->where, sizeof err->where, where);
    va_start(args, fmt);
    (void)vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
    one_line(err->message);
    return code;
}

gan_status gan__fail_nomem(gan_err *err, size_t bytes, const char *what)
{
    return gan__fail_at(err, GAN_E_NOMEM, "memory", "cannot allocate %zu bytes for %s", bytes,
                        what);
}

gan_status gan__fail_errno(gan_err *err, const char *verb, const char *path)
{
    int saved = errno;
    char text[128];
    if (strerror_r(saved, text, sizeof text) != 0) {
        (void)gan__format(text, sizeof text, "system error %d", saved);
    }
    bool absent = saved == ENOENT || saved == ENOTDIR;
    gan_status code = absent ? GAN_E_NOTFOUND : GAN_E_IO;
    (void)gan__fail_at(err, code, "file", "%s %s: %s", verb, path, text);
    errno = saved;
    return code;
}

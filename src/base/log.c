/* log.c: hands one finished line at a time to the program's function. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static gan_log_fn log_fn;
static void *log_ctx;

void gan_set_log(gan_log_fn fn, void *ctx)
{
    (void)pthread_mutex_lock(&log_lock);
    log_fn = fn;
    log_ctx = ctx;
    (void)pthread_mutex_unlock(&log_lock);
}

void gan__log(gan_log_level level, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    for (char *p = line; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = ' '; /* one line, whatever a file name held */
        }
    }
    (void)pthread_mutex_lock(&log_lock);
    if (log_fn != NULL) {
        log_fn(log_ctx, level, line);
    }
    (void)pthread_mutex_unlock(&log_lock);
}

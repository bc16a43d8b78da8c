/* runlog.c: appending whole lines. A number that JSON cannot hold (NaN, infinity) is written as
 * null. */
#include "runlog.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LOG = 1 << 30 };

/* Step and time of a line as it is written here. */
static bool read_line(const char *line, size_t n, int64_t *step, double *time_s)
{
    static const char open[] = "{\"step\":", second[] = ",\"time_s\":";
    char number[40];
    size_t at = sizeof open - 1, digits;
    if (n < at || memcmp(line, open, at) != 0 || line[n - 1] != '}') {
        return false;
    }
    digits = strspn(line + at, "0123456789");
    if (!gan__format(number, sizeof number, "%.*s", (int)digits, line + at) ||
        !gan__parse_i64(number, step)) {
        return false;
    }
    at += digits;
    if (strncmp(line + at, second, sizeof second - 1) != 0) {
        return false;
    }
    at += sizeof second - 1;
    digits = strspn(line + at, "0123456789.e+-");
    return gan__format(number, sizeof number, "%.*s", (int)digits, line + at) &&
           gan__parse_f64(number, time_s);
}

/* Bytes of the leading lines that are whole and not after `step`. */
static size_t keep_until(const char *text, size_t size, int64_t step, double *time_s)
{
    size_t at = 0;
    while (at < size) {
        const char *end = memchr(text + at, '\n', size - at);
        int64_t line_step = 0;
        double line_time = 0;
        if (end == NULL ||
            !read_line(text + at, (size_t)(end - text) - at, &line_step, &line_time) ||
            line_step > step) {
            break;
        }
        *time_s = line_time;
        at = (size_t)(end - text) + 1;
    }
    return at;
}

gan_status gan__runlog_open(struct gan__runlog *l, const char *path, int64_t step, double *time_s,
                            gan_err *err)
{
    char *text = NULL;
    size_t size = 0, keep = 0;
    *l = (struct gan__runlog){.fd = -1, .path = gan__strdup(path)};
    *time_s = 0;
    if (l->path == NULL) {
        return gan__fail_nomem(err, strlen(path), "a log");
    }
    if (gan__path_exists(path)) {
        GAN_TRY(gan__file_read(path, MAX_LOG, &text, &size, err));
        keep = keep_until(text, size, step, time_s);
        gan__free(text);
    }
    l->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (l->fd < 0) {
        return gan__fail_errno(err, "cannot open", path);
    }
    if (ftruncate(l->fd, (off_t)keep) != 0 || lseek(l->fd, (off_t)keep, SEEK_SET) < 0) {
        return gan__fail_errno(err, "cannot cut", path);
    }
    l->bytes = (int64_t)keep;
    return GAN_OK;
}

void gan__runlog_close(struct gan__runlog *l)
{
    if (l->path != NULL && l->fd >= 0) {
        close(l->fd);
    }
    gan__free(l->path);
    gan__str_release(&l->line);
    *l = (struct gan__runlog){.fd = -1};
}

static gan_status write_all(struct gan__runlog *l, const char *p, size_t n, gan_err *err)
{
    while (n > 0) {
        ssize_t k = write(l->fd, p, n);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k < 0) {
            gan_status status = gan__fail_errno(err, "cannot write", l->path);
            if (ftruncate(l->fd, (off_t)l->bytes) == 0) {
                (void)lseek(l->fd, (off_t)l->bytes, SEEK_SET);
            }
            return status;
        }
        p += k;
        n -= (size_t)k;
    }
    return GAN_OK;
}

static void add_number(struct gan__str *s, double v)
{
    char text[40];
    if (isfinite(v) && gan__format_f64(text, sizeof text, v)) {
        gan__str_add(s, text);
    } else {
        gan__str_add(s, "null");
    }
}

void gan__runlog_begin(struct gan__runlog *l, int64_t step)
{
    gan__str_clear(&l->line);
    gan__str_printf(&l->line, "{\"step\":%" PRId64, step);
}

/* The comma and the name in front of a value. */
static void add_name(struct gan__str *s, const char *name)
{
    gan__str_printf(s, "%s\"%s\":", s->len > 0 && s->p[s->len - 1] == '{' ? "" : ",", name);
}

void gan__runlog_number(struct gan__runlog *l, const char *name, double value)
{
    add_name(&l->line, name);
    add_number(&l->line, value);
}

void gan__runlog_text(struct gan__runlog *l, const char *name, const char *text)
{
    add_name(&l->line, name);
    gan__str_add(&l->line, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            gan__str_printf(&l->line, "\\%c", c);
        } else if (c < 0x20) {
            gan__str_printf(&l->line, "\\u%04x", (unsigned)c);
        } else {
            gan__str_addn(&l->line, text, 1);
        }
    }
    gan__str_add(&l->line, "\"");
}

void gan__runlog_open_object(struct gan__runlog *l, const char *name)
{
    add_name(&l->line, name);
    gan__str_add(&l->line, "{");
}

void gan__runlog_close_object(struct gan__runlog *l)
{
    gan__str_add(&l->line, "}");
}

gan_status gan__runlog_end(struct gan__runlog *l, gan_err *err)
{
    struct gan__str *s = &l->line;
    gan__str_add(s, "}\n");
    if (s->bad) {
        return gan__fail_nomem(err, s->len, "a line of the log");
    }
    GAN_TRY(write_all(l, s->p, s->len, err));
    l->bytes += (int64_t)s->len;
    return GAN_OK;
}

gan_status gan__runlog_sync(struct gan__runlog *l, gan_err *err)
{
    return fsync(l->fd) == 0 ? GAN_OK : gan__fail_errno(err, "cannot write", l->path);
}

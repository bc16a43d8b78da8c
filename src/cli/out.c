/* out.c: text in columns, JSON, and lines for people. */
#include "out.h"

#include "cmdline.h"

#include "base/str.h"

#include <gan/optim.h>

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int right_edge = 79;

void gan__out_wrap(bool wrap)
{
    right_edge = wrap ? 79 : INT_MAX / 2;
}

void gan__say(const char *fmt, ...)
{
    va_list args;
    (void)fputs("gan: ", stderr);
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

static bool fancy(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

bool gan__err_is_terminal(void)
{
    return fancy(STDERR_FILENO);
}

void gan__out_heading(const char *text)
{
    const char *no_color = getenv("NO_COLOR");
    bool bold = fancy(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0');
    (void)printf("%s%s%s\n", bold ? "\033[1m" : "", text, bold ? "\033[0m" : "");
}

/* Writes words from column `at`, continuing lines at `indent`; a newline in the text is kept. */
static void wrap(int indent, int at, const char *text)
{
    int column = at;
    bool start = true;
    while (*text != '\0') {
        if (*text == '\n') {
            (void)printf("\n%*s", text[1] != '\0' && text[1] != '\n' ? indent : 0, "");
            column = indent;
            start = true;
            text++;
            continue;
        }
        int len = (int)strcspn(text, " \n");
        if (!start && column + 1 + len > right_edge) {
            (void)printf("\n%*s", indent, "");
            column = indent;
            start = true;
        }
        (void)printf("%s%.*s", start ? "" : " ", len, text);
        column += len + (start ? 0 : 1);
        start = false;
        text += len;
        text += strspn(text, " ");
    }
    (void)putchar('\n');
}

void gan__out_paragraph(int indent, const char *text)
{
    (void)printf("%*s", indent, "");
    wrap(indent, indent, text);
}

void gan__out_entry(int width, const char *name, const char *text)
{
    int len = (int)strlen(name);
    (void)printf("  %s", name);
    if (text == NULL || text[0] == '\0') {
        (void)putchar('\n');
        return;
    }
    if (len > width) {
        (void)printf("\n%*s", width + 4, "");
    } else {
        (void)printf("%*s", width + 2 - len, "");
    }
    wrap(width + 4, width + 4, text);
}

/* What stands for the value of an option. */
static const char *placeholder(const struct gan_opt *o)
{
    switch (o->kind) {
    case GAN_OPT_KIND_I64:
        return " N";
    case GAN_OPT_KIND_F64:
        return " X";
    case GAN_OPT_KIND_BOOL:
        return "";
    case GAN_OPT_KIND_CHOICE:
        return " NAME";
    case GAN_OPT_KIND_TEXT:
        return " TEXT";
    case GAN_OPT_KIND_PARSED:
        return o->parse == gan__path_option   ? " PATH"
               : strcmp(o->name, "time") == 0 ? " TIME"
               : o->parse == gan_optim_option ? " RULE"
                                              : " VALUE";
    }
    return "";
}

/* "; default 100, 1 to 4096". */
static void describe(const struct gan_opt *o, struct gan__str *s)
{
    gan__str_add(s, o->help);
    bool number = o->kind == GAN_OPT_KIND_I64 || o->kind == GAN_OPT_KIND_F64;
    if (o->kind == GAN_OPT_KIND_CHOICE) {
        gan__str_printf(s, "; one of %s", o->choices);
    } else if (number) {
        gan__str_printf(s, o->kind == GAN_OPT_KIND_I64 ? "; %.0f to %.0f" : "; %.15g to %.15g",
                        o->min, o->max);
    }
    bool quiet =
        o->def == NULL || o->def[0] == '\0' ||
        (o->kind == GAN_OPT_KIND_BOOL &&
         (strcmp(o->def, "false") == 0 || strcmp(o->def, "no") == 0 || strcmp(o->def, "0") == 0));
    if (!quiet) {
        gan__str_printf(s, " [%s]", o->def);
    }
}

void gan__out_options(const struct gan_opt *table)
{
    enum { WIDTH = 24 };
    struct gan__str text = {0};
    char name[96];
    for (const struct gan_opt *o = table; o != NULL && o->name != NULL; o++) {
        gan__str_clear(&text);
        describe(o, &text);
        (void)gan__format(name, sizeof name, "--%s%s", o->name, placeholder(o));
        gan__out_entry(WIDTH, name, text.p);
    }
    gan__str_release(&text);
}

const char *gan__text_count(char *dst, size_t cap, int64_t n)
{
    char digits[32];
    size_t at = 0;
    (void)gan__format(digits, sizeof digits, "%" PRId64, n);
    size_t len = strlen(digits);
    for (size_t i = 0; i < len && at + 2 < cap; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-') {
            dst[at++] = ' ';
        }
        dst[at++] = digits[i];
    }
    dst[at] = '\0';
    return dst;
}

const char *gan__text_bytes(char *dst, size_t cap, uint64_t bytes)
{
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    size_t k = 0;
    for (; value >= 1024 && k + 1 < sizeof unit / sizeof unit[0]; k++) {
        value /= 1024;
    }
    (void)gan__format(dst, cap, k == 0 || value >= 100 ? "%.0f %s" : "%.2f %s", value, unit[k]);
    return dst;
}

const char *gan__text_time(char *dst, size_t cap, double seconds)
{
    if (!(seconds >= 0 && seconds < 1e9)) {
        (void)gan__copy(dst, cap, "?");
        return dst;
    }
    if (seconds < 10) {
        (void)gan__format(dst, cap, "%.1fs", seconds);
        return dst;
    }
    long s = (long)(seconds + 0.5);
    if (s < 60) {
        (void)gan__format(dst, cap, "%lds", s);
    } else if (s < 3600) {
        (void)gan__format(dst, cap, "%ldm %02lds", s / 60, s % 60);
    } else {
        (void)gan__format(dst, cap, "%ldh %02ldm", s / 3600, s / 60 % 60);
    }
    return dst;
}

static void json_string(const char *s)
{
    (void)putchar('"');
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            (void)printf("\\%c", c);
        } else if (c < 0x20) {
            (void)printf("\\u%04x", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)putchar('"');
}

static void json_member(struct gan__json *j, const char *key)
{
    if (j->depth > 0) {
        (void)printf("%s\n%*s", j->first ? "" : ",", 2 * j->depth, "");
    }
    j->first = false;
    if (key != NULL) {
        json_string(key);
        (void)fputs(": ", stdout);
    }
}

void gan__json_open(struct gan__json *j, const char *key, char bracket)
{
    json_member(j, key);
    (void)putchar(bracket);
    j->depth++;
    j->first = true;
}

void gan__json_close(struct gan__json *j, char bracket)
{
    j->depth--;
    if (!j->first) {
        (void)printf("\n%*s", 2 * j->depth, "");
    }
    (void)putchar(bracket);
    j->first = false;
    if (j->depth == 0) {
        (void)putchar('\n');
    }
}

void gan__json_text(struct gan__json *j, const char *key, const char *value)
{
    json_member(j, key);
    if (value == NULL) {
        (void)fputs("null", stdout);
    } else {
        json_string(value);
    }
}

void gan__json_i64(struct gan__json *j, const char *key, int64_t value)
{
    json_member(j, key);
    (void)printf("%" PRId64, value);
}

void gan__json_f64(struct gan__json *j, const char *key, double value)
{
    char text[40];
    json_member(j, key);
    if (!isfinite(value) || !gan__format_f64(text, sizeof text, value)) {
        (void)gan__copy(text, sizeof text, "null");
    }
    (void)fputs(text, stdout);
}

void gan__json_bool(struct gan__json *j, const char *key, bool value)
{
    json_member(j, key);
    (void)fputs(value ? "true" : "false", stdout);
}

/* str.c: growing text, number parsing, names that are nearly right, hashes. */
#include "str.h"

#include "alloc.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gan__str_addn(struct gan__str *s, const char *text, size_t n)
{
    size_t need;
    if (s->bad) {
        return;
    }
    if (!gan__add(s->len, n, &need) || !gan__add(need, 1, &need) ||
        !gan__grow(&s->p, &s->cap, need, 1)) {
        s->bad = true;
        return;
    }
    if (n != 0) {
        memcpy(s->p + s->len, text, n);
    }
    s->len += n;
    s->p[s->len] = '\0';
}

void gan__str_add(struct gan__str *s, const char *text)
{
    gan__str_addn(s, text, strlen(text));
}

void gan__str_printf(struct gan__str *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    size_t need;
    if (s->bad) {
        return;
    }
    if (n < 0 || !gan__add(s->len, (size_t)n + 1, &need) || !gan__grow(&s->p, &s->cap, need, 1)) {
        s->bad = true;
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(s->p + s->len, (size_t)n + 1, fmt, args);
    va_end(args);
    s->len += (size_t)n;
}

void gan__str_clear(struct gan__str *s)
{
    s->len = 0;
    s->bad = false;
    if (s->p != NULL) {
        s->p[0] = '\0';
    }
}

void gan__str_release(struct gan__str *s)
{
    gan__free(s->p);
    *s = (struct gan__str){0};
}

bool gan__parse_i64(const char *text, int64_t *out)
{
    const char *p = text;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+') {
        p++;
    }
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value = 0;
    if (*p == '\0') {
        return false;
    }
    for (; *p != '\0'; p++) {
        if (*p < '0' || *p > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (limit - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (negative) {
        *out = value > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)value;
    } else {
        *out = (int64_t)value;
    }
    return true;
}

/* strtod and printf use the decimal point of the program's locale; ours is always a full stop. */
static const char *locale_point(void)
{
    const struct lconv *lc = localeconv();
    return lc != NULL && lc->decimal_point != NULL && lc->decimal_point[0] != '\0'
               ? lc->decimal_point
               : ".";
}

bool gan__parse_f64(const char *text, double *out)
{
    char buf[512];
    const char *point = locale_point();
    const char *dot = strchr(text, '.');
    const char *allowed = "0123456789+-.eEinfatyINFATYxXabcdABCDpP";
    if (text[0] == '\0' || strspn(text, allowed) != strlen(text)) {
        return false; /* also white space and a foreign decimal point */
    }
    int head = dot != NULL ? (int)(dot - text) : (int)strlen(text);
    if (!gan__format(buf, sizeof buf, "%.*s%s%s", head, text, dot != NULL ? point : "",
                     dot != NULL ? dot + 1 : "")) {
        return false;
    }
    char *end = NULL;
    int saved = errno;
    errno = 0;
    double value = strtod(buf, &end);
    bool overflow = errno == ERANGE && isinf(value);
    errno = saved;
    if (end == buf || *end != '\0' || overflow) {
        return false;
    }
    *out = value;
    return true;
}

bool gan__format_f64(char *dst, size_t cap, double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        if (!gan__format(dst, cap, "%.*g", digits, value)) {
            return false;
        }
        const char *point = locale_point();
        char *at = strcmp(point, ".") != 0 ? strstr(dst, point) : NULL;
        if (at != NULL) {
            size_t width = strlen(point);
            *at = '.';
            memmove(at + 1, at + width, strlen(at + width) + 1);
        }
        if (isnan(value) || (gan__parse_f64(dst, &back) && !(back < value) && !(back > value))) {
            break;
        }
    }
    return true;
}

bool gan__starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool gan__ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t m = strlen(suffix);
    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool gan__format(char *dst, size_t cap, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(dst, cap, fmt, args);
    va_end(args);
    return n >= 0 && (size_t)n < cap;
}

bool gan__copy(char *dst, size_t cap, const char *src)
{
    size_t n = strlen(src);
    if (cap == 0) {
        return false;
    }
    size_t fit = n < cap ? n : cap - 1;
    memcpy(dst, src, fit);
    dst[fit] = '\0';
    return fit == n;
}

#define NAME_MAX_COMPARED 63

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, replace, swap of neighbours cost 1 each. */
int gan__edit_distance(const char *a, const char *b)
{
    int rows[3][NAME_MAX_COMPARED + 1];
    size_t la = strlen(a), lb = strlen(b);
    la = la > NAME_MAX_COMPARED ? NAME_MAX_COMPARED : la;
    lb = lb > NAME_MAX_COMPARED ? NAME_MAX_COMPARED : lb;
    for (size_t j = 0; j <= lb; j++) {
        rows[0][j] = (int)j;
    }
    for (size_t i = 1; i <= la; i++) {
        int *now = rows[i % 3];
        const int *prev = rows[(i - 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= lb; j++) {
            int cost = prev[j - 1] + (a[i - 1] != b[j - 1]);
            cost = min_int(cost, min_int(prev[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost = min_int(cost, rows[(i - 2) % 3][j - 2] + 1);
            }
            now[j] = cost;
        }
    }
    return rows[la % 3][lb];
}

const char *gan__nearest_name(const char *name, const char *const *names, size_t count)
{
    int limit = (int)(strlen(name) / 3);
    int best = limit < 1 ? 1 : limit;
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        int d = gan__edit_distance(name, names[i]);
        if ((size_t)d >= strlen(names[i]) || d > best || (found != NULL && d == best)) {
            continue; /* nothing in common, too far, or not nearer than the first one found */
        }
        best = d;
        found = names[i];
    }
    for (size_t i = 0; i < count && found == NULL && strlen(name) > 1; i++) {
        found = gan__starts_with(names[i], name) ? names[i] : NULL; /* mmd: mmd-distance */
    }
    return found;
}

#define FNV_OFFSET 0xCBF29CE484222325u
#define FNV_PRIME 0x00000100000001B3u

uint64_t gan__hash_bytes(uint64_t h, const void *p, size_t n)
{
    const unsigned char *bytes = p;
    h = h == 0 ? FNV_OFFSET : h;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ bytes[i]) * FNV_PRIME;
    }
    return h;
}

uint64_t gan__hash_text(const char *s)
{
    return gan__hash_bytes(0, s, strlen(s));
}

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014) over a sum that tells a from b. */
uint64_t gan__hash_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a * 0x9E3779B97F4A7C15u + b + 0x632BE59BD9B4E019u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

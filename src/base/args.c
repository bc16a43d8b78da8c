/* args.c: named numbers of short specifications. */
#include "args.h"

#include "err.h"
#include "str.h"

#include <math.h>
#include <string.h>

bool gan__args_head(const char *text, char *head, size_t cap, const char **rest)
{
    const char *colon = strchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
    *rest = colon != NULL ? colon + 1 : NULL;
    return gan__format(head, cap, "%.*s", (int)len, text);
}

/* One number of so many characters. */
static gan_status parse_number(const char *what, const char *text, size_t len,
                               const struct gan__arg *a, double *value, gan_err *err)
{
    char item[48];
    if (!gan__format(item, sizeof item, "%.*s", (int)len, text) || !gan__parse_f64(item, value)) {
        return gan__fail(err, GAN_E_ARG, "%s: %s is '%.*s', a number is expected", what, a->name,
                         (int)len, text);
    }
    if (!(*value >= a->min && *value <= a->max)) { /* NaN is outside too */
        return gan__fail(err, GAN_E_RANGE, "%s: %s is %s, allowed %.15g to %.15g", what, a->name,
                         item, a->min, a->max);
    }
    return GAN_OK;
}

/* One place between commas; an empty one keeps the default. to is NULL where numbers stand still. */
static gan_status parse_one(const char *what, const char *text, size_t len,
                            const struct gan__arg *a, double *value, double *to, gan_err *err)
{
    if (len == 0) {
        return GAN_OK;
    }
    for (size_t i = 1; to != NULL && i + 2 < len; i++) {
        if (text[i] == '.' && text[i + 1] == '.') {
            GAN_TRY(parse_number(what, text, i, a, value, err));
            return parse_number(what, text + i + 2, len - i - 2, a, to, err);
        }
    }
    return parse_number(what, text, len, a, value, err);
}

gan_status gan__args_parse_moving(const char *what, const char *text, const struct gan__arg *table,
                                  double *values, double *to, gan_err *err)
{
    int n = 0;
    for (; table[n].name != NULL; n++) {
        values[n] = table[n].def;
        if (to != NULL) {
            to[n] = (double)NAN;
        }
    }
    for (int i = 0; text != NULL; i++) {
        if (i >= n) {
            return gan__fail(err, GAN_E_ARG, "%s takes %d number%s, more are given: '%s'", what, n,
                             n == 1 ? "" : "s", text);
        }
        size_t len = strcspn(text, ",");
        GAN_TRY(parse_one(what, text, len, &table[i], &values[i], to != NULL ? &to[i] : NULL, err));
        text = text[len] == ',' ? text + len + 1 : NULL;
    }
    return GAN_OK;
}

gan_status gan__args_parse(const char *what, const char *text, const struct gan__arg *table,
                           double *values, gan_err *err)
{
    return gan__args_parse_moving(what, text, table, values, NULL, err);
}

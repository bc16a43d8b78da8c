/* option.c: one table drives defaults, parsing, checks and printing of options. */
#include <gan/option.h>

#include "err.h"
#include "str.h"

#include <inttypes.h>
#include <string.h>

static void *field_of(const struct gan_opt *o, void *opts)
{
    return (unsigned char *)opts + o->offset;
}

/* Number k of "a|b|c"; false past the end. */
static bool choice_at(const char *choices, int k, const char **start, size_t *len)
{
    const char *p = choices;
    for (; k > 0; k--) {
        p = strchr(p, '|');
        if (p == NULL) {
            return false;
        }
        p++;
    }
    *start = p;
    *len = strcspn(p, "|");
    return true;
}

static gan_status set_i64(const struct gan_opt *o, void *field, const char *text, gan_err *err)
{
    int64_t value;
    if (!gan__parse_i64(text, &value)) {
        return gan__fail(err, GAN_E_ARG, "--%s is '%s', a whole number is expected", o->name, text);
    }
    if ((double)value < o->min || (double)value > o->max) {
        return gan__fail(err, GAN_E_RANGE, "--%s is %" PRId64 ", allowed %.0f to %.0f", o->name,
                         value, o->min, o->max);
    }
    memcpy(field, &value, sizeof value);
    return GAN_OK;
}

static gan_status set_f64(const struct gan_opt *o, void *field, const char *text, gan_err *err)
{
    double value;
    if (!gan__parse_f64(text, &value)) {
        return gan__fail(err, GAN_E_ARG, "--%s is '%s', a number is expected", o->name, text);
    }
    if (!(value >= o->min && value <= o->max)) { /* NaN is outside too */
        return gan__fail(err, GAN_E_RANGE, "--%s is %s, allowed %.15g to %.15g", o->name, text,
                         o->min, o->max);
    }
    memcpy(field, &value, sizeof value);
    return GAN_OK;
}

static gan_status set_bool(const struct gan_opt *o, void *field, const char *text, gan_err *err)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        bool value = strcmp(text, yes[i]) == 0;
        if (value || strcmp(text, no[i]) == 0) {
            memcpy(field, &value, sizeof value);
            return GAN_OK;
        }
    }
    return gan__fail(err, GAN_E_ARG, "--%s is '%s', allowed yes or no (1/0, true/false, on/off)",
                     o->name, text);
}

static gan_status set_choice(const struct gan_opt *o, void *field, const char *text, gan_err *err)
{
    enum { MANY = 64 };
    char copies[MANY][64];
    const char *names[MANY];
    int n = 0;
    const char *start;
    size_t len;
    for (; n < MANY && choice_at(o->choices, n, &start, &len); n++) {
        if (strlen(text) == len && memcmp(text, start, len) == 0) {
            memcpy(field, &n, sizeof n);
            return GAN_OK;
        }
        (void)gan__format(copies[n], sizeof copies[n], "%.*s", (int)len, start);
        names[n] = copies[n];
    }
    const char *near = gan__nearest_name(text, names, (size_t)n);
    return gan__fail(err, GAN_E_ARG, "--%s is '%s', allowed %s%s%s%s", o->name, text, o->choices,
                     near != NULL ? " (did you mean " : "", near != NULL ? near : "",
                     near != NULL ? "?)" : "");
}

static gan_status set_text(const struct gan_opt *o, void *field, const char *text, gan_err *err)
{
    if (strlen(text) >= GAN_OPT_TEXT_MAX) {
        return gan__fail(err, GAN_E_RANGE, "--%s is %zu bytes long, allowed at most %d", o->name,
                         strlen(text), GAN_OPT_TEXT_MAX - 1);
    }
    (void)gan__copy(field, GAN_OPT_TEXT_MAX, text);
    return GAN_OK;
}

static gan_status set_field(const struct gan_opt *o, void *field, const char *text, gan_err *err)
{
    switch (o->kind) {
    case GAN_OPT_KIND_I64:
        return set_i64(o, field, text, err);
    case GAN_OPT_KIND_F64:
        return set_f64(o, field, text, err);
    case GAN_OPT_KIND_BOOL:
        return set_bool(o, field, text, err);
    case GAN_OPT_KIND_CHOICE:
        return set_choice(o, field, text, err);
    case GAN_OPT_KIND_TEXT:
        return set_text(o, field, text, err);
    case GAN_OPT_KIND_PARSED:
        return o->parse(text, field, err);
    }
    return gan__fail(err, GAN_E_INTERNAL, "option %s has no kind", o->name);
}

const struct gan_opt *gan_opt_find(const struct gan_opt *table, const char *name)
{
    for (const struct gan_opt *o = table; o != NULL && o->name != NULL; o++) {
        if (strcmp(o->name, name) == 0) {
            return o;
        }
    }
    return NULL;
}

gan_status gan_opt_defaults(const struct gan_opt *table, void *opts, gan_err *err)
{
    for (const struct gan_opt *o = table; o != NULL && o->name != NULL; o++) {
        gan_err inner = {0};
        if (set_field(o, field_of(o, opts), o->def, &inner) != GAN_OK) {
            return gan__fail(err, GAN_E_INTERNAL, "default of an option: %.400s", inner.message);
        }
    }
    return GAN_OK;
}

static gan_status fail_unknown(const struct gan_opt *table, const char *name, gan_err *err)
{
    const char *best = NULL;
    int best_distance = 0;
    for (const struct gan_opt *o = table; o != NULL && o->name != NULL; o++) {
        const char *near = gan__nearest_name(name, &o->name, 1);
        int d = near != NULL ? gan__edit_distance(name, near) : 0;
        if (near != NULL && (best == NULL || d < best_distance)) {
            best = near;
            best_distance = d;
        }
    }
    if (best == NULL) {
        return gan__fail(err, GAN_E_ARG, "unknown option --%s", name);
    }
    return gan__fail(err, GAN_E_ARG, "unknown option --%s (did you mean --%s?)", name, best);
}

gan_status gan_opt_set(const struct gan_opt *table, void *opts, const char *name, const char *text,
                       gan_err *err)
{
    const struct gan_opt *o = gan_opt_find(table, name);
    if (o == NULL) {
        return fail_unknown(table, name, err);
    }
    return set_field(o, field_of(o, opts), text, err);
}

/* The text of a field; false when cut or when the choice is out of its list. */
static bool field_text(const struct gan_opt *o, const void *field, char *dst, size_t cap)
{
    int64_t i64;
    double f64;
    bool flag;
    int choice;
    const char *start;
    size_t len;
    switch (o->kind) {
    case GAN_OPT_KIND_I64:
        memcpy(&i64, field, sizeof i64);
        return gan__format(dst, cap, "%" PRId64, i64);
    case GAN_OPT_KIND_F64:
        memcpy(&f64, field, sizeof f64);
        return gan__format_f64(dst, cap, f64);
    case GAN_OPT_KIND_BOOL:
        memcpy(&flag, field, sizeof flag);
        return gan__copy(dst, cap, flag ? "true" : "false");
    case GAN_OPT_KIND_CHOICE:
        memcpy(&choice, field, sizeof choice);
        return choice >= 0 && choice_at(o->choices, choice, &start, &len) &&
               gan__format(dst, cap, "%.*s", (int)len, start);
    case GAN_OPT_KIND_TEXT:
        return gan__copy(dst, cap, field);
    case GAN_OPT_KIND_PARSED:
        return gan__copy(dst, cap, o->def);
    }
    return false;
}

gan_status gan_opt_get(const struct gan_opt *o, const void *opts, char *dst, size_t cap,
                       gan_err *err)
{
    const unsigned char *field = (const unsigned char *)opts + o->offset;
    if (!field_text(o, field, dst, cap)) {
        return gan__fail(err, GAN_E_RANGE, "value of --%s does not fit in %zu bytes", o->name, cap);
    }
    return GAN_OK;
}

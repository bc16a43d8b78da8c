/* regs.c: regularisers as text: "gp:10,clip:.01", "r1:.05/8@cosine:.1". */
#include "regs.h"

#include "base/err.h"
#include "base/str.h"

#include <string.h>

enum { MAX_REGS = 64, TERM_MAX = 96 };

const struct gan_reg *gan_reg_find(const char *name, gan_err *err)
{
    const char *names[MAX_REGS];
    size_t n = 0;
    for (; gan__regs[n] != NULL && n < MAX_REGS; n++) {
        names[n] = gan__regs[n]->name;
        if (strcmp(names[n], name) == 0) {
            return gan__regs[n];
        }
    }
    const char *near = gan__nearest_name(name, names, n);
    gan__fail(err, GAN_E_ARG, "unknown regulariser '%.60s'%s%s%s", name,
              near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    return NULL;
}

const struct gan_reg *gan_reg_at(int i)
{
    for (int k = 0; k < i; k++) {
        if (gan__regs[k] == NULL) {
            return NULL;
        }
    }
    return i >= 0 ? gan__regs[i] : NULL;
}

/* Cuts text at the first `mark`; what follows, or NULL. */
static char *cut(char *text, char mark)
{
    char *at = strchr(text, mark);
    if (at != NULL) {
        *at++ = '\0';
    }
    return at;
}

static gan_status parse_number(const struct gan_reg *r, const char *text, double *value,
                               gan_err *err)
{
    const struct gan_reg_number *a = &r->number;
    *value = a->def;
    if (text == NULL) {
        return GAN_OK;
    }
    if (a->name == NULL) {
        return gan__fail(err, GAN_E_ARG, "regulariser %s takes no number: '%s'", r->name, text);
    }
    if (!gan__parse_f64(text, value)) {
        return gan__fail(err, GAN_E_ARG, "regulariser %s: %s is '%s', a number is expected",
                         r->name, a->name, text);
    }
    if (!(*value >= a->min && *value <= a->max)) {
        return gan__fail(err, GAN_E_RANGE, "regulariser %s: %s is %s, allowed %.15g to %.15g",
                         r->name, a->name, text, a->min, a->max);
    }
    return GAN_OK;
}

/* Every how many iterations a penalty is added. */
static gan_status parse_interval(const struct gan_reg *r, const char *text, int64_t *every,
                                 gan_err *err)
{
    *every = 1;
    if (text == NULL) {
        return GAN_OK;
    }
    if (!gan__parse_i64(text, every)) {
        return gan__fail(err, GAN_E_ARG,
                         "regulariser %s: interval is '%s', a whole number is expected", r->name,
                         text);
    }
    if (*every < 1 || *every > 1000000) {
        return gan__fail(err, GAN_E_RANGE, "regulariser %s: interval is %s, allowed 1 to 1000000",
                         r->name, text);
    }
    if (*every > 1 && r->penalty == NULL) {
        return gan__fail(err, GAN_E_ARG,
                         "regulariser %s: an interval is given, but it is no penalty: it holds "
                         "at every update",
                         r->name);
    }
    return GAN_OK;
}

/* How the weight of a penalty changes over the run. */
static gan_status parse_schedule(const struct gan_reg *r, const char *text, struct gan_schedule *s,
                                 gan_err *err)
{
    gan_err why = {0};
    *s = (struct gan_schedule){.kind = GAN_SCHEDULE_CONSTANT};
    if (text == NULL) {
        return GAN_OK;
    }
    if (r->penalty == NULL) {
        return gan__fail(err, GAN_E_ARG,
                         "regulariser %s: a schedule is given, but it is no penalty: it has no "
                         "weight that could change",
                         r->name);
    }
    gan_status status = gan_schedule_parse(text, s, &why);
    return status == GAN_OK ? GAN_OK
                            : gan__fail(err, status, "regulariser %s: %s", r->name, why.message);
}

static gan_status parse_term(char *text, struct gan_regs *out, gan_err *err)
{
    char *schedule = cut(text, '@');
    char *interval = cut(text, '/'), *number = cut(text, ':');
    const struct gan_reg *r = gan_reg_find(text, err);
    if (r == NULL) {
        return GAN_E_ARG;
    }
    for (int i = 0; i < out->n; i++) {
        if (out->term[i].kind == r) {
            return gan__fail(err, GAN_E_ARG, "regulariser %s is given twice", r->name);
        }
    }
    if (out->n == GAN_REGS_MAX) {
        return gan__fail(err, GAN_E_RANGE, "more than %d regularisers", GAN_REGS_MAX);
    }
    out->term[out->n].kind = r;
    GAN_TRY(parse_number(r, number, &out->term[out->n].value, err));
    GAN_TRY(parse_interval(r, interval, &out->term[out->n].interval, err));
    GAN_TRY(parse_schedule(r, schedule, &out->term[out->n].schedule, err));
    out->n++;
    return GAN_OK;
}

/* Characters of the first term: up to a comma that no number of a schedule follows. */
static size_t term_length(const char *text)
{
    size_t n = strcspn(text, ",");
    while (text[n] == ',' && memchr(text, '@', n) != NULL &&
           strspn(text + n + 1, "0123456789.") > 0) {
        n += 1 + strcspn(text + n + 1, ",");
    }
    return n;
}

gan_status gan_regs_parse(const char *text, struct gan_regs *out, gan_err *err)
{
    struct gan_regs regs = {.n = 0};
    bool none = text[0] == '\0' || strcmp(text, "none") == 0;
    for (const char *at = none ? NULL : text; at != NULL;) {
        char term[TERM_MAX];
        size_t len = term_length(at);
        if (!gan__format(term, sizeof term, "%.*s", (int)len, at)) {
            return gan__fail(err, GAN_E_RANGE, "regulariser '%.40s..' is longer than %d", at,
                             TERM_MAX - 1);
        }
        GAN_TRY(parse_term(term, &regs, err));
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    *out = regs;
    return GAN_OK;
}

gan_status gan_regs_option(const char *text, void *field, gan_err *err)
{
    return gan_regs_parse(text, field, err);
}

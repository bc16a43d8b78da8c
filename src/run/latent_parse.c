/* latent_parse.c: sums of sets of latents, by recursive descent. Every value is a number or a sum of
 * sets with factors; what is not linear in the sets is refused where it stands.
 *
 *     sum     = product { ("+" | "-") product }
 *     product = factor { ("*" | "/") factor }
 *     factor  = "-" factor | number | "(" sum ")" | "mean" "(" NAME ")" | NAME */
#include <gan/latent.h>

#include "base/err.h"
#include "base/str.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { DEEPEST = 32 };

struct parser {
    const char *text, *at;
    struct gan_latent_sum names; /* every set met, factors unused */
    int depth;
    gan_err *err;
};

/* A number, or factors of the parser's sets. */
struct value {
    bool vector;
    double number;
    double factor[GAN_LATENT_SETS];
};

static gan_status wrong(const struct parser *p, const char *at, const char *what)
{
    if (*at == '\0') {
        return gan__fail(p->err, GAN_E_ARG, "'%.120s': %s at its end", p->text, what);
    }
    return gan__fail(p->err, GAN_E_ARG, "'%.120s': %s at character %d, '%.12s'", p->text, what,
                     (int)(at - p->text) + 1, at);
}

static char peek(struct parser *p)
{
    while (isspace((unsigned char)*p->at)) {
        p->at++;
    }
    return *p->at;
}

static gan_status sum(struct parser *p, struct value *v);
static gan_status factor(struct parser *p, struct value *v);

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || s[n] == '_') {
        n++;
    }
    return n;
}

static gan_status set(struct parser *p, struct value *v)
{
    const char *at = p->at;
    size_t n = name_length(at);
    int k = 0;
    if (n == 0 || n >= GAN_LATENT_NAME || isdigit((unsigned char)*at)) {
        return wrong(p, at, n >= GAN_LATENT_NAME ? "a name longer than 15" : "a set is expected");
    }
    while (k < p->names.n &&
           (strlen(p->names.set[k].name) != n || memcmp(p->names.set[k].name, at, n) != 0)) {
        k++;
    }
    if (k == GAN_LATENT_SETS) {
        return wrong(p, at, "more than 12 sets");
    }
    if (k == p->names.n) {
        memcpy(p->names.set[k].name, at, n);
        p->names.set[k].name[n] = '\0';
        p->names.n++;
    }
    p->at += n;
    *v = (struct value){.vector = true};
    v->factor[k] = 1;
    return GAN_OK;
}

static gan_status expect(struct parser *p, char c, const char *what)
{
    if (peek(p) != c) {
        return wrong(p, p->at, what);
    }
    p->at++;
    return GAN_OK;
}

static gan_status number(struct parser *p, struct value *v)
{
    const char *at = p->at;
    char text[40];
    size_t n = strspn(at, "0123456789.");
    if (n > 0 && (at[n] == 'e' || at[n] == 'E')) {
        size_t sign = at[n + 1] == '-' || at[n + 1] == '+';
        size_t digits = strspn(at + n + 1 + sign, "0123456789");
        n += digits > 0 ? 1 + sign + digits : 0;
    }
    *v = (struct value){0};
    if (!gan__format(text, sizeof text, "%.*s", (int)n, at) || !gan__parse_f64(text, &v->number) ||
        !isfinite(v->number)) {
        return wrong(p, at, "no number");
    }
    p->at += n;
    return GAN_OK;
}

static void scale(struct value *v, double by)
{
    v->number *= by;
    for (int i = 0; i < GAN_LATENT_SETS; i++) {
        v->factor[i] *= by;
    }
}

static gan_status plain_factor(struct parser *p, struct value *v)
{
    char c = peek(p);
    if (c == '-') {
        p->at++;
        GAN_TRY(factor(p, v));
        scale(v, -1);
        return GAN_OK;
    }
    if (isdigit((unsigned char)c) || c == '.') {
        return number(p, v);
    }
    if (c == '(') {
        p->at++;
        GAN_TRY(sum(p, v));
        return expect(p, ')', "')' is missing");
    }
    if (name_length(p->at) == 4 && memcmp(p->at, "mean", 4) == 0) {
        p->at += 4;
        GAN_TRY(expect(p, '(', "'(' is missing behind mean"));
        (void)peek(p);
        GAN_TRY(set(p, v));
        return expect(p, ')', "')' is missing");
    }
    return set(p, v);
}

/* Nesting is bounded: texts come from outside. */
static gan_status factor(struct parser *p, struct value *v)
{
    if (p->depth == DEEPEST) {
        return wrong(p, p->at, "nested too deeply");
    }
    p->depth++;
    gan_status status = plain_factor(p, v);
    p->depth--;
    return status;
}

static gan_status product(struct parser *p, struct value *v)
{
    GAN_TRY(factor(p, v));
    for (char c = peek(p); c == '*' || c == '/'; c = peek(p)) {
        const char *at = p->at++;
        struct value w;
        GAN_TRY(factor(p, &w));
        if (w.vector && (v->vector || c == '/')) {
            return wrong(p, at, c == '*' ? "two sets are multiplied" : "a division by a set");
        }
        if (c == '/' && !(fabs(w.number) > 0)) {
            return wrong(p, at, "a division by 0");
        }
        if (w.vector) {
            scale(&w, v->number);
            *v = w;
        } else {
            scale(v, c == '*' ? w.number : 1 / w.number);
        }
    }
    return GAN_OK;
}

static gan_status sum(struct parser *p, struct value *v)
{
    GAN_TRY(product(p, v));
    for (char c = peek(p); c == '+' || c == '-'; c = peek(p)) {
        const char *at = p->at++;
        double sign = c == '+' ? 1 : -1;
        struct value w;
        GAN_TRY(product(p, &w));
        if (v->vector != w.vector) {
            return wrong(p, at, "a set and a number are added");
        }
        v->number += sign * w.number;
        for (int i = 0; i < GAN_LATENT_SETS; i++) {
            v->factor[i] += sign * w.factor[i];
        }
    }
    return GAN_OK;
}

gan_status gan_latent_parse(const char *text, struct gan_latent_sum *out, gan_err *err)
{
    struct parser p = {.text = text, .at = text, .err = err};
    struct value v;
    *out = (struct gan_latent_sum){0};
    GAN_TRY(sum(&p, &v));
    if (peek(&p) != '\0') {
        return wrong(&p, p.at, "+, -, * or / is expected");
    }
    if (!v.vector) {
        return wrong(&p, text, "no set in it");
    }
    *out = p.names;
    for (int i = 0; i < out->n; i++) {
        out->set[i].factor = v.factor[i];
        if (!isfinite(v.factor[i])) {
            *out = (struct gan_latent_sum){0};
            return wrong(&p, text, "a factor that is not finite");
        }
    }
    return GAN_OK;
}

/* spec.c: reads a SPEC by the option tables: the common one and the kind's own. */
#include "spec.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

static gan_status parse_channels(const char *text, void *field, gan_err *err)
{
    int64_t value;
    if (!gan__parse_i64(text, &value) || (value != 0 && value != 1 && value != 3)) {
        return gan__fail(err, GAN_E_ARG, "--channels is '%s', allowed 1 or 3", text);
    }
    memcpy(field, &value, sizeof value);
    return GAN_OK;
}

#define S struct gan__spec_common
static const struct gan_opt common_opts[] = {
    GAN_OPT_I64(S, size, "size", "0", 0, 8192, "scale the shorter side to this, crop the centre"),
    GAN_OPT_PARSED(S, channels, "channels", "0", parse_channels, "1 for gray, 3 for colour"),
    GAN_OPT_BOOL(S, flip, "flip", "no", "mirror half of the images, chosen anew every epoch"),
    GAN_OPT_I64(S, jitter, "jitter", "0", 0, 1024,
                "scale this many pixels too large, crop at a place chosen anew every epoch"),
    GAN_OPT_CHOICE(S, pad, "pad", "background", "background|edge", "what padding is filled with"),
    GAN_OPT_BOOL(S, balance, "balance", "no", "every class equally often, however many it has"),
    GAN_OPT_END,
};
#undef S

const struct gan_opt *gan_data_options(void)
{
    return common_opts;
}

bool gan_data_kind(size_t i, struct gan_data_kind *out)
{
    for (size_t k = 0; gan__datas[k] != NULL; k++) {
        if (k == i) {
            const struct gan_dataset_kind *kind = gan__datas[k];
            *out = (struct gan_data_kind){kind->name, kind->argument, kind->help, kind->opts};
            return true;
        }
    }
    return false;
}

static gan_status find_kind(struct gan__spec *spec, const char *name, gan_err *err)
{
    enum { MANY = 64 };
    const char *names[MANY];
    struct gan__str all = {0};
    size_t n = 0;
    for (; gan__datas[n] != NULL && n < MANY; n++) {
        if (strcmp(gan__datas[n]->name, name) == 0) {
            spec->kind = gan__datas[n];
            return GAN_OK;
        }
        names[n] = gan__datas[n]->name;
    }
    for (size_t i = 0; i < n; i++) {
        gan__str_printf(&all, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    const char *near = gan__nearest_name(name, names, n);
    if (near != NULL) {
        (void)gan__fail(err, GAN_E_ARG, "unknown data '%s' (did you mean %s?)", name, near);
    } else {
        (void)gan__fail(err, GAN_E_ARG, "unknown data '%s', known are %s", name,
                        all.p != NULL && !all.bad ? all.p : "others");
    }
    gan__str_release(&all);
    return GAN_E_ARG;
}

/* "unknown option 'siez' of idx (did you mean size?)" over both tables. */
static gan_status fail_unknown(const struct gan__spec *spec, const char *name, gan_err *err)
{
    enum { MANY = 64 };
    const char *names[MANY];
    size_t n = 0;
    const struct gan_opt *tables[2] = {common_opts, spec->kind->opts};
    for (size_t t = 0; t < 2; t++) {
        for (const struct gan_opt *o = tables[t]; o != NULL && o->name != NULL && n < MANY; o++) {
            names[n++] = o->name;
        }
    }
    const char *near = gan__nearest_name(name, names, n);
    return gan__fail(err, GAN_E_ARG, "unknown option '%s' of data %s%s%s%s", name, spec->kind->name,
                     near != NULL ? " (did you mean " : "", near != NULL ? near : "",
                     near != NULL ? "?)" : "");
}

/* An option of the set inside goes to the end of its SPEC. */
static gan_status pass_option(struct gan__spec *spec, const char *option, gan_err *err)
{
    struct gan__str all = {0};
    gan__str_printf(&all, "%s%c%s", spec->argument, strchr(spec->argument, '?') != NULL ? '&' : '?',
                    option);
    if (all.bad) {
        gan__str_release(&all);
        return gan__fail_nomem(err, strlen(option), "an option of a data set");
    }
    gan__free(spec->argument);
    spec->argument = all.p;
    return GAN_OK;
}

static bool known(const struct gan__spec *spec, const char *name)
{
    return gan_opt_find(common_opts, name) != NULL || gan_opt_find(spec->kind->opts, name) != NULL;
}

static gan_status set_option(struct gan__spec *spec, const char *text, char *name, gan_err *err)
{
    char *equals = strchr(name, '=');
    if (name[0] == '\0' || equals == name || equals == NULL) {
        return gan__fail(err, GAN_E_ARG, "in data '%s': '%s' is not of the form option=value", text,
                         name);
    }
    *equals = '\0';
    if (!known(spec, name)) {
        if (spec->kind->wraps && !spec->closed) {
            *equals = '=';
            return pass_option(spec, name, err);
        }
        return fail_unknown(spec, name, err);
    }
    bool common = gan_opt_find(common_opts, name) != NULL;
    gan_err inner = {0};
    gan_status status = common
                            ? gan_opt_set(common_opts, &spec->common, name, equals + 1, &inner)
                            : gan_opt_set(spec->kind->opts, spec->opts, name, equals + 1, &inner);
    if (status != GAN_OK) {
        const char *message = inner.message;
        message += gan__starts_with(message, "--") ? 2 : 0; /* here options have no dashes */
        return gan__fail(err, status, "in data '%.200s': %s", text, message);
    }
    return GAN_OK;
}

static gan_status set_options(struct gan__spec *spec, const char *text, char *options, gan_err *err)
{
    GAN_TRY(gan_opt_defaults(common_opts, &spec->common, err));
    if (spec->kind->opts != NULL) {
        spec->opts = gan__alloc(spec->kind->opts_size);
        if (spec->opts == NULL) {
            return gan__fail_nomem(err, spec->kind->opts_size, "options of a data set");
        }
        GAN_TRY(gan_opt_defaults(spec->kind->opts, spec->opts, err));
    }
    while (options != NULL) {
        char *next = strchr(options, '&');
        if (next != NULL) {
            *next++ = '\0';
        }
        GAN_TRY(set_option(spec, text, options, err));
        options = next;
    }
    return GAN_OK;
}

static gan_status check_argument(const struct gan__spec *spec, bool colon, gan_err *err)
{
    const struct gan_dataset_kind *kind = spec->kind;
    if (kind->argument == NULL && colon) {
        return gan__fail(err, GAN_E_ARG, "data %s takes nothing after a colon, found '%s'",
                         kind->name, spec->argument);
    }
    if (kind->argument != NULL && spec->argument[0] == '\0') {
        return gan__fail(err, GAN_E_ARG, "data %s needs an argument: %s:%s", kind->name, kind->name,
                         kind->argument);
    }
    return kind->check != NULL ? kind->check(spec->argument, err) : GAN_OK;
}

/* (SPEC)?options: the parentheses come off. `inner` begins with one; *options is what follows. */
static gan_status unwrap(const char *text, char **inner, char **options, gan_err *err)
{
    char *end = *inner;
    for (int depth = 0; *end != '\0'; end++) {
        depth += *end == '(' ? 1 : *end == ')' ? -1 : 0;
        if (depth == 0) {
            break;
        }
    }
    if (*end == '\0' || (end[1] != '\0' && end[1] != '?')) {
        return gan__fail(err, GAN_E_ARG, "in data '%s': %s", text,
                         *end == '\0' ? "a parenthesis is not closed"
                                      : "only ?options may follow the parenthesis");
    }
    *options = end[1] == '?' ? end + 2 : NULL;
    *end = '\0';
    (*inner)++;
    return GAN_OK;
}

/* Is the SPEC of a kind that wraps another? Seen by its name: a SPEC is no deeper than two. */
static bool names_wrapper(const char *text)
{
    size_t len = strcspn(text, ":?");
    for (size_t i = 0; gan__datas[i] != NULL; i++) {
        const char *name = gan__datas[i]->name;
        if (gan__datas[i]->wraps && strlen(name) == len && strncmp(name, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* The set inside a wrapping kind: images, one of each sample, with no chance of its own. */
static gan_status check_wrapped(const struct gan__spec *spec, gan_err *err)
{
    struct gan__spec inner;
    const char *kind = spec->kind->name, *text = spec->argument;
    if (names_wrapper(text)) {
        return gan__fail(err, GAN_E_ARG,
                         "data %s: %.*s takes a SPEC itself, and a SPEC holds one other at most",
                         kind, (int)strcspn(text, ":?"), text);
    }
    GAN_TRY(gan__spec_parse(text, &inner, err));
    const struct gan__spec_common *c = &inner.common;
    gan_status status = GAN_OK;
    if (inner.kind->points) {
        status = gan__fail(err, GAN_E_ARG, "data %s needs a set of single images, %s are points",
                           kind, inner.kind->name);
    } else if (c->flip || c->jitter != 0 || c->pad != 0 || c->balance) {
        status = gan__fail(err, GAN_E_ARG,
                           "data %s: flip, jitter, pad and balance stand outside the parentheses: "
                           "both images of a pair move alike",
                           kind);
    }
    gan__spec_release(&inner);
    return status;
}

/* `work` is a copy of text that is cut into its parts. */
static gan_status parse_parts(const char *text, char *work, struct gan__spec *spec, gan_err *err)
{
    size_t name = strcspn(work, ":?");
    char *argument = work[name] == ':' ? work + name + 1 : NULL;
    char *options = strchr(work + name, '?');
    bool colon = argument != NULL;
    work[name] = '\0';
    GAN_TRY(find_kind(spec, work, err));
    if (colon && argument[0] == '(' && spec->kind->wraps) {
        spec->closed = true;
        GAN_TRY(unwrap(text, &argument, &options, err));
    } else if (options != NULL) {
        *options++ = '\0';
    }
    spec->argument = gan__strdup(colon ? argument : "");
    if (spec->argument == NULL) {
        return gan__fail_nomem(err, strlen(text), "the name of a data set");
    }
    GAN_TRY(check_argument(spec, colon, err));
    GAN_TRY(set_options(spec, text, options, err));
    return spec->kind->wraps ? check_wrapped(spec, err) : GAN_OK;
}

gan_status gan__spec_parse(const char *text, struct gan__spec *spec, gan_err *err)
{
    *spec = (struct gan__spec){0};
    if (text == NULL || text[0] == '\0') {
        return gan__fail(err, GAN_E_ARG, "no data named: a SPEC such as fashion-mnist or idx:DIR");
    }
    char *work = gan__strdup(text);
    if (work == NULL) {
        return gan__fail_nomem(err, strlen(text), "the name of a data set");
    }
    gan_status status = parse_parts(text, work, spec, err);
    gan__free(work);
    if (status != GAN_OK) {
        gan__spec_release(spec);
    }
    return status;
}

void gan__spec_release(struct gan__spec *spec)
{
    gan__free(spec->argument);
    gan__free(spec->opts);
    *spec = (struct gan__spec){0};
}

gan_status gan_data_check_spec(const char *text, gan_err *err)
{
    struct gan__spec spec;
    GAN_TRY(gan__spec_parse(text, &spec, err));
    gan__spec_release(&spec);
    return GAN_OK;
}

/* Appends the SPEC `text` with the option to `out`: at its end, or within its parentheses. */
static gan_status add_option(const char *text, const char *name, const char *option,
                             struct gan__str *out, gan_err *err)
{
    struct gan__spec spec;
    struct gan__str inner = {0};
    GAN_TRY(gan__spec_parse(text, &spec, err));
    size_t open = strcspn(text, ":") + 2; /* behind the parenthesis, where there is one */
    const char *tail = spec.closed ? text + open + strlen(spec.argument) + 1 : text;
    gan_status status = GAN_OK;
    bool own = known(&spec, name);
    if (!own && !spec.kind->wraps) {
        status = gan__fail(err, GAN_E_ARG, "%s does not apply to data %s", name, spec.kind->name);
    } else if (!own) {
        status = add_option(spec.argument, name, option, &inner, err);
        if (status == GAN_OK && inner.bad) {
            status = gan__fail_nomem(err, strlen(text), "a SPEC");
        }
    }
    if (status == GAN_OK && !own && spec.closed) {
        gan__str_addn(out, text, open);
        gan__str_add(out, inner.p);
        gan__str_add(out, tail - 1);
    } else if (status == GAN_OK) {
        gan__str_printf(out, "%s%c%s", text, strchr(tail, '?') != NULL ? '&' : '?', option);
    }
    gan__str_release(&inner);
    gan__spec_release(&spec);
    return status;
}

gan_status gan_data_spec_add(const char *spec, const char *option, char *dst, size_t cap,
                             gan_err *err)
{
    char name[64];
    struct gan__str out = {0};
    (void)gan__format(name, sizeof name, "%.*s", (int)strcspn(option, "="), option);
    gan_status status = add_option(spec, name, option, &out, err);
    if (status == GAN_OK && (out.bad || !gan__copy(dst, cap, out.p))) {
        status = out.bad ? gan__fail_nomem(err, strlen(spec), "a SPEC")
                         : gan__fail(err, GAN_E_RANGE, "the SPEC is too long: %.200s", spec);
    }
    gan__str_release(&out);
    return status == GAN_OK ? gan_data_check_spec(dst, err) : status;
}

gan_status gan_data_spec_get(const char *text, const char *name, char *dst, size_t cap,
                             gan_err *err)
{
    struct gan__spec spec;
    GAN_TRY(gan__spec_parse(text, &spec, err));
    const struct gan_opt *o = gan_opt_find(spec.kind->opts, name),
                         *common = gan_opt_find(common_opts, name);
    gan_status status = GAN_OK;
    if (o != NULL) {
        status = gan_opt_get(o, spec.opts, dst, cap, err);
    } else if (common != NULL) {
        status = gan_opt_get(common, &spec.common, dst, cap, err);
    } else if (spec.kind->wraps) {
        status = gan_data_spec_get(spec.argument, name, dst, cap, err);
    } else if (!gan__copy(dst, cap, "")) {
        status = gan__fail(err, GAN_E_RANGE, "no room for the value of %s", name);
    }
    gan__spec_release(&spec);
    return status;
}

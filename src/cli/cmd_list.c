/* cmd_list.c: gan list [KIND]: what this build has, one name and one line about each. */
#include "command.h"
#include "find.h"
#include "out.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct list_opts {
    bool json;
};

static const struct gan_opt opts[] = {
    GAN_OPT_BOOL(struct list_opts, json, "json", "false", "a JSON object of arrays"),
    GAN_OPT_END,
};

static void list_json(struct gan__json *j, const struct gan__kind *k)
{
    const char *name, *line;
    gan__json_open(j, k->name, '[');
    for (int i = 0; k->at(i, &name, &line); i++) {
        gan__json_open(j, NULL, '{');
        gan__json_text(j, "name", name);
        gan__json_text(j, "about", line);
        gan__json_close(j, '}');
    }
    gan__json_close(j, ']');
}

static int list_text(const struct gan__kind *k)
{
    const char *name, *line;
    int n = 0;
    for (; k->at(n, &name, &line); n++) {
        gan__out_entry(24, name, line);
    }
    return n;
}

static const struct gan__kind *find_kind(const char *name, gan_err *err)
{
    enum { MANY = 16 };
    const char *names[MANY];
    size_t n = 0;
    for (const struct gan__kind *k = gan__kinds; k->name != NULL && n < MANY; k++) {
        if (strcmp(k->name, name) == 0) {
            return k;
        }
        names[n++] = k->name;
    }
    const char *near = gan__suggest(name, names, n);
    (void)gan__fail(err, GAN_E_ARG, "unknown kind '%s'%s%s%s", name,
                    near != NULL ? " (did you mean '" : ", see gan help list",
                    near != NULL ? near : "", near != NULL ? "'?)" : "");
    return NULL;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct list_opts *o = a->opts;
    const struct gan__kind *only = NULL;
    struct gan__json j = {0};
    if (a->n_words > 0 && (only = find_kind(a->word[0], err)) == NULL) {
        return GAN_E_ARG;
    }
    gan__out_wrap(isatty(STDOUT_FILENO) == 1);
    if (o->json) {
        gan__json_open(&j, NULL, '{');
    }
    for (const struct gan__kind *k = gan__kinds; k->name != NULL; k++) {
        if (only != NULL && k != only) {
            continue;
        }
        if (o->json) {
            list_json(&j, k);
            continue;
        }
        const char *name, *line;
        if (only == NULL && k->at(0, &name, &line)) {
            gan__out_heading(k->name);
        }
        if (list_text(k) == 0 && only != NULL) {
            gan__say("list: this version has no %s", k->name);
        }
    }
    if (o->json) {
        gan__json_close(&j, '}');
    }
    return GAN_OK;
}

GAN_COMMAND(list) = {
    .name = "list",
    .summary = "what there is: models, losses, data sets, ...",
    .usage =
        "gan list [models|presets|losses|regs|archs|data|metrics|experiments|ops|optimizers|inits]",
    .opts = opts,
    .size = sizeof(struct list_opts),
    .max_words = 1,
    .run = run,
};

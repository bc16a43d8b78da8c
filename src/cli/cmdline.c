/* cmdline.c: reads `--name value`, `--name=value`, `--name`, `--no-name` and words by the tables of
 * the command and of its model. A value is whatever follows, unless it begins with two dashes. */
#include "cmdline.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "find.h"

#include <gan/machine.h>

#include <string.h>

gan_status gan__path_option(const char *text, void *field, gan_err *err)
{
    (void)err;
    const char *path = text[0] != '\0' ? text : NULL;
    memcpy(field, &path, sizeof path);
    return GAN_OK;
}

int gan__cmdline_threads(int64_t asked)
{
    struct gan_machine machine;
    gan_machine_about(&machine);
    return asked > 0 ? (int)asked : machine.threads;
}

bool gan__cmdline_given(const struct gan__cmdline *a, const char *name)
{
    for (size_t i = 0; i < a->n_given; i++) {
        if (strcmp(a->given[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Where an option lives and what it is. */
struct found {
    const struct gan_opt *opt;
    bool setting; /* handed on as text */
    bool negated; /* --no-name */
};

/* The tables a line may draw on: the command's, that of training, the model's; NULL: not here. */
enum { TABLES = 3 };
static void get_tables(const struct gan__cmdline *a, const struct gan_opt *table[TABLES])
{
    table[0] = a->command->opts;
    table[1] = (a->command->flags & GAN__TRAIN_OPTIONS) != 0 ? gan_train_options() : NULL;
    table[2] = a->model != NULL ? a->model->opts : NULL;
}

static bool find_plain(const struct gan__cmdline *a, const char *name, struct found *f)
{
    const struct gan_opt *table[TABLES];
    get_tables(a, table);
    for (int t = 0; t < TABLES; t++) {
        f->opt = gan_opt_find(table[t], name);
        f->setting = t > 0;
        if (f->opt != NULL) {
            return true;
        }
    }
    return false;
}

static bool find_option(const struct gan__cmdline *a, const char *name, struct found *f)
{
    *f = (struct found){0};
    if (find_plain(a, name, f)) {
        return true;
    }
    f->negated = gan__starts_with(name, "no-") && find_plain(a, name + 3, f) &&
                 f->opt->kind == GAN_OPT_KIND_BOOL;
    return f->negated;
}

static gan_status fail_option(const struct gan__cmdline *a, const char *name, gan_err *err)
{
    enum { MANY = 192 };
    const char *names[MANY] = {"help"};
    size_t n = 1;
    const struct gan_opt *table[TABLES];
    get_tables(a, table);
    for (int t = 0; t < TABLES; t++) {
        for (const struct gan_opt *o = table[t]; o != NULL && o->name != NULL && n < MANY; o++) {
            names[n++] = o->name;
        }
    }
    const char *near = gan__suggest(name, names, n);
    if (near == NULL) {
        return gan__fail(err, GAN_E_ARG, "unknown option --%s, see gan help %s", name,
                         a->command->name);
    }
    return gan__fail(err, GAN_E_ARG, "unknown option --%s (did you mean --%s?)", name, near);
}

static gan_status note_given(struct gan__cmdline *a, const char *name, gan_err *err)
{
    if (!gan__grow(&a->given, &a->cap_given, a->n_given + 1, sizeof *a->given)) {
        return gan__fail_nomem(err, sizeof *a->given, "the command line");
    }
    a->given[a->n_given++] = name;
    return GAN_OK;
}

static gan_status note_setting(struct gan__cmdline *a, const char *name, const char *text,
                               gan_err *err)
{
    if (!gan__grow(&a->setting, &a->cap_settings, a->n_settings + 1, sizeof *a->setting)) {
        return gan__fail_nomem(err, sizeof *a->setting, "the command line");
    }
    a->setting[a->n_settings++] = (struct gan_setting){name, text};
    return GAN_OK;
}

/* An option of the model that a configuration file will name: its value is what follows, if that
 * looks like one. The run refuses it if the model does not have it. */
static gan_status read_loose(struct gan__cmdline *a, int argc, char **argv, int i, int *used,
                             gan_err *err)
{
    char *name = argv[i] + 2;
    char *equals = strchr(name, '=');
    const char *text = "yes";
    if (equals != NULL) {
        *equals = '\0';
        text = equals + 1;
    } else if (i + 1 < argc && !gan__starts_with(argv[i + 1], "--")) {
        text = argv[i + 1];
        *used = 2;
    } else if (gan__starts_with(name, "no-")) {
        name += 3;
        text = "no";
    }
    return note_setting(a, name, text, err);
}

/* argv[i] is an option; *used receives how many words it took. */
static gan_status read_option(struct gan__cmdline *a, int argc, char **argv, int i, int *used,
                              gan_err *err)
{
    char name[64];
    const char *body = argv[i] + 2;
    size_t len = strcspn(body, "=");
    struct found f;
    (void)gan__format(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), body);
    *used = 1;
    if (strcmp(name, "help") == 0) {
        a->help = true;
        return GAN_OK;
    }
    bool known = find_option(a, name, &f);
    if (!known && !a->loose) {
        return fail_option(a, name, err);
    }
    const char *text = body[len] == '=' ? body + len + 1 : NULL;
    if (!known) {
        return read_loose(a, argc, argv, i, used, err);
    }
    if (f.negated) {
        if (text != NULL) {
            return gan__fail(err, GAN_E_ARG, "--%s takes no value, got '%s'", name, text);
        }
        text = "no";
    } else if (text == NULL && f.opt->kind == GAN_OPT_KIND_BOOL) {
        text = "yes";
    } else if (text == NULL) {
        if (i + 1 >= argc || gan__starts_with(argv[i + 1], "--")) {
            return gan__fail(err, GAN_E_ARG, "--%s needs a value: %s", name, f.opt->help);
        }
        text = argv[i + 1];
        *used = 2;
    }
    if (f.setting) {
        return note_setting(a, f.opt->name, text, err);
    }
    GAN_TRY(note_given(a, f.opt->name, err));
    return gan_opt_set(a->command->opts, a->opts, f.opt->name, text, err);
}

/* Word `index`, when options that are not the command's are taken to have a value. */
static const char *early_word(const struct gan__cmdline *a, int index, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            return i + 1 + index < argc ? argv[i + 1 + index] : NULL;
        }
        if (!gan__starts_with(argv[i], "--")) {
            if (index-- == 0) {
                return argv[i];
            }
            continue;
        }
        struct found f;
        char name[64];
        size_t len = strcspn(argv[i] + 2, "=");
        (void)gan__format(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), argv[i] + 2);
        bool flag = strcmp(name, "help") == 0 || gan__starts_with(name, "no-") ||
                    (find_option(a, name, &f) && f.opt->kind == GAN_OPT_KIND_BOOL);
        if (argv[i][2 + len] != '=' && !flag) {
            i++;
        }
    }
    return NULL;
}

static gan_status find_model(struct gan__cmdline *a, const char *word, gan_err *err)
{
    if (word == NULL) {
        return GAN_OK;
    }
    gan_err inner = {0};
    gan_status status = gan__find_model(word, &a->model, &a->preset, &inner);
    if (status != GAN_OK && (a->command->flags & GAN__WORD_IS_MODEL) != 0) {
        return gan__fail(err, status, "%s", inner.message);
    }
    a->model_word = status == GAN_OK ? word : NULL;
    return GAN_OK;
}

static gan_status read_words(struct gan__cmdline *a, int argc, char **argv, gan_err *err)
{
    bool options = true;
    for (int i = 0; i < argc;) {
        int used = 1;
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && strcmp(argv[i], "-h") == 0) {
            a->help = true;
        } else if (options && gan__starts_with(argv[i], "--")) {
            GAN_TRY(read_option(a, argc, argv, i, &used, err));
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            return gan__fail(err, GAN_E_ARG, "unknown option %s: options begin with two dashes",
                             argv[i]);
        } else if (a->n_words >= a->command->max_words) {
            return gan__fail(err, GAN_E_ARG, "unexpected '%s'; usage: %.*s", argv[i],
                             (int)strcspn(a->command->usage, "\n"), a->command->usage);
        } else {
            a->word[a->n_words++] = argv[i];
        }
        i += used;
    }
    return GAN_OK;
}

/* Is this argument --NAME or --NAME=...? */
static bool is_option(const char *arg, const char *name)
{
    size_t n = strlen(name);
    return strncmp(arg, "--", 2) == 0 && strncmp(arg + 2, name, n) == 0 &&
           (arg[2 + n] == '\0' || arg[2 + n] == '=');
}

gan_status gan__cmdline_read(struct gan__cmdline *a, const struct gan__command *c, int argc,
                             char **argv, gan_err *err)
{
    *a = (struct gan__cmdline){.command = c};
    a->opts = gan__alloc(c->size);
    if (a->opts == NULL) {
        return gan__fail_nomem(err, c->size, "the command's options");
    }
    GAN_TRY(gan_opt_defaults(c->opts, a->opts, err));
    if ((c->flags & (GAN__WORD_IS_MODEL | GAN__WORD_MAY_BE_MODEL)) != 0) {
        int index = (c->flags & GAN__MODEL_IS_SECOND) != 0 ? 1 : 0;
        GAN_TRY(find_model(a, early_word(a, index, argc, argv), err));
    }
    for (int i = 0; i < argc && a->model == NULL && (c->flags & GAN__TRAIN_OPTIONS) != 0; i++) {
        a->loose = a->loose || is_option(argv[i], "config") || is_option(argv[i], "resume");
    }
    GAN_TRY(read_words(a, argc, argv, err));
    if (!a->help && a->n_words < c->min_words) {
        return gan__fail(err, GAN_E_ARG, "something is missing; usage: %.*s",
                         (int)strcspn(c->usage, "\n"), c->usage);
    }
    return GAN_OK;
}

void gan__cmdline_release(struct gan__cmdline *a)
{
    gan__free(a->opts);
    gan__free(a->setting);
    gan__free(a->given);
    *a = (struct gan__cmdline){0};
}

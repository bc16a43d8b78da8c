/* find.c: walks the library's tables. */
#include "find.h"

#include "base/err.h"
#include "base/str.h"

#include <gan/data.h>
#include <gan/graph.h>
#include <gan/loss.h>
#include <gan/metric.h>
#include <gan/nn.h>
#include <gan/model.h>
#include <gan/optim.h>
#include <gan/reg.h>
#include <gan/theory.h>
#include <gan/train.h>

#include <string.h>

static bool model_at(int i, const char **name, const char **line)
{
    const struct gan_model *m = gan_model_at(i);
    if (m == NULL) {
        return false;
    }
    *name = m->name;
    *line = m->title;
    return true;
}

static bool preset_at(int i, const char **name, const char **line)
{
    const struct gan_preset *p = gan_preset_at(i);
    if (p == NULL) {
        return false;
    }
    *name = p->name;
    *line = p->paper;
    return true;
}

static bool loss_at(int i, const char **name, const char **line)
{
    const struct gan_loss *l = gan_loss_at(i);
    if (l == NULL) {
        return false;
    }
    *name = l->name;
    *line = l->doc;
    return true;
}

static bool reg_at(int i, const char **name, const char **line)
{
    const struct gan_reg *r = gan_reg_at(i);
    if (r == NULL) {
        return false;
    }
    *name = r->name;
    *line = r->doc;
    return true;
}

static bool arch_at(int i, const char **name, const char **line)
{
    *name = gan_arch_name(i);
    *line = *name != NULL ? gan_arch_doc(i) : NULL;
    return *name != NULL;
}

static bool data_at(int i, const char **name, const char **line)
{
    struct gan_data_kind kind;
    if (i < 0 || !gan_data_kind((size_t)i, &kind)) {
        return false;
    }
    *name = kind.name;
    *line = kind.help;
    return true;
}

static bool op_at(int i, const char **name, const char **line)
{
    *name = gan_op_name(i);
    *line = *name != NULL ? gan_op_doc(i) : NULL;
    return *name != NULL;
}

static bool optim_at(int i, const char **name, const char **line)
{
    *name = gan_optim_kind_name(i);
    *line = *name != NULL ? gan_optim_kind_doc(i) : NULL;
    return *name != NULL;
}

static bool init_at(int i, const char **name, const char **line)
{
    *name = gan_init_name(i);
    *line = *name != NULL ? gan_init_doc(i) : NULL;
    return *name != NULL;
}

static bool experiment_at(int i, const char **name, const char **line)
{
    const struct gan_experiment *e = i < 0 ? NULL : gan_experiment_at((size_t)i);
    if (e == NULL) {
        return false;
    }
    *name = e->name;
    *line = e->title;
    return true;
}

static bool metric_at(int i, const char **name, const char **line)
{
    const struct gan_metric *m = i < 0 ? NULL : gan_metric_at((size_t)i);
    if (m == NULL) {
        return false;
    }
    *name = m->name;
    *line = m->help;
    return true;
}

const struct gan__kind gan__kinds[] = {
    {"models", "model", model_at},
    {"presets", "preset", preset_at},
    {"losses", "loss", loss_at},
    {"regs", "regulariser", reg_at},
    {"archs", "architecture", arch_at},
    {"data", "data set", data_at},
    {"metrics", "metric", metric_at},
    {"experiments", "experiment", experiment_at},
    {"ops", "op", op_at},
    {"optimizers", "optimizer", optim_at},
    {"inits", "initialiser", init_at},
    {NULL, NULL, NULL},
};

const char *gan__suggest(const char *name, const char *const *names, size_t n)
{
    const char *near = gan__nearest_name(name, names, n);
    if (near != NULL || name[0] == '\0') {
        return near;
    }
    const char *best = NULL;
    int found = 0, least = 3; /* beyond a third of the length, two slips still tell a longer name */
    for (size_t i = 0; i < n; i++) {
        int distance = gan__edit_distance(name, names[i]);
        if (gan__starts_with(names[i], name)) {
            near = names[i];
            found++;
        } else if (distance < least && strlen(name) >= 4) {
            best = names[i];
            least = distance;
        }
    }
    return found == 1 ? near : best;
}

const struct gan_preset *gan__find_preset(const char *name)
{
    const struct gan_preset *p;
    for (int i = 0; (p = gan_preset_at(i)) != NULL; i++) {
        if (strcmp(p->name, name) == 0) {
            return p;
        }
    }
    return NULL;
}

gan_status gan__find_model(const char *name, const struct gan_model **model,
                           const struct gan_preset **preset, gan_err *err)
{
    enum { MANY = 256 };
    const char *names[MANY];
    const char *line;
    size_t n = 0;
    *preset = gan__find_preset(name);
    gan_err inner = {0};
    *model = gan_model_find(*preset != NULL ? (*preset)->model : name, &inner);
    if (*model != NULL) {
        return GAN_OK;
    }
    if (*preset != NULL) {
        return gan__fail(err, GAN_E_INTERNAL,
                         "preset %s stands on the model '%s', which is missing", name,
                         (*preset)->model);
    }
    for (int i = 0; n < MANY && model_at(i, &names[n], &line); i++) {
        n++;
    }
    for (int i = 0; n < MANY && preset_at(i, &names[n], &line); i++) {
        n++;
    }
    const char *near = gan__suggest(name, names, n);
    if (near == NULL) {
        return gan__fail(err, GAN_E_ARG, "unknown model '%s', see gan list models", name);
    }
    return gan__fail(err, GAN_E_ARG, "unknown model '%s' (did you mean '%s'?)", name, near);
}

/* resume.c: recipes of new and of continued runs. */
#include "resume.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "config.h"
#include "rundir.h"

#include <string.h>

gan_status gan__open_newest(const char *dir, gan_checkpoint **out, gan_err *err)
{
    int64_t *steps = NULL;
    size_t n = 0;
    gan_err first = {0};
    *out = NULL;
    GAN_TRY(gan__rundir_steps(dir, &steps, &n, err));
    gan_status status = GAN_OK;
    while (*out == NULL && n > 0 && status == GAN_OK) {
        char path[GAN_PATH_TEXT_MAX];
        gan_err own = {0};
        status = gan__rundir_checkpoint(path, sizeof path, dir, steps[--n], err);
        if (status != GAN_OK || gan_checkpoint_open(path, out, &own) == GAN_OK) {
            continue;
        }
        first = first.code == GAN_OK ? own : first;
        if (n > 0) {
            gan__log(GAN_LOG_WARNING, "%s; falling back to the checkpoint before", own.message);
        }
    }
    gan__free(steps);
    if (status == GAN_OK && *out == NULL) {
        status = first.code != GAN_OK
                     ? gan__fail(err, first.code, "%s", first.message)
                     : gan__fail(err, GAN_E_NOTFOUND, "%s/checkpoints holds no checkpoint", dir);
    }
    return status;
}

/* The options of a file; what is wrong with them is wrong with the file. */
static gan_status apply_config(struct gan__recipe *r, const struct gan__config *c, const char *path,
                               gan_err *err)
{
    gan_err own = {0};
    for (size_t i = 0; i < c->n_set; i++) {
        if (gan__recipe_set(r, c->set[i].name, c->set[i].value, &own) != GAN_OK) {
            return gan__fail(err, GAN_E_FORMAT, "%s: %s", path, own.message);
        }
    }
    if (c->data != NULL && gan__recipe_set_data(r, c->data, &own) != GAN_OK) {
        return gan__fail(err, GAN_E_FORMAT, "%s: %s", path, own.message);
    }
    for (size_t i = 0; i < c->n_init; i++) {
        GAN_TRY(gan__recipe_add_init(r, c->init[i], err));
    }
    return GAN_OK;
}

static gan_status build_new(const struct gan_train_cfg *cfg, const struct gan__config *file,
                            struct gan__recipe *r, gan_err *err)
{
    gan_err own = {0};
    if (cfg->model == NULL && file->model != NULL) {
        if (gan__recipe_init(r, file->model, &own) != GAN_OK) {
            return gan__fail(err, GAN_E_FORMAT, "%s: %s", cfg->config, own.message);
        }
    } else {
        GAN_TRY(gan__recipe_init(r, cfg->model, err));
    }
    if (cfg->config != NULL) {
        GAN_TRY(apply_config(r, file, cfg->config, err));
    }
    for (size_t i = 0; i < cfg->n_set; i++) {
        GAN_TRY(gan__recipe_set(r, cfg->set[i].name, cfg->set[i].value, err));
    }
    if (cfg->data != NULL) {
        GAN_TRY(gan__recipe_set_data(r, cfg->data, err));
    }
    r->n_init = cfg->n_init > 0 ? 0 : r->n_init;
    for (size_t i = 0; i < cfg->n_init; i++) {
        GAN_TRY(gan__recipe_add_init(r, cfg->init[i], err));
    }
    return gan__recipe_check(r, err);
}

gan_status gan__new_recipe(const struct gan_train_cfg *cfg, struct gan__recipe *r, gan_err *err)
{
    struct gan__config file = {0};
    gan_status status = GAN_OK;
    *r = (struct gan__recipe){0};
    if (cfg->config != NULL) {
        status = gan__config_read(&file, cfg->config, err);
    }
    if (status == GAN_OK) {
        status = build_new(cfg, &file, r, err);
    }
    gan__config_release(&file);
    return status;
}

/* --- continued runs ----------------------------------------------------------------------------- */

static const char *config_value(const struct gan__config *c, const char *name)
{
    for (size_t i = 0; i < c->n_set; i++) {
        if (strcmp(c->set[i].name, name) == 0) {
            return c->set[i].value;
        }
    }
    return NULL;
}

static gan_status fail_fixed(const char *name, const char *value, const char *old, gan_err *err)
{
    return gan__fail(err, GAN_E_ARG,
                     "%s is %.80s, the run was started with %.80s: only length, threads, logging "
                     "and keeping may change on resume",
                     name, value, old);
}

/* `config` has no model of its own to resume with, and the like. */
static gan_status check_fixed(const struct gan_train_cfg *cfg, const struct gan__config *c,
                              gan_err *err)
{
    if (cfg->model != NULL && c->model != NULL && strcmp(cfg->model, c->model) != 0) {
        return fail_fixed("the model", cfg->model, c->model, err);
    }
    if (cfg->data != NULL && c->data != NULL && strcmp(cfg->data, c->data) != 0) {
        return fail_fixed("--data", cfg->data, c->data, err);
    }
    if (cfg->n_init > 0) {
        return gan__fail(err, GAN_E_ARG,
                         "--init does not go with --resume: the weights are those "
                         "of the checkpoint");
    }
    if (cfg->config != NULL || cfg->out != NULL) {
        return gan__fail(err, GAN_E_ARG, "--%s does not go with --resume %s",
                         cfg->config != NULL ? "config" : "out", cfg->resume);
    }
    return GAN_OK;
}

static gan_status change(struct gan__recipe *r, const struct gan__config *c,
                         const struct gan_setting *s, gan_err *err)
{
    const char *old = config_value(c, s->name);
    if (strcmp(s->name, "precision") == 0 && strcmp(s->value, "auto") == 0) {
        return GAN_OK; /* was decided when the run began */
    }
    if (!gan__recipe_may_change(s->name)) {
        GAN_TRY(gan__recipe_set(r, s->name, s->value, err)); /* an unknown name, a bad value */
        if (old == NULL || strcmp(old, s->value) != 0) {
            char name[80];
            (void)gan__format(name, sizeof name, "--%s", s->name);
            return fail_fixed(name, s->value, old != NULL ? old : "another value", err);
        }
        return GAN_OK;
    }
    GAN_TRY(gan__recipe_set(r, s->name, s->value, err));
    if (strcmp(s->name, "threads") == 0 && old != NULL && strcmp(old, s->value) != 0) {
        gan__log(GAN_LOG_WARNING,
                 "%s threads instead of %s: the run goes on, but not bit for bit as it would have",
                 s->value, old);
    }
    /* The length is said in one way: a new one replaces the old. */
    if (strcmp(s->name, "steps") == 0) {
        return gan__recipe_set(r, "epochs", "0", err);
    }
    return strcmp(s->name, "epochs") == 0 ? gan__recipe_set(r, "steps", "-1", err) : GAN_OK;
}

static gan_status build_resumed(const struct gan_train_cfg *cfg, const struct gan__config *c,
                                const char *path, struct gan__recipe *r, gan_err *err)
{
    gan_err own = {0};
    if (c->model == NULL || c->data == NULL) {
        return gan__fail(err, GAN_E_FORMAT, "%s: no %s is named", path,
                         c->model == NULL ? "model" : "data");
    }
    GAN_TRY(check_fixed(cfg, c, err));
    if (gan__recipe_init(r, c->model, &own) != GAN_OK) {
        return gan__fail(err, GAN_E_FORMAT, "%s: %s", path, own.message);
    }
    GAN_TRY(apply_config(r, c, path, err));
    for (size_t i = 0; i < cfg->n_set; i++) {
        GAN_TRY(change(r, c, &cfg->set[i], err));
    }
    return gan__recipe_check(r, err);
}

gan_status gan__resume_recipe(const struct gan_train_cfg *cfg, struct gan__recipe *r, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    struct gan__config c = {0};
    *r = (struct gan__recipe){0};
    GAN_TRY(gan__rundir_file(path, sizeof path, cfg->resume, "config.yaml", err));
    gan_status status = gan__config_read(&c, path, err);
    if (status == GAN_OK) {
        status = build_resumed(cfg, &c, path, r, err);
    }
    gan__config_release(&c);
    return status;
}

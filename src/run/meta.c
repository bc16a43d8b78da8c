/* meta.c: session to texts and back. Keys are listed in docs/formats.md. */
#include "meta.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "checkpoint.h"

#include <inttypes.h>
#include <string.h>

/* What a checkpoint may say of its images before anything is computed from it. */
enum { MAX_SIDE = 65536, MAX_CLASSES = 10000000 };

static void add(struct gan__meta *m, const char *key, const char *value)
{
    char *k = gan__arena_strdup(&m->arena, key), *v = gan__arena_strdup(&m->arena, value);
    if (k == NULL || v == NULL || !gan__grow(&m->item, &m->cap, m->n + 1, sizeof *m->item)) {
        m->bad = true;
        return;
    }
    m->item[m->n++] = (struct gan_meta){k, v};
}

static void add_i64(struct gan__meta *m, const char *key, int64_t value)
{
    char text[24];
    (void)gan__format(text, sizeof text, "%" PRId64, value);
    add(m, key, text);
}

static void add_data(struct gan__meta *m, const struct gan__session *s)
{
    const struct gan_dataset_info *info = gan_dataset_about(s->data);
    const struct gan_task *t = s->task;
    char split[32] = "";
    add(m, "data.kind", info->kind);
    if (gan_data_spec_get(info->spec, "split", split, sizeof split, NULL) == GAN_OK &&
        split[0] != '\0') {
        add(m, "data.split", split);
    }
    add_i64(m, "data.height", t->height);
    add_i64(m, "data.width", t->width);
    add_i64(m, "data.channels", t->channels);
    if (t->channels_b > 0) {
        add_i64(m, "data.channels_b", t->channels_b);
    }
    add_i64(m, "data.classes", t->classes);
    if (t->attributes > 0) {
        add_i64(m, "data.attributes", t->attributes);
    }
    add(m, "data.range", t->range == GAN_RANGE_UNIT ? "unit" : "signed");
    add(m, "data.fit", s->resize || info->size > 0 ? "resize" : "auto");
    add(m, "data.flip", info->flip ? "true" : "false");
    add(m, "data.points", info->points ? "true" : "false");
    for (int64_t i = 0; info->class_names != NULL && i < info->classes; i++) {
        char key[40];
        (void)gan__format(key, sizeof key, "data.class.%05" PRId64, i);
        add(m, key, info->class_names[i]);
    }
}

gan_status gan__meta_of_session(struct gan__meta *m, const struct gan__session *s, gan_err *err)
{
    const struct gan__recipe *r = s->recipe;
    *m = (struct gan__meta){0};
    add(m, "libgan.model", r->model->name);
    add_i64(m, "libgan.seed", r->run.seed);
    add_i64(m, "libgan.iteration", gan__session_count(s, s->iteration));
    add_i64(m, "libgan.images", gan__session_count(s, s->images));
    if (s->rollbacks > 0) {
        add_i64(m, "libgan.rollbacks", s->rollbacks);
    }
    add_i64(m, "train.batch", r->run.batch);
    add_i64(m, "train.microbatch", r->run.microbatch > 0 ? r->run.microbatch : r->run.batch);
    add(m, "train.precision", gan__recipe_precision(r));
    add_data(m, s);
    for (int i = 0; i < s->nets.n_looks; i++) {
        char key[80];
        (void)gan__format(key, sizeof key, "features.%s", s->nets.look[i].name);
        add(m, key, s->nets.look[i].hash);
    }
    const struct gan_opt *o = r->model->opts;
    for (int i = 0; o != NULL && o[i].name != NULL; i++) {
        char key[80], text[GAN_OPT_TEXT_MAX];
        (void)gan__format(key, sizeof key, "opt.%s", o[i].name);
        GAN_TRY(gan__recipe_model_text(r, i, text, sizeof text, err));
        add(m, key, text);
    }
    return m->bad ? gan__fail_nomem(err, m->n * sizeof *m->item, "metadata") : GAN_OK;
}

gan_status gan__meta_add(struct gan__meta *m, const char *key, const char *value, gan_err *err)
{
    add(m, key, value);
    return m->bad ? gan__fail_nomem(err, m->n * sizeof *m->item, "metadata") : GAN_OK;
}

void gan__meta_release(struct gan__meta *m)
{
    gan__free(m->item);
    gan__arena_release(&m->arena);
    *m = (struct gan__meta){0};
}

gan_status gan__meta_compare(const struct gan__meta *m, const gan_checkpoint *c, gan_err *err)
{
    const char *path = gan__checkpoint_path(c);
    for (size_t i = 0; i < m->n; i++) {
        const struct gan_meta *want = &m->item[i];
        const char *have = gan_checkpoint_meta(c, want->key);
        if (strcmp(want->key, "libgan.iteration") == 0 || strcmp(want->key, "libgan.images") == 0 ||
            strcmp(want->key, "libgan.rollbacks") == 0 || strcmp(want->key, "data.split") == 0 ||
            gan__starts_with(want->key, "data.class.")) {
            continue;
        }
        if (have == NULL && strcmp(want->key, "train.precision") == 0) {
            have = "f32"; /* from before there was a choice */
        }
        if (have == NULL) {
            return gan__fail(err, GAN_E_FORMAT, "%s: the checkpoint does not say %s", path,
                             want->key);
        }
        if (strcmp(have, want->value) != 0) {
            return gan__fail(err, GAN_E_FORMAT, "%s: the checkpoint has %s %.100s, the run %.100s",
                             path, want->key, have, want->value);
        }
    }
    return GAN_OK;
}

/* --- back --------------------------------------------------------------------------------------- */

gan_status gan__meta_i64(const gan_checkpoint *c, const char *key, int64_t *out, gan_err *err)
{
    const char *text = gan_checkpoint_meta(c, key);
    if (text == NULL || !gan__parse_i64(text, out)) {
        return gan__fail(err, GAN_E_FORMAT, "%s: metadata %s is %s, a whole number is expected",
                         gan__checkpoint_path(c), key, text != NULL ? text : "missing");
    }
    return GAN_OK;
}

bool gan__meta_resized(const gan_checkpoint *c)
{
    const char *fit = gan_checkpoint_meta(c, "data.fit");
    return fit != NULL && strcmp(fit, "resize") == 0;
}

static gan_status read_task(const gan_checkpoint *c, struct gan_task *t, gan_err *err)
{
    const char *range = gan_checkpoint_meta(c, "data.range");
    GAN_TRY(gan__meta_i64(c, "data.height", &t->height, err));
    GAN_TRY(gan__meta_i64(c, "data.width", &t->width, err));
    GAN_TRY(gan__meta_i64(c, "data.channels", &t->channels, err));
    GAN_TRY(gan__meta_i64(c, "data.classes", &t->classes, err));
    if (gan_checkpoint_meta(c, "data.channels_b") != NULL) {
        GAN_TRY(gan__meta_i64(c, "data.channels_b", &t->channels_b, err));
    }
    if (gan_checkpoint_meta(c, "data.attributes") != NULL) {
        GAN_TRY(gan__meta_i64(c, "data.attributes", &t->attributes, err));
    }
    const char *points = gan_checkpoint_meta(c, "data.points");
    t->points = points && strcmp(points, "true") == 0;
    if (t->height < 1 || t->width < 1 || t->channels < 1 || t->height > MAX_SIDE ||
        t->width > MAX_SIDE || t->channels > MAX_SIDE || t->channels_b < 0 ||
        t->channels_b > MAX_SIDE || t->classes < 0 || t->classes > MAX_CLASSES ||
        t->attributes < 0 || t->attributes > MAX_CLASSES) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: images of %" PRId64 "x%" PRId64 "x%" PRId64 " in the metadata",
                         gan__checkpoint_path(c), t->height, t->width, t->channels);
    }
    t->range = range != NULL && strcmp(range, "unit") == 0 ? GAN_RANGE_UNIT : GAN_RANGE_SIGNED;
    return GAN_OK;
}

/* What the file says cannot be used: its fault, unless memory was short. */
static gan_status in_file(gan_err *err, const char *path, const gan_err *own)
{
    gan_status code = own->code == GAN_E_NOMEM ? GAN_E_NOMEM : GAN_E_FORMAT;
    return gan__fail(err, code, "%s: %s", path, own->message);
}

static gan_status read_options(const gan_checkpoint *c, struct gan__recipe *r, gan_err *err)
{
    const char *path = gan__checkpoint_path(c);
    struct gan_meta item;
    for (size_t i = 0; gan_checkpoint_meta_at(c, i, &item); i++) {
        gan_err own = {0};
        if (!gan__starts_with(item.key, "opt.")) {
            continue;
        }
        const char *name = item.key + strlen("opt.");
        if (gan_opt_find(r->model->opts, name) == NULL) {
            return gan__fail(err, GAN_E_FORMAT, "%s: model %s of this libgan has no option %s",
                             path, r->model->name, name);
        }
        if (gan__recipe_set(r, name, item.value, &own) != GAN_OK) {
            return in_file(err, path, &own);
        }
    }
    return GAN_OK;
}

gan_status gan__meta_recipe(const gan_checkpoint *c, struct gan__recipe *r, gan_err *err)
{
    const char *path = gan__checkpoint_path(c), *model = gan_checkpoint_meta(c, "libgan.model");
    gan_err own = {0};
    *r = (struct gan__recipe){0};
    if (model == NULL) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: no checkpoint of libgan: it does not name its model", path);
    }
    if (gan__recipe_init(r, model, &own) != GAN_OK) {
        return in_file(err, path, &own);
    }
    GAN_TRY(read_options(c, r, err));
    GAN_TRY(read_task(c, r->opts, err));
    if (r->model->fit(r->opts, true, &own) != GAN_OK) {
        return in_file(err, path, &own);
    }
    return GAN_OK;
}

/* recipe.c: texts to options. Defaults of the table, then the preset's, then the caller's, in this
 * order: a later text wins. */
#include "recipe.h"

#include "eval_train.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

extern const struct gan_preset *const gan__presets[];

enum { TEXT = GAN_OPT_TEXT_MAX };

/* "90", "90s", "2m", "1.5h" */
static gan_status parse_duration(const char *text, void *field, gan_err *err)
{
    char number[32];
    double value, unit = 1;
    size_t n = strlen(text);
    char last = n > 0 ? text[n - 1] : '\0';
    if (last == 's' || last == 'm' || last == 'h') {
        unit = last == 's' ? 1 : last == 'm' ? 60 : 3600;
        n--;
    }
    if (!gan__format(number, sizeof number, "%.*s", (int)n, text) ||
        !gan__parse_f64(number, &value)) {
        return gan__fail(err, GAN_E_ARG,
                         "--time is '%.60s', a duration such as 90s, 2m or 1.5h is "
                         "expected",
                         text);
    }
    value *= unit;
    if (!(value >= 0 && value <= 1e9)) {
        return gan__fail(err, GAN_E_RANGE, "--time is %.60s, allowed 0 (no limit) to 1e9 seconds",
                         text);
    }
    memcpy(field, &value, sizeof value);
    return GAN_OK;
}

#define I64(F, N, D, LO, HI, H) GAN_OPT_I64(struct gan__run_opts, F, N, D, LO, HI, H)

static const struct gan_opt table[] = {
    I64(steps, "steps", "-1", -1, 1e12,
        "iterations to train, the horizon of schedules; -1: as epochs or time say"),
    I64(epochs, "epochs", "0", 0, 1e9,
        "passes over the data instead of steps; 0: the model's, 25 for most, when neither "
        "steps nor time is given"),
    GAN_OPT_PARSED(struct gan__run_opts, time_s, "time", "0", parse_duration,
                   "limit of training time, such as 90s, 2m or 1.5h; 0: none"),
    I64(stop_at, "stop-at", "-1", -1, 1e12, "end at this iteration, schedules see steps; -1: no"),
    I64(batch, "batch", "64", 1, 65536, "images in a batch; gan help MODEL may say another"),
    I64(microbatch, "microbatch", "0", 0, 65536,
        "images at a time, gradients are accumulated; divides batch; 0: batch"),
    I64(size, "size", "0", 0, 8192,
        "height and width; 0: the data's, raised to what the model takes"),
    I64(channels, "channels", "0", 0, 4096, "1 gray, 3 colour; 0: the data's"),
    I64(seed, "seed", "1", 0, 9007199254740992.0, "of weights, noise and the order of the data"),
    I64(threads, "threads", "0", 0, 1024, "compute threads; 0: all cores"),
    GAN_OPT_BOOL(struct gan__run_opts, exact, "exact", "false",
                 "no kernels that lose digits to be faster (Winograd convolutions)"),
    GAN_OPT_CHOICE(struct gan__run_opts, precision, "precision", "f32", "f32|bf16|auto",
                   "of convolutions, products and stored activations; auto: bf16 where the CPU "
                   "multiplies it, else f32"),
    GAN_OPT_CHOICE(struct gan__run_opts, recompute, "recompute", "none", "none|cheap|full",
                   "compute results again instead of keeping them: less memory, more time"),
    I64(checkpoint_every, "checkpoint-every", "1000", 1, 1e12, "iterations between checkpoints"),
    I64(keep, "keep", "3", 1, 1e6, "checkpoints kept"),
    I64(sample_every, "sample-every", "500", 1, 1e12, "iterations between sample grids"),
    I64(log_every, "log-every", "10", 1, 1e12, "iterations between lines of log.jsonl"),
    I64(monitor_every, "monitor-every", "100", 0, 1e12,
        "iterations between the monitor's samples; 0: no monitor, no alarms"),
    GAN_OPT_CHOICE(struct gan__run_opts, on_alarm, "on-alarm", "warn", "warn|stop|rollback",
                   "when fakes collapse, D has won or a value is not finite"),
    I64(max_rollbacks, "max-rollbacks", "3", 0, 1000,
        "returns to a checkpoint that --on-alarm rollback makes before it stops"),
    I64(eval_every, "eval-every", "0", 0, 1e12,
        "iterations between measurements by --metrics; the best state by KID is kept; 0: none"),
    GAN_OPT_TEXT(struct gan__run_opts, metrics, "metrics", "kid",
                 "measured every --eval-every iterations, joined by commas"),
    GAN_OPT_TEXT(struct gan__run_opts, eval_features, "eval-features", "",
                 "what metrics look through, as gan eval --features"),
    I64(eval_n, "eval-n", "2000", 10, 1e6, "samples of each side that metrics look at"),
    GAN_OPT_END,
};

const struct gan_opt *gan_train_options(void)
{
    return table;
}

bool gan__recipe_may_change(const char *name)
{
    static const char *const free_names[] = {
        "steps",         "epochs",     "time",          "stop-at",
        "threads",       "recompute",  "keep",          "checkpoint-every",
        "sample-every",  "log-every",  "monitor-every", "on-alarm",
        "max-rollbacks", "eval-every", "metrics",       "eval-features",
        "eval-n"};
    for (size_t i = 0; i < sizeof free_names / sizeof free_names[0]; i++) {
        if (strcmp(name, free_names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* --- presets ------------------------------------------------------------------------------------ */

const struct gan_preset *gan_preset_at(int i)
{
    int n = 0;
    while (gan__presets[n] != NULL) {
        n++;
    }
    return i >= 0 && i < n ? gan__presets[i] : NULL;
}

const struct gan_preset *gan__preset_find(const char *name)
{
    for (const struct gan_preset *const *p = gan__presets; *p != NULL; p++) {
        if (strcmp((*p)->name, name) == 0) {
            return *p;
        }
    }
    return NULL;
}

/* "loss=wasserstein optim=adam:1e-4,0,.9" */
static gan_status apply_preset(struct gan__recipe *r, const struct gan_preset *p, gan_err *err)
{
    const char *at = p->set;
    while (at != NULL && *at != '\0') {
        char word[2 * TEXT];
        size_t n = strcspn(at, " ");
        char *value;
        if (n > 0 && (!gan__format(word, sizeof word, "%.*s", (int)n, at) ||
                      (value = strchr(word, '=')) == NULL)) {
            return gan__fail(err, GAN_E_INTERNAL, "preset %s: '%.80s' is not NAME=VALUE", p->name,
                             at);
        }
        if (n > 0) {
            *value = '\0';
            GAN_TRY(gan__recipe_set(r, word, value + 1, err));
        }
        at += n + (at[n] == ' ');
    }
    return GAN_OK;
}

/* --- recipes ------------------------------------------------------------------------------------ */

static int table_size(const struct gan_opt *t)
{
    int n = 0;
    while (t != NULL && t[n].name != NULL) {
        n++;
    }
    return n;
}

static gan_status fail_model(const char *name, gan_err *err)
{
    const char *names[256];
    size_t n = 0;
    for (int i = 0; gan_model_at(i) != NULL && n < 128; i++) {
        names[n++] = gan_model_at(i)->name;
    }
    for (int i = 0; gan_preset_at(i) != NULL && n < 256; i++) {
        names[n++] = gan_preset_at(i)->name;
    }
    const char *near = gan__nearest_name(name, names, n);
    return gan__fail(err, GAN_E_ARG, "unknown model '%.80s'%s%s%s", name,
                     near != NULL ? " (did you mean " : "", near != NULL ? near : "",
                     near != NULL ? "?)" : "; gan list names them");
}

gan_status gan__recipe_init(struct gan__recipe *r, const char *model, gan_err *err)
{
    *r = (struct gan__recipe){0};
    if (model == NULL) {
        return gan__fail(err, GAN_E_ARG, "no model is given; gan list names them");
    }
    const struct gan_preset *preset = gan__preset_find(model);
    r->model = gan_model_find(preset != NULL ? preset->model : model, NULL);
    if (r->model == NULL) {
        return fail_model(model, err);
    }
    r->opts = gan__arena_alloc(&r->arena, r->model->size);
    r->text = gan__arena_array(&r->arena, (size_t)table_size(r->model->opts) + 1, sizeof *r->text);
    if (r->opts == NULL || r->text == NULL) {
        return gan__fail_nomem(err, r->model->size, "the options of a model");
    }
    GAN_TRY(gan_opt_defaults(table, &r->run, err));
    GAN_TRY(gan_opt_defaults(r->model->opts, r->opts, err));
    r->run.batch = r->model->batch > 0 ? r->model->batch : r->run.batch;
    if (preset != NULL && preset->data != NULL) {
        GAN_TRY(gan__recipe_set_data(r, preset->data, err));
    }
    return preset != NULL ? apply_preset(r, preset, err) : GAN_OK;
}

void gan__recipe_release(struct gan__recipe *r)
{
    gan__free(r->init);
    gan__arena_release(&r->arena);
    *r = (struct gan__recipe){0};
}

static gan_status fail_option(const struct gan__recipe *r, const char *name, gan_err *err)
{
    const char *names[256];
    size_t n = 0;
    for (const struct gan_opt *o = table; o->name != NULL; o++) {
        names[n++] = o->name;
    }
    for (const struct gan_opt *o = r->model->opts; o != NULL && o->name != NULL && n < 256; o++) {
        names[n++] = o->name;
    }
    const char *near = gan__nearest_name(name, names, n);
    return gan__fail(err, GAN_E_ARG, "unknown option --%.80s of model %s%s%s%s", name,
                     r->model->name, near != NULL ? " (did you mean --" : "",
                     near != NULL ? near : "", near != NULL ? "?)" : "");
}

gan_status gan__recipe_set(struct gan__recipe *r, const char *name, const char *value, gan_err *err)
{
    if (gan_opt_find(table, name) != NULL) {
        return gan_opt_set(table, &r->run, name, value, err);
    }
    const struct gan_opt *o = gan_opt_find(r->model->opts, name);
    if (o == NULL) {
        return fail_option(r, name, err);
    }
    if (strlen(value) >= TEXT) {
        return gan__fail(err, GAN_E_RANGE, "--%s is %zu bytes long, allowed at most %d", name,
                         strlen(value), TEXT - 1);
    }
    GAN_TRY(gan_opt_set(r->model->opts, r->opts, name, value, err));
    char *copy = gan__arena_strdup(&r->arena, value);
    if (copy == NULL) {
        return gan__fail_nomem(err, strlen(value), "an option");
    }
    r->text[o - r->model->opts] = copy;
    return GAN_OK;
}

gan_status gan__recipe_set_data(struct gan__recipe *r, const char *spec, gan_err *err)
{
    GAN_TRY(gan_data_check_spec(spec, err));
    r->data = gan__arena_strdup(&r->arena, spec);
    return r->data != NULL ? GAN_OK : gan__fail_nomem(err, strlen(spec), "a SPEC");
}

gan_status gan__recipe_add_init(struct gan__recipe *r, const char *text, gan_err *err)
{
    char *copy = gan__arena_strdup(&r->arena, text);
    if (copy == NULL || !gan__grow(&r->init, &r->cap_init, r->n_init + 1, sizeof *r->init)) {
        return gan__fail_nomem(err, strlen(text), "an option");
    }
    r->init[r->n_init++] = copy;
    return GAN_OK;
}

gan_status gan__recipe_check(const struct gan__recipe *r, gan_err *err)
{
    const struct gan__run_opts *o = &r->run;
    if (o->microbatch > 0 && o->batch % o->microbatch != 0) {
        return gan__fail(err, GAN_E_RANGE,
                         "--microbatch is %lld, which does not divide the batch "
                         "of %lld",
                         (long long)o->microbatch, (long long)o->batch);
    }
    if (o->steps >= 0 && o->epochs > 0) {
        return gan__fail(err, GAN_E_ARG,
                         "--steps %lld and --epochs %lld are both given: one sets "
                         "the length",
                         (long long)o->steps, (long long)o->epochs);
    }
    if (o->on_alarm != GAN__ALARM_WARN && o->monitor_every == 0) {
        return gan__fail(err, GAN_E_ARG,
                         "--on-alarm %s needs the monitor, --monitor-every 0 switches it off",
                         o->on_alarm == GAN__ALARM_STOP ? "stop" : "rollback");
    }
    return gan__evaluator_check(o->metrics, o->eval_features,
                                o->eval_every > 0 ? o->eval_n : INT64_MAX, err);
}

const char *gan__recipe_precision(const struct gan__recipe *r)
{
    return r->run.precision == GAN__PRECISION_BF16 ? "bf16" : "f32";
}

gan_status gan__recipe_model_text(const struct gan__recipe *r, int i, char *dst, size_t cap,
                                  gan_err *err)
{
    const struct gan_opt *o = &r->model->opts[i];
    if (o->kind != GAN_OPT_KIND_PARSED) {
        return gan_opt_get(o, r->opts, dst, cap, err);
    }
    if (!gan__copy(dst, cap, r->text[i] != NULL ? r->text[i] : o->def)) {
        return gan__fail(err, GAN_E_RANGE, "--%s does not fit in %zu bytes", o->name, cap);
    }
    return GAN_OK;
}

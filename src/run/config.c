/* config.c: YAML in and out, through libyaml's events: a mapping of plain texts needs no tree. */
#include "config.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "gan_config.h"

#include <string.h>

#if GAN_HAVE_YAML
#include <yaml.h>
#endif

void gan__config_release(struct gan__config *c)
{
    gan__free(c->set);
    gan__free(c->init);
    gan__arena_release(&c->arena);
    *c = (struct gan__config){0};
}

#if GAN_HAVE_YAML

enum { MAX_FILE = 1 << 20 };

struct reader {
    struct gan__config *c;
    const char *path;
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    gan_err *err;
};

static gan_status bad_line(struct reader *r, const char *what)
{
    return gan__fail(r->err, GAN_E_FORMAT, "%s, line %zu: %s", r->path,
                     r->event.start_mark.line + 1, what);
}

static gan_status next(struct reader *r)
{
    if (r->has_event) {
        yaml_event_delete(&r->event);
        r->has_event = false;
    }
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        return gan__fail(r->err, GAN_E_FORMAT, "%s, line %zu: %.200s", r->path,
                         r->parser.problem_mark.line + 1,
                         r->parser.problem != NULL ? r->parser.problem : "not YAML");
    }
    r->has_event = true;
    return GAN_OK;
}

static bool is_text(const struct reader *r)
{
    return r->event.type == YAML_SCALAR_EVENT &&
           strlen((const char *)r->event.data.scalar.value) == r->event.data.scalar.length;
}

/* The text of a scalar event, copied. NULL: not a scalar, a NUL inside, or memory is short. */
static const char *scalar(struct reader *r)
{
    return is_text(r) ? gan__arena_strdup(&r->c->arena, (const char *)r->event.data.scalar.value)
                      : NULL;
}

/* Why scalar() gave nothing. */
static gan_status no_scalar(struct reader *r, const char *what)
{
    return is_text(r) ? gan__fail_nomem(r->err, r->event.data.scalar.length, "a configuration")
                      : bad_line(r, what);
}

static gan_status add_init(struct reader *r)
{
    struct gan__config *c = r->c;
    const char *text = scalar(r);
    if (text == NULL) {
        return no_scalar(r, "init must be a text or a list of texts");
    }
    if (!gan__grow(&c->init, &c->cap_init, c->n_init + 1, sizeof *c->init)) {
        return gan__fail_nomem(r->err, c->n_init, "a configuration");
    }
    c->init[c->n_init++] = text;
    return GAN_OK;
}

static gan_status read_init(struct reader *r)
{
    if (r->event.type != YAML_SEQUENCE_START_EVENT) {
        return add_init(r);
    }
    for (;;) {
        GAN_TRY(next(r));
        if (r->event.type == YAML_SEQUENCE_END_EVENT) {
            return GAN_OK;
        }
        GAN_TRY(add_init(r));
    }
}

static gan_status add_setting(struct reader *r, const char *key)
{
    struct gan__config *c = r->c;
    const char *value = scalar(r);
    if (value == NULL) {
        char what[128];
        (void)gan__format(what, sizeof what, "the value of %.80s must be one text", key);
        return no_scalar(r, what);
    }
    if (strcmp(key, "model") == 0) {
        c->model = value;
        return GAN_OK;
    }
    if (strcmp(key, "data") == 0) {
        c->data = value;
        return GAN_OK;
    }
    if (!gan__grow(&c->set, &c->cap_set, c->n_set + 1, sizeof *c->set)) {
        return gan__fail_nomem(r->err, c->n_set, "a configuration");
    }
    c->set[c->n_set++] = (struct gan_setting){key, value};
    return GAN_OK;
}

static gan_status check_new_key(struct reader *r, const char *key)
{
    const struct gan__config *c = r->c;
    bool seen = (strcmp(key, "model") == 0 && c->model != NULL) ||
                (strcmp(key, "data") == 0 && c->data != NULL) ||
                (strcmp(key, "init") == 0 && c->n_init > 0);
    for (size_t i = 0; i < c->n_set && !seen; i++) {
        seen = strcmp(c->set[i].name, key) == 0;
    }
    if (seen) {
        return gan__fail(r->err, GAN_E_FORMAT, "%s, line %zu: %.80s stands twice", r->path,
                         r->event.start_mark.line + 1, key);
    }
    return GAN_OK;
}

static gan_status read_mapping(struct reader *r)
{
    do { /* to the first node */
        GAN_TRY(next(r));
    } while (r->event.type == YAML_STREAM_START_EVENT ||
             r->event.type == YAML_DOCUMENT_START_EVENT);
    if (r->event.type == YAML_STREAM_END_EVENT) {
        return GAN_OK; /* an empty file sets nothing */
    }
    if (r->event.type != YAML_MAPPING_START_EVENT) {
        return bad_line(r, "options as `name: value` lines are expected");
    }
    for (;;) {
        GAN_TRY(next(r));
        if (r->event.type == YAML_MAPPING_END_EVENT) {
            return GAN_OK;
        }
        const char *key = scalar(r);
        if (key == NULL) {
            return no_scalar(r, "the name of an option is expected");
        }
        GAN_TRY(check_new_key(r, key));
        GAN_TRY(next(r));
        GAN_TRY(strcmp(key, "init") == 0 ? read_init(r) : add_setting(r, key));
    }
}

gan_status gan__config_read(struct gan__config *c, const char *path, gan_err *err)
{
    char *text = NULL;
    size_t size = 0;
    *c = (struct gan__config){0};
    GAN_TRY(gan__file_read(path, MAX_FILE, &text, &size, err));
    struct reader r = {.c = c, .path = path, .err = err};
    gan_status status;
    if (yaml_parser_initialize(&r.parser)) {
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
        status = read_mapping(&r);
        if (r.has_event) {
            yaml_event_delete(&r.event);
        }
        yaml_parser_delete(&r.parser);
    } else {
        status = gan__fail_nomem(err, sizeof r.parser, "a YAML parser");
    }
    gan__free(text);
    return status;
}

/* --- writing ------------------------------------------------------------------------------------ */

struct writer {
    yaml_emitter_t emitter;
    struct gan__str out;
    bool bad;
};

static int take_output(void *ctx, unsigned char *p, size_t n)
{
    struct writer *w = ctx;
    gan__str_addn(&w->out, (const char *)p, n);
    return !w->out.bad;
}

static void emit(struct writer *w, yaml_event_t *e, int made)
{
    if (w->bad && made) {
        yaml_event_delete(e);
    } else if (!made || !yaml_emitter_emit(&w->emitter, e)) {
        w->bad = true; /* emit has deleted the event, also when it failed */
    }
}

static void emit_text(struct writer *w, const char *text)
{
    yaml_event_t e;
    union {
        const char *in;
        yaml_char_t *out;
    } value = {.in = text};
    emit(w, &e,
         yaml_scalar_event_initialize(&e, NULL, NULL, value.out, (int)strlen(text), 1, 1,
                                      YAML_ANY_SCALAR_STYLE));
}

static void emit_pair(struct writer *w, const char *name, const char *value)
{
    emit_text(w, name);
    emit_text(w, value);
}

static gan_status emit_options(struct writer *w, const struct gan__recipe *r, int threads,
                               gan_err *err)
{
    char text[GAN_OPT_TEXT_MAX];
    for (const struct gan_opt *o = gan_train_options(); o->name != NULL; o++) {
        if (strcmp(o->name, "stop-at") == 0) {
            continue; /* of one call, not of the run */
        }
        if (strcmp(o->name, "time") == 0) {
            (void)gan__format_f64(text, sizeof text, r->run.time_s);
        } else if (strcmp(o->name, "threads") == 0) {
            (void)gan__format(text, sizeof text, "%d", threads);
        } else {
            GAN_TRY(gan_opt_get(o, &r->run, text, sizeof text, err));
        }
        emit_pair(w, o->name, text);
    }
    const struct gan_opt *o = r->model->opts;
    for (int i = 0; o != NULL && o[i].name != NULL; i++) {
        GAN_TRY(gan__recipe_model_text(r, i, text, sizeof text, err));
        emit_pair(w, o[i].name, text);
    }
    return GAN_OK;
}

static gan_status emit_recipe(struct writer *w, const struct gan__recipe *r, int threads,
                              gan_err *err)
{
    yaml_event_t e;
    emit(w, &e, yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING));
    emit(w, &e, yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1));
    emit(w, &e, yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
    emit_pair(w, "model", r->model->name);
    emit_pair(w, "data", r->data);
    gan_status status = emit_options(w, r, threads, err);
    if (r->n_init > 0) {
        emit_text(w, "init");
        emit(w, &e,
             yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
        for (size_t i = 0; i < r->n_init; i++) {
            emit_text(w, r->init[i]);
        }
        emit(w, &e, yaml_sequence_end_event_initialize(&e));
    }
    emit(w, &e, yaml_mapping_end_event_initialize(&e));
    emit(w, &e, yaml_document_end_event_initialize(&e, 1));
    emit(w, &e, yaml_stream_end_event_initialize(&e));
    return status;
}

gan_status gan__config_write(const struct gan__recipe *r, int threads, const char *path,
                             gan_err *err)
{
    struct writer w = {0};
    if (!yaml_emitter_initialize(&w.emitter)) {
        return gan__fail_nomem(err, sizeof w.emitter, "a YAML writer");
    }
    yaml_emitter_set_output(&w.emitter, take_output, &w);
    yaml_emitter_set_unicode(&w.emitter, 1);
    yaml_emitter_set_width(&w.emitter, -1);
    gan_status status = emit_recipe(&w, r, threads, err);
    if (status == GAN_OK && w.out.bad) {
        status = gan__fail_nomem(err, w.out.len, "a configuration");
    } else if (status == GAN_OK && w.bad) {
        status = gan__fail(err, GAN_E_FORMAT, "%s: an option cannot be written as YAML: %.200s",
                           path, w.emitter.problem != NULL ? w.emitter.problem : "no memory");
    }
    if (status == GAN_OK) {
        status = gan__file_replace(path, w.out.p, w.out.len, err);
    }
    yaml_emitter_delete(&w.emitter);
    gan__str_release(&w.out);
    return status;
}

#else

gan_status gan__config_read(struct gan__config *c, const char *path, gan_err *err)
{
    *c = (struct gan__config){0};
    return gan__fail(err, GAN_E_UNSUPPORTED, "%s: this build reads no YAML (-DGAN_YAML=OFF)", path);
}

gan_status gan__config_write(const struct gan__recipe *r, int threads, const char *path,
                             gan_err *err)
{
    (void)r;
    (void)threads;
    return gan__fail(err, GAN_E_UNSUPPORTED, "%s: this build writes no YAML (-DGAN_YAML=OFF)",
                     path);
}

#endif

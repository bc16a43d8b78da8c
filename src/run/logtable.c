/* logtable.c: reading log.jsonl, a line at a time. */
#include "logtable.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "gan_config.h"

#include <math.h>
#include <string.h>

#if GAN_HAVE_CJSON
#include <cJSON.h>
#endif

enum { MAX_LOG = 1 << 30, MAX_COLUMNS = 4096 };

void gan__log_release(struct gan__log_table *t)
{
    for (size_t i = 0; i < t->n_columns; i++) {
        gan__free(t->column[i].value);
    }
    gan__free(t->column);
    gan__free(t->step);
    gan__arena_release(&t->arena);
    *t = (struct gan__log_table){0};
}

const struct gan__column *gan__log_column(const struct gan__log_table *t, const char *prefix,
                                          size_t i)
{
    for (size_t k = 0; k < t->n_columns; k++) {
        if (gan__starts_with(t->column[k].name, prefix) && i-- == 0) {
            return &t->column[k];
        }
    }
    return NULL;
}

#if GAN_HAVE_CJSON

/* Room for one more row in every column. */
static bool grow_rows(struct gan__log_table *t)
{
    if (t->n < t->cap) {
        return true;
    }
    size_t cap = t->cap == 0 ? 256 : 2 * t->cap;
    for (size_t i = 0; i <= t->n_columns; i++) { /* the last one: the steps */
        double **p = i < t->n_columns ? &t->column[i].value : &t->step;
        double *more = gan__realloc(*p, cap * sizeof *more);
        if (more == NULL) {
            return false;
        }
        *p = more;
    }
    t->cap = cap;
    return true;
}

/* Column of a name, a new one with gaps so far; NULL when memory is short. */
static struct gan__column *column_of(struct gan__log_table *t, const char *name, size_t hint)
{
    if (hint < t->n_columns && strcmp(t->column[hint].name, name) == 0) {
        return &t->column[hint];
    }
    for (size_t i = 0; i < t->n_columns; i++) {
        if (strcmp(t->column[i].name, name) == 0) {
            return &t->column[i];
        }
    }
    if (t->n_columns == MAX_COLUMNS ||
        !gan__grow(&t->column, &t->cap_columns, t->n_columns + 1, sizeof *t->column)) {
        return NULL;
    }
    struct gan__column *c = &t->column[t->n_columns];
    c->name = gan__arena_strdup(&t->arena, name);
    c->value = gan__alloc_array(t->cap, sizeof *c->value);
    if (c->name == NULL || c->value == NULL) {
        gan__free(c->value);
        return NULL;
    }
    t->n_columns++;
    for (size_t i = 0; i <= t->n; i++) {
        c->value[i] = (double)NAN;
    }
    return c;
}

static bool put_row(struct gan__log_table *t, const cJSON *line, double step)
{
    if (t->n > 0 && t->step[t->n - 1] == step) {
        t->n--;
    }
    if (!grow_rows(t)) {
        return false;
    }
    t->step[t->n] = step;
    for (size_t i = 0; i < t->n_columns; i++) {
        t->column[i].value[t->n] = (double)NAN;
    }
    size_t hint = 0;
    for (const cJSON *m = line->child; m != NULL; m = m->next) {
        if (strcmp(m->string, "step") == 0 || (!cJSON_IsNumber(m) && !cJSON_IsNull(m))) {
            continue;
        }
        struct gan__column *c = column_of(t, m->string, hint++);
        if (c == NULL) {
            return false;
        }
        c->value[t->n] = cJSON_IsNumber(m) ? m->valuedouble : (double)NAN;
    }
    t->n++;
    return true;
}

static gan_status read_line(struct gan__log_table *t, const char *text, size_t length,
                            const char *path, size_t number, gan_err *err)
{
    cJSON *line = cJSON_ParseWithLength(text, length);
    const cJSON *step = line != NULL ? cJSON_GetObjectItemCaseSensitive(line, "step") : NULL;
    gan_status status = GAN_OK;
    if (!cJSON_IsObject(line) || !cJSON_IsNumber(step)) {
        status = gan__fail(err, GAN_E_FORMAT, "%s: line %zu is no JSON object with a step", path,
                           number);
    } else if (!cJSON_HasObjectItem(line, "alarm") && !put_row(t, line, step->valuedouble)) {
        status = gan__fail_nomem(err, t->cap * sizeof(double), path);
    }
    cJSON_Delete(line);
    return status;
}

gan_status gan__log_read(struct gan__log_table *t, const char *path, gan_err *err)
{
    char *text = NULL;
    size_t size = 0, number = 0;
    *t = (struct gan__log_table){0};
    GAN_TRY(gan__file_read(path, MAX_LOG, &text, &size, err));
    gan_status status = GAN_OK;
    for (size_t at = 0; at < size && status == GAN_OK;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - text) - at : size - at;
        number++;
        if (end != NULL) { /* a last line without its end is being written */
            status = read_line(t, text + at, length, path, number, err);
        }
        at += length + 1;
    }
    gan__free(text);
    if (status != GAN_OK) {
        gan__log_release(t);
    }
    return status;
}

#else

gan_status gan__log_read(struct gan__log_table *t, const char *path, gan_err *err)
{
    *t = (struct gan__log_table){0};
    return gan__fail(err, GAN_E_UNSUPPORTED, "%s: this build reads no JSON (cJSON)", path);
}

#endif

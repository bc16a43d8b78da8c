/* fuzz_option.c: any text as an optimiser, a schedule, an initialiser, and as `name=value` of every
 * model: accepted, or one line that says why not. What an option table stores, it writes as a text
 * that it reads back to the same bits. */
#include "base/alloc.h"

#include <gan/model.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void one_line(gan_status status, const gan_err *err)
{
    must(status == err->code && (status != GAN_OK) == (err->message[0] != '\0') &&
         strchr(err->message, '\n') == NULL);
}

static void rules(const char *text)
{
    gan_err err[3] = {{0}};
    struct gan_optim optim;
    struct gan_schedule schedule;
    struct gan_init init;
    double v[GAN_OPTIM_MAX_SCALARS];
    gan_status status = gan_optim_parse(text, &optim, &err[0]);
    one_line(status, &err[0]);
    for (int64_t t = 1; status == GAN_OK && t < INT64_MAX / 1000; t *= 999) {
        gan_optim_scalars(&optim, t, 1000, v);
        must(gan_optim_lr(&optim, t, 1000) >= 0);
    }
    status = gan_schedule_parse(text, &schedule, &err[1]);
    one_line(status, &err[1]);
    must(status != GAN_OK || gan_schedule_factor(&schedule, 7, 9) >= 0);
    one_line(gan_init_parse(text, &init, &err[2]), &err[2]);
}

/* name=value for one model, twice through text. */
static void model_option(const struct gan_model *m, const char *name, const char *value)
{
    gan_err err = {0}, none = {0};
    char text[GAN_OPT_TEXT_MAX], again[GAN_OPT_TEXT_MAX];
    void *a = gan__alloc(m->size), *b = gan__alloc(m->size);
    must(a != NULL && b != NULL && gan_opt_defaults(m->opts, a, &none) == GAN_OK &&
         gan_opt_defaults(m->opts, b, &none) == GAN_OK);
    gan_status status = gan_opt_set(m->opts, a, name, value, &err);
    one_line(status, &err);
    const struct gan_opt *o = gan_opt_find(m->opts, name);
    must(status != GAN_OK || o != NULL);
    if (status == GAN_OK && o->kind != GAN_OPT_KIND_PARSED) {
        must(gan_opt_get(o, a, text, sizeof text, &none) == GAN_OK);
        must(gan_opt_set(m->opts, b, name, text, &none) == GAN_OK);
        must(gan_opt_get(o, b, again, sizeof again, &none) == GAN_OK && strcmp(text, again) == 0);
    }
    gan__free(a);
    gan__free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t live = gan__alloc_stats().live;
    char *text = gan__alloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    rules(text);
    char *value = strchr(text, '=');
    if (value != NULL) {
        *value++ = '\0';
        const struct gan_model *m;
        for (int i = 0; (m = gan_model_at(i)) != NULL; i++) {
            model_option(m, text, value);
        }
    }
    gan__free(text);
    must(gan__alloc_stats().live == live);
    return 0;
}

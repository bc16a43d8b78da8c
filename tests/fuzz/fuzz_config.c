/* fuzz_config.c: any bytes as config.yaml: one line that says what is wrong, or settings, which are
 * then given to a recipe; what a recipe accepts is written and reads back as the same recipe. */
#include "base/alloc.h"
#include "run/config.h"
#include "support/fuzz_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static bool one_line(gan_status status, const gan_err *err)
{
    return status == err->code && (status != GAN_OK) == (err->message[0] != '\0') &&
           strchr(err->message, '\n') == NULL;
}

/* Settings of a file into a recipe; false when one is refused. */
static bool apply(const struct gan__config *c, struct gan__recipe *r)
{
    gan_err err = {0};
    gan_status status = gan__recipe_init(r, c->model != NULL ? c->model : "dcgan", &err);
    for (size_t i = 0; i < c->n_set && status == GAN_OK; i++) {
        status = gan__recipe_set(r, c->set[i].name, c->set[i].value, &err);
    }
    for (size_t i = 0; i < c->n_init && status == GAN_OK; i++) {
        status = gan__recipe_add_init(r, c->init[i], &err);
    }
    if (status == GAN_OK) {
        status = gan__recipe_set_data(r, c->data != NULL ? c->data : "toy:ring8", &err);
    }
    must(one_line(status, &err));
    return status == GAN_OK;
}

static void round_trip(const struct gan__recipe *r)
{
    char path[64];
    gan_err err = {0};
    struct gan__config back = {0};
    struct gan__recipe again = {0};
    (void)snprintf(path, sizeof path, "/tmp/gan-fuzz-config-%ld", (long)getpid());
    must(gan__config_write(r, 2, path, &err) == GAN_OK);
    must(gan__config_read(&back, path, &err) == GAN_OK);
    must(apply(&back, &again));
    must(again.model == r->model && strcmp(again.data, r->data) == 0 && again.n_init == r->n_init);
    for (size_t i = 0; i < r->n_init; i++) {
        must(strcmp(r->init[i], again.init[i]) == 0);
    }
    for (int i = 0; r->model->opts != NULL && r->model->opts[i].name != NULL; i++) {
        char a[GAN_OPT_TEXT_MAX], b[GAN_OPT_TEXT_MAX];
        must(gan__recipe_model_text(r, i, a, sizeof a, &err) == GAN_OK);
        must(gan__recipe_model_text(&again, i, b, sizeof b, &err) == GAN_OK);
        must(strcmp(a, b) == 0);
    }
    gan__recipe_release(&again);
    gan__config_release(&back);
    (void)unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gan_err err = {0};
    struct gan__config c = {0};
    struct gan__recipe r = {0};
    uint64_t live = gan__alloc_stats().live;
    gan_status status = gan__config_read(&c, fuzz_file(data, size), &err);
    must(one_line(status, &err));
    if (status == GAN_OK && apply(&c, &r)) {
        round_trip(&r);
    }
    gan__recipe_release(&r);
    gan__config_release(&c);
    must(gan__alloc_stats().live == live);
    return 0;
}

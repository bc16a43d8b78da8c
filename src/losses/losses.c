/* losses.c: finding the GAN losses by name. */
#include "losses.h"

#include "base/err.h"
#include "base/str.h"

#include <string.h>

enum { MAX_LOSSES = 128 };

const struct gan_loss *gan_loss_find(const char *name, gan_err *err)
{
    const char *names[MAX_LOSSES];
    size_t n = 0;
    for (; gan__losses[n] != NULL && n < MAX_LOSSES; n++) {
        names[n] = gan__losses[n]->name;
        if (strcmp(names[n], name) == 0) {
            return gan__losses[n];
        }
    }
    const char *near = gan__nearest_name(name, names, n);
    gan__fail(err, GAN_E_ARG, "unknown loss '%.60s'%s%s%s", name, near ? " (did you mean " : "",
              near ? near : "", near ? "?)" : "");
    return NULL;
}

gan_status gan_loss_option(const char *text, void *field, gan_err *err)
{
    const struct gan_loss *l = gan_loss_find(text, err);
    if (l == NULL) {
        return GAN_E_ARG;
    }
    memcpy(field, &l, sizeof l);
    return GAN_OK;
}

const struct gan_loss *gan_loss_at(int i)
{
    for (int k = 0; k < i; k++) {
        if (gan__losses[k] == NULL) {
            return NULL;
        }
    }
    return i >= 0 ? gan__losses[i] : NULL;
}

/* --- scores alone ----------------------------------------------------------------------------- */

static const struct {
    uint32_t bit;
    const char *text;
} needs[] = {
    {GAN_LOSS_REAL, "the generator's update to see reals"},
    {GAN_LOSS_TWO_FAKES, "two batches of fakes"},
    {GAN_LOSS_POINTS, "the images themselves"},
    {GAN_LOSS_STATE, "numbers kept between updates"},
    {GAN_LOSS_DECODER, "a decoder"},
    {GAN_LOSS_MATRIX, "one row of outputs for each image"},
    {GAN_LOSS_NOISE, "random numbers"},
};

gan_status gan_loss_check(const struct gan_loss *l, const char *model, uint32_t given, gan_err *err)
{
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if ((l->needs & needs[i].bit & ~given) != 0) {
            return gan__fail(err, GAN_E_ARG,
                             "loss %s needs %s, which %s does not give; the model plain does",
                             l->name, needs[i].text, model);
        }
    }
    if (l->outputs > 1 && (given & GAN_LOSS_MATRIX) == 0) {
        return gan__fail(err, GAN_E_ARG,
                         "loss %s needs %lld outputs of the discriminator, %s has 1; the model "
                         "plain gives them",
                         l->name, (long long)l->outputs, model);
    }
    return GAN_OK;
}

static bool scores_suffice(const struct gan_loss *l, gan_graph *g, uint32_t given)
{
    gan_err err = {0};
    if (gan_loss_check(l, "this model", given, &err) != GAN_OK) {
        gan_graph_fail(g, err.code, "%s", err.message);
        return false;
    }
    return true;
}

gan_val gan_loss_disc(const struct gan_loss *l, gan_graph *g, gan_val on_real, gan_val on_fake)
{
    struct gan_loss_context c = {.g = g, .on_real = on_real, .on_fake = {on_fake}};
    return scores_suffice(l, g, GAN_LOSS_REAL) ? l->disc(&c) : GAN_NONE;
}

gan_val gan_loss_gen(const struct gan_loss *l, gan_graph *g, gan_val on_real, gan_val on_fake)
{
    struct gan_loss_context c = {.g = g, .on_real = on_real, .on_fake = {on_fake}};
    uint32_t given = gan_ok(on_real) ? GAN_LOSS_REAL : 0;
    return scores_suffice(l, g, given) ? l->gen(&c) : GAN_NONE;
}

/* models.c: the table of models, and the declaration of a model's networks over a store. */
#include "nets.h"

#include "base/err.h"
#include "base/str.h"

#include <string.h>

extern const struct gan_model *const gan__models[];

const struct gan_model *gan_model_at(int i)
{
    int n = 0;
    while (gan__models[n]) {
        n++;
    }
    return i >= 0 && i < n ? gan__models[i] : NULL;
}

const struct gan_model *gan_model_find(const char *name, gan_err *err)
{
    const char *names[256];
    size_t n = 0;
    for (const struct gan_model *const *m = gan__models; *m; m++) {
        if (strcmp((*m)->name, name) == 0) {
            return *m;
        }
        if (n < sizeof names / sizeof *names) {
            names[n++] = (*m)->name;
        }
    }
    const char *near = gan__nearest_name(name, names, n);
    gan__fail(err, GAN_E_ARG, "unknown model '%s'%s%s%s", name, near ? " (did you mean " : "",
              near ? near : "", near ? "?)" : "");
    return NULL;
}

void gan_declare(gan_nets *d, const struct gan_net_desc *desc)
{
    if (d->err.code != GAN_OK) {
        return;
    }
    int room = (int)(sizeof d->list->net / sizeof d->list->net[0]);
    if (d->list->n == room) {
        gan__fail(&d->err, GAN_E_RANGE, "network %s: a model has at most %d networks", desc->name,
                  room);
        return;
    }
    struct gan_net_desc full = *desc;
    full.opts = d->opts;
    full.real = d->real;
    gan_net *net = gan_net_new(d->store, &full, &d->err);
    if (net) {
        d->list->net[d->list->n++] = net;
    }
}

gan_status gan_model_declare(const struct gan_model *m, const void *opts, gan_store *st,
                             gan_dtype real, struct gan_net_list *out, gan_err *err)
{
    *out = (struct gan_net_list){0};
    gan_nets d = {.store = st, .opts = opts, .real = real, .list = out};
    m->nets(&d, opts);
    if (d.err.code != GAN_OK) {
        gan_net_list_free(out);
        if (err) {
            *err = d.err;
        }
    }
    return d.err.code;
}

gan_status gan_model_declare_looks(const struct gan_model *m, const void *opts, gan_store *st,
                                   gan_dtype real, struct gan_net_list *out, gan_err *err)
{
    gan_nets d = {.store = st, .opts = opts, .real = real, .list = out};
    if (m->looks != NULL) {
        m->looks(&d, opts);
    }
    if (d.err.code != GAN_OK && err != NULL) {
        *err = d.err;
    }
    return d.err.code;
}

gan_status gan_model_init(const struct gan_model *m, const void *opts, gan_store *st,
                          const struct gan_net_list *nets, uint64_t seed, gan_err *err)
{
    for (int i = 0; i < nets->n; i++) {
        GAN_TRY(gan_net_init(nets->net[i], seed, err));
        for (int k = 0; m->initial && k < gan_net_count(nets->net[i]); k++) {
            const struct gan_param *p = gan_net_param(nets->net[i], k);
            const gan_state *state = gan_store_at(st, gan_store_find(st, p->name));
            if (state) {
                m->initial(p, &state->value, opts);
            }
        }
    }
    return GAN_OK;
}

void gan_net_list_free(struct gan_net_list *list)
{
    for (int i = 0; i < list->n; i++) {
        gan_net_free(list->net[i]);
    }
    for (int i = 0; i < list->n_looks; i++) {
        gan_net_free(list->look[i].net);
        gan_feature_part_release(&list->look[i].part);
    }
    *list = (struct gan_net_list){0};
}

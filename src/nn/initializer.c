/* initializer.c: finding initialisers by text and applying them.
 *
 * Each parameter draws from a stream of its own, keyed by (seed, full name), in f64. So neither the
 * order of layers nor other networks change a parameter's first value. */
#include "initializer.h"

#include "base/err.h"
#include "base/str.h"

#include <string.h>

enum { MAX_KINDS = 64 };

gan_status gan_init_parse(const char *text, struct gan_init *out, gan_err *err)
{
    char name[32];
    const char *rest, *names[MAX_KINDS];
    size_t n = 0;
    bool whole = gan__args_head(text, name, sizeof name, &rest);
    for (; gan__inits[n] != NULL && n < MAX_KINDS; n++) {
        names[n] = gan__inits[n]->name;
        if (whole && strcmp(names[n], name) == 0) {
            out->kind = gan__inits[n];
            return gan__args_parse(name, rest, out->kind->args, out->arg, err);
        }
    }
    const char *near = gan__nearest_name(name, names, n);
    return gan__fail(err, GAN_E_ARG, "unknown initialiser '%.60s'%s%s%s", text,
                     near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

static const struct gan_initializer *at(int i)
{
    for (int k = 0; k <= i; k++) {
        if (gan__inits[k] == NULL) {
            return NULL;
        }
    }
    return i >= 0 ? gan__inits[i] : NULL;
}

const char *gan_init_name(int i)
{
    const struct gan_initializer *kind = at(i);
    return kind ? kind->name : NULL;
}

const char *gan_init_doc(int i)
{
    const struct gan_initializer *kind = at(i);
    return kind ? kind->doc : NULL;
}

static void fill_constant(const gan_tensor *t, double value)
{
    int64_t n = gan_shape_count(&t->shape);
    for (int64_t i = 0; i < n; i++) {
        gan_tensor_set(t, i, value);
    }
}

/* What a role starts with when no initialiser speaks for it. */
static double plain_value(int role)
{
    return role == GAN_ROLE_SCALE || role == GAN_ROLE_VAR ? 1 : 0;
}

gan_status gan__init_param(const struct gan_param *p, const struct gan_init *own,
                           const struct gan_init *network, uint64_t seed, const gan_tensor *out,
                           gan_err *err)
{
    const struct gan_init *init = own;
    if (init == NULL && (network->kind->scheme || p->role == GAN_ROLE_WEIGHT)) {
        init = network;
    }
    struct gan__rng rng;
    gan__rng_init(&rng, gan__stream_key(seed, 0, 0, gan__hash_text(p->name)));
    if (p->role == GAN_ROLE_VECTOR) {
        for (int64_t i = 0; i < p->count; i++) {
            gan_tensor_set(out, i, gan__rng_normal(&rng));
        }
        return GAN_OK;
    }
    if (init == NULL || p->kind == GAN_STATE_STATISTIC) {
        fill_constant(out, plain_value(p->role));
        return GAN_OK;
    }
    struct gan__init_call c = {init->arg, p, &rng, out};
    return init->kind->fill(&c, err);
}

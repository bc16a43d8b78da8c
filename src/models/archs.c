/* archs.c: finding and fitting architectures. */
#include "arch.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <string.h>

enum { MAX_ARCHS = 128, REFERENCE = 64 };

gan_status gan__arch_option(const char *text, void *field, gan_err *err)
{
    const char *names[MAX_ARCHS];
    size_t n = 0;
    for (; gan__archs[n] != NULL && n < MAX_ARCHS; n++) {
        names[n] = gan__archs[n]->name;
        if (strcmp(names[n], text) == 0) {
            memcpy(field, &gan__archs[n], sizeof gan__archs[n]);
            return GAN_OK;
        }
    }
    const char *near = gan__nearest_name(text, names, n);
    return gan__fail(err, GAN_E_ARG, "unknown architecture '%.60s'%s%s%s", text,
                     near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

static const struct gan_arch *at(int i)
{
    for (int k = 0; k < i; k++) {
        if (gan__archs[k] == NULL) {
            return NULL;
        }
    }
    return i >= 0 ? gan__archs[i] : NULL;
}

const char *gan_arch_name(int i)
{
    const struct gan_arch *a = at(i);
    return a != NULL ? a->name : NULL;
}

const char *gan_arch_doc(int i)
{
    const struct gan_arch *a = at(i);
    return a != NULL ? a->doc : NULL;
}

gan_status gan__arch_fit_any(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    (void)fixed; /* any size will do */
    (void)err;
    o->task.range = GAN_RANGE_SIGNED;
    return GAN_OK;
}

gan_status gan__arch_fit_size(struct gan__arch_opts *o, int64_t size, bool fixed, gan_err *err)
{
    struct gan_task *t = &o->task;
    bool takes = t->height == size && t->width == size;
    if (t->height > size || t->width > size || (fixed && !takes)) {
        return gan__fail(err, GAN_E_RANGE, "%s: the image size is %lldx%lld, allowed is %lldx%lld",
                         o->arch->name, (long long)t->height, (long long)t->width, (long long)size,
                         (long long)size);
    }
    t->height = t->width = size;
    t->range = GAN_RANGE_SIGNED;
    return GAN_OK;
}

gan_status gan__arch_fit_doubling(struct gan__arch_opts *o, int64_t least, int64_t most, bool fixed,
                                  gan_err *err)
{
    struct gan_task *t = &o->task;
    int64_t side = t->height > t->width ? t->height : t->width, size = least;
    while (size < side && size < most) {
        size *= 2;
    }
    bool takes = t->height == size && t->width == size;
    if (side > most || (fixed && !takes)) {
        return gan__fail(err, GAN_E_RANGE,
                         "%s: the image size is %lldx%lld, allowed are squares of powers of two "
                         "from %lld to %lld",
                         o->arch->name, (long long)t->height, (long long)t->width, (long long)least,
                         (long long)most);
    }
    t->height = t->width = size;
    t->range = GAN_RANGE_SIGNED;
    return GAN_OK;
}

/* Combinations no network can take. */
static gan_status check(const struct gan__arch_opts *o, gan_err *err)
{
    if (o->arch->normless && (o->norm_gen != GAN__NORM_NONE || o->norm_disc != GAN__NORM_NONE)) {
        return gan__fail(err, GAN_E_ARG, "architecture %s has no normalisation to choose",
                         o->arch->name);
    }
    if (o->norm_disc == GAN__NORM_VIRTUAL &&
        (o->minibatch != GAN__MINIBATCH_NONE || o->cond != GAN__COND_NONE)) {
        return gan__fail(err, GAN_E_ARG,
                         "virtual norm in the discriminator judges its reference along, which "
                         "%s; use another norm",
                         o->cond != GAN__COND_NONE ? "has no class"
                                                   : "minibatch features would count");
    }
    if (o->cond == GAN__COND_NONE) {
        return GAN_OK;
    }
    if (o->task.classes < 1) {
        return gan__fail(err, GAN_E_ARG, "networks that know the class need data with classes");
    }
    if (o->norm_gen != GAN__NORM_BATCH && !o->arch->knows_label) {
        return gan__fail(err, GAN_E_ARG,
                         "a generator learns the class through batch norm; use norm-gen batch");
    }
    if (o->pack > 1) {
        return gan__fail(err, GAN_E_ARG,
                         "a discriminator of %lld packed samples has no single class",
                         (long long)o->pack);
    }
    return GAN_OK;
}

void gan__arch_warn_unbounded(struct gan__arch_opts *o, const struct gan_loss *l, bool bounded,
                              const char *remedy)
{
    if (l->lipschitz && !bounded && !o->warned) {
        gan__log(GAN_LOG_WARNING,
                 "--loss %s needs a critic of bounded slope, without one its scores grow for ever: "
                 "%s",
                 l->name, remedy);
    }
    o->warned = true;
}

gan_status gan__arch_fit(struct gan__arch_opts *o, bool fixed, gan_err *err)
{
    const struct gan_arch *a = o->arch;
    if (o->task.points && !a->points) {
        return gan__fail(err, GAN_E_ARG,
                         "architecture %s makes images, the data are points; use toy or "
                         "mlp512",
                         a->name);
    }
    GAN_TRY(a->fit(o, fixed, err));
    o->z = o->z > 0 ? o->z : a->z;
    o->width = o->width > 0 ? o->width : a->width;
    o->norm_gen = o->norm_gen != GAN__NORM_AUTO ? o->norm_gen : (int)a->norm_gen;
    o->norm_disc = o->norm_disc != GAN__NORM_AUTO ? o->norm_disc : (int)a->norm_disc;
    o->outputs = o->outputs > 0 ? o->outputs : 1;
    o->pack = o->pack > 0 ? o->pack : 1;
    o->reference = o->reference > 0 ? o->reference : REFERENCE;
    return check(o, err);
}

/* Virtual norm's reference batch are images of latents drawn once; they are made along with every
 * batch and left out of the result. */
static void generator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    gan_graph *g = gan_nn_graph(nn);
    if (o->norm_gen != GAN__NORM_VIRTUAL) {
        o->arch->gen(nn, in, out, options);
        return;
    }
    gan_val fixed =
        gan_nn_param(nn, &(struct gan_param_spec){.layer = "reference",
                                                  .name = "z",
                                                  .role = GAN_ROLE_VECTOR,
                                                  .shape = GAN_SHAPE(o->reference, o->z)});
    const gan_val both[] = {gan_stop(g, fixed), in[0]};
    gan_val z = gan_concat(g, both, 2, 0), images = GAN_NONE;
    o->arch->gen(nn, &z, &images, options);
    out[0] = gan_slice_axis(g, images, 0, o->reference, gan_dim(g, in[0], 0));
}

/* The discriminator's reference are the first reals (gan__plain_reference), judged along as well. */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct gan__arch_opts *o = options;
    const struct gan_task *t = &o->task;
    gan_graph *g = gan_nn_graph(nn);
    if (o->norm_disc != GAN__NORM_VIRTUAL) {
        o->arch->disc(nn, in, out, options);
        return;
    }
    gan_val fixed = gan_nn_param(
        nn, &(struct gan_param_spec){
                .layer = "reference",
                .name = "x",
                .role = GAN_ROLE_VECTOR,
                .shape = GAN_SHAPE(o->reference, t->height, t->width, t->channels * o->pack)});
    const gan_val both[] = {gan_stop(g, fixed), in[0]};
    gan_val x = gan_concat(g, both, 2, 0);
    o->arch->disc(nn, &x, out, options);
    for (int i = 0; i < 2; i++) {
        out[i] = gan_slice_axis(g, out[i], 0, o->reference, gan_dim(g, in[0], 0));
    }
}

void gan__arch_nets(gan_nets *d, const struct gan__arch_opts *o)
{
    const struct gan_task *t = &o->task;
    struct gan_net_desc net = {
        .name = "gen",
        .fn = generator,
        .in = {{.shape = GAN_SHAPE(2, o->z)}, {.shape = GAN_SHAPE(2), .index = true}},
        .n_in = o->cond != GAN__COND_NONE ? 2 : 1,
        .init = o->arch->init};
    gan_declare(d, &net);
    net.name = "disc";
    net.fn = discriminator;
    net.in[0].shape = GAN_SHAPE(2, t->height, t->width, t->channels * o->pack);
    gan_declare(d, &net);
}

void gan__arch_decoder(gan_nets *d, const struct gan__arch_opts *o, int64_t inputs)
{
    gan_declare(d, &(struct gan_net_desc){.name = "dec",
                                          .fn = o->arch->gen,
                                          .in = {{.shape = GAN_SHAPE(2, inputs)}},
                                          .n_in = 1,
                                          .init = o->arch->init});
}

struct gan__norming gan__arch_norm_gen(const struct gan__arch_opts *o, const gan_val *in)
{
    bool cond = o->cond != GAN__COND_NONE;
    return (struct gan__norming){.kind = o->norm_gen,
                                 .reference = o->reference,
                                 .classes = cond ? o->task.classes : 0,
                                 .label = cond ? in[1] : GAN_NONE};
}

struct gan__norming gan__arch_norm_disc(const struct gan__arch_opts *o)
{
    return (struct gan__norming){.kind = o->norm_disc, .reference = o->reference};
}

gan_val gan__arch_norm(gan_nn *nn, const char *name, gan_val x, const struct gan__norming *n)
{
    const struct gan_norm plain = {0};
    switch (n->kind) {
    case GAN__NORM_BATCH:
        return n->classes > 0 ? gan_conditional_batch_norm(nn, name, x, n->label, n->classes, plain)
                              : gan_batch_norm(nn, name, x, plain);
    case GAN__NORM_LAYER:
        return gan_layer_norm(nn, name, x, plain);
    case GAN__NORM_INSTANCE:
        return gan_shape_get(gan_nn_graph(nn), x).rank == 4
                   ? gan_instance_norm(nn, name, x, (struct gan_norm){.affine = GAN_YES})
                   : x;
    case GAN__NORM_VIRTUAL:
        return gan_virtual_batch_norm(nn, name, x, n->reference, plain);
    default:
        return x;
    }
}

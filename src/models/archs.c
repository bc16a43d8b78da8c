/* archs.c: finding and fitting architectures. */
#include "arch.h"

#include "base/err.h"
#include "base/str.h"

#include <string.h>

enum { MAX_ARCHS = 128 };

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
    return GAN_OK;
}

void gan__arch_nets(gan_nets *d, const struct gan__arch_opts *o)
{
    const struct gan_task *t = &o->task;
    gan_declare(d, &(struct gan_net_desc){.name = "gen",
                                          .fn = o->arch->gen,
                                          .in = {{.shape = GAN_SHAPE(2, o->z)}},
                                          .n_in = 1,
                                          .init = o->arch->init});
    gan_declare(
        d, &(struct gan_net_desc){.name = "disc",
                                  .fn = o->arch->disc,
                                  .in = {{.shape = GAN_SHAPE(2, t->height, t->width, t->channels)}},
                                  .n_in = 1,
                                  .init = o->arch->init});
}

gan_val gan__arch_norm(gan_nn *nn, const char *name, gan_val x, int kind)
{
    return kind == GAN__NORM_BATCH   ? gan_batch_norm(nn, name, x, (struct gan_norm){0})
           : kind == GAN__NORM_LAYER ? gan_layer_norm(nn, name, x, (struct gan_norm){0})
                                     : x;
}

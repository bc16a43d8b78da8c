/* step_pool.c: the image pool as graph state. The discriminator sees a history of fakes, which keeps
 * the two networks from chasing each other. Shrivastava et al. 2017, arXiv:1612.07828, section 2.3;
 * the rule is CycleGAN's: a full pool exchanges with probability 1/2. */
#include "base/str.h"
#include "step_build.h"

enum { NAME = 64 };

/* The pool between two images. */
struct pool {
    gan_graph *g;
    int64_t size;
    gan_val kept, count; /* [size,H,W,C] and [1] */
};

/* One image [1,H,W,C] goes in, one comes out; u [1,2]: the decision and the place, in (0,1). */
static gan_val exchange(struct pool *p, gan_val image, gan_val u)
{
    gan_graph *g = p->g;
    gan_val size = gan_const(g, (double)p->size), half = gan_const(g, 0.5);
    gan_val decision = gan_reshape(g, gan_slice_axis(g, u, 1, 0, 1), GAN_SHAPE(1));
    gan_val place = gan_reshape(g, gan_slice_axis(g, u, 1, 1, 1), GAN_SHAPE(1));
    gan_val filling = gan_less(g, p->count, size);
    gan_val last = gan_const(g, (double)(p->size - 1)); /* place * size may round up to size */
    gan_val at = gan_select(g, filling, p->count, gan_min(g, gan_mul(g, place, size), last));
    gan_val index = gan_cast(g, at, GAN_I32);
    gan_val old = gan_gather(g, p->kept, index);

    gan_val zero = gan_zeros_like(g, decision), one = gan_ones_like(g, decision);
    gan_val take = gan_greater(g, gan_select(g, filling, zero, decision), half);
    gan_val keep = gan_greater(g, gan_select(g, filling, one, decision), half);
    gan_val fresh = gan_select(g, gan_isfinite(g, image), image, old);
    p->kept = gan_scatter_set(g, p->kept, index, gan_select(g, keep, fresh, old));
    p->count = gan_min(g, gan_shift(g, p->count, 1), size);
    return gan_select(g, take, old, image);
}

static bool add_entry(gan_step *s, const char *name, gan_shape shape)
{
    gan_err err = {0};
    if (gan_store_add(s->cfg.store, name, GAN_STATE_POOL, s->cfg.real, shape, &err) < 0) {
        gan_graph_fail(gan_step_graph(s), err.code, "%s", err.message);
        return false;
    }
    return true;
}

/* The random numbers of the exchanges, [N,2]. */
static gan_val draws(gan_step *s, const char *name, int64_t n)
{
    if (s->cfg.external_noise) {
        return gan__step_input(s, name, s->cfg.real, GAN_SHAPE(1, 2));
    }
    return gan_random_uniform(gan_step_graph(s), name, GAN_SHAPE(n, 2));
}

gan_val gan_pool(gan_step *s, const char *name, gan_val images, int64_t size)
{
    gan_graph *g = gan_step_graph(s);
    gan_shape shape = gan_shape_get(g, images);
    char kept[NAME], count[NAME];
    images = gan_stop(g, images);
    if (size == 0 || !gan_ok(images)) {
        return images;
    }
    if (size < 0 || shape.rank != 4) {
        return gan_graph_fail(g, GAN_E_RANGE, "pool %s of %lld images, at least 0 expected", name,
                              (long long)size);
    }
    if (!gan__format(kept, sizeof kept, "pool.%s", name) ||
        !gan__format(count, sizeof count, "pool.%s.count", name)) {
        return gan_graph_fail(g, GAN_E_RANGE, "pool %s: the name is too long", name);
    }
    int64_t n = shape.dim[0];
    shape.dim[0] = size;
    if (!add_entry(s, kept, shape) || !add_entry(s, count, GAN_SHAPE(1))) {
        return GAN_NONE;
    }
    struct pool p = {g, size, gan_state_get(g, kept), gan_state_get(g, count)};
    gan_val u = draws(s, kept, n), out = GAN_NONE;
    for (int64_t i = 0; i < n; i++) {
        gan_val one =
            exchange(&p, gan_slice_axis(g, images, 0, i, 1), gan_slice_axis(g, u, 0, i, 1));
        const gan_val both[] = {out, one};
        out = i == 0 ? one : gan_concat(g, both, 2, 0);
    }
    gan_state_set(g, kept, p.kept);
    gan_state_set(g, count, p.count);
    return gan_stop(g, out);
}

/* plain_reference.c: virtual norm in the discriminator of the model plain: the reals it sees first are
 * its reference batch for the whole run, part of the network's state and of its checkpoints.
 *
 * Salimans et al. 2016, arXiv:1606.03498, section 3.5: "chosen once and fixed at the start". */
#include "plain.h"
#include "step_build.h"

static double is_first(const void *unused, const struct gan_moment *m)
{
    (void)unused;
    return m->iteration == 0 ? 1 : 0;
}

/* Packs of the whole batch, again and again until the reference is full. */
void gan__plain_reference(gan_step *s, const struct gan__plain *o)
{
    static const char entry[] = "disc.reference.x";
    gan_graph *g = gan_step_graph(s);
    const int64_t rows = o->net.reference;
    if (o->net.norm_disc != GAN__NORM_VIRTUAL || !gan_ok(gan_batch(s, GAN_FIELD_IMAGE))) {
        return;
    }
    const struct gan_task *t = &o->net.task;
    const gan_shape shape = GAN_SHAPE(s->cfg.batch, t->height, t->width, t->channels);
    gan_val x = gan__arch_pack(g, gan_feed(g, "image", s->cfg.real, shape), o->net.pack);
    while (gan_dim(g, x, 0) < rows && gan_ok(x)) {
        const gan_val twice[] = {x, x};
        x = gan_concat(g, twice, 2, 0);
    }
    x = gan_slice_axis(g, x, 0, 0, rows);
    gan_val first = gan_step_scalar(s, "reference.first", is_first, NULL);
    gan_val now = gan_greater(g, first, gan_const(g, 0.5));
    gan_state_set(g, entry, gan_select(g, now, x, gan_state_get(g, entry)));
    gan__phase_begin(s);
}

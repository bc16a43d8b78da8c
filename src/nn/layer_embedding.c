/* layer_embedding.c: a table of vectors, read by index. */
#include "net.h"

gan_val gan_embedding(gan_nn *nn, const char *name, gan_val idx, struct gan_embedding o)
{
    gan_graph *g = nn->g;
    if (!gan_ok(idx)) {
        return GAN_NONE;
    }
    gan_scope_push(g, name);
    gan_val table =
        gan_nn_param(nn, &(struct gan_param_spec){.layer = name,
                                                  .name = "weight",
                                                  .shape = GAN_SHAPE(o.rows, o.dim),
                                                  .init = o.init ? o.init : "normal:0,1"});
    if (o.spectral) {
        table = gan__nn_spectral(nn, name, table);
    }
    gan_val y = gan_gather(g, table, idx);
    gan_scope_pop(g);
    return y;
}

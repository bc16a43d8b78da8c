/* nn_format.c: names of layers made by loops. */
#include "engine/graph/node.h"
#include <gan/nn.h>

#include <stdarg.h>
#include <stdio.h>

const char *gan_nn_format(gan_nn *nn, const char *fmt, ...)
{
    gan_graph *g = gan_nn_graph(nn);
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *copy =
        n >= 0 && (size_t)n < sizeof text ? gan__arena_strdup(&g->arena, text) : NULL;
    if (!copy) {
        gan_graph_fail(g, GAN_E_NOMEM, "cannot allocate the name '%s'", text);
        return "";
    }
    return copy;
}

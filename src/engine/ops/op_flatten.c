/* op_flatten.c: images to rows and back in C,H,W order, the order in which PyTorch's linear weights
 * follow convolutions. Both are a transpose and a reshape; nothing else knows the order. */
#include <gan/graph.h>

gan_val gan_flatten(gan_graph *g, gan_val x)
{
    gan_shape s = gan_shape_get(g, x);
    char text[96];
    if (!gan_ok(x) || s.rank == 2)
        return x;
    if (s.rank != 4)
        return gan_graph_fail(g, GAN_E_SHAPE, "flatten: shape %s, expected [N,H,W,C] or [N,F]",
                              gan_shape_text(&s, text, sizeof text));
    gan_val chw = gan_transpose(g, x, (const int[]){0, 3, 1, 2});
    return gan_reshape(g, chw, GAN_SHAPE(s.dim[0], s.dim[1] * s.dim[2] * s.dim[3]));
}

gan_val gan_unflatten(gan_graph *g, gan_val x, int64_t h, int64_t w, int64_t c)
{
    gan_shape s = gan_shape_get(g, x);
    char text[96];
    if (!gan_ok(x))
        return GAN_NONE;
    gan_shape image = GAN_SHAPE(c, h, w);
    int64_t count = gan_shape_count(&image);
    if (s.rank != 2 || count < 0 || s.dim[1] != count)
        return gan_graph_fail(g, GAN_E_SHAPE, "unflatten: shape %s, expected [N,%lld*%lld*%lld]",
                              gan_shape_text(&s, text, sizeof text), (long long)c, (long long)h,
                              (long long)w);
    gan_val chw = gan_reshape(g, x, GAN_SHAPE(s.dim[0], c, h, w));
    return gan_transpose(g, chw, (const int[]){0, 2, 3, 1});
}

/* layer_conv.c: convolution and its transpose. The transposed layer is the data gradient of the
 * convolution whose weight it stores: its IOHW is that convolution's OIHW. */
#include "net.h"

/* The layer's options with every default filled in. */
struct geometry {
    int64_t kh, kw, ph, pw, extra, groups;
    struct gan_conv c;
};

static int64_t or_else(int64_t value, int64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static bool geometry_of(gan_nn *nn, const char *name, gan_val x, const struct gan_conv_layer *o,
                        struct geometry *q)
{
    gan_shape s = gan_shape_get(nn->g, x);
    char text[96];
    if (!gan_ok(x)) {
        return false;
    }
    *q = (struct geometry){.kh = o->kernel, .kw = or_else(o->kernel_w, o->kernel), .ph = o->pad};
    q->pw = o->pad_w < 0 ? 0 : or_else(o->pad_w, o->pad);
    q->extra = o->pad_extra;
    q->groups = or_else(o->groups, 1);
    q->c = (struct gan_conv){.stride_h = or_else(o->stride, 1),
                             .dilation_h = or_else(o->dilation, 1),
                             .groups = q->groups};
    q->c.stride_w = or_else(o->stride_w, q->c.stride_h);
    q->c.dilation_w = or_else(o->dilation_w, q->c.dilation_h);
    if (s.rank != 4) {
        gan_graph_fail(nn->g, GAN_E_SHAPE, "convolution %s/%s: input is %s, expected [N,H,W,C]",
                       nn->net->name, name, gan_shape_text(&s, text, sizeof text));
        return false;
    }
    if (q->kh < 1 || q->kw < 1 || q->ph < 0 || q->extra < 0 || q->c.stride_h < 1 ||
        q->c.stride_w < 1 || q->c.dilation_h < 1 || q->c.dilation_w < 1 || o->out < 1 ||
        q->groups < 1 || s.dim[3] % q->groups != 0 || o->out % q->groups != 0) {
        gan_graph_fail(nn->g, GAN_E_SHAPE,
                       "convolution %s/%s: %lld -> %lld channels in %lld groups, kernel %lldx%lld, "
                       "stride %lld, padding %lld does not work",
                       nn->net->name, name, (long long)s.dim[3], (long long)o->out,
                       (long long)q->groups, (long long)q->kh, (long long)q->kw,
                       (long long)q->c.stride_h, (long long)q->ph);
        return false;
    }
    return true;
}

static void set_pads(struct geometry *q)
{
    q->c.pad_top = q->ph;
    q->c.pad_left = q->pw;
    q->c.pad_bottom = q->ph + q->extra;
    q->c.pad_right = q->pw + q->extra;
}

static gan_val weight_of(gan_nn *nn, const char *name, int64_t a, int64_t b,
                         const struct geometry *q, const char *init)
{
    return gan_nn_param(nn, &(struct gan_param_spec){.layer = name,
                                                     .name = "weight",
                                                     .shape = GAN_SHAPE(a, b, q->kh, q->kw),
                                                     .init = init});
}

gan_val gan_conv(gan_nn *nn, const char *name, gan_val x, struct gan_conv_layer o)
{
    gan_graph *g = nn->g;
    struct geometry q;
    if (!geometry_of(nn, name, x, &o, &q)) {
        return GAN_NONE;
    }
    gan_scope_push(g, name);
    int64_t in = gan_dim(g, x, 3) / q.groups;
    gan_val w = weight_of(nn, name, o.out, in, &q, o.init);
    if (o.spectral) {
        w = gan__nn_spectral(nn, name, w);
    }
    if (o.pad_mode == GAN_PAD_ZERO) {
        set_pads(&q);
    } else {
        const int64_t before[] = {0, q.ph, q.pw, 0};
        const int64_t after[] = {0, q.ph + q.extra, q.pw + q.extra, 0};
        x = gan_pad(g, x, before, after, o.pad_mode);
    }
    gan_val y = gan_conv2d(g, x, w, q.c);
    if (o.bias) {
        y = gan__nn_add_bias(nn, name, y, in * q.kh * q.kw, o.bias_init);
    }
    gan_scope_pop(g);
    return y;
}

/* Extent of a transposed convolution's result: the largest input the convolution shrinks to n, less
 * what output padding leaves out. */
static int64_t transposed_extent(int64_t n, int64_t stride, int64_t pads, int64_t dilation,
                                 int64_t kernel, int64_t more)
{
    return (n - 1) * stride - pads + dilation * (kernel - 1) + 1 + more;
}

gan_val gan_conv_transpose(gan_nn *nn, const char *name, gan_val x, struct gan_conv_layer o)
{
    gan_graph *g = nn->g;
    struct geometry q;
    if (!geometry_of(nn, name, x, &o, &q)) {
        return GAN_NONE;
    }
    if (o.output_pad < 0 ||
        (o.output_pad > 0 && (o.output_pad >= q.c.stride_h || o.output_pad >= q.c.stride_w))) {
        return gan_graph_fail(g, GAN_E_RANGE,
                              "transposed convolution %s/%s: output padding %lld, allowed 0 to "
                              "less than the stride %lld",
                              nn->net->name, name, (long long)o.output_pad,
                              (long long)q.c.stride_h);
    }
    gan_scope_push(g, name);
    set_pads(&q);
    int64_t out = o.out / q.groups;
    gan_val w = weight_of(nn, name, gan_dim(g, x, 3), out, &q, o.init);
    int64_t h = transposed_extent(gan_dim(g, x, 1), q.c.stride_h, q.c.pad_top + q.c.pad_bottom,
                                  q.c.dilation_h, q.kh, o.output_pad);
    int64_t width = transposed_extent(gan_dim(g, x, 2), q.c.stride_w, q.c.pad_left + q.c.pad_right,
                                      q.c.dilation_w, q.kw, o.output_pad);
    gan_val y = gan_conv2d_input_grad(g, x, w, q.c, h, width);
    if (o.bias) {
        y = gan__nn_add_bias(nn, name, y, out * q.kh * q.kw, o.bias_init);
    }
    gan_scope_pop(g);
    return y;
}

/* net_image.c: what networks over images share: normalisation, noise, patch losses, pictures. */
#include "net_image.h"

#include "base/str.h"

/* Each image by its own statistics, with batch norm's scale and offset: what batch norm is at the
 * batch of one that these networks were published with. */
static gan_val norm_by_image(gan_nn *nn, const char *name, gan_val x)
{
    gan_graph *g = gan_nn_graph(nn);
    gan_shape shape = GAN_SHAPE(gan_dim(g, x, 3));
    gan_val y = gan_normalize(g, x, GAN_AXIS(1) | GAN_AXIS(2), 1e-5).x_hat;
    gan_val scale = gan_nn_param(
        nn, &(struct gan_param_spec){
                .layer = name, .name = "weight", .role = GAN_ROLE_SCALE, .shape = shape});
    gan_val offset = gan_nn_param(
        nn, &(struct gan_param_spec){
                .layer = name, .name = "bias", .role = GAN_ROLE_OFFSET, .shape = shape});
    return gan_add(g, gan_mul(g, y, scale), offset);
}

gan_val gan__image_norm(gan_nn *nn, const char *name, gan_val x, const struct gan__image_net *o)
{
    if (o->norm == GAN__NORM_NONE) {
        return x;
    }
    if (o->norm == GAN__NORM_INSTANCE) {
        return gan_instance_norm(nn, name, x, (struct gan_norm){0});
    }
    gan_val y = gan_batch_norm(nn, name, x, (struct gan_norm){0}); /* declares the parameters too */
    return gan_nn_mode(nn) == GAN_EVAL && !o->running ? norm_by_image(nn, name, x) : y;
}

gan_val gan__image_dropout(gan_nn *nn, const char *name, gan_val x, double p)
{
    gan_graph *g = gan_nn_graph(nn);
    if (p <= 0 || !gan_ok(x)) {
        return x;
    }
    gan_val u = gan_random_uniform(g, name, gan_shape_get(g, x));
    gan_val keep = gan_greater_equal(g, u, gan_const(g, p));
    return gan_select(g, keep, gan_scale(g, x, 1 / (1 - p)), gan_zeros_like(g, x));
}

gan_val gan__patch_loss_of(gan_graph *g, gan__patch_loss kind, gan_val score, bool real)
{
    double target = real ? 1 : 0;
    if (kind == GAN__PATCH_WGAN_GP) {
        gan_val mean = gan_mean_all(g, score);
        return real ? gan_neg(g, mean) : mean;
    }
    if (kind == GAN__PATCH_VANILLA) {
        return gan_loss_bce_logits(g, score, target);
    }
    return gan_mean_all(g, gan_square(g, gan_shift(g, score, -target)));
}

gan_val gan__patch_penalty(gan_step *s, const char *disc, gan_val beside, gan_val real,
                           gan_val fake, double weight)
{
    gan_graph *g = gan_step_graph(s);
    char stream[64];
    (void)gan__format(stream, sizeof stream, "eps.%s", disc);
    gan_val eps = gan_noise_uniform(s, stream, GAN_SHAPE(1, 1, 1, 1));
    gan_val x_hat = gan_interpolate_by(g, eps, real, gan_stop(g, fake));
    const gan_val both[] = {beside, x_hat};
    gan_val in = gan_ok(beside) ? gan_concat(g, both, 2, 3) : x_hat;
    gan_val score = gan_mean(g, gan_apply(s, disc, in), 1u << 1 | 1u << 2 | 1u << 3, false);
    return gan_scale(g, gan_penalty_gradient(g, score, x_hat, 1), weight);
}

gan__norm_kind gan__patch_norm(gan__norm_kind norm, gan__patch_loss loss)
{
    return norm == GAN__NORM_BATCH && loss == GAN__PATCH_WGAN_GP ? GAN__NORM_INSTANCE : norm;
}

gan_val gan__panels(gan_graph *g, const gan_val *images, int n)
{
    enum { MOST = 8 };
    gan_val same[MOST];
    int64_t channels = 1;
    for (int i = 0; i < n; i++) {
        int64_t c = gan_dim(g, images[i], 3);
        channels = c > channels ? c : channels;
    }
    for (int i = 0; i < n && i < MOST; i++) {
        gan_shape s = gan_shape_get(g, images[i]);
        bool gray = gan_ok(images[i]) && s.dim[3] == 1 && channels > 1;
        s.dim[3] = channels;
        same[i] = gray ? gan_broadcast(g, images[i], s) : images[i];
    }
    return gan_concat(g, same, n < MOST ? n : MOST, 2);
}

/* model_autoencoder.c: autoencoders, whose decoder is a generator once z can be sampled.
 *
 * ae: |x - G(E(x))|^2. vae: the same plus KL(q(z|x) || N(0,1)); Kingma and Welling 2014,
 * arXiv:1312.6114. aae: a discriminator on z makes E(x) look like N(0,1); Makhzani et al. 2015,
 * arXiv:1511.05644, in the form of PyTorch-GAN `aae`. The decoder is called `gen`: with
 * --decoder mlp it is the generator of model `gan`, which --init then starts from. */
#include "gan/model.h"
#include "base/err.h"
#include "net_mlp.h"

enum { KIND_AE, KIND_VAE, KIND_AAE };
enum { DECODER_MLP, DECODER_AAE };
enum { COST_L2, COST_L1 };

struct autoencoder {
    struct gan_task task;
    int kind, decoder, cost;
    int64_t z, width, hidden;
    double kl, adversarial;
    struct gan_optim optim;
};

static const struct gan_opt opts[] = {
    GAN_OPT_CHOICE(struct autoencoder, kind, "kind", "ae", "ae|vae|aae",
                   "plain, variational or adversarial autoencoder"),
    GAN_OPT_CHOICE(struct autoencoder, decoder, "decoder", "mlp", "mlp|aae",
                   "decoder: the generator of model gan, or that of the reference aae"),
    GAN_OPT_CHOICE(struct autoencoder, cost, "cost", "l2", "l2|l1", "cost of a pixel"),
    GAN_OPT_I64(struct autoencoder, z, "z", "10", 1, 65536, "length of the code"),
    GAN_OPT_I64(struct autoencoder, width, "width", "128", 1, 8192,
                "decoder mlp: first hidden layer"),
    GAN_OPT_I64(struct autoencoder, hidden, "hidden", "512", 2, 65536,
                "hidden layers of the encoder, of decoder aae and of the discriminator"),
    GAN_OPT_F64(struct autoencoder, kl, "kl", "1", 0, 1e6, "vae: weight of the KL divergence"),
    GAN_OPT_F64(struct autoencoder, adversarial, "adversarial", "0.001", 0, 1,
                "aae: weight of the adversarial term; the cost has 1 minus it"),
    GAN_OPT_PARSED(struct autoencoder, optim, "optim", "adam:2e-4,.5,.999", gan_optim_option,
                   "optimiser of all networks"),
    GAN_OPT_END,
};

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct autoencoder *o = options;
    (void)fixed; /* any size will do */
    (void)err;
    o->task.range = GAN_RANGE_SIGNED;
    return GAN_OK;
}

/* Image -> hidden LReLU -> hidden BN LReLU -> mu [N,z], logvar [N,z]. */
static void encoder(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct autoencoder *o = options;
    gan_graph *g = gan_nn_graph(nn);
    const struct gan_linear hidden = {.out = o->hidden, .bias = true};
    const struct gan_linear code = {.out = o->z, .bias = true};
    gan_val h = gan_linear(nn, "model.0", gan_flatten(g, in[0]), hidden);
    h = gan_linear(nn, "model.2", gan_leaky_relu(g, h, 0.2), hidden);
    h = gan_leaky_relu(g, gan_batch_norm(nn, "model.3", h, (struct gan_norm){0}), 0.2);
    out[0] = gan_linear(nn, "mu", h, code);
    if (o->kind != KIND_AE) {
        out[1] = gan_linear(nn, "logvar", h, code);
    }
}

/* Code -> image: hidden LReLU -> hidden BN LReLU -> tanh. */
static gan_val aae_decoder(gan_nn *nn, gan_val z, const struct autoencoder *o)
{
    gan_graph *g = gan_nn_graph(nn);
    const struct gan_task *t = &o->task;
    const struct gan_linear hidden = {.out = o->hidden, .bias = true};
    const struct gan_linear pixels = {.out = t->height * t->width * t->channels, .bias = true};
    gan_val h = gan_leaky_relu(g, gan_linear(nn, "model.0", z, hidden), 0.2);
    h = gan_batch_norm(nn, "model.3", gan_linear(nn, "model.2", h, hidden), (struct gan_norm){0});
    h = gan_linear(nn, "model.5", gan_leaky_relu(g, h, 0.2), pixels);
    return gan__mlp_image(nn, h, t);
}

static void decoder(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct autoencoder *o = options;
    gan_val x = o->decoder == DECODER_AAE ? aae_decoder(nn, in[0], o)
                                          : gan__mlp_generator(nn, in[0], &o->task, o->width, 0);
    out[0] = o->task.points ? x : gan_tanh(gan_nn_graph(nn), x); /* points lie anywhere */
}

/* Code -> hidden LReLU -> hidden/2 LReLU -> logit: is it from N(0,1)? */
static void discriminator(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct autoencoder *o = options;
    gan_graph *g = gan_nn_graph(nn);
    gan_val h = in[0];
    h = gan_linear(nn, "model.0", h, (struct gan_linear){.out = o->hidden, .bias = true});
    h = gan_leaky_relu(g, h, 0.2);
    h = gan_linear(nn, "model.2", h, (struct gan_linear){.out = o->hidden / 2, .bias = true});
    h = gan_leaky_relu(g, h, 0.2);
    out[0] = gan_linear(nn, "model.4", h, (struct gan_linear){.out = 1, .bias = true});
}

static void nets(gan_nets *d, const void *options)
{
    const struct autoencoder *o = options;
    const struct gan_task *t = &o->task;
    const gan_shape code = GAN_SHAPE(2, o->z);
    gan_declare(
        d, &(struct gan_net_desc){.name = "enc",
                                  .fn = encoder,
                                  .in = {{.shape = GAN_SHAPE(2, t->height, t->width, t->channels)}},
                                  .n_in = 1});
    gan_declare(d, &(struct gan_net_desc){
                       .name = "gen", .fn = decoder, .in = {{.shape = code}}, .n_in = 1});
    if (o->kind == KIND_AAE) {
        gan_declare(d,
                    &(struct gan_net_desc){
                        .name = "disc", .fn = discriminator, .in = {{.shape = code}}, .n_in = 1});
    }
}

static gan_val cost(gan_graph *g, const struct autoencoder *o, gan_val x, gan_val back)
{
    return o->cost == COST_L1 ? gan_loss_l1(g, x, back) : gan_loss_l2(g, x, back);
}

/* z = mu + exp(logvar/2) eps, eps ~ N(0,1). */
static gan_val draw(gan_step *s, const struct autoencoder *o, gan_val mu, gan_val logvar)
{
    gan_graph *g = gan_step_graph(s);
    gan_val sigma = gan_exp(g, gan_scale(g, logvar, 0.5));
    return gan_add(g, mu, gan_mul(g, sigma, gan_latent(s, "eps", o->z)));
}

static void iteration(gan_step *s, const void *options)
{
    const struct autoencoder *o = options;
    const struct gan_task *t = &o->task;
    gan_graph *g = gan_step_graph(s);
    gan_val x = gan_batch(s, GAN_FIELD_IMAGE), code[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_apply_all(s, "enc", &x, code);
    gan_val z = o->kind == KIND_AE ? code[0] : draw(s, o, code[0], code[1]);
    gan_val loss = cost(g, o, x, gan_apply(s, "gen", z));
    gan_report(s, "cost", loss);

    if (o->kind == KIND_VAE) { /* per pixel, as the cost is a mean over pixels */
        double pixels = (double)(t->height * t->width * t->channels);
        gan_val kl = gan_kl_normal(g, code[0], code[1]);
        gan_report(s, "kl", kl);
        loss = gan_add(g, loss, gan_scale(g, kl, o->kl / pixels));
    }
    if (o->kind == KIND_AAE) {
        gan_val fool = gan_loss_bce_logits(g, gan_apply(s, "disc", z), 1);
        loss =
            gan_add(g, gan_scale(g, loss, 1 - o->adversarial), gan_scale(g, fool, o->adversarial));
    }
    gan_minimize(s, "enc+gen", loss, &o->optim);

    if (o->kind == KIND_AAE) {
        gan_val on_prior = gan_apply(s, "disc", gan_latent(s, "prior", o->z));
        gan_val on_code = gan_apply(s, "disc", gan_stop(g, z));
        gan_val both =
            gan_add(g, gan_loss_bce_logits(g, on_prior, 1), gan_loss_bce_logits(g, on_code, 0));
        gan_minimize(s, "disc", gan_scale(g, both, 0.5), &o->optim);
    }
}

static gan_val sample(gan_step *s, const void *options)
{
    const struct autoencoder *o = options;
    return gan_apply(s, "gen", gan_latent(s, "z", o->z));
}

GAN_MODEL(autoencoder) = {
    .name = "autoencoder",
    .title = "autoencoders (plain, variational, adversarial): the decoder is a generator",
    .paper = "Kingma, Welling 2014, arXiv:1312.6114; Makhzani et al. 2015, arXiv:1511.05644",
    .help = "An encoder and a decoder trained on a fixed cost of pixels. The decoder alone is a "
            "generator if codes can be sampled: vae and aae see to that. A fixed cost averages "
            "over plausible answers, hence the blur that a learned cost, the discriminator, "
            "removes. `gan train gan --z 10 --init CHECKPOINT` continues from the decoder.",
    .needs = GAN_FIELD_IMAGE,
    .opts = opts,
    .size = sizeof(struct autoencoder),
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
};

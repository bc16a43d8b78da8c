/* model_classifier.c: a small convolutional classifier: no GAN, but the judge of GANs where no
 * pretrained network fits: class scores for the Inception Score, mode counts and classification
 * accuracy, and features for every distance between sets of images.
 *
 * Stages of 3x3 convolutions, batch norm (Ioffe and Szegedy 2015, arXiv:1502.03167) and ReLU, halved
 * until a side has at most 8 pixels; one hidden layer, whose outputs are the features; dropout
 * (Srivastava et al. 2014); cross-entropy. */
#include "base/err.h"
#include "gan/model.h"

enum { SMALLEST = 4, LAST_SIDE = 8, MAX_CHANNELS = 256 };

struct classifier {
    struct gan_task task;
    int64_t width, hidden;
    double dropout;
    struct gan_optim optim;
};

static const struct gan_opt opts[] = {
    GAN_OPT_I64(struct classifier, width, "width", "32", 1, 1024,
                "channels of the first convolution; each stage has twice those before, up to 256"),
    GAN_OPT_I64(struct classifier, hidden, "hidden", "128", 2, 4096,
                "units of the hidden layer: the number of features"),
    GAN_OPT_F64(struct classifier, dropout, "dropout", "0.3", 0, 0.95,
                "share of the features that training hides"),
    GAN_OPT_PARSED(struct classifier, optim, "optim", "adam:2e-3,.9,.999@linear", gan_optim_option,
                   "optimiser; @linear needs --steps or --epochs"),
    GAN_OPT_END,
};

static gan_status fit(void *options, bool fixed, gan_err *err)
{
    struct classifier *o = options;
    struct gan_task *t = &o->task;
    int64_t side = t->height < t->width ? t->height : t->width;
    t->range = GAN_RANGE_SIGNED;
    if (t->points) {
        return gan__fail(err, GAN_E_ARG, "classifier: the data are points, images are needed");
    }
    if (side < SMALLEST && fixed) {
        return gan__fail(err, GAN_E_SHAPE, "classifier: images of %lldx%lld, at least %dx%d",
                         (long long)t->height, (long long)t->width, (int)SMALLEST, (int)SMALLEST);
    }
    t->height = t->height < SMALLEST ? SMALLEST : t->height;
    t->width = t->width < SMALLEST ? SMALLEST : t->width;
    return GAN_OK;
}

static gan_val block(gan_nn *nn, int stage, int i, gan_val x, int64_t out)
{
    const struct gan_conv_layer conv = {.out = out, .kernel = 3, .pad = 1};
    x = gan_conv(nn, gan_nn_format(nn, "stage%d.conv%d", stage, i), x, conv);
    x = gan_batch_norm(nn, gan_nn_format(nn, "stage%d.norm%d", stage, i), x, (struct gan_norm){0});
    return gan_relu(gan_nn_graph(nn), x);
}

/* Image -> class scores [N,Y], features [N,hidden] and what each of the first six stages sees. */
static void network(gan_nn *nn, const gan_val *in, gan_val *out, const void *options)
{
    const struct classifier *o = options;
    gan_graph *g = gan_nn_graph(nn);
    const struct gan_pool half = {.kernel_h = 2, .kernel_w = 2};
    gan_val x = in[0];
    int64_t channels = o->width;
    int stage = 0;
    do {
        x = block(nn, stage, 0, x, channels);
        if (stage > 0) {
            x = block(nn, stage, 1, x, channels);
        }
        if (2 + stage < GAN_NET_MAX_OUT) {
            out[2 + stage] = x;
        }
        x = gan_max_pool(g, x, half);
        channels = 2 * channels < MAX_CHANNELS ? 2 * channels : MAX_CHANNELS;
        stage++;
    } while (gan_dim(g, x, 1) > LAST_SIDE && gan_dim(g, x, 2) > LAST_SIDE);
    x = gan_linear(nn, "hidden", gan_flatten(g, x), (struct gan_linear){.out = o->hidden});
    x = gan_batch_norm(nn, "hidden_norm", x, (struct gan_norm){0});
    out[1] = gan_relu(g, x);
    x = gan_dropout(nn, "dropout", out[1], o->dropout);
    out[0] =
        gan_linear(nn, "classes", x, (struct gan_linear){.out = o->task.classes, .bias = true});
}

static void nets(gan_nets *d, const void *options)
{
    const struct classifier *o = options;
    const struct gan_task *t = &o->task;
    gan_declare(
        d, &(struct gan_net_desc){.name = "cls",
                                  .fn = network,
                                  .in = {{.shape = GAN_SHAPE(2, t->height, t->width, t->channels)}},
                                  .n_in = 1});
}

static gan_val scores(gan_step *s)
{
    gan_val x = gan_batch(s, GAN_FIELD_IMAGE), out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_apply_all(s, "cls", &x, out);
    return out[0];
}

static void iteration(gan_step *s, const void *options)
{
    const struct classifier *o = options;
    gan_graph *g = gan_step_graph(s);
    gan_val logits = scores(s), labels = gan_batch(s, GAN_FIELD_LABEL);
    gan_val right = gan_equal(g, gan_argmax(g, logits, 1), labels);
    gan_report(s, "accuracy", gan_mean_all(g, gan_cast(g, right, gan_graph_real(g))));
    gan_minimize(s, "cls", gan_loss_cross_entropy(g, logits, labels), &o->optim);
}

/* Each image as bright as its true class is probable: what the network fails at is dark. */
static gan_val sample(gan_step *s, const void *options)
{
    const struct classifier *o = options;
    gan_graph *g = gan_step_graph(s);
    gan_val x = gan_batch(s, GAN_FIELD_IMAGE);
    gan_val truth = gan_one_hot(g, gan_batch(s, GAN_FIELD_LABEL), o->task.classes);
    gan_val p = gan_sum(g, gan_mul(g, truth, gan_softmax(g, scores(s))), 2, false);
    p = gan_reshape(g, p, GAN_SHAPE(gan_dim(g, x, 0), 1, 1, 1));
    return gan_shift(g, gan_mul(g, gan_shift(g, x, 1), p), -1);
}

static gan_val show(gan_step *s, const void *options)
{
    gan_graph *g = gan_step_graph(s);
    const gan_val row[] = {gan_batch(s, GAN_FIELD_IMAGE), sample(s, options)};
    return gan_concat(g, row, 2, 2);
}

GAN_MODEL(classifier) = {
    .name = "classifier",
    .title = "a small classifier, the judge of other models' samples",
    .paper = "LeCun et al. 1998, with batch norm: Ioffe and Szegedy 2015, arXiv:1502.03167",
    .help = "Needs data with classes. The log's accuracy is of each batch as it was trained on; "
            "gan classify RUN --data SPEC measures it on a whole set. --features "
            "classifier:RUN then measures FID, KID and others in the space of its hidden layer. "
            "Sample grids show images beside themselves dimmed by the probability of their class. "
            "gan train classifier --data fashion-mnist recognises 92.6 % of the test images.",
    .needs = GAN_FIELD_IMAGE | GAN_FIELD_LABEL,
    .opts = opts,
    .size = sizeof(struct classifier),
    .batch = 128,
    .epochs = 3,
    .fit = fit,
    .nets = nets,
    .iteration = iteration,
    .sample = sample,
    .show = show,
};

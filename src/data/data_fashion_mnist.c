/* data_fashion_mnist.c: 70,000 pictures of clothes, 28x28 gray, from Debian's package.
 *
 * Ref: Xiao, Rasul, Vollgraf 2017, "Fashion-MNIST", arXiv:1708.07747. */
#include "dataset.h"

#include "base/err.h"
#include "base/file.h"
#include "idx.h"

#include <limits.h>
#include <stdlib.h>

#define PACKAGE_DIR "/usr/share/datasets/fashion-mnist"

struct opts {
    int split; /* 0 train, 1 test */
};

static const struct gan_opt table[] = {
    GAN_OPT_CHOICE(struct opts, split, "split", "train", "train|test",
                   "60,000 images to train on or 10,000 to test on"),
    GAN_OPT_END,
};

static const char *const classes[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

/* DIR/STEM.gz, or DIR/STEM where somebody has unpacked it. */
static gan_status locate(char *dst, size_t cap, const char *dir, const char *stem_gz, size_t stem,
                         gan_err *err)
{
    GAN_TRY(gan__path_join(dst, cap, dir, stem_gz, err));
    if (gan__path_exists(dst)) {
        return GAN_OK;
    }
    char plain[64];
    for (size_t i = 0; i < stem; i++) {
        plain[i] = stem_gz[i];
    }
    plain[stem] = '\0';
    GAN_TRY(gan__path_join(dst, cap, dir, plain, err));
    if (gan__path_exists(dst)) {
        return GAN_OK;
    }
    return gan__fail(err, GAN_E_NOTFOUND,
                     "%s/%s is not there: apt install dataset-fashion-mnist, or set "
                     "GAN_FASHION_MNIST to the folder that holds it",
                     dir, stem_gz);
}

static gan_status open_set(struct gan__source *s, const char *argument, const void *opts,
                           gan_err *err)
{
    static const char images_gz[2][32] = {"train-images-idx3-ubyte.gz",
                                          "t10k-images-idx3-ubyte.gz"};
    static const char labels_gz[2][32] = {"train-labels-idx1-ubyte.gz",
                                          "t10k-labels-idx1-ubyte.gz"};
    char images[PATH_MAX], labels[PATH_MAX];
    const struct opts *o = opts;
    const char *dir = getenv("GAN_FASHION_MNIST");
    size_t stem = sizeof "train-images-idx3-ubyte" - 1 - (o->split == 1);
    (void)argument;
    dir = dir != NULL && dir[0] != '\0' ? dir : PACKAGE_DIR;
    GAN_TRY(locate(images, sizeof images, dir, images_gz[o->split], stem, err));
    GAN_TRY(locate(labels, sizeof labels, dir, labels_gz[o->split], stem, err));
    const struct gan__idx_set set = {
        .images = images, .labels = labels, .classes = 10, .class_names = classes};
    return gan__idx_source(s, &set, err);
}

GAN_DATA(fashion_mnist) = {
    .name = "fashion-mnist",
    .help = "70,000 pictures of clothes, 28x28 gray, 10 classes (Debian: dataset-fashion-mnist)",
    .opts = table,
    .opts_size = sizeof(struct opts),
    .open = open_set,
};

/* images.c: real images for experiments, sheets of them, and a GAN that learns them. */
#include "images.h"

#include "base/alloc.h"
#include "base/err.h"

#include <gan/data.h>

#include <math.h>
#include <string.h>

static void shrink(const uint8_t *pixels, int side, double *y)
{
    for (int i = 0; i < side * side; i++) {
        const int top = i / side * GAN_IMAGE_SIDE / side, left = i % side * GAN_IMAGE_SIDE / side;
        const int bottom = (i / side + 1) * GAN_IMAGE_SIDE / side;
        const int right = (i % side + 1) * GAN_IMAGE_SIDE / side;
        double sum = 0;
        for (int r = top; r < bottom; r++) {
            for (int c = left; c < right; c++) {
                sum += pixels[r * GAN_IMAGE_SIDE + c] / 255.0;
            }
        }
        y[i] = sum / ((bottom - top) * (right - left));
    }
}

double *gan__lab_images(struct gan__lab *l, int side, int64_t n, int *label)
{
    uint8_t pixels[GAN_IMAGE_PIXELS];
    gan_dataset *ds = NULL;
    double *x = gan__lab_array(l, (size_t)(n * side * side));
    if (x == NULL || !gan__lab_ok(l, gan_dataset_open("fashion-mnist", &ds, l->err))) {
        return NULL;
    }
    for (int64_t i = 0; i < n && l->status == GAN_OK; i++) {
        if (gan__lab_ok(l, gan_dataset_pixels(ds, i, pixels, l->err))) {
            shrink(pixels, side, x + i * side * side);
        }
        if (label != NULL) {
            label[i] = gan_dataset_label(ds, i);
        }
    }
    gan_dataset_close(ds);
    return l->status == GAN_OK ? x : NULL;
}

void gan__lab_show(struct gan__lab *l, gan_panel *p, const char *title, const float *x, int side,
                   int n)
{
    const size_t small = (size_t)side, large = GAN_IMAGE_SIDE, height = large + 2;
    const size_t width = (size_t)n * height;
    unsigned char *sheet = gan__alloc(width * height);
    if (sheet == NULL) {
        gan__lab_ok(l, gan__fail_nomem(l->err, width * height, "a sheet of images"));
        return;
    }
    memset(sheet, 255, width * height);
    for (size_t k = 0; k < (size_t)n; k++) {
        for (size_t i = 0; i < large * large; i++) {
            const size_t r = i / large * small / large, c = i % large * small / large;
            const double v = fmin(fmax((double)x[(k * small + r) * small + c], 0), 1);
            sheet[i / large * width + k * height + i % large] = (unsigned char)(255 * v + 0.5);
        }
    }
    gan_panel_title(p, title);
    gan_panel_bare(p);
    gan_plot_image(p, sheet, height, width, 1);
    gan__free(sheet);
}

struct gan__toy *gan__lab_image_gan(struct gan__lab *l, struct gan__toy_opts o)
{
    o.loss = "nonsaturating";
    o.regs = "r1:1";
    o.optim_disc = o.optim_gen = "adam:2e-4,.5,.99";
    o.width = o.gen_width = 256;
    o.depth = 2;
    o.relu = true;
    o.seed = l->seed;
    return gan__toy_new(l, &o);
}

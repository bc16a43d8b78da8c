/* images.c: real images for experiments, and sheets of them. */
#include "images.h"

#include "base/alloc.h"
#include "base/err.h"

#include <gan/data.h>

#include <math.h>

double *gan__lab_images(struct gan__lab *l, int64_t first, int64_t n, int *label)
{
    uint8_t pixels[GAN_IMAGE_PIXELS];
    gan_dataset *ds = NULL;
    double *x = gan__lab_array(l, (size_t)n * GAN_IMAGE_PIXELS);
    if (x == NULL || !gan__lab_ok(l, gan_dataset_open("fashion-mnist", &ds, l->err))) {
        return NULL;
    }
    for (int64_t i = 0; i < n && l->status == GAN_OK; i++) {
        gan__lab_ok(l, gan_dataset_pixels(ds, first + i, pixels, l->err));
        for (int k = 0; k < GAN_IMAGE_PIXELS; k++) {
            x[i * GAN_IMAGE_PIXELS + k] = pixels[k] / 255.0;
        }
        if (label != NULL) {
            label[i] = gan_dataset_label(ds, first + i);
        }
    }
    gan_dataset_close(ds);
    return l->status == GAN_OK ? x : NULL;
}

void gan__lab_show(struct gan__lab *l, gan_panel *p, const char *title, const double *x, int rows,
                   int columns)
{
    const size_t side = GAN_IMAGE_SIDE, step = side + 2;
    const size_t width = (size_t)columns * step, height = (size_t)rows * step;
    unsigned char *sheet = gan__alloc(width * height);
    if (sheet == NULL) {
        gan__lab_ok(l, gan__fail_nomem(l->err, width * height, "a sheet of images"));
        return;
    }
    for (size_t i = 0; i < width * height; i++) {
        sheet[i] = 255;
    }
    for (size_t k = 0; k < (size_t)(rows * columns); k++) {
        unsigned char *corner =
            sheet + k / (size_t)columns * step * width + k % (size_t)columns * step;
        for (size_t i = 0; i < side * side; i++) {
            const double v = fmin(fmax(x[k * side * side + i], 0), 1);
            corner[i / side * width + i % side] = (unsigned char)(255 * v + 0.5);
        }
    }
    gan_panel_title(p, title);
    gan_panel_bare(p);
    gan_plot_image(p, sheet, height, width, 1);
    gan__free(sheet);
}

/* fuzz_image.c: any bytes as an image file (PNG, JPEG, PNM): an error or an image. */
#include "support/fuzz_file.h"

#include <gan/image.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gan_err err = {0};
    struct gan_image head, image;
    const char *path = fuzz_file(data, size);
    gan_status probed = gan_image_probe(path, &head, NULL);
    gan_status status = gan_image_read(path, NULL, &image, &err);
    if ((status == GAN_OK) != (image.data != NULL) || status != err.code) {
        abort();
    }
    if (status == GAN_OK && (probed != GAN_OK || head.height != image.height ||
                             head.width != image.width || head.data != NULL)) {
        abort(); /* the header alone says the same */
    }
    volatile unsigned sum = 0;
    for (int64_t i = 0; i < image.height * image.width * image.channels; i++) {
        sum += image.data[i];
    }
    (void)sum;
    gan_image_release(&image);
    return 0;
}

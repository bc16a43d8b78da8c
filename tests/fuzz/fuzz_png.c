/* fuzz_png.c: any bytes as a PNG file: an error or an image. */
#include "base/alloc.h"
#include "plot/png.h"
#include "support/fuzz_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gan_err err = {0};
    char text[16];
    struct gan__image image;
    const char *path = fuzz_file(data, size);
    gan_status status = gan__png_read(path, &image, &err);
    if ((status == GAN_OK) != (image.data != NULL) || (status != err.code)) {
        abort();
    }
    gan__free(image.data);
    (void)gan__png_text(path, "seed", text, sizeof text, NULL);
    return 0;
}

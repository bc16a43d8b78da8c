/* fuzz_idx.c: any bytes as an IDX file, gzip'ed or not: an error or images that can be read. */
#include "base/alloc.h"
#include "support/fuzz_file.h"

#include <gan/data.h>

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char spec[128];
    gan_err err = {0};
    gan_dataset *ds = NULL;
    (void)setenv("GAN_CACHE", "/dev/null", 1); /* inflate into memory: no cache files left behind */
    (void)snprintf(spec, sizeof spec, "idx:%s?labels=none", fuzz_file(data, size));
    if (gan_dataset_open(spec, &ds, &err) != GAN_OK) {
        return 0;
    }
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    uint8_t *px = gan__alloc((size_t)(info->height * info->width * info->channels));
    const int64_t wanted[3] = {0, info->count / 2, info->count - 1};
    for (size_t i = 0; px != NULL && i < 3; i++) {
        if (gan_dataset_pixels(ds, wanted[i], px, &err) != GAN_OK) {
            abort(); /* an accepted file must be readable */
        }
    }
    gan__free(px);
    gan_dataset_close(ds);
    return 0;
}

/* fuzz_npy.c: any bytes as an array: one line that says what is wrong, or every number. */
#include "base/alloc.h"
#include "support/fuzz_file.h"

#include <gan/sample.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gan_err err = {0};
    gan_shape shape;
    float *values = NULL;
    uint64_t live = gan__alloc_stats().live;
    gan_status status = gan_npy_read(fuzz_file(data, size), &shape, &values, &err);
    if (status != err.code || (status == GAN_OK) != (values != NULL) ||
        strchr(err.message, '\n') != NULL) {
        abort();
    }
    volatile float last = 0;
    for (int64_t i = 0; values != NULL && i < gan_shape_count(&shape); i++) {
        last = values[i];
    }
    (void)last;
    gan_array_free(values);
    if (gan__alloc_stats().live != live) {
        abort();
    }
    return 0;
}

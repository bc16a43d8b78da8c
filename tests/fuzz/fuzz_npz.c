/* fuzz_npz.c: any bytes as an archive of arrays: one line that says what is wrong, or every number. */
#include "base/alloc.h"
#include "run/npz.h"
#include "support/fuzz_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads member `name` as f64 and as f32. */
static void read_both(const struct gan__npz *z, const char *name)
{
    for (int k = 0; k < 2; k++) {
        gan_err err = {0};
        gan_shape shape;
        double *wide = NULL;
        float *narrow = NULL;
        gan_status status = gan__npz_array(z, name, &shape, k == 0 ? &wide : NULL, &narrow, &err);
        if (status != err.code || (status == GAN_OK) != (wide != NULL || narrow != NULL) ||
            strchr(err.message, '\n') != NULL) {
            abort();
        }
        volatile double last = 0;
        for (int64_t i = 0; status == GAN_OK && i < gan_shape_count(&shape); i++) {
            last = wide != NULL ? wide[i] : (double)narrow[i];
        }
        (void)last;
        gan__free(wide);
        gan__free(narrow);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gan_err err = {0};
    struct gan__npz z;
    char name[128];
    uint64_t live = gan__alloc_stats().live;
    if (gan__npz_open(&z, fuzz_file(data, size), &err) == GAN_OK) {
        for (int i = 0; i < 4 && gan__npz_name(&z, i, name, sizeof name); i++) {
            read_both(&z, name);
        }
        gan__npz_close(&z);
    }
    if (gan__alloc_stats().live != live) {
        abort();
    }
    return 0;
}

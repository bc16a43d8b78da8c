/* fuzz_spec.c: any text as a SPEC: accepted, or one line that says why not. */
#include "base/alloc.h"

#include <gan/data.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = gan__alloc(size + 1);
    gan_err err = {0};
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    struct gan__alloc_stats before = gan__alloc_stats();
    gan_status status = gan_data_check_spec(text, &err);
    if (status != err.code || (status != GAN_OK) != (err.message[0] != '\0') ||
        strchr(err.message, '\n') != NULL || gan__alloc_stats().live != before.live) {
        abort();
    }
    gan__free(text);
    return 0;
}

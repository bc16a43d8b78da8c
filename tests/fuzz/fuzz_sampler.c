/* fuzz_sampler.c: any bytes as a checkpoint to sample from: its metadata name a model, its options
 * and the size of the images, and all of it may lie. */
#include "support/fuzz_file.h"

#include <gan/sample.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gan_err err = {0};
    gan_sampler *s = NULL;
    struct gan_sampler_opts opts = {.batch = 1};
    if (gan_sampler_open(fuzz_file(data, size), &opts, &s, &err) != GAN_OK) {
        if (s != NULL || err.message[0] == '\0' || strchr(err.message, '\n') != NULL) {
            abort(); /* nothing half-open, one line */
        }
        return 0;
    }
    if (gan_sampler_about(s)->latent < 0 || gan_sampler_about(s)->height < 1) {
        abort();
    }
    gan_sampler_close(s);
    return 0;
}

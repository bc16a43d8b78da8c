/* fuzz_checkpoint.c: any bytes as a checkpoint: an error in one line, or tensors that lie in it. */
#include "support/fuzz_file.h"

#include <gan/checkpoint.h>
#include <gan/sample.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    gan_err err = {0};
    gan_checkpoint *c = NULL;
    gan_sampler *s = NULL;
    if (gan_checkpoint_open(path, &c, &err) != GAN_OK) {
        if (err.message[0] == '\0' || strchr(err.message, '\n') != NULL) {
            abort();
        }
        return 0;
    }
    const char *name;
    gan_tensor t;
    volatile unsigned char sum = 0;
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        const unsigned char *bytes = t.data;
        size_t n = gan_tensor_bytes(&t);
        sum = (unsigned char)(sum + (n > 0 ? bytes[0] + bytes[n - 1] : 0));
    }
    struct gan_meta meta;
    for (size_t i = 0; gan_checkpoint_meta_at(c, i, &meta); i++) {
        if (gan_checkpoint_meta(c, meta.key) != meta.value) {
            abort(); /* what is listed is found */
        }
    }
    gan_checkpoint_close(c);
    if (size < 4096 && gan_sampler_open(path, NULL, &s, &err) == GAN_OK) {
        gan_sampler_close(s);
    }
    return 0;
}

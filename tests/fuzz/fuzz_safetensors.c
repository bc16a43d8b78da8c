/* fuzz_safetensors.c: any bytes as a checkpoint: one line that says what is wrong, or tensors that
 * can be read to the last byte and loaded. */
#include "base/alloc.h"
#include "support/fuzz_file.h"

#include <gan/checkpoint.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A store with the first tensor of the file and one the file hardly has. */
static void fill_a_store(const gan_checkpoint *c)
{
    gan_err err = {0};
    const char *name;
    gan_tensor t;
    gan_store *st = gan_store_new();
    if (st != NULL && gan_checkpoint_tensor(c, 0, &name, &t) && gan_shape_count(&t.shape) < 4096 &&
        gan_store_add(st, name, GAN_STATE_WEIGHT, t.dtype, t.shape, &err) == 0) {
        gan_status status = gan_checkpoint_load(c, st, &err);
        if ((status == GAN_OK) != (gan_checkpoint_count(c) == 1)) {
            abort(); /* whole and nothing but */
        }
        err = (gan_err){0};
        (void)gan_checkpoint_init(c, st, NULL, NULL, &err);
        err = (gan_err){0};
        (void)gan_checkpoint_init(c, st, "gen", NULL, &err);
    }
    gan_store_free(st);
}

static double read_all(const gan_checkpoint *c)
{
    double sum = 0;
    const char *name;
    gan_tensor t;
    struct gan_meta m;
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        const unsigned char *p = t.data;
        size_t n = (size_t)gan_shape_count(&t.shape) * gan_dtype_size(t.dtype);
        for (size_t k = 0; k < n; k++) {
            sum += p[k];
        }
        sum += (double)strlen(name);
    }
    for (size_t i = 0; gan_checkpoint_meta_at(c, i, &m); i++) {
        sum += (double)(strlen(m.key) + strlen(m.value));
        if (gan_checkpoint_meta(c, m.key) == NULL) {
            abort();
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gan_err err = {0};
    gan_checkpoint *c = NULL;
    uint64_t live = gan__alloc_stats().live;
    gan_status status = gan_checkpoint_open(fuzz_file(data, size), &c, &err);
    if (status != err.code || (status == GAN_OK) != (c != NULL) ||
        strchr(err.message, '\n') != NULL || (c != NULL && read_all(c) < 0)) {
        abort();
    }
    if (c != NULL) {
        fill_a_store(c);
    }
    gan_checkpoint_close(c);
    if (gan__alloc_stats().live != live) {
        abort();
    }
    return 0;
}

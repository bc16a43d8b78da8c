/* bench_quality.c: how far a run's samples are from the data: the sliced Wasserstein-1 distance of
 * pixel vectors. Two halves of the data give the distance that no generator can beat. Prints one JSON
 * line.
 *
 *     bench_quality RUN SPEC [N] [DIRECTIONS] */
#include "base/alloc.h"
#include "base/str.h"
#include <gan/data.h>
#include <gan/measure.h>
#include <gan/sample.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 20 };

struct work {
    gan_sampler *sampler;
    gan_dataset *data;
    gan_loader *loader;
    float *made, *real, *other; /* n images each: samples, data, other data */
    int64_t n, size;
    gan_err err;
};

static bool open_all(struct work *w, const char *run, const char *spec)
{
    if (gan_sampler_open(run, &(struct gan_sampler_opts){.threads = 2}, &w->sampler, &w->err) !=
            GAN_OK ||
        gan_dataset_open(spec, &w->data, &w->err) != GAN_OK) {
        return false;
    }
    const struct gan_sampler_info *m = gan_sampler_about(w->sampler);
    w->size = m->height * m->width * m->channels;
    struct gan_loader_cfg cfg = {.batch = w->n,
                                 .seed = SEED,
                                 .range = m->range,
                                 .fit = GAN_FIT_AUTO,
                                 .height = m->height,
                                 .width = m->width,
                                 .channels = m->channels,
                                 .plain = true};
    size_t count = (size_t)(w->n * w->size);
    w->made = gan__alloc_array(count, sizeof *w->made);
    w->real = gan__alloc_array(count, sizeof *w->real);
    w->other = gan__alloc_array(count, sizeof *w->other);
    return w->made && w->real && w->other &&
           gan_loader_new(w->data, &cfg, &w->loader, &w->err) == GAN_OK;
}

static bool fill(struct work *w)
{
    float *const to[] = {w->real, w->other};
    const struct gan_batch *b = NULL;
    for (int i = 0; i < 2; i++) {
        if (gan_loader_next(w->loader, &b, &w->err) != GAN_OK) {
            return false;
        }
        memcpy(to[i], b->images, (size_t)(w->n * w->size) * sizeof **to);
    }
    return gan_sampler_images(w->sampler, SEED, 0, w->n, w->made, &w->err) == GAN_OK;
}

int main(int argc, char **argv)
{
    struct work w = {.n = 2000};
    int64_t directions = 256;
    if (argc < 3 || argc > 5 || (argc > 3 && !gan__parse_i64(argv[3], &w.n)) ||
        (argc > 4 && !gan__parse_i64(argv[4], &directions)) || w.n < 1 || w.n > 100000 ||
        directions < 1) {
        fprintf(stderr, "bench_quality: RUN SPEC [N] [DIRECTIONS]\n");
        return 2;
    }
    bool good = open_all(&w, argv[1], argv[2]) && fill(&w);
    if (good) {
        printf("{\"run\": \"%s\", \"step\": %lld, \"images\": %lld, \"swd\": %.6f, "
               "\"swd_of_data\": %.6f}\n",
               argv[1], (long long)gan_sampler_about(w.sampler)->step, (long long)w.n,
               gan_sliced_wasserstein(w.made, w.real, w.n, w.size, directions, SEED, &w.err),
               gan_sliced_wasserstein(w.other, w.real, w.n, w.size, directions, SEED, &w.err));
    } else {
        fprintf(stderr, "bench_quality: %s\n", w.err.message);
    }
    gan_loader_free(w.loader);
    gan_dataset_close(w.data);
    gan_sampler_close(w.sampler);
    gan__free(w.made);
    gan__free(w.real);
    gan__free(w.other);
    return good ? 0 : 1;
}

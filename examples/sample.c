/* sample.c: a grid of images from a trained generator: sample RUN|CHECKPOINT GRID.png */
#include <gan/sample.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    gan_err err = {0};
    gan_sampler *s = NULL;
    struct gan_sample_request what = {.n = 64, .seed = 1};
    if (argc != 3 || gan_sampler_open(argv[1], NULL, &s, &err) != GAN_OK ||
        gan_sampler_write(s, &what, argv[2], &err) != GAN_OK) {
        fprintf(stderr, "sample: %s\n", argc != 3 ? "sample RUN GRID.png" : err.message);
    }
    gan_sampler_close(s);
    return argc != 3 ? 2 : gan_status_exit_code(err.code);
}

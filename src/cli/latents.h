/* latents.h: latents named on the command line, and what commands that draw them share. */
#ifndef GAN_CLI_LATENTS_H
#define GAN_CLI_LATENTS_H

#include <gan/latent.h>

/* The seed's latents, or those of a file; a class for all images. */
struct gan__latent_source {
    gan_sampler *sampler;
    const struct gan_sampler_info *about;
    uint64_t seed;
    bool one_class;
    int64_t class_index;
};

/* Opens RUN; `label` is --class, "" for none. owns: gan_sampler_close(src->sampler), also after a
 * failure. */
gan_status gan__latents_open(struct gan__latent_source *src, const char *run, const char *label,
                             uint64_t seed, int64_t threads, gan_err *err);

/* "3,17,29" (numbers of images of the seed) or FILE.npy (N,Z). owns: gan_array_free(*z). */
gan_status gan__latents_read(const struct gan__latent_source *src, const char *text, float **z,
                             int64_t *n, gan_err *err);

/* Room for n latents [n,Z]. owns: gan_array_free(*z). */
gan_status gan__latents_new(const struct gan__latent_source *src, int64_t n, float **z,
                            gan_err *err);

/* Draws with the class of the source, then names the file on stdout, or --json. */
gan_status gan__latents_draw(const struct gan__latent_source *src, const struct gan_drawing *what,
                             const char *out, bool json, gan_err *err);

/* Way between latents: "auto" goes by what the model draws. */
gan_between gan__latents_between(const struct gan__latent_source *src, int mode);
#define GAN__BETWEEN_CHOICES "auto|linear|slerp"

#endif

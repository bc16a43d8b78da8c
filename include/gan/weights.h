/* weights.h: weights of feature networks, in the user's cache.
 *
 *     struct gan_weights w;
 *     if (gan_weights_install("inception.safetensors", NULL, &w, &err) == GAN_OK) {
 *         printf("%s %s\n", w.name, w.hash);
 *     }
 *
 * From then on gan_features_open("inception", ...) finds them. */
#ifndef GAN_WEIGHTS_H
#define GAN_WEIGHTS_H

#include <gan/status.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a hash as text: 16 hexadecimal digits and the NUL. */
#define GAN_WEIGHTS_HASH 17

/** Weights of one network. */
struct gan_weights {
    const char *name;            /* of the feature network, "inception"; static */
    const char *from;            /* where a file is to be had; static */
    char path[4096];             /* in the cache */
    char hash[GAN_WEIGHTS_HASH]; /* as gan_features_info has it; "" where it was not asked for */
    bool installed;
};

/**
 * Checks a safetensors file, all names and shapes, and copies it into the cache.
 *
 * in:     as   name of the network; NULL: told by the names of the tensors
 * errors: GAN_E_ARG (as: no such network), GAN_E_NOTFOUND, GAN_E_IO, GAN_E_NOMEM; GAN_E_FORMAT: weights
 *         of another network; nothing is installed then
 */
GAN_API gan_status gan_weights_install(const char *file, const char *as, struct gan_weights *out,
                                       gan_err *err);

/** Network i that takes weights of a file, sorted by name; false past the last one. */
GAN_API bool gan_weights_at(int i, struct gan_weights *out);

/** Reads installed weights and hashes them. errors: as gan_weights_install. */
GAN_API gan_status gan_weights_check(const struct gan_weights *w, char hash[GAN_WEIGHTS_HASH],
                                     gan_err *err);

#ifdef __cplusplus
}
#endif
#endif

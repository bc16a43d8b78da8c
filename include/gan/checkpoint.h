/* checkpoint.h: a store as one safetensors file that knows what it is.
 *
 *     struct gan_meta meta[] = {{"libgan.model", "dcgan"}, {"libgan.seed", "1"}};
 *     gan_checkpoint_save(store, meta, 2, "step-00001000.safetensors", &err);
 *
 *     gan_checkpoint *c = NULL;
 *     if (gan_checkpoint_open("step-00001000.safetensors", &c, &err) == GAN_OK) {
 *         gan_checkpoint_load(c, store, &err);
 *     }
 *     gan_checkpoint_close(c);
 *
 * The same state and metadata give the same bytes: no path, time or thread count is in the file.
 * Tensors stand in PyTorch's layouts under the store's names, so Python's `safetensors` reads them.
 * docs/formats.md has the bytes. */
#ifndef GAN_CHECKPOINT_H
#define GAN_CHECKPOINT_H

#include <gan/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open checkpoint: a mapped file, checked from end to end. */
typedef struct gan_checkpoint gan_checkpoint;

/** One text of the metadata. */
struct gan_meta {
    const char *key;
    const char *value;
};

/**
 * Writes every entry of the store and the metadata: to a temporary file first, then renamed, so
 * that an older file of this name stays until the new one is whole. Adds "libgan.format" (version
 * of the format), "libgan.version" (of the library) and "libgan.digest" (of the data).
 *
 * in:     meta  keys differ from each other and from the three above
 * errors: GAN_E_ARG (a key twice), GAN_E_NOTFOUND (no such folder), GAN_E_IO (the system's message; too little free space: names
 *         the path, the bytes needed and free), GAN_E_NOMEM
 */
GAN_API gan_status gan_checkpoint_save(const gan_store *st, const struct gan_meta *meta,
                                       size_t n_meta, const char *path, gan_err *err);

/** Bytes gan_checkpoint_save would write. errors: 0 when memory is short or a key stands twice. */
GAN_API uint64_t gan_checkpoint_bytes(const gan_store *st, const struct gan_meta *meta,
                                      size_t n_meta);

/**
 * Opens any safetensors file and checks all of it: header, offsets, shapes, and the digest where
 * libgan wrote one.
 *
 * out:     NULL on failure
 * owns:    the caller closes it with gan_checkpoint_close
 * errors:  GAN_E_NOTFOUND, GAN_E_IO, GAN_E_NOMEM; GAN_E_FORMAT: one line that names the file and
 *          the first thing wrong with it; GAN_E_UNSUPPORTED (a newer format, a foreign element type)
 */
GAN_API gan_status gan_checkpoint_open(const char *path, gan_checkpoint **out, gan_err *err);

/** Closes it; NULL is fine. */
GAN_API void gan_checkpoint_close(gan_checkpoint *c);

/** A text of the metadata by key, NULL when there is none. owns: the checkpoint. */
GAN_API const char *gan_checkpoint_meta(const gan_checkpoint *c, const char *key);

/** Text i of the metadata, sorted by key. out: false past the end. */
GAN_API bool gan_checkpoint_meta_at(const gan_checkpoint *c, size_t i, struct gan_meta *out);

/** Number of tensors. */
GAN_API size_t gan_checkpoint_count(const gan_checkpoint *c);

/** Tensor i, sorted by name; false past the end. The memory is the file's: read only, and aligned
 * to the element only in files libgan wrote. owns: the checkpoint. */
GAN_API bool gan_checkpoint_tensor(const gan_checkpoint *c, size_t i, const char **name,
                                   gan_tensor *value);

/**
 * Fills every entry of the store from the tensor of its name.
 *
 * errors: GAN_E_FORMAT: an entry the file lacks, a tensor the store lacks, another shape (both are
 *         named) or type; the store is unchanged then
 */
GAN_API gan_status gan_checkpoint_load(const gan_checkpoint *c, gan_store *st, gan_err *err);

/**
 * Fills the weights and running statistics of networks from a file of any origin, converting
 * between real types. Optimiser state, counters and `num_batches_tracked` are passed over.
 *
 * in:     net  NULL: the file's names carry the network's name ("gen.main.0.weight"), and every
 *              network that has a tensor in the file must be complete in it; or "gen": the file
 *              holds that network, with the prefix or without ("main.0.weight"); or "gen:dec": the
 *              file's network `dec` fills the store's network `gen`
 * out:    loaded  may be NULL: number of tensors taken
 * errors: GAN_E_FORMAT (missing tensor, shape: both shapes are named; no tensor fits),
 *         GAN_E_ARG (the store has no such network); the store is unchanged then
 */
GAN_API gan_status gan_checkpoint_init(const gan_checkpoint *c, gan_store *st, const char *net,
                                       int *loaded, gan_err *err);

#ifdef __cplusplus
}
#endif
#endif

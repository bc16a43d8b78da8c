/* checkpoint.h: what the other files of this room ask of an open checkpoint. */
#ifndef GAN_RUN_CHECKPOINT_H
#define GAN_RUN_CHECKPOINT_H

#include <gan/checkpoint.h>

/* The file's name as it was given. */
const char *gan__checkpoint_path(const gan_checkpoint *c);

/* Tensor by name; false when the file has none. */
bool gan__checkpoint_find(const gan_checkpoint *c, const char *name, gan_tensor *value);

/* Is there room for a file of so many bytes at path? errors: GAN_E_IO, names both figures. */
gan_status gan__checkpoint_space(const char *path, uint64_t bytes, gan_err *err);

/* Fills every entry of the store; tensors of the file the store lacks are passed over. */
gan_status gan__checkpoint_load_part(const gan_checkpoint *c, gan_store *st, gan_err *err);

#endif

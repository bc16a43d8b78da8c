/* idx_file.h: IDX files, true and lying ones, for tests of the readers. */
#ifndef GAN_TESTS_IDX_FILE_H
#define GAN_TESTS_IDX_FILE_H

#include "support/temp_dir.h"

#include <stdbool.h>
#include <stdint.h>

/* Header (magic 0 0 8 rank) and n payload bytes in memory that the caller frees with free(). */
unsigned char *idx_bytes(int rank, const uint32_t *dim, const unsigned char *payload, size_t n,
                         size_t *size);

/* Writes the file name in the folder, gzip'ed or not. */
void idx_write(const struct temp_dir *t, const char *name, int rank, const uint32_t *dim,
               const unsigned char *payload, size_t n, bool gz);

/* Writes bytes through gzip. */
void gz_write(const struct temp_dir *t, const char *name, const void *p, size_t n);

#endif

/* temp_dir.h: a folder of its own for a test, gone with everything in it afterwards. */
#ifndef GAN_TESTS_TEMP_DIR_H
#define GAN_TESTS_TEMP_DIR_H

#include <stddef.h>

#define TEMP_PATH_MAX 512

struct temp_dir {
    char path[TEMP_PATH_MAX];
};

void temp_dir_make(struct temp_dir *t);   /* fails the running test when it cannot */
void temp_dir_remove(struct temp_dir *t); /* the folder and all below */

/* PATH/name in dst, which holds TEMP_PATH_MAX bytes; gives dst. */
char *temp_path(const struct temp_dir *t, const char *name, char *dst);

/* Writes n bytes to PATH/name. */
void temp_write(const struct temp_dir *t, const char *name, const void *p, size_t n);

#endif

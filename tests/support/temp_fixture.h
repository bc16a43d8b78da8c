/* temp_fixture.h: a folder for each test case of a program: make and drop are its set-up and
 * tear-down, in(NAME) a path inside (good until the next call). Tear-down also gives the log back to
 * stderr. */
#ifndef GAN_TESTS_TEMP_FIXTURE_H
#define GAN_TESTS_TEMP_FIXTURE_H

#include "temp_dir.h"

#include <gan/log.h>

static struct temp_dir tmp;
static char inside[TEMP_PATH_MAX];

static inline const char *in(const char *name)
{
    return temp_path(&tmp, name, inside);
}

static inline int make(void **state)
{
    (void)state;
    temp_dir_make(&tmp);
    return 0;
}

static inline int drop(void **state)
{
    (void)state;
    gan_set_log(NULL, NULL);
    temp_dir_remove(&tmp);
    return 0;
}

#endif

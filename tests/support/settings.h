/* settings.h: a recipe in a test as words: "batch=8 width=4". */
#ifndef TESTS_SUPPORT_SETTINGS_H
#define TESTS_SUPPORT_SETTINGS_H

#include <gan/train.h>

enum { SETTINGS_MAX = 24, SETTINGS_TEXT = 512 };

struct settings {
    struct gan_setting set[SETTINGS_MAX];
    size_t n;
    char text[SETTINGS_TEXT]; /* what they point into */
};

/* The "name=value" words of base, then those of `more`, a space between words. */
void settings_read(struct settings *s, const char *base, const char *more);

#endif

/* str.h: growing text, and the few string helpers C lacks. A failed allocation sticks in `bad`. */
#ifndef GAN_BASE_STR_H
#define GAN_BASE_STR_H

#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gan__str {
    char *p;    /* NUL-terminated once anything was added, NULL before */
    size_t len; /* without the NUL */
    size_t cap;
    bool bad; /* an allocation failed: contents incomplete */
};

void gan__str_add(struct gan__str *s, const char *text);
void gan__str_addn(struct gan__str *s, const char *text, size_t n);
void gan__str_printf(struct gan__str *s, const char *fmt, ...) GAN_PRINTF(2, 3);
void gan__str_clear(struct gan__str *s);
void gan__str_release(struct gan__str *s);

/* Whole text must be the number: "12 " or "" is false. SI suffixes are not read. */
bool gan__parse_i64(const char *text, int64_t *out);
bool gan__parse_f64(const char *text, double *out); /* finite or not; locale independent */
/* Fewest digits that read back exactly, always with a full stop; false when cut. */
bool gan__format_f64(char *dst, size_t cap, double value);
bool gan__starts_with(const char *s, const char *prefix);
bool gan__ends_with(const char *s, const char *suffix);

/* snprintf that returns false when the text was cut. */
bool gan__format(char *dst, size_t cap, const char *fmt, ...) GAN_PRINTF(3, 4);

/* Copies, always terminated; false when cut. */
bool gan__copy(char *dst, size_t cap, const char *src);

/* Damerau-Levenshtein distance, for "did you mean"; names longer than 63 compare by their start. */
int gan__edit_distance(const char *a, const char *b);

/* Nearest of `count` names within a third of the length, or NULL. */
const char *gan__nearest_name(const char *name, const char *const *names, size_t count);

/* FNV-1a 64 of a string; stable for ever (streams and fingerprints stand on it). */
uint64_t gan__hash_text(const char *s);
uint64_t gan__hash_bytes(uint64_t h, const void *p, size_t n); /* h = 0 starts */
uint64_t gan__hash_mix(uint64_t a, uint64_t b);                /* order matters */

#endif

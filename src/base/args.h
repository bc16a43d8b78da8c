/* args.h: the numbers of short specifications such as "adam:2e-4,.5,.999": named, with defaults and
 * ranges, so that initialisers, schedules and update rules are tables. */
#ifndef GAN_BASE_ARGS_H
#define GAN_BASE_ARGS_H

#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>

/* One number; a table ends with an entry whose name is NULL. */
struct gan__arg {
    const char *name;
    double def, min, max; /* both ends included */
};

/* Splits "HEAD:REST" at the first colon: head is copied, *rest is NULL without a colon. false when
 * cut. */
bool gan__args_head(const char *text, char *head, size_t cap, const char **rest);

/* Reads "A,B,.." (NULL or an empty place: the default) into values[]; `what` is for messages.
 * errors: GAN_E_ARG (malformed, too many), GAN_E_RANGE. */
gan_status gan__args_parse(const char *what, const char *text, const struct gan__arg *table,
                           double *values, gan_err *err);

/* The same for numbers that may move: "A..B" puts A into values[] and B into to[], where a single
 * number leaves NAN. */
gan_status gan__args_parse_moving(const char *what, const char *text, const struct gan__arg *table,
                                  double *values, double *to, gan_err *err);

#endif

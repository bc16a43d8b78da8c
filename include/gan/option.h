/* option.h: tables of options: one description gives defaults, parsing, checks, help and storage.
 *
 *     struct opts { int64_t z; double lr; };
 *     static const struct gan_opt table[] = {
 *         GAN_OPT_I64(struct opts, z, "z", "100", 1, 4096, "length of the latent vector"),
 *         GAN_OPT_F64(struct opts, lr, "lr", "2e-4", 0, 10, "learning rate"),
 *         GAN_OPT_END,
 *     };
 */
#ifndef GAN_OPTION_H
#define GAN_OPTION_H

#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a field holds: int64_t, double, bool, int (index of the choice), char[64], or parsed. */
typedef enum gan_opt_kind {
    GAN_OPT_KIND_I64,
    GAN_OPT_KIND_F64,
    GAN_OPT_KIND_BOOL,
    GAN_OPT_KIND_CHOICE, /* int: index into `choices` */
    GAN_OPT_KIND_TEXT,   /* char[GAN_OPT_TEXT_MAX] */
    GAN_OPT_KIND_PARSED  /* `parse` fills the field from the text */
} gan_opt_kind;

#define GAN_OPT_TEXT_MAX 256

/** One option. A table ends with an entry whose name is NULL. */
struct gan_opt {
    const char *name; /* as on the command line, without dashes: "n-critic" */
    gan_opt_kind kind;
    size_t offset;       /* of the field in the options structure */
    const char *def;     /* default, as text */
    double min, max;     /* allowed range of numbers, both ends included */
    const char *choices; /* "a|b|c" for a choice */
    gan_status (*parse)(const char *text, void *field, gan_err *err);
    const char *help; /* one line, no full stop at the end */
};

#define GAN_OPT_I64(S, F, N, D, LO, HI, H)                                                         \
    {                                                                                              \
        N, GAN_OPT_KIND_I64, offsetof(S, F), D, LO, HI, NULL, NULL, H                              \
    }
#define GAN_OPT_F64(S, F, N, D, LO, HI, H)                                                         \
    {                                                                                              \
        N, GAN_OPT_KIND_F64, offsetof(S, F), D, LO, HI, NULL, NULL, H                              \
    }
#define GAN_OPT_BOOL(S, F, N, D, H)                                                                \
    {                                                                                              \
        N, GAN_OPT_KIND_BOOL, offsetof(S, F), D, 0, 0, NULL, NULL, H                               \
    }
#define GAN_OPT_CHOICE(S, F, N, D, C, H)                                                           \
    {                                                                                              \
        N, GAN_OPT_KIND_CHOICE, offsetof(S, F), D, 0, 0, C, NULL, H                                \
    }
#define GAN_OPT_TEXT(S, F, N, D, H)                                                                \
    {                                                                                              \
        N, GAN_OPT_KIND_TEXT, offsetof(S, F), D, 0, 0, NULL, NULL, H                               \
    }
#define GAN_OPT_PARSED(S, F, N, D, P, H)                                                           \
    {                                                                                              \
        N, GAN_OPT_KIND_PARSED, offsetof(S, F), D, 0, 0, NULL, P, H                                \
    }
#define GAN_OPT_END                                                                                \
    {                                                                                              \
        NULL, GAN_OPT_KIND_I64, 0, NULL, 0, 0, NULL, NULL, NULL                                    \
    }

/**
 * Fills the structure with the table's defaults.
 *
 * errors: GAN_E_INTERNAL when a default does not parse (a mistake in the table)
 */
GAN_API gan_status gan_opt_defaults(const struct gan_opt *table, void *opts, gan_err *err);

/**
 * Sets one option from text.
 *
 * errors: GAN_E_ARG (unknown name, with "did you mean"; not a number; not one of the choices),
 *         GAN_E_RANGE (names the option, the value and the range)
 */
GAN_API gan_status gan_opt_set(const struct gan_opt *table, void *opts, const char *name,
                               const char *text, gan_err *err);

/** Finds an option by name, NULL when the table has none. */
GAN_API const struct gan_opt *gan_opt_find(const struct gan_opt *table, const char *name);

/**
 * Writes the value of an option as text that gan_opt_set reads back exactly. A parsed option is
 * kept as text by its owner: this gives its default.
 *
 * errors: GAN_E_RANGE when cap is too small
 */
GAN_API gan_status gan_opt_get(const struct gan_opt *o, const void *opts, char *dst, size_t cap,
                               gan_err *err);

#ifdef __cplusplus
}
#endif
#endif

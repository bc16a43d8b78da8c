/* command.h: what a command of the program is, and what main hands to it.
 *
 * A command is one file that ends in GAN_COMMAND(name) = {...}; the build collects the entries.
 * main reads the command line by the command's option table, so that run() sees values, not text.
 * What run() returns becomes the exit code; the message in err becomes one line on stderr. */
#ifndef GAN_CLI_COMMAND_H
#define GAN_CLI_COMMAND_H

#include <gan/model.h>
#include <gan/option.h>
#include <gan/status.h>
#include <gan/train.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GAN__MAX_WORDS = 16 };

/* A command line that was understood. */
struct gan__cmdline {
    const struct gan__command *command;
    void *opts;                       /* the command's structure, filled */
    const char *word[GAN__MAX_WORDS]; /* what is not an option, in order */
    int n_words;
    const struct gan_model *model;   /* named by word 0 (or 1), where the command takes one */
    const char *model_word;          /* the word that named it */
    const struct gan_preset *preset; /* ... through a preset */
    struct gan_setting *setting;     /* options of training and of the model, in order */
    size_t n_settings, cap_settings;
    const char **given; /* names of the command's options on the line */
    size_t n_given, cap_given;
    bool help; /* --help stood on the line */
    bool
        loose; /* a file names the model (--config, --resume): unknown options may be the model's */
};

/* Whether an option of the command stood on the line. */
bool gan__cmdline_given(const struct gan__cmdline *a, const char *name);

enum {
    GAN__WORD_IS_MODEL = 1,     /* word 0 is a model or a preset, whose options are taken too */
    GAN__WORD_MAY_BE_MODEL = 2, /* ... or something else: a model where the name is one */
    GAN__MODEL_IS_SECOND = 8,   /* ... it is word 1 that may be a model */
    GAN__TRAIN_OPTIONS = 4      /* the options of training are taken too */
};

struct gan__command {
    const char *name;
    const char *summary; /* one line */
    const char *usage;   /* "gan data SPEC [options]", one form per line */
    const char *about;   /* paragraphs for `gan help NAME`; may be NULL */
    void (*more)(void);  /* prints more of the page after `about`; may be NULL */
    const struct gan_opt *opts;
    size_t size; /* of the options structure */
    int min_words, max_words;
    unsigned flags;
    gan_status (*run)(const struct gan__cmdline *a, gan_err *err);
};

#define GAN_COMMAND(NAME) const struct gan__command gan__command_##NAME

/* The sorted table the build makes; ends with NULL. */
extern const struct gan__command *const gan__commands[];

/* Command by name. errors: NULL and GAN_E_ARG with "did you mean". */
const struct gan__command *gan__command_find(const char *name, gan_err *err);

#endif

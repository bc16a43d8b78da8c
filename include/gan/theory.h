/* theory.h: the theory laboratory: claims of the GAN literature, computed, drawn and checked.
 *
 *     struct gan_theory_opts o = {.out = "lines"};
 *     struct gan_theory_result *r = NULL;
 *     const struct gan_experiment *e = gan_experiment_find("parallel-lines", &err);
 *     if (e != NULL && gan_theory_run(e, &o, &r, &err) == GAN_OK) {
 *         printf("%zu of %zu as expected\n", r->n_checks - r->n_failed, r->n_checks);
 *     }
 *     gan_theory_result_free(r);
 *
 * gan/divergence.h and gan/transport.h have the quantities themselves. */
#ifndef GAN_THEORY_H
#define GAN_THEORY_H

#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gan__lab;

/** An experiment: one exp_*.c file ends in GAN_EXPERIMENT(name) = {...} and the build collects
 * them. */
struct gan_experiment {
    const char *name;  /* "parallel-lines" */
    const char *title; /* one line */
    const char *claim; /* what is claimed, by whom, and what one sees: about ten lines */
    const char *ref;   /* "Arjovsky et al. 2017, arXiv:1701.07875, example 1" */
    void (*run)(struct gan__lab *lab);
};

/** How a measured value is held against the expected one. */
typedef enum gan_check_kind {
    GAN_CHECK_EQUAL,   /* |measured - expected| <= tolerance */
    GAN_CHECK_AT_MOST, /* measured <= expected */
    GAN_CHECK_AT_LEAST /* measured >= expected */
} gan_check_kind;

/** One claim with its numbers. */
struct gan_check {
    char name[96];
    gan_check_kind kind;
    double measured, expected, tolerance;
    bool pass;
};

/** A file that an experiment wrote. */
struct gan_theory_file {
    char path[512];
    char caption[320]; /* of figures; empty for tables */
};

/** Room in a result. */
enum { GAN_THEORY_CHECKS = 48, GAN_THEORY_FILES = 24, GAN_THEORY_MISSING = 256 };

/** What an experiment found. */
struct gan_theory_result {
    const struct gan_experiment *experiment;
    struct gan_check check[GAN_THEORY_CHECKS];
    size_t n_checks, n_failed;
    struct gan_theory_file file[GAN_THEORY_FILES];
    size_t n_files;
    char missing[GAN_THEORY_MISSING]; /* what it needs and this machine lacks: it was not run */
    bool no_figures;                  /* this build cannot draw: checks and tables only */
    bool quick;
    double seconds;
};

/** Options; zero-initialise. */
struct gan_theory_opts {
    const char *out; /* directory, made if absent */
    bool quick;      /* a short version, below ten seconds */
    uint64_t seed;   /* [0] */
};

/** Experiment i of the sorted table, NULL past the end. owns: the library. */
GAN_API const struct gan_experiment *gan_experiment_at(size_t i);

/** Experiment by name. errors: NULL and GAN_E_ARG with "did you mean". owns: the library. */
GAN_API const struct gan_experiment *gan_experiment_find(const char *name, gan_err *err);

/**
 * Runs an experiment: writes figures (PNG), tables (CSV), result.json (the checks) and index.html
 * into the directory. An expected value that is missed is in the result, not an error.
 *
 * owns:   *out, gan_theory_result_free
 * errors: GAN_E_IO, GAN_E_NOMEM, GAN_E_INTERNAL (more checks or files than there is room for)
 */
GAN_API gan_status gan_theory_run(const struct gan_experiment *e,
                                  const struct gan_theory_opts *opts,
                                  struct gan_theory_result **out, gan_err *err);

/**
 * Runs all experiments, each in a directory of its own name, and writes index.html: one report of
 * all of them, self-contained. One that needs data or a library that is not there is not run, and the
 * report says so.
 *
 * in:     done  called after each experiment; may be NULL
 * out:    failed  expected values that were missed, of all experiments
 * errors: as gan_theory_run
 */
GAN_API gan_status gan_theory_all(const struct gan_theory_opts *opts,
                                  void (*done)(void *ctx, const struct gan_theory_result *r),
                                  void *ctx, size_t *failed, gan_err *err);

/** Frees a result; NULL is fine. */
GAN_API void gan_theory_result_free(struct gan_theory_result *r);

#ifdef __cplusplus
}
#endif
#endif

/* theory.h: what an experiment's file ends in, and what it works with: the lab.
 *
 * The first failure stays on the lab; everything after it does nothing, so an experiment reads like
 * the argument it makes. */
#ifndef GAN_THEORY_THEORY_H
#define GAN_THEORY_THEORY_H

#include <gan/plot.h>
#include <gan/theory.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GAN_EXPERIMENT(NAME)                                                                       \
    extern const struct gan_experiment gan__experiment_##NAME;                                     \
    const struct gan_experiment gan__experiment_##NAME

/* Sorted, NULL at the end; written by the build. */
extern const struct gan_experiment *const gan__experiments[];

struct gan__rng;

struct gan__lab {
    const char *dir; /* where files go */
    bool quick;      /* fewer points and steps; the same claims */
    uint64_t seed;
    struct gan_theory_result *result;
    gan_err *err;
    gan_status status;
};

/* A measured value beside what theory says. The name is a formula or a short sentence. */
void gan__lab_equal(struct gan__lab *l, const char *name, double measured, double expected,
                    double tolerance); /* |measured - expected| <= tolerance */
void gan__lab_at_most(struct gan__lab *l, const char *name, double measured, double limit);
void gan__lab_at_least(struct gan__lab *l, const char *name, double measured, double limit);

/* Writes DIR/NAME.png (and frees f). A build without cairo notes that there are no figures. */
void gan__lab_figure(struct gan__lab *l, gan_figure *f, const char *name, const char *caption);

/* Columns of the same length as DIR/NAME.csv; names separated by commas. */
void gan__lab_table(struct gan__lab *l, const char *name, const char *columns,
                    const double *const *column, size_t n);

/* n doubles, zeroed, that live as long as the experiment; NULL after a failure. */
double *gan__lab_array(struct gan__lab *l, size_t n);

/* Takes over what a library function returned; true while all is well. */
bool gan__lab_ok(struct gan__lab *l, gan_status status);

/* Random numbers of the experiment, others for each use. */
void gan__lab_rng(const struct gan__lab *l, uint64_t use, struct gan__rng *rng);

/* The report of experiments as one HTML file. */
gan_status gan__report_write(const char *path, const struct gan_theory_result *const *results,
                             size_t n, gan_err *err);

#endif

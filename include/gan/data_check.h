/* data_check.h: what is wrong with a data set, before it costs a training: every image is looked at
 * once.
 *
 *     struct gan_data_report *r = NULL;
 *     if (gan_data_check("folder:photos", NULL, &r, &err) == GAN_OK) {
 *         for (size_t i = 0; i < r->n; i++) {
 *             printf("%s %s: %s\n", gan_finding_name(r->found[i].kind), r->found[i].what,
 *                    r->found[i].why);
 *         }
 *     }
 *     gan_data_report_free(r);
 */
#ifndef GAN_DATA_CHECK_H
#define GAN_DATA_CHECK_H

#include <gan/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What can be found. The first three stop a training. */
typedef enum gan_finding_kind {
    GAN_FOUND_BROKEN,    /* cannot be decoded */
    GAN_FOUND_UNMATCHED, /* half of a pair without the other half */
    GAN_FOUND_UNALIKE,   /* halves of a pair of other proportions */
    GAN_FOUND_CONSTANT,  /* all pixels are equal */
    GAN_FOUND_GRAY,      /* gray among colour images */
    GAN_FOUND_ODD_SIZE,  /* not the size of most, or far below the middle */
    GAN_FOUND_DUPLICATE, /* the pixels of an earlier image */
    GAN_FOUND_NEAR,      /* nearly those of an earlier image */
    GAN_FOUND_KINDS
} gan_finding_kind;

/** One finding. */
struct gan_data_finding {
    gan_finding_kind kind;
    const char *what; /* file, or "image 12" where there are none */
    const char *why;  /* "30x20, most are 64x64" */
    int64_t number;   /* position in the set, from 0; -1: none */
};

/** Zero fields mean the default in brackets. */
struct gan_data_check_cfg {
    int near_bits; /* nearly equal: so many of 64 bits of the difference hash may differ [4]; at most
                        15, negative for none */
    int near_levels; /* and the 18x16 gray thumbnails by so many levels of 255 in the mean [6] */
};

/** What was found. */
struct gan_data_report {
    const char *spec; /* that was looked at: of edges: and lowres: the set inside */
    int64_t images;   /* looked at, both halves of pairs counted */
    int64_t seconds;  /* of them second images */
    const struct gan_data_finding *found;
    size_t n;
    int64_t count[GAN_FOUND_KINDS]; /* findings of each kind */
    int64_t colour, gray;           /* images that could be read; gray: red = green = blue */
    int64_t least_h, least_w, most_h, most_w;
    int64_t usual_h, usual_w, usual; /* the size that is most frequent, and how often it is */
    int64_t middle;                  /* median of the shorter sides */
    int near_bits, near_levels;      /* the thresholds of GAN_FOUND_NEAR */
    int64_t classes;
    const char *const *class_names; /* or NULL */
    const int64_t *class_count;     /* readable images of each, or NULL */
    const char *advice; /* a SPEC that avoids what was found; "" when it need not change */
};

/** "broken", "near-duplicate", ... */
GAN_API const char *gan_finding_name(gan_finding_kind kind);

/**
 * Decodes every image once and reports.
 *
 * in:     cfg     NULL for the defaults
 * out:    report  NULL on failure; findings are no failure
 * owns:   the caller frees it with gan_data_report_free
 * errors: as gan_dataset_open; GAN_E_UNSUPPORTED (points), GAN_E_NOMEM
 * ref:    the difference hash is Krawetz's dHash (2013): signs of horizontal differences of a 9x8
 *         reduction
 */
GAN_API gan_status gan_data_check(const char *spec, const struct gan_data_check_cfg *cfg,
                                  struct gan_data_report **report, gan_err *err);

/** Frees it; NULL is fine. */
GAN_API void gan_data_report_free(struct gan_data_report *report);

#ifdef __cplusplus
}
#endif
#endif

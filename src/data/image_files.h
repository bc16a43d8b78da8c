/* image_files.h: lists of image files, and one as a source of images: what folder, pairs, domains
 * and attributes share. */
#ifndef GAN_DATA_IMAGE_FILES_H
#define GAN_DATA_IMAGE_FILES_H

#include "dataset.h"
#include "image_set.h"

/* How files become images of one size: options of every kind that reads files. */
struct gan__file_opts {
    int filter, fit;
    bool skip_broken;
    uint8_t background[3];
};

/* Their rows in the option table of a structure S with the member `m`. */
#define GAN__FILE_OPTS(S, m)                                                                       \
    GAN_OPT_CHOICE(S, m.filter, "filter", "bicubic", "bicubic|lanczos|bilinear|box",               \
                   "how images come to size=; Pillow's filters"),                                  \
        GAN_OPT_CHOICE(S, m.fit, "fit", "crop", "crop|stretch|pad",                                \
                       "other proportions: crop the centre, stretch, or pad with the background"), \
        GAN_OPT_BOOL(S, m.skip_broken, "skip-broken", "no",                                        \
                     "go on without files that cannot be read; they are named and counted"),       \
        GAN_OPT_PARSED(S, m.background, "background", "white", gan__parse_colour,                  \
                       "colour under transparent pixels: white, black or RRGGBB")

/* A list of files, each with a class (-1: none). An empty one is all zeros. */
struct gan__files {
    char **paths;
    int32_t *label;
    size_t n, cap_paths, cap_label;
};

gan_status gan__files_add(struct gan__files *f, const char *path, int32_t label, gan_err *err);
/* The images of one folder in the order of their names; *found (or NULL) of them. */
gan_status gan__files_add_folder(struct gan__files *f, const char *dir, int32_t label,
                                 size_t *found, gan_err *err);
void gan__files_release(struct gan__files *f);

/* A growing list of texts: names of classes, of attributes. */
struct gan__names {
    char **p;
    size_t n, cap;
};
gan_status gan__names_add(struct gan__names *names, const char *text, gan_err *err);
void gan__names_release(struct gan__names *names);

/* What a set of files consists of. */
struct gan__listing {
    struct gan__files
        files[2];           /* first and second images; the second is empty where there are none */
    struct gan__files lone; /* halves of pairs without the other half */
    struct gan__names classes;
    bool paired;    /* file i of both lists are a pair */
    bool halves;    /* each file of the first list is a pair side by side */
    bool stretched; /* halves may have other proportions */
};
void gan__listing_release(struct gan__listing *l);

/* Have two sizes the same proportions, one pixel of rounding aside? */
bool gan__alike(int64_t h_a, int64_t w_a, int64_t h_b, int64_t w_b);

/* Which part of each file is the image. */
enum gan__part { GAN__WHOLE, GAN__LEFT_HALF, GAN__RIGHT_HALF };

/* Opens the files as an array and fills in size, channels, count and padding colour of s (its want_
 * fields are read). */
gan_status gan__files_open(struct gan__source *s, const struct gan__files *f,
                           const struct gan__file_opts *o, enum gan__part part,
                           struct gan__image_set *set, gan_err *err);

#endif

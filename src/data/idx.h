/* idx.h: the IDX container of MNIST: bytes 0 0 TYPE NDIM, NDIM big-endian 32-bit sizes, elements
 * with the last axis fastest. Only unsigned bytes (type 8), with 1 to 4 axes.
 *
 * Ref: LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (file formats). */
#ifndef GAN_DATA_IDX_H
#define GAN_DATA_IDX_H

#include "blob.h"
#include "dataset.h"

struct gan__idx {
    struct gan__blob blob;
    int64_t rank;
    int64_t dim[4];
    const unsigned char *data; /* behind the header */
};

/* Opens and checks a file; every lie in it is a GAN_E_FORMAT that names what was found. */
gan_status gan__idx_open(struct gan__idx *x, const char *path, gan_err *err);
void gan__idx_release(struct gan__idx *x);

/* A set of images and perhaps labels as a source: what data_idx and data_fashion_mnist share. */
struct gan__idx_set {
    const char *images;             /* file */
    const char *labels;             /* file or NULL */
    uint8_t background[3];          /* under alpha */
    int64_t classes;                /* labels must be below; 0: as many as occur */
    const char *const *class_names; /* or NULL */
};
gan_status gan__idx_source(struct gan__source *s, const struct gan__idx_set *set, gan_err *err);

/* Options of the kinds below. */
struct gan__two_idx_opts {
    uint8_t background[3];
};
extern const struct gan_opt gan__two_idx_table[];

/* "FILEA,FILEB": tells whether it is of that form, opening no file. */
gan_status gan__two_idx_check(const char *argument, gan_err *err);

/* Two files of images as a source with a second one. */
gan_status gan__two_idx_open(struct gan__source *s, const char *argument,
                             const struct gan__two_idx_opts *o, gan_err *err);

#endif

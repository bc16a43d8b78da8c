/* idx.c: IDX files, checked before anything is believed, and image sets made of them.
 *
 * Axes: [N,H,W] gray; [N,H,W,C] with C = 1, 3 or 4 (straight alpha last); any other last extent of
 * four axes is [A,B,H,W], gray, A rows of B classes (glyphs by character), class = second axis. */
#include "idx.h"

#include "base/alloc.h"
#include "base/err.h"

#include <inttypes.h>
#include <string.h>

#define IDX_U8 8

static const char *type_name(unsigned char type)
{
    switch (type) {
    case 0x09:
        return "signed byte";
    case 0x0b:
        return "16-bit integer";
    case 0x0c:
        return "32-bit integer";
    case 0x0d:
        return "float";
    case 0x0e:
        return "double";
    default:
        return "unknown";
    }
}

static uint64_t load_be32(const unsigned char *p)
{
    return (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | (uint64_t)p[3];
}

/* Bytes of the whole file as its header promises. */
static gan_status idx_size(const char *path, const unsigned char *head, size_t have,
                           uint64_t *total, gan_err *err)
{
    *total = 0;
    if (have < 4) {
        return GAN_OK; /* too few to tell */
    }
    if (head[0] != 0 || head[1] != 0) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s is no IDX file: it starts with bytes %02x %02x, 00 00 expected", path,
                         head[0], head[1]);
    }
    if (head[2] != IDX_U8) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: element type is 0x%02x (%s), 0x08 (unsigned byte) expected", path,
                         head[2], type_name(head[2]));
    }
    size_t rank = head[3];
    if (rank < 1 || rank > 4) {
        return gan__fail(err, GAN_E_FORMAT, "%s: %zu axes, 1 to 4 expected", path, rank);
    }
    if (have < 4 + 4 * rank) {
        return GAN_OK;
    }
    uint64_t bytes = 1;
    for (size_t i = 0; i < rank; i++) {
        uint64_t dim = load_be32(head + 4 + 4 * i);
        if (dim == 0) {
            return gan__fail(err, GAN_E_FORMAT, "%s: axis %zu has 0 elements, at least 1 expected",
                             path, i);
        }
        if (bytes > (uint64_t)PTRDIFF_MAX / 2 / dim) {
            return gan__fail(err, GAN_E_FORMAT, "%s: the sizes of its %zu axes overflow", path,
                             rank);
        }
        bytes *= dim;
    }
    *total = bytes + 4 + 4 * rank;
    return GAN_OK;
}

gan_status gan__idx_open(struct gan__idx *x, const char *path, gan_err *err)
{
    *x = (struct gan__idx){0};
    GAN_TRY(gan__blob_open(&x->blob, path, idx_size, err));
    const unsigned char *p = x->blob.data;
    x->rank = p[3];
    for (size_t i = 0; i < (size_t)x->rank; i++) {
        x->dim[i] = (int64_t)load_be32(p + 4 + 4 * i);
    }
    x->data = p + 4 + 4 * (size_t)x->rank;
    return GAN_OK;
}

void gan__idx_release(struct gan__idx *x)
{
    gan__blob_release(&x->blob);
    *x = (struct gan__idx){0};
}

struct set {
    struct gan__idx images, labels;
    char *file;
    int64_t stored; /* channels in the file */
    int64_t inner;  /* B of [A,B,H,W]: class = index % B; else 0 */
};

static gan_status set_pixels(const struct gan__source *s, int64_t index, uint8_t *hwc, gan_err *err)
{
    (void)err;
    const struct set *set = s->state;
    size_t n = (size_t)(s->height * s->width);
    const unsigned char *src = set->images.data + (size_t)index * n * (size_t)set->stored;
    if (set->stored != 4) {
        memcpy(hwc, src, n * (size_t)set->stored);
        return GAN_OK;
    }
    for (size_t i = 0; i < n; i++, src += 4, hwc += 3) {
        unsigned a = src[3];
        for (size_t c = 0; c < 3; c++) {
            hwc[c] = (uint8_t)((src[c] * a + s->background[c] * (255 - a) + 127) / 255);
        }
    }
    return GAN_OK;
}

static int32_t set_label(const struct gan__source *s, uint64_t seed, int64_t index)
{
    (void)seed;
    const struct set *set = s->state;
    return set->inner > 0 ? (int32_t)(index % set->inner) : (int32_t)set->labels.data[index];
}

static void set_release(struct gan__source *s)
{
    struct set *set = s->state;
    if (set != NULL) {
        gan__idx_release(&set->images);
        gan__idx_release(&set->labels);
        gan__free(set->file);
        gan__free(set);
    }
    s->state = NULL;
}

/* Reads the meaning of the axes. */
static gan_status take_axes(struct gan__source *s, struct set *set, gan_err *err)
{
    const struct gan__idx *x = &set->images;
    const int64_t *d = x->dim;
    if (x->rank < 3) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: %" PRId64 " axes, 3 or 4 expected of images (is it a labels file?)",
                         set->file, x->rank);
    }
    set->stored = 1;
    if (x->rank == 4 && d[3] != 1 && d[3] != 3 && d[3] != 4) {
        set->inner = d[1];
        s->count = d[0] * d[1];
        s->height = d[2];
        s->width = d[3];
    } else {
        set->stored = x->rank == 4 ? d[3] : 1;
        s->count = d[0];
        s->height = d[1];
        s->width = d[2];
    }
    s->alpha = set->stored == 4;
    s->channels = set->stored == 4 ? 3 : set->stored;
    if (s->height > INT16_MAX || s->width > INT16_MAX) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: images of %" PRId64 "x%" PRId64 ", at most %dx%d can be read",
                         set->file, s->height, s->width, INT16_MAX, INT16_MAX);
    }
    return GAN_OK;
}

static gan_status take_labels(struct gan__source *s, struct set *set,
                              const struct gan__idx_set *want, gan_err *err)
{
    GAN_TRY(gan__idx_open(&set->labels, want->labels, err));
    const struct gan__idx *x = &set->labels;
    if (x->rank != 1) {
        return gan__fail(err, GAN_E_FORMAT, "%s: %" PRId64 " axes, 1 expected of labels",
                         want->labels, x->rank);
    }
    if (x->dim[0] != s->count) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: %" PRId64 " labels for the %" PRId64 " images of %s", want->labels,
                         x->dim[0], s->count, set->file);
    }
    int64_t classes = 0;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t need = (int64_t)x->data[i] + 1;
        if (want->classes != 0 && need > want->classes) {
            return gan__fail(err, GAN_E_FORMAT,
                             "%s: label %" PRId64 " is %d, allowed 0 to %" PRId64, want->labels, i,
                             x->data[i], want->classes - 1);
        }
        classes = need > classes ? need : classes;
    }
    s->classes = want->classes != 0 ? want->classes : classes;
    s->memory_bytes += x->blob.size;
    return GAN_OK;
}

gan_status gan__idx_source(struct gan__source *s, const struct gan__idx_set *want, gan_err *err)
{
    struct set *set = gan__alloc(sizeof *set);
    if (set == NULL) {
        return gan__fail_nomem(err, sizeof *set, "a data set");
    }
    s->state = set; /* from here on release frees what is there, also after a failure */
    s->release = set_release;
    s->pixels = set_pixels;
    memcpy(s->background, want->background, sizeof s->background);
    set->file = gan__strdup(want->images);
    if (set->file == NULL) {
        return gan__fail_nomem(err, strlen(want->images), "a file name");
    }
    s->file = set->file;
    GAN_TRY(gan__idx_open(&set->images, want->images, err));
    s->memory_bytes = set->images.blob.size;
    GAN_TRY(take_axes(s, set, err));
    if (!s->alpha) {
        memset(s->background, 0, sizeof s->background); /* padding of what has no alpha is 0 */
    }
    if (want->labels != NULL) {
        set->inner = 0;
        GAN_TRY(take_labels(s, set, want, err));
    } else if (set->inner > 0) {
        s->classes = set->inner;
    }
    s->label = s->classes > 0 ? set_label : NULL;
    s->class_names = want->class_names;
    return GAN_OK;
}

/* --- options -------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)((at - digits) % 16) : -1;
}

gan_status gan__parse_colour(const char *text, void *field, gan_err *err)
{
    const char *hex = strcmp(text, "white") == 0   ? "ffffff"
                      : strcmp(text, "black") == 0 ? "000000"
                                                   : text;
    uint8_t rgb[3];
    bool good = strlen(hex) == 6;
    for (size_t i = 0; good && i < 3; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = hex_digit(hex[2 * i + 1]);
        good = high >= 0 && low >= 0;
        rgb[i] = good ? (uint8_t)(high * 16 + low) : 0;
    }
    if (!good) {
        return gan__fail(err, GAN_E_ARG, "--background is '%s', allowed white, black or RRGGBB",
                         text);
    }
    memcpy(field, rgb, sizeof rgb);
    return GAN_OK;
}

/* check_facts.c: is an image gray, constant, like another one? Nearness is told by the difference hash:
 * the signs of the horizontal differences of a 9x8 gray reduction, 64 bits, stand still under scaling,
 * compression and changes of brightness. Where few bits differ the thumbnails are compared: flat images
 * have alike hashes without being alike.
 *
 * All pairs within b bits share one of b+1 bands of the 64 bits (pigeonhole), so only images that share
 * a band are compared.
 *
 * Ref: Krawetz 2013, "Kind of like that" (dHash); Manku, Jain, Sarma 2007, "Detecting near-duplicates
 * for web crawling" (bands). */
#include "check_facts.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <gan/image.h>

#include <stdlib.h>
#include <string.h>

/* --- one image ------------------------------------------------------------------------------------ */

static void look(struct gan__fact *f, const uint8_t *data, int64_t n, int64_t channels)
{
    f->gray = true;
    f->constant = true;
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *p = data + i * channels;
        f->gray = f->gray && (channels == 1 || (p[0] == p[1] && p[1] == p[2]));
        f->constant = f->constant && memcmp(p, data, (size_t)channels) == 0;
    }
}

/* The sign of each step to the right in the thumbnail, two by two pixels taken together. */
static uint64_t dhash_of(const uint8_t *thumb)
{
    uint64_t bits = 0;
    for (int y = 0; y < 8; y++) {
        int before = 0;
        for (int x = 0; x < 9; x++) {
            const uint8_t *p = thumb + 2 * y * GAN__THUMB_W + 2 * x;
            int now = p[0] + p[1] + p[GAN__THUMB_W] + p[GAN__THUMB_W + 1];
            bits = x == 0 ? bits : bits << 1 | (now > before ? 1 : 0);
            before = now;
        }
    }
    return bits;
}

gan_status gan__fact_of(struct gan__fact *f, const uint8_t *data, int64_t height, int64_t width,
                        int64_t channels, gan_err *err)
{
    int64_t n = height * width;
    uint8_t *gray = gan__alloc((size_t)n);
    if (gray == NULL) {
        return gan__fail_nomem(err, (size_t)n, "an image");
    }
    *f = (struct gan__fact){.good = true, .height = (int32_t)height, .width = (int32_t)width};
    look(f, data, n, channels);
    gan_image_channels(data, channels, n, 1, gray); /* equal channels stay what they are */
    const int32_t size[2] = {f->height, f->width};
    f->hash = gan__hash_bytes(0, size, sizeof size);
    f->hash = f->gray ? gan__hash_bytes(f->hash, gray, (size_t)n)
                      : gan__hash_bytes(f->hash, data, (size_t)(n * channels));
    gan_status status = gan_image_resize(gray, height, width, 1, GAN__THUMB_H, GAN__THUMB_W,
                                         GAN_FILTER_BILINEAR, f->thumb, err);
    f->dhash = dhash_of(f->thumb);
    gan__free(gray);
    return status;
}

/* --- twins ---------------------------------------------------------------------------------------- */

struct key {
    uint64_t value;
    int64_t at;
};

static int by_value(const void *x, const void *y)
{
    const struct key *a = x, *b = y;
    return a->value != b->value ? (a->value < b->value ? -1 : 1)
                                : (a->at > b->at) - (a->at < b->at);
}

static int bits_apart(uint64_t a, uint64_t b)
{
    int n = 0;
    for (uint64_t v = a ^ b; v != 0; v &= v - 1) {
        n++;
    }
    return n;
}

static bool thumbs_alike(const struct gan__fact *a, const struct gan__fact *b, int levels)
{
    int sum = 0;
    for (int i = 0; i < GAN__THUMB; i++) {
        sum += abs(a->thumb[i] - b->thumb[i]);
    }
    return sum <= levels * GAN__THUMB;
}

struct search {
    const struct gan__fact *fact;
    struct gan__twin *twin;
    struct key *key;
    int64_t n;
    int bits, levels;
};

/* Equal pixels: runs of equal hashes point to the first of the run. */
static void find_same(struct search *s)
{
    for (int64_t i = 0; i < s->n; i++) {
        s->key[i] = (struct key){s->fact[i].hash, i};
    }
    qsort(s->key, (size_t)s->n, sizeof *s->key, by_value);
    int64_t first = 0;
    for (int64_t i = 1; i < s->n; i++) {
        if (s->key[i].value != s->key[first].value || !s->fact[s->key[first].at].good) {
            first = i;
        } else if (s->fact[s->key[i].at].good) {
            s->twin[s->key[i].at] = (struct gan__twin){s->key[first].at, 0, true};
        }
    }
}

/* Images that are equal to another, unreadable or of one level are no candidates. */
static bool is_candidate(const struct search *s, int64_t i)
{
    return s->fact[i].good && !s->fact[i].constant && !s->twin[i].same;
}

static void compare(struct search *s, int64_t a, int64_t b)
{
    int64_t first = a < b ? a : b, then = a < b ? b : a;
    const struct gan__fact *x = &s->fact[first], *y = &s->fact[then];
    int bits = bits_apart(x->dhash, y->dhash);
    struct gan__twin *t = &s->twin[then];
    bool better = t->of < 0 || bits < t->bits || (bits == t->bits && first < t->of);
    if (bits <= s->bits && better && thumbs_alike(x, y, s->levels)) {
        *t = (struct gan__twin){first, bits, false};
    }
}

/* Compares all that share a band of the hash. */
static void search_band(struct search *s, int band)
{
    int bands = s->bits + 1, low = 64 * band / bands, high = 64 * (band + 1) / bands;
    uint64_t mask = high - low == 64 ? UINT64_MAX : ((uint64_t)1 << (high - low)) - 1;
    int64_t n = 0;
    for (int64_t i = 0; i < s->n; i++) {
        if (is_candidate(s, i)) {
            s->key[n++] = (struct key){s->fact[i].dhash >> low & mask, i};
        }
    }
    qsort(s->key, (size_t)n, sizeof *s->key, by_value);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = i + 1; k < n && s->key[k].value == s->key[i].value; k++) {
            compare(s, s->key[i].at, s->key[k].at);
        }
    }
}

gan_status gan__find_twins(const struct gan__fact *fact, int64_t n, int near_bits, int near_levels,
                           struct gan__twin *twin, gan_err *err)
{
    struct search s = {fact, twin, NULL, n, near_bits, near_levels};
    s.key = gan__alloc_array((size_t)n + 1, sizeof *s.key);
    if (s.key == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *s.key, "comparing images");
    }
    for (int64_t i = 0; i < n; i++) {
        twin[i] = (struct gan__twin){-1, 0, false};
    }
    find_same(&s);
    for (int band = 0; band <= near_bits; band++) {
        search_band(&s, band);
    }
    gan__free(s.key);
    return GAN_OK;
}

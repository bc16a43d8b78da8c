/* balance.c: round r of K positions shows each of the K classes once, in an order of its own; the
 * sample of a class in round r is number r of that class's own shuffled epochs. So a position alone
 * says what stands there, as in the plain order. */
#include "balance.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/philox.h"
#include "base/str.h"

gan_status gan__balance_init(struct gan__balance *b, const struct gan__source *s, gan_err *err)
{
    size_t classes = (size_t)s->classes;
    int64_t *size = gan__alloc_array(classes + 1, sizeof *size);
    *b = (struct gan__balance){.start = gan__alloc_array(classes + 1, sizeof *b->start),
                               .member = gan__alloc_array((size_t)s->count, sizeof *b->member)};
    if (size == NULL || b->start == NULL || b->member == NULL) {
        gan__free(size);
        return gan__fail_nomem(err, (size_t)s->count * sizeof *b->member, "a balanced order");
    }
    for (int64_t i = 0; i < s->count; i++) { /* pass 1: sizes */
        int32_t y = s->label(s, 0, i);
        size[y >= 0 && y < s->classes ? y : s->classes]++; /* the last: without class */
    }
    int64_t at = 0;
    for (size_t y = 0; y < classes; y++) { /* empty classes drop out; size becomes the place */
        int64_t n = size[y];
        size[y] = at;
        at += n;
        if (n > 0) {
            b->start[++b->classes] = at;
        }
    }
    for (int64_t i = 0; i < s->count; i++) { /* pass 2: members */
        int32_t y = s->label(s, 0, i);
        if (y >= 0 && y < s->classes) {
            b->member[size[y]++] = i;
        }
    }
    gan__free(size);
    return b->classes > 0 ? GAN_OK : gan__fail(err, GAN_E_FORMAT, "balance: no sample has a class");
}

void gan__balance_release(struct gan__balance *b)
{
    gan__free(b->start);
    gan__free(b->member);
    *b = (struct gan__balance){.classes = 0};
}

uint64_t gan__balance_bytes(const struct gan__source *s)
{
    return (uint64_t)(s->classes + 1 + s->count) * sizeof(int64_t);
}

int64_t gan__balance_at(const struct gan__balance *b, uint64_t key, int64_t position,
                        int64_t *epoch)
{
    uint64_t round_key = gan__hash_mix(key, gan__hash_text("balance/round"));
    int64_t round = position / b->classes;
    uint64_t c = gan__permute(gan__hash_mix(round_key, (uint64_t)round), (uint64_t)b->classes,
                              (uint64_t)(position % b->classes));
    int64_t n = b->start[c + 1] - b->start[c];
    *epoch = round / n;
    uint64_t own = gan__hash_mix(gan__hash_mix(key, c), (uint64_t)*epoch);
    return b->member[b->start[c] + (int64_t)gan__permute(own, (uint64_t)n, (uint64_t)(round % n))];
}

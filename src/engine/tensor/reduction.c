/* reduction.c: axes of a reduction joined, and the work cut into blocks. */
#include "reduction.h"

enum {
    MOST_BLOCKS = 64,       /* tasks of one reduction */
    SHORT_ROW = 32,         /* rows below this many elements are joined */
    PARTIAL_BYTES = 4 << 20 /* scratch of the partial sums */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Joined axes: k0 r0 k1 r1; a further group does not fit. */
static bool group(const gan_shape *s, uint64_t axes, int64_t part[4])
{
    int at = 0;
    for (int i = 0; i < 4; i++) {
        part[i] = 1;
    }
    for (int64_t i = 0; i < s->rank; i++) {
        if (s->dim[i] == 1) {
            continue;
        }
        int reduced = (axes >> i & 1) != 0;
        if (at % 2 != reduced) {
            at++;
        }
        if (at > 3) {
            return false;
        }
        part[at] *= s->dim[i];
    }
    return gan_shape_count(s) > 0;
}

bool gan__reduce_plan(const gan_shape *s, uint64_t axes, struct gan__reduce *r)
{
    int64_t part[4];
    if (!group(s, axes, part)) {
        return false;
    }
    *r = (struct gan__reduce){.k0 = part[0], .r0 = part[1], .k1 = part[2], .r1 = part[3]};
    if (r->k1 == 1) {
        r->r1 *= r->r0;
        r->r0 = 1;
    } else if (r->r0 == 1) { /* only the last axes are reduced */
        r->k0 *= r->k1;
        r->k1 = 1;
    }
    r->vector = r->r0 == 1 && r->k1 == 1;
    if (r->vector) {
        r->blocks = (r->r1 + GAN_REDUCE_BLOCK - 1) / GAN_REDUCE_BLOCK;
        r->block = GAN_REDUCE_BLOCK;
        return true;
    }
    int64_t join = 1;
    while (r->k1 * r->r1 * join < SHORT_ROW && r->r0 % (join * 2) == 0) {
        join *= 2;
    }
    r->rows = r->r0 / join;
    r->len = r->k1 * r->r1 * join;
    int64_t most = least(MOST_BLOCKS / r->k0, PARTIAL_BYTES / (r->len * 16 * r->k0));
    int64_t want = least(r->rows * r->len / GAN_REDUCE_BLOCK, least(most, r->rows));
    r->blocks = want > 0 ? want : 1;
    r->block = (r->rows + r->blocks - 1) / r->blocks;
    r->blocks = (r->rows + r->block - 1) / r->block;
    return true;
}

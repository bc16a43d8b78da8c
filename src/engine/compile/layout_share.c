/* layout_share.c: copies of inputs (packed weights) that several steps work from.
 *
 * Made by each step for itself, a copy costs time at every use; kept from the first use to the last
 * it costs memory. A copy is kept until its next use where it fits below what is alive at the fullest
 * step, so that sharing never raises the least memory of a plan. Values are never changed, a state's
 * next version is another value: a copy stays true. */
#include "layout.h"

#include "base/alloc.h"
#include "base/err.h"

/* load[t] = bytes alive in step t; the largest of them. */
static int64_t find_load(const struct gan__layout *l, int64_t *load)
{
    for (size_t i = 0; i < l->n_buffers; i++) {
        const struct gan__buffer *b = &l->buffers[i];
        if (b->place == GAN_PLACE_SLAB) {
            load[b->start] += (int64_t)gan__round_up(b->bytes);
            load[b->end + 1] -= (int64_t)gan__round_up(b->bytes);
        }
    }
    int64_t most = 0;
    for (size_t t = 0; t < l->n_steps; t++) {
        load[t] += t > 0 ? load[t - 1] : 0;
        most = load[t] > most ? load[t] : most;
    }
    return most;
}

/* Is there room for so many bytes between the two steps? */
static bool fits(const int64_t *load, size_t from, size_t to, int64_t bytes, int64_t most)
{
    for (size_t t = from + 1; t < to; t++) {
        if (load[t] + bytes > most) {
            return false;
        }
    }
    return true;
}

/* Step t works from the copy that step `before` works from. */
static void keep(struct gan__layout *l, int64_t *load, size_t before, size_t t)
{
    struct gan__buffer *kept = &l->buffers[l->copy[before]], *own = &l->buffers[l->copy[t]];
    for (size_t i = before + 1; i < t; i++) {
        load[i] += (int64_t)gan__round_up(kept->bytes);
    }
    kept->end = (int64_t)t;
    own->bytes = 0;
    l->copy[t] = l->copy[before];
    l->makes[t] = false;
}

gan_status gan__layout_share(struct gan__layout *l, const struct gan__copy_need *needs,
                             gan_err *err)
{
    int64_t *load = gan__alloc_array(l->n_steps + 2, sizeof *load);
    size_t *last = gan__alloc_array(l->n_steps + 1, sizeof *last); /* by group: last use + 1 */
    if (!load || !last) {
        gan__free(load);
        gan__free(last);
        return gan__fail_nomem(err, l->n_steps * sizeof *load, "the memory plan");
    }
    int64_t most = find_load(l, load);
    for (size_t t = 0; t < l->n_steps; t++) {
        if (needs[t].bytes == 0 || needs[t].lasting) {
            continue;
        }
        size_t before = last[needs[t].group];
        last[needs[t].group] = t + 1;
        l->makes[t] = true;
        if (before != 0 && l->memplan &&
            fits(load, before - 1, t, (int64_t)gan__round_up(needs[t].bytes), most)) {
            keep(l, load, before - 1, t);
        }
    }
    gan__free(load);
    gan__free(last);
    return GAN_OK;
}

/* layout.c: which buffer holds which value, and until when. */
#include "layout.h"

#include "base/alloc.h"
#include "base/err.h"
#include "fused.h"

#include <string.h>

static uint32_t add_buffer(struct gan__layout *l, struct gan__buffer b)
{
    if (!gan__grow(&l->buffers, &l->cap_buffers, l->n_buffers + 1, sizeof *l->buffers)) {
        return GAN__NO_BUFFER;
    }
    l->buffers[l->n_buffers] = b;
    return (uint32_t)l->n_buffers++;
}

/* Memory of the plan's own, never reused. */
static uint32_t add_own(struct gan__layout *l, uint32_t v, size_t bytes, int64_t start)
{
    size_t at = l->own_bytes;
    l->own_bytes += gan__round_up(bytes);
    return add_buffer(l, (struct gan__buffer){GAN_PLACE_OWN, start, INT64_MAX, bytes, at, v});
}

/* Feeds, scalars, state and constants. */
static bool place_sources(struct gan__layout *l)
{
    const gan_graph *g = l->g;
    bool fine = true;
    for (size_t i = 1; i < g->n_nodes; i++) {
        const struct gan__node *n = &g->nodes[i];
        uint32_t v = l->base[i];
        if (n->op == &gan__op_feed || n->op == &gan__op_state_get) {
            const struct gan__attr_index *a = n->attr;
            struct gan__buffer b = {.place =
                                        n->op == &gan__op_feed ? GAN_PLACE_FEED : GAN_PLACE_STORE,
                                    .start = -1,
                                    .end = INT64_MAX,
                                    .bytes = gan__type_bytes(&n->out[0]),
                                    .at = (size_t)a->index,
                                    .holder = v};
            l->buffer_of[v] = add_buffer(l, b);
            fine = fine && l->buffer_of[v] != GAN__NO_BUFFER;
        } else if (n->op == &gan__op_scalar_feed) {
            l->buffer_of[v] = add_own(l, v, gan__type_bytes(&n->out[0]), -1);
            fine = fine && l->buffer_of[v] != GAN__NO_BUFFER;
        }
    }
    for (size_t i = 0; i < l->n_init; i++) {
        uint32_t v = l->base[l->init[i]];
        l->buffer_of[v] = add_own(l, v, gan__type_bytes(&g->nodes[l->init[i]].out[0]), -1);
        fine = fine && l->buffer_of[v] != GAN__NO_BUFFER;
    }
    return fine;
}

/* State whose set is made in place by value v, plus 1; 0 when none. */
static gan_status invert_written(const struct gan__layout *l, uint32_t **out, gan_err *err)
{
    *out = gan__alloc_array(l->base[l->g->n_nodes], sizeof **out);
    if (!*out) {
        return gan__fail_nomem(err, l->base[l->g->n_nodes] * sizeof **out, "state values");
    }
    for (size_t e = 0; e < l->g->n_states; e++) {
        if (l->written[e]) {
            (*out)[l->written[e] - 1] = (uint32_t)e + 1;
        }
    }
    return GAN_OK;
}

/* Input buffer that output k of the node at step t may take over. */
static uint32_t find_takeover(const struct gan__layout *l, const struct gan__node *n, int k,
                              int64_t t)
{
    for (int j = 0; j < n->n_in && l->inplace; j++) {
        uint32_t r = l->root[l->base[n->in[j].node] + n->in[j].out];
        uint32_t b = l->buffer_of[r];
        if (b != GAN__NO_BUFFER && l->buffers[b].place == GAN_PLACE_SLAB &&
            l->buffers[b].holder == r && l->buffers[b].end == t &&
            l->buffers[b].bytes == gan__type_bytes(&n->out[k]) &&
            gan__inplace_ok(l->g, l->base, l->root, n, j, k)) {
            return b;
        }
    }
    return GAN__NO_BUFFER;
}

/* Memory for the results of step t. */
static bool place_step(struct gan__layout *l, int64_t t, const uint32_t *state)
{
    uint32_t i = l->steps[t];
    const struct gan__node *n = &l->g->nodes[i];
    for (int k = 0; k < n->n_out; k++) {
        uint32_t v = l->base[i] + (uint32_t)k;
        size_t bytes = gan__type_bytes(&n->out[k]);
        int64_t end = l->death[v] > t ? l->death[v] : t;
        uint32_t b;
        if (l->output[v]) {
            b = add_own(l, v, bytes, t);
        } else if (state[v]) {
            b = add_buffer(
                l, (struct gan__buffer){GAN_PLACE_STORE, t, INT64_MAX, bytes, state[v] - 1, v});
        } else if ((b = find_takeover(l, n, k, t)) != GAN__NO_BUFFER) {
            l->buffers[b].end = end;
            l->buffers[b].holder = v;
        } else {
            b = add_buffer(l, (struct gan__buffer){GAN_PLACE_SLAB, t, end, bytes, 0, v});
        }
        if (b == GAN__NO_BUFFER) {
            return false;
        }
        l->buffer_of[v] = b;
    }
    return true;
}

/* A buffer of step t alone. */
static bool place_spare(struct gan__layout *l, int64_t t, size_t bytes, uint32_t *at)
{
    *at = GAN__NO_BUFFER;
    if (bytes != 0) {
        *at = add_buffer(l, (struct gan__buffer){GAN_PLACE_SLAB, t, t, bytes, 0, UINT32_MAX});
    }
    return bytes == 0 || *at != GAN__NO_BUFFER;
}

/* A copy of step t: of the step alone, or of its group for all runs. */
static bool place_copy(struct gan__layout *l, size_t t, const struct gan__copy_need *need)
{
    if (!need->lasting) {
        return place_spare(l, (int64_t)t, need->bytes, &l->copy[t]);
    }
    l->makes[t] = need->group == t;
    l->copy[t] =
        l->makes[t] ? add_own(l, UINT32_MAX, need->bytes, (int64_t)t) : l->copy[need->group];
    return l->copy[t] != GAN__NO_BUFFER;
}

gan_status gan__layout_place(struct gan__layout *l, const size_t *scratch_bytes,
                             const struct gan__copy_need *needs, gan_err *err)
{
    size_t n_values = l->base[l->g->n_nodes];
    uint32_t *state = NULL;
    l->buffer_of = gan__alloc_array(n_values, sizeof *l->buffer_of);
    l->scratch = gan__alloc_array(l->n_steps + 1, sizeof *l->scratch);
    l->copy = gan__alloc_array(l->n_steps + 1, sizeof *l->copy);
    l->makes = gan__alloc_array(l->n_steps + 1, sizeof *l->makes);
    if (!l->buffer_of || !l->scratch || !l->copy || !l->makes) {
        return gan__fail_nomem(err, n_values * sizeof *l->buffer_of, "the layout");
    }
    memset(l->buffer_of, 0xff, n_values * sizeof *l->buffer_of);
    GAN_TRY(invert_written(l, &state, err));
    bool fine = place_sources(l);
    for (size_t t = 0; t < l->n_steps && fine; t++) {
        int64_t now = (int64_t)t;
        fine = place_step(l, now, state) && place_spare(l, now, scratch_bytes[t], &l->scratch[t]) &&
               place_copy(l, t, &needs[t]);
    }
    gan__free(state);
    if (!fine) {
        return gan__fail_nomem(err, l->n_buffers * sizeof *l->buffers, "the layout");
    }
    GAN_TRY(gan__layout_share(l, needs, err));
    GAN_TRY(gan__memplan(l, err));
    return l->c->verify ? gan__verify_layout(l, err) : GAN_OK;
}

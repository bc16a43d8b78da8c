/* verify.c: what must hold after every pass and after the layout. It recomputes from scratch, with
 * other means than the passes use, and names the first thing that is wrong. */
#include "layout.h"

#include "base/alloc.h"
#include "base/err.h"
#include "fused.h"

#include <stdlib.h>
#include <string.h>

/* After the precision pass bf16 is only how a real value is stored. */
static gan_dtype meant(const struct gan__compile *c, gan_dtype d)
{
    return c->mixed && d == GAN_BF16 ? GAN_F32 : d;
}

/* Infers the node's types again. */
static bool types_hold(const struct gan__compile *c, const struct gan__node *n, gan_graph *scratch)
{
    struct gan__type in[8], out[8] = {{0}};
    if (n->n_in > 8 || n->n_out > 8 || (n->op->flags & GAN_OP_INTERNAL)) {
        return true;
    }
    for (int j = 0; j < n->n_in; j++) {
        in[j] = *gan__type_of(c->g, n->in[j]);
        in[j].dtype = meant(c, in[j].dtype);
    }
    struct gan__infer i = {scratch, n->op, in, n->n_in, n->attr, out};
    if (!n->op->infer(&i)) {
        return false;
    }
    for (int k = 0; k < n->n_out; k++) {
        if (meant(c, out[k].dtype) != meant(c, n->out[k].dtype) ||
            !gan_shape_equal(&out[k].shape, &n->out[k].shape)) {
            return false;
        }
    }
    return true;
}

gan_status gan__verify_graph(const struct gan__compile *c, const char *after, gan_err *err)
{
    const gan_graph *g = c->g;
    gan_graph *scratch = gan_graph_new(NULL, g->real);
    gan_status status = scratch ? GAN_OK : gan__fail_nomem(err, sizeof *g, "the verifier");
    for (size_t i = 1; i < g->n_nodes && status == GAN_OK; i++) {
        const struct gan__node *n = &g->nodes[i];
        for (int j = 0; j < n->n_in && status == GAN_OK; j++) {
            if (n->in[j].node == 0 || n->in[j].node >= i ||
                (int)n->in[j].out >= g->nodes[n->in[j].node].n_out) {
                status = gan__fail(err, GAN_E_INTERNAL, "after %s: input %d of %s #%zu is #%u.%u",
                                   after, j, n->op->name, i, n->in[j].node, n->in[j].out);
            }
        }
        if (status == GAN_OK && !types_hold(c, n, scratch)) {
            status = gan__fail(err, GAN_E_INTERNAL, "after %s: the type of %s #%zu is wrong", after,
                               n->op->name, i);
        }
    }
    for (size_t e = 0; e < g->n_states && status == GAN_OK; e++) {
        uint32_t s = g->states[e].set.node;
        if (s != 0 && (s >= g->n_nodes || g->nodes[s].op != &gan__op_state_set ||
                       ((const struct gan__attr_index *)g->nodes[s].attr)->index != (int64_t)e)) {
            status =
                gan__fail(err, GAN_E_INTERNAL, "after %s: the set of state %zu is lost", after, e);
        }
    }
    gan_graph_free(scratch);
    return status;
}

/* One value (or scratch) in the workspace. */
struct life {
    size_t at, bytes;
    int64_t start, end;
    uint32_t value;
};

static bool overlap(const struct life *a, const struct life *b)
{
    return a->at < b->at + b->bytes && b->at < a->at + a->bytes;
}

/* `late` starts in the step that reads `early` for the last time: may it write over it? */
static bool hand_over(const struct gan__layout *l, const struct life *early,
                      const struct life *late)
{
    if (early->end != late->start || early->start >= late->start || early->at != late->at ||
        early->value == UINT32_MAX || late->value == UINT32_MAX) {
        return false;
    }
    uint32_t node = l->maker[late->value];
    const struct gan__node *n = &l->g->nodes[node];
    for (int j = 0; j < n->n_in; j++) {
        if (l->root[l->base[n->in[j].node] + n->in[j].out] == early->value) {
            return gan__inplace_ok(l->g, l->base, l->root, n, j,
                                   (int)(late->value - l->base[node]));
        }
    }
    return false;
}

static int by_start(const void *pa, const void *pb)
{
    const struct life *a = pa, *b = pb;
    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }
    return a->value < b->value ? -1 : a->value > b->value;
}

/* Sweeps over time; the living are few. */
static gan_status sweep(const struct gan__layout *l, struct life *lives, size_t n, gan_err *err)
{
    size_t n_live = 0; /* lives[0..n_live) are alive: written over what is already swept */
    qsort(lives, n, sizeof *lives, by_start);
    for (size_t i = 0; i < n; i++) {
        struct life now = lives[i];
        size_t kept = 0;
        for (size_t j = 0; j < n_live; j++) {
            if (lives[j].end < now.start) {
                continue;
            }
            if (overlap(&lives[j], &now) && !hand_over(l, &lives[j], &now)) {
                return gan__fail(err, GAN_E_INTERNAL,
                                 "values %u and %u share bytes at step %lld (offsets %zu, %zu)",
                                 lives[j].value, now.value, (long long)now.start, lives[j].at,
                                 now.at);
            }
            lives[kept++] = lives[j];
        }
        lives[kept++] = now;
        n_live = kept;
    }
    return GAN_OK;
}

static gan_status verify_slab(const struct gan__layout *l, gan_err *err)
{
    size_t n_values = l->base[l->g->n_nodes], n = 0;
    gan_status status = GAN_OK;
    struct life *lives = gan__alloc_array(n_values + 2 * l->n_steps + 1, sizeof *lives);
    if (!lives) {
        return gan__fail_nomem(err, n_values * sizeof *lives, "the verifier");
    }
    for (uint32_t v = 0; v < n_values; v++) {
        uint32_t b = l->root[v] == v ? l->buffer_of[v] : GAN__NO_BUFFER;
        uint32_t node = l->maker[v];
        if (b == GAN__NO_BUFFER || l->buffers[b].place != GAN_PLACE_SLAB || l->time[node] < 0) {
            continue;
        }
        size_t bytes = gan__type_bytes(&l->g->nodes[node].out[v - l->base[node]]);
        int64_t start = l->time[node], end = l->death[v] > start ? l->death[v] : start;
        if (bytes != 0) {
            lives[n++] = (struct life){l->buffers[b].at, bytes, start, end, v};
        }
    }
    for (size_t t = 0; t < l->n_steps; t++) {
        if (l->scratch[t] != GAN__NO_BUFFER) {
            const struct gan__buffer *b = &l->buffers[l->scratch[t]];
            lives[n++] = (struct life){b->at, b->bytes, (int64_t)t, (int64_t)t, UINT32_MAX};
        }
    }
    for (size_t t = 0; t < l->n_steps; t++) {
        if (l->copy[t] == GAN__NO_BUFFER) {
            continue;
        }
        const struct gan__buffer *b = &l->buffers[l->copy[t]];
        if (b->start > (int64_t)t || b->end < (int64_t)t ||
            l->makes[t] != (b->start == (int64_t)t)) {
            status = gan__fail(err, GAN_E_INTERNAL, "step %zu reads a copy that is not there", t);
        } else if (l->makes[t] && b->place == GAN_PLACE_SLAB) {
            lives[n++] = (struct life){b->at, b->bytes, b->start, b->end, UINT32_MAX};
        }
    }
    for (size_t i = 0; i < n && status == GAN_OK; i++) {
        if (lives[i].at % GAN__ALIGN != 0 || lives[i].at + lives[i].bytes > l->slab_bytes) {
            status = gan__fail(err, GAN_E_INTERNAL, "value %u lies outside the workspace",
                               lives[i].value);
        }
    }
    if (status == GAN_OK) {
        status = sweep(l, lives, n, err);
    }
    gan__free(lives);
    return status;
}

/* Step t reads version 0 of state e, which is written at step `when` by node `writer` (output k, or
 * a copy with k = -1). */
static bool read_in_time(const struct gan__layout *l, size_t t, int j, int64_t when, uint32_t v)
{
    const struct gan__node *n = &l->g->nodes[l->steps[t]];
    if ((int64_t)t < when) {
        return true;
    }
    return (int64_t)t == when && v != 0 && l->maker[v - 1] == l->steps[t] &&
           gan__inplace_ok(l->g, l->base, l->root, n, j, (int)(v - 1 - l->base[l->steps[t]]));
}

static gan_status verify_states(const struct gan__layout *l, gan_err *err)
{
    const gan_graph *g = l->g;
    for (size_t t = 0; t < l->n_steps; t++) {
        const struct gan__node *n = &g->nodes[l->steps[t]];
        for (int j = 0; j < n->n_in; j++) {
            uint32_t r = l->root[l->base[n->in[j].node] + n->in[j].out];
            const struct gan__node *m = &g->nodes[l->maker[r]];
            if (m->op != &gan__op_state_get) {
                continue;
            }
            int64_t e = ((const struct gan__attr_index *)m->attr)->index;
            gan_val set = e < (int64_t)g->n_states ? g->states[e].set : GAN_NONE;
            if (!gan_ok(set)) {
                continue;
            }
            uint32_t v = l->written[e];
            int64_t when = v != 0 ? l->time[l->maker[v - 1]] : l->time[set.node];
            if (when >= 0 && !read_in_time(l, t, j, when, v)) {
                return gan__fail(err, GAN_E_INTERNAL,
                                 "step %zu (%s) reads state %lld after step %lld wrote it", t,
                                 n->op->name, (long long)e, (long long)when);
            }
        }
    }
    return GAN_OK;
}

gan_status gan__verify_layout(const struct gan__layout *l, gan_err *err)
{
    for (size_t t = 0; t < l->n_steps; t++) {
        const struct gan__node *n = &l->g->nodes[l->steps[t]];
        for (int j = 0; j < n->n_in; j++) {
            uint32_t r = l->root[l->base[n->in[j].node] + n->in[j].out];
            if (l->time[l->maker[r]] >= (int64_t)t || l->buffer_of[r] == GAN__NO_BUFFER) {
                return gan__fail(err, GAN_E_INTERNAL, "step %zu (%s) reads input %d too early", t,
                                 n->op->name, j);
            }
        }
    }
    GAN_TRY(verify_slab(l, err));
    return verify_states(l, err);
}

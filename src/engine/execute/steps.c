/* steps.c: from a layout to kernel calls: choice of kernels, then pointers. */
#include "steps.h"

#include "base/alloc.h"
#include "base/err.h"
#include "engine/compile/fused.h"

#include <string.h>

/* The next version of an entry whose value was made elsewhere. */
static void run_state_set(const struct gan__call *c)
{
    size_t bytes = gan_tensor_bytes(c->out);
    if (bytes != 0) {
        memcpy(c->out->data, c->in->data, bytes);
    }
}

static double count_flops(const struct gan__node *n, const struct gan__type *in)
{
    int64_t first = n->n_out > 0 ? gan_shape_count(&n->out[0].shape) : 0;
    if (n->op == &gan__op_fused) {
        const struct gan__program *p = ((const struct gan__attr_fused *)n->attr)->program;
        return (double)p->count * p->n_ops;
    }
    if (n->op == &gan__op_bundle) {
        const struct gan__attr_bundle *b = n->attr;
        double sum = 0;
        for (int64_t i = 0; i < b->n_parts; i++) {
            sum += (double)b->parts[i].program->count * b->parts[i].program->n_ops;
        }
        return sum;
    }
    if (n->op->flops) {
        return n->op->flops(in, n->out, n->attr);
    }
    return n->op->flags & GAN_OP_ELEMENTWISE ? (double)first : 0;
}

/* Deep copies: the graph may go. */
static bool fill_step(gan_plan *p, const gan_graph *g, const struct gan__node *n,
                      struct gan__step *s)
{
    int n_out = n->op == &gan__op_state_set ? 1 : n->n_out;
    s->op = n->op;
    s->scope = gan__arena_strdup(&p->arena, n->scope);
    s->in = gan__arena_array(&p->arena, (size_t)n->n_in + 1, sizeof *s->in);
    s->out = gan__arena_array(&p->arena, (size_t)n_out + 1, sizeof *s->out);
    size_t *out_at = gan__arena_array(&p->arena, (size_t)n_out + 1, sizeof *out_at);
    if (n->op->attr_size) {
        s->call.attr = gan__arena_copy(&p->arena, n->attr, n->op->attr_size);
    }
    int64_t *from = gan__arena_array(&p->arena, (size_t)n->n_in + 1, sizeof *from);
    if (!s->scope || !s->in || !s->out || !out_at || !from || (n->op->attr_size && !s->call.attr)) {
        return false;
    }
    for (int j = 0; j < n->n_in; j++) {
        const struct gan__type *t = gan__type_of(g, n->in[j]);
        s->in[j] = (gan_tensor){t->dtype, t->shape, NULL};
        s->bytes += (double)gan__type_bytes(t);
    }
    for (int k = 0; k < n_out; k++) {
        const struct gan__type *t =
            n->op == &gan__op_state_set ? gan__type_of(g, n->in[0]) : &n->out[k];
        s->out[k] = (gan_tensor){t->dtype, t->shape, NULL};
        s->bytes += (double)gan__type_bytes(t);
        out_at[k] = SIZE_MAX;
    }
    s->out_at = out_at;
    s->from = from;
    s->call.in = s->in;
    s->call.out = s->out;
    s->call.n_in = n->n_in;
    s->call.n_out = n_out;
    s->call.run = &p->run;
    s->copy_from = -1;
    return true;
}

static gan_status prepare_kernel(gan_plan *p, const struct gan__node *n, const struct gan__type *in,
                                 struct gan__step *s, gan_err *err)
{
    struct gan__prepare prep = {.op = n->op,
                                .in = in,
                                .out = n->out,
                                .n_in = n->n_in,
                                .n_out = n->n_out,
                                .attr = s->call.attr,
                                .threads = p->run.threads,
                                .arena = &p->arena};
    if (s->kernel->prepare) {
        GAN_TRY(s->kernel->prepare(&prep, err));
    }
    s->call.ctx = prep.ctx;
    s->scratch_bytes = prep.scratch_bytes;
    s->copy = prep.copy;
    p->info.constant_bytes += prep.constant_bytes;
    return GAN_OK;
}

/* The backend's kernel, else the reference. */
static gan_status choose(gan_plan *p, const gan_graph *g, const struct gan__node *n,
                         struct gan__step *s, gan_err *err)
{
    struct gan__type few[8];
    struct gan__type *in = few;
    if (n->n_in > 8) {
        in = gan__arena_array(&p->arena, (size_t)n->n_in, sizeof *in);
        if (!in) {
            return gan__fail_nomem(err, (size_t)n->n_in * sizeof *in, "a step");
        }
    }
    for (int j = 0; j < n->n_in; j++) {
        in[j] = *gan__type_of(g, n->in[j]);
    }
    s->flops = count_flops(n, in);
    if (n->op == &gan__op_state_set) {
        s->run = run_state_set;
        return GAN_OK;
    }
    s->kernel =
        gan__kernel_find(p->backend, n->op, in, n->n_in, n->out, n->n_out, s->call.attr, p->exact);
    if (s->kernel) {
        s->run = s->kernel->run;
        return prepare_kernel(p, n, in, s, err);
    }
    s->run = n->op->ref;
    if (!s->run) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "%s%s%s has no kernel on backend %s", n->op->name,
                         *n->scope ? " in " : "", n->scope, p->backend);
    }
    return GAN_OK;
}

gan_status gan__steps_prepare(gan_plan *p, const struct gan__layout *l, gan_err *err)
{
    p->steps = gan__arena_array(&p->arena, l->n_steps + 1, sizeof *p->steps);
    if (!p->steps) {
        return gan__fail_nomem(err, l->n_steps * sizeof *p->steps, "the plan's steps");
    }
    for (size_t t = 0; t < l->n_steps; t++) {
        const struct gan__node *n = &l->g->nodes[l->steps[t]];
        struct gan__step *s = &p->steps[t];
        p->n_steps = t + 1; /* so that a failure releases what was prepared */
        if (!fill_step(p, l->g, n, s)) {
            return gan__fail_nomem(err, sizeof *s, "a step");
        }
        GAN_TRY(choose(p, l->g, n, s, err));
        p->info.flops += s->flops;
        p->info.heavy_flops += n->op->flags & GAN_OP_HEAVY ? s->flops : 0;
        p->info.bytes += s->bytes;
    }
    return GAN_OK;
}

/* Is the value state that neither the plan nor, by its promise, the caller changes? */
static bool lasts(const struct gan__layout *l, const gan_plan *p, uint32_t value)
{
    const struct gan__node *n = &l->g->nodes[l->maker[value]];
    return p->frozen && n->op == &gan__op_state_get &&
           !gan_ok(l->g->states[((const struct gan__attr_index *)n->attr)->index].set);
}

/* The value whose copy step t works from. */
static uint32_t copied_value(const struct gan__layout *l, const gan_plan *p, size_t t)
{
    gan_val v = l->g->nodes[l->steps[t]].in[p->steps[t].copy.input];
    return l->root[l->base[v.node] + v.out];
}

void gan__steps_copies(const gan_plan *p, const struct gan__layout *l, struct gan__copy_need *needs)
{
    for (size_t t = 0; t < p->n_steps; t++) {
        const struct gan__step *s = &p->steps[t];
        needs[t] = (struct gan__copy_need){
            s->copy.bytes, (uint32_t)t, s->copy.bytes != 0 && lasts(l, p, copied_value(l, p, t))};
        for (size_t i = 0; i < t && s->copy.bytes != 0; i++) {
            const struct gan__step *o = &p->steps[i];
            if (needs[i].group == i && o->copy.bytes == s->copy.bytes &&
                o->copy.same == s->copy.same && copied_value(l, p, i) == copied_value(l, p, t) &&
                s->copy.same(s->call.ctx, o->call.ctx)) {
                needs[t].group = (uint32_t)i;
                break;
            }
        }
    }
}

/* --- pointers --------------------------------------------------------------------------------- */

/* Points *data to the memory of the value, now or when it is known. */
static bool bind(gan_plan *p, const struct gan__layout *l, gan_val v, void **data)
{
    uint32_t b = l->buffer_of[l->root[l->base[v.node] + v.out]];
    const struct gan__buffer *buf = &l->buffers[b];
    switch (buf->place) {
    case GAN_PLACE_OWN:
        *data = (unsigned char *)p->own + buf->at;
        return true;
    case GAN_PLACE_STORE:
        *data = gan_store_at(p->store, (int)buf->at)->value.data;
        return true;
    case GAN_PLACE_FEED: {
        struct gan__plan_feed *f = &p->feeds[buf->at];
        if (!gan__grow(&f->refs, &f->cap_refs, f->n_refs + 1, sizeof *f->refs)) {
            return false;
        }
        f->refs[f->n_refs++] = data;
        f->needed = true;
        return true;
    }
    case GAN_PLACE_SLAB:
        break;
    }
    if (!gan__grow(&p->refs, &p->cap_refs, p->n_refs + 1, sizeof *p->refs)) {
        return false;
    }
    p->refs[p->n_refs++] = (struct gan__slab_ref){data, buf->at};
    return true;
}

/* *data points into the buffer, if there is one, whose place goes to *at. */
static bool refer(gan_plan *p, const struct gan__layout *l, uint32_t buffer, void **data,
                  size_t *at)
{
    if (buffer == GAN__NO_BUFFER) {
        return true;
    }
    if (l->buffers[buffer].place == GAN_PLACE_OWN) {
        *at = l->buffers[buffer].at;
        *data = (unsigned char *)p->own + *at;
        return true;
    }
    if (!gan__grow(&p->refs, &p->cap_refs, p->n_refs + 1, sizeof *p->refs)) {
        return false;
    }
    *at = l->buffers[buffer].at;
    p->refs[p->n_refs++] = (struct gan__slab_ref){data, *at};
    return true;
}

static bool bind_step(gan_plan *p, const struct gan__layout *l, size_t t)
{
    struct gan__step *s = &p->steps[t];
    uint32_t id = l->steps[t];
    const struct gan__node *n = &l->g->nodes[id];
    for (int j = 0; j < n->n_in; j++) {
        if (!bind(p, l, n->in[j], &s->in[j].data)) {
            return false;
        }
        s->from[j] = l->time[l->maker[l->root[l->base[n->in[j].node] + n->in[j].out]]];
    }
    if (n->op == &gan__op_state_set) {
        const struct gan__attr_index *a = n->attr;
        s->out[0].data = gan_store_at(p->store, (int)a->index)->value.data;
        return true;
    }
    for (int k = 0; k < n->n_out; k++) {
        const struct gan__buffer *b = &l->buffers[l->buffer_of[l->base[id] + (uint32_t)k]];
        s->out_at[k] = b->place == GAN_PLACE_SLAB ? b->at : SIZE_MAX;
        if (!bind(p, l, (gan_val){id, (uint32_t)k}, &s->out[k].data)) {
            return false;
        }
    }
    if (l->copy[t] != GAN__NO_BUFFER) {
        s->copy_from = l->buffers[l->copy[t]].start;
        s->call.make_copy = l->makes[t];
        s->copy_lasts = l->buffers[l->copy[t]].place == GAN_PLACE_OWN;
    }
    return refer(p, l, l->scratch[t], &s->call.scratch, &s->scratch_at) &&
           refer(p, l, l->copy[t], &s->call.copy, &s->copy_at);
}

/* Constants are computed here, once. */
static void fill_constants(gan_plan *p, const struct gan__layout *l)
{
    for (size_t i = 0; i < l->n_init; i++) {
        const struct gan__node *n = &l->g->nodes[l->init[i]];
        const struct gan__buffer *b = &l->buffers[l->buffer_of[l->base[l->init[i]]]];
        gan_tensor out = {n->out[0].dtype, n->out[0].shape, (unsigned char *)p->own + b->at};
        struct gan__call c = {.attr = n->attr, .out = &out, .n_out = 1, .run = &p->run};
        n->op->ref(&c);
    }
}

static void bind_scalars(gan_plan *p, const struct gan__layout *l)
{
    for (size_t i = 1; i < l->g->n_nodes; i++) {
        const struct gan__node *n = &l->g->nodes[i];
        if (n->op == &gan__op_scalar_feed) {
            const struct gan__attr_index *a = n->attr;
            const struct gan__buffer *b = &l->buffers[l->buffer_of[l->base[i]]];
            struct gan__plan_scalar *s = &p->scalars[a->index];
            s->value =
                (gan_tensor){n->out[0].dtype, n->out[0].shape, (unsigned char *)p->own + b->at};
            s->needed = true;
        }
    }
}

gan_status gan__steps_bind(gan_plan *p, const struct gan__layout *l, gan_err *err)
{
    p->own = gan__alloc_aligned(GAN__ALIGN, l->own_bytes + GAN__ALIGN);
    if (!p->own) {
        return gan__fail_nomem(err, l->own_bytes, "the plan's outputs and constants");
    }
    memset(p->own, 0, l->own_bytes + GAN__ALIGN);
    p->info.constant_bytes += l->own_bytes;
    p->info.workspace_bytes = l->slab_bytes;
    p->info.live_bytes = l->live_bytes;
    fill_constants(p, l);
    bind_scalars(p, l);
    bool fine = true;
    for (size_t t = 0; t < l->n_steps && fine; t++) {
        fine = bind_step(p, l, t);
    }
    p->outputs = gan__arena_array(&p->arena, (size_t)l->c->n_outputs + 1, sizeof *p->outputs);
    fine = fine && p->outputs;
    p->n_outputs = fine ? l->c->n_outputs : 0;
    for (int i = 0; i < p->n_outputs && fine; i++) {
        gan_val v = l->c->outputs[i];
        const struct gan__type *t = gan__type_of(l->g, v);
        p->outputs[i] = (gan_tensor){t->dtype, t->shape, NULL};
        fine = bind(p, l, v, &p->outputs[i].data);
    }
    return fine ? GAN_OK : gan__fail_nomem(err, p->n_refs * sizeof *p->refs, "the plan's pointers");
}

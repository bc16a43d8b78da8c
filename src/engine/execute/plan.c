/* plan.c: compiling a graph: passes, schedule, kernels, memory, pointers. */
#include "steps.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>
#include <time.h>

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static bool served(const char *backend, const struct gan__op *op, const struct gan__type *in,
                   int n_in, const struct gan__type *out, int n_out, const void *attr)
{
    return gan__kernel_find(backend, op, in, n_in, out, n_out, attr, true) != NULL;
}

static bool tiled(const char *backend, const struct gan__op *op, const struct gan__type *in,
                  int n_in, const struct gan__type *out, int n_out, const void *attr)
{
    return gan__kernel_tile(backend, op, in, n_in, out, n_out, attr) != NULL;
}

/* Prepares the node's kernel only to learn its scratch. */
static gan_status scratch_of(const struct gan__compile *c, const struct gan__node *n, size_t *bytes,
                             gan_err *err)
{
    struct gan__arena arena = {0};
    gan_status status = GAN_OK;
    struct gan__type *in = gan__arena_array(&arena, (size_t)n->n_in + 1, sizeof *in);
    if (!in) {
        return gan__fail_nomem(err, (size_t)n->n_in * sizeof *in, "a step");
    }
    for (int j = 0; j < n->n_in; j++) {
        in[j] = *gan__type_of(c->g, n->in[j]);
    }
    const struct gan__kernel *k =
        gan__kernel_find(c->backend, n->op, in, n->n_in, n->out, n->n_out, n->attr, c->exact);
    struct gan__prepare prep = {.op = n->op,
                                .in = in,
                                .out = n->out,
                                .n_in = n->n_in,
                                .n_out = n->n_out,
                                .attr = n->attr,
                                .threads = c->threads,
                                .arena = &arena};
    if (k && k->prepare) {
        status = k->prepare(&prep, err);
        if (k->release && prep.ctx) {
            k->release(prep.ctx);
        }
    }
    *bytes = prep.scratch_bytes + prep.copy.bytes;
    gan__arena_release(&arena);
    return status;
}

/* Names and types of everything a caller may supply. */
static gan_status copy_feeds(gan_plan *p, const gan_graph *g, gan_err *err)
{
    p->feeds = gan__arena_array(&p->arena, g->n_feeds + 1, sizeof *p->feeds);
    p->scalars = gan__arena_array(&p->arena, g->n_scalars + 1, sizeof *p->scalars);
    p->scalar_values = gan__arena_array(&p->arena, g->n_scalars + 1, sizeof *p->scalar_values);
    bool fine = p->feeds && p->scalars && p->scalar_values;
    for (size_t i = 0; i < g->n_feeds && fine; i++) {
        p->feeds[i].name = gan__arena_strdup(&p->arena, g->feeds[i].name);
        p->feeds[i].type = g->feeds[i].type;
        p->feeds[i].hint = i;
        p->n_feeds = i + 1;
        fine = p->feeds[i].name != NULL;
    }
    for (size_t i = 0; i < g->n_scalars && fine; i++) {
        p->scalars[i].name = gan__arena_strdup(&p->arena, g->scalars[i].name);
        p->scalars[i].hint = i;
        p->n_scalars = i + 1;
        fine = p->scalars[i].name != NULL;
    }
    p->run.scalars = p->scalar_values;
    return fine ? GAN_OK : gan__fail_nomem(err, g->n_feeds * sizeof *p->feeds, "the plan's feeds");
}

static gan_status lay_out(gan_plan *p, const struct gan__compile *c, gan_err *err)
{
    struct gan__layout l = {0};
    size_t *scratch = NULL;
    struct gan__copy_need *needs = NULL;
    gan_status status = gan__layout_schedule(&l, c, err);
    if (status == GAN_OK) {
        status = gan__steps_prepare(p, &l, err);
    }
    if (status == GAN_OK) {
        scratch = gan__alloc_array(l.n_steps + 1, sizeof *scratch);
        needs = gan__alloc_array(l.n_steps + 1, sizeof *needs);
        status =
            scratch && needs ? GAN_OK : gan__fail_nomem(err, l.n_steps * sizeof *needs, "scratch");
    }
    if (status == GAN_OK) {
        gan__steps_copies(p, &l, needs);
    }
    for (size_t t = 0; status == GAN_OK && t < l.n_steps; t++) {
        scratch[t] = p->steps[t].scratch_bytes;
    }
    if (status == GAN_OK) {
        status = gan__layout_place(&l, scratch, needs, err);
    }
    if (status == GAN_OK) {
        status = gan__steps_bind(p, &l, err);
    }
    gan__free(scratch);
    gan__free(needs);
    gan__layout_release(&l);
    return status;
}

static gan_status compile(gan_plan *p, const struct gan__build *b, gan_err *err)
{
    struct gan__compile c = {.arena = &p->arena,
                             .without = b->without,
                             .backend = p->backend,
                             .verify = b->verify,
                             .bf16 = b->bf16,
                             .keep_sets = b->keep_sets,
                             .recompute = b->recompute,
                             .threads = p->run.threads,
                             .exact = b->exact,
                             .scratch = scratch_of,
                             .served = served,
                             .tiled = tiled};
    gan_status status = gan__compile_init(&c, b->g, b->outputs, b->n_outputs, err);
    if (status == GAN_OK) {
        status = gan__compile_run(&c, err);
    }
    if (status == GAN_OK) {
        status = lay_out(p, &c, err);
    }
    gan__compile_release(&c);
    return status;
}

gan_plan *gan__plan_build(const struct gan__build *b, gan_err *err)
{
    double start = now_ms();
    bool ref = strcmp(b->backend, "ref") == 0;
    if (!ref && strcmp(b->backend, "cpu") != 0) {
        gan__fail(err, GAN_E_ARG, "unknown backend %s, there are cpu and ref", b->backend);
        return NULL;
    }
    if (gan__pass_check(b->without, err) != GAN_OK) {
        return NULL;
    }
    if (b->threads < 0) {
        gan__fail(err, GAN_E_RANGE, "a plan cannot have %d threads", b->threads);
        return NULL;
    }
    gan_plan *p = gan__alloc(sizeof *p);
    if (!p) {
        gan__fail_nomem(err, sizeof *p, "a plan");
        return NULL;
    }
    p->backend = ref ? "ref" : "cpu";
    p->exact = b->exact;
    p->frozen = b->frozen;
    p->store = b->g->store;
    p->run.threads = b->threads > 0 ? b->threads : 1;
    gan_status status = copy_feeds(p, b->g, err);
    if (status == GAN_OK) {
        status = compile(p, b, err);
    }
    if (status != GAN_OK) {
        gan_plan_free(p);
        return NULL;
    }
    p->info.nodes = gan_graph_nodes(b->g);
    p->info.steps = (int64_t)p->n_steps;
    p->info.compile_ms = now_ms() - start;
    return p;
}

static gan_status read_precision(const struct gan_plan_opts *o, struct gan__build *b, gan_err *err)
{
    b->bf16 = o->precision && strcmp(o->precision, "bf16") == 0;
    if (o->precision && !b->bf16 && strcmp(o->precision, "f32") != 0) {
        return gan__fail(err, GAN_E_ARG, "unknown precision %.40s, there are f32 and bf16",
                         o->precision);
    }
    if (b->bf16 && strcmp(b->backend, "cpu") == 0 && !gan_bf16_works()) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "precision bf16 needs oneDNN and a CPU with "
                         "avx512_bf16 or amx_bf16; f32 works everywhere");
    }
    return GAN_OK;
}

gan_plan *gan_plan_new(const gan_graph *g, const gan_val *outputs, int n,
                       const struct gan_plan_opts *opts, gan_err *err)
{
    struct gan_plan_opts none = {0};
    const struct gan_plan_opts *o = opts ? opts : &none;
    struct gan__build b = {.g = g,
                           .outputs = outputs,
                           .n_outputs = n,
                           .backend = o->backend ? o->backend : "cpu",
                           .without = o->without,
                           .threads = o->threads,
                           .verify = o->verify,
                           .exact = o->exact,
                           .frozen = o->frozen,
                           .recompute = o->recompute,
                           .keep_sets = true};
    if (read_precision(o, &b, err) != GAN_OK) {
        return NULL;
    }
#ifndef NDEBUG
    b.verify = true;
#endif
    return gan__plan_build(&b, err);
}

void gan_plan_free(gan_plan *p)
{
    if (!p) {
        return;
    }
    for (size_t i = 0; i < p->n_steps; i++) {
        const struct gan__step *s = &p->steps[i];
        if (s->kernel && s->kernel->release && s->call.ctx) {
            s->kernel->release(s->call.ctx);
        }
    }
    for (size_t i = 0; i < p->n_feeds; i++) {
        gan__free(p->feeds[i].refs);
    }
    gan_workspace_free(p->mine);
    gan__free(p->refs);
    gan__free(p->seconds);
    gan__free(p->own);
    gan__arena_release(&p->arena);
    gan__free(p);
}

struct gan_plan_info gan_plan_info(const gan_plan *p)
{
    return p->info;
}

const gan_tensor *gan_plan_output(const gan_plan *p, int i)
{
    return i >= 0 && i < p->n_outputs ? &p->outputs[i] : NULL;
}

/* pass_fuse.c: elementwise nodes become programs. Groups are found by fuse_groups.c and take their
 * places by grouping.c. */
#include "fuse.h"
#include "grouping.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

/* A group being written. */
struct writer {
    const struct gan__fusion *f;
    uint32_t *reg_of; /* by value number: work of gan__fusion_emit */
};

static void emit(void *ctx, struct gan__rewrite *rw, const uint32_t *members, int n)
{
    const struct writer *w = ctx;
    gan__fusion_emit(w->f, rw, members, n, w->reg_of);
}

static gan_status emit_all(const struct gan__fusion *f, struct gan__rewrite *rw, gan_err *err)
{
    struct writer w = {f, gan__alloc_array(rw->n_values, sizeof *w.reg_of)};
    if (!w.reg_of) {
        return gan__fail_nomem(err, rw->n_values * sizeof *w.reg_of, "fusion");
    }
    const struct gan__grouping groups = {f->g, f->group, f->n_groups, emit, &w};
    gan_status status = gan__grouping_emit(&groups, rw, err);
    gan__free(w.reg_of);
    return status;
}

gan_status gan__fusion_open(struct gan__fusion *f, struct gan__compile *c, uint32_t *base,
                            gan_err *err)
{
    size_t n = c->g->n_nodes;
    f->c = c;
    f->g = c->g;
    f->base = base;
    f->readers = gan__ir_readers(c, base);
    f->can = gan__alloc_array(n, sizeof *f->can);
    f->count = gan__alloc_array(n, sizeof *f->count);
    f->level = gan__alloc_array(n, sizeof *f->level);
    f->group = gan__alloc_array(n, sizeof *f->group);
    if (!f->readers || !f->can || !f->count || !f->level || !f->group) {
        return gan__fail_nomem(err, n * sizeof *f->count, "fusion");
    }
    gan__fusion_able(f);
    return GAN_OK;
}

void gan__fusion_close(struct gan__fusion *f)
{
    gan__free(f->readers);
    gan__free(f->can);
    gan__free(f->count);
    gan__free(f->level);
    gan__free(f->group);
}

/* Levels from an earlier walk, or found here. */
static gan_status set_levels(struct gan__fusion *f, const uint32_t *level, gan_err *err)
{
    if (!level) {
        return gan__fusion_levels(f, err);
    }
    memcpy(f->level, level, f->g->n_nodes * sizeof *level);
    return GAN_OK;
}

gan_status gan__compile_fuse(struct gan__compile *c, bool group, gan_err *err)
{
    struct gan__rewrite rw;
    struct gan__fusion f = {.sums = group && gan__pass_on(c->without, "fuse_sum")};
    uint32_t *level = NULL;
    if (group && gan__pass_on(c->without, "fuse_again")) {
        GAN_TRY(gan__fusion_recompute(c, f.sums, &level, err));
    }
    gan_status status = gan__rewrite_begin(&rw, c, err);
    if (status != GAN_OK) {
        gan__free(level);
        return status;
    }
    status = gan__fusion_open(&f, c, rw.base, err);
    if (status == GAN_OK && group) {
        status = set_levels(&f, level, err);
    }
    if (status == GAN_OK) {
        status = gan__fusion_groups(&f, group, err);
    }
    if (status == GAN_OK) {
        status = emit_all(&f, &rw, err);
    }
    gan__free(level);
    gan__fusion_close(&f);
    return gan__rewrite_end(&rw, status, err);
}

GAN_PASS(fuse) = {
    .name = "fuse",
    .doc = "run neighbouring elementwise operations as one program over tiles",
    .rank = 90,
};

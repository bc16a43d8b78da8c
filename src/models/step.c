/* step.c: building an iteration. A model's iteration function runs once per run of training, not per
 * step: it leaves an ordered list of segments, each a graph. Phases outside gan_repeat share a graph,
 * so that values may cross them (the fake images both networks use); a repeated phase is a graph of
 * its own, run several times. */
#include "step.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "step_build.h"

#include <math.h>
#include <string.h>

static struct gan__segment *open_segment(gan_step *s)
{
    if (s->open >= 0) {
        return &s->segment[s->open];
    }
    if (s->n_segments == GAN__MAX_SEGMENTS) {
        gan__fail(&s->err, GAN_E_RANGE, "an iteration has more than %d phases", GAN__MAX_SEGMENTS);
        return NULL;
    }
    struct gan__segment *seg = &s->segment[s->n_segments];
    seg->graph = gan_graph_new(s->cfg.store, s->cfg.real);
    if (!seg->graph) {
        gan__fail_nomem(&s->err, 0, "a graph");
        return NULL;
    }
    if (s->n_segments > 0) { /* equal names in different segments are different random streams */
        char name[16];
        (void)gan__format(name, sizeof name, "phase%d", s->n_segments);
        gan_scope_push(seg->graph, name);
    }
    s->open = s->n_segments++;
    s->n_slices = 0;
    gan__phase_begin(s);
    return seg;
}

/* The graph of a failed step still takes calls: builders given invalid values do nothing. */
gan_graph *gan_step_graph(gan_step *s)
{
    struct gan__segment *seg = open_segment(s);
    return seg ? seg->graph : s->segment[0].graph;
}

int64_t gan_step_batch(const gan_step *s)
{
    return s->cfg.microbatch;
}

bool gan_repeat(gan_step *s, const struct gan_runs *runs)
{
    if (s->in_repeat) {
        s->in_repeat = false;
        if (s->open >= 0 && s->segment[s->open].repeated) {
            s->open = -1;
        }
        return false;
    }
    s->in_repeat = true;
    bool once = runs->count <= 1 && runs->warm_count == 0 && runs->every <= 1;
    if (!once) {
        if (s->open >= 0 && gan_graph_nodes(s->segment[s->open].graph) > 0) {
            s->open = -1; /* an unused graph becomes the repeated phase's */
        }
        struct gan__segment *seg = open_segment(s);
        if (seg) {
            seg->repeated = true;
            seg->runs = *runs;
        }
    }
    return true;
}

int64_t gan__runs_at(const struct gan_runs *r, int64_t iteration)
{
    if (r->every > 1 && iteration % r->every != 0) {
        return 0;
    }
    bool warm = iteration < r->warm_until || (r->warm_every > 0 && iteration % r->warm_every == 0);
    int64_t n = warm && r->warm_count > 0 ? r->warm_count : r->count;
    return n > 0 ? n : 1;
}

/* --- inputs -------------------------------------------------------------------------------------- */

gan_val gan__step_input(gan_step *s, const char *name, gan_dtype dtype, gan_shape shape)
{
    gan_graph *g = gan_step_graph(s);
    shape.dim[0] = s->cfg.batch;
    gan_val all = gan_feed(g, name, dtype, shape);
    if (s->cfg.microbatch == s->cfg.batch) {
        return all;
    }
    for (size_t i = 0; i < s->n_slices; i++) {
        if (s->slice_of[i].node == all.node) {
            return (gan_val){s->slice[i], 0};
        }
    }
    gan_val part = gan_slice_axis(g, all, 0, 0, s->cfg.microbatch);
    if (s->n_slices == GAN__MAX_SLICES) {
        return gan_graph_fail(g, GAN_E_RANGE, "an iteration has more than %d inputs",
                              GAN__MAX_SLICES);
    }
    s->slice_of[s->n_slices] = all;
    s->slice[s->n_slices++] = part.node;
    return part;
}

gan_val gan_batch(gan_step *s, gan_field field)
{
    const struct gan_task *t = s->cfg.opts;
    gan_graph *g = gan_step_graph(s);
    s->segment[s->open < 0 ? 0 : s->open].fields |= (uint32_t)field;
    if (!((s->cfg.model->needs | s->cfg.model->may_need) & (uint32_t)field)) {
        return gan_graph_fail(g, GAN_E_INTERNAL, "model %s reads a field it did not declare",
                              s->cfg.model->name);
    }
    if (field == GAN_FIELD_LABEL) {
        return gan__step_input(s, "label", GAN_I32, GAN_SHAPE(1));
    }
    if (field == GAN_FIELD_KNOWN) {
        return gan__step_input(s, "known", s->cfg.real, GAN_SHAPE(1));
    }
    if (field == GAN_FIELD_ATTRIBUTES) {
        return gan__step_input(s, "attributes", s->cfg.real, GAN_SHAPE(1, t->attributes));
    }
    bool second = field == GAN_FIELD_B;
    return gan__step_input(s, second ? "image_b" : "image", s->cfg.real,
                           GAN_SHAPE(1, t->height, t->width, second ? t->channels_b : t->channels));
}

gan_val gan_noise_uniform(gan_step *s, const char *name, gan_shape shape)
{
    gan_graph *g = gan_step_graph(s);
    if (s->cfg.external_noise) {
        return gan__step_input(s, name, s->cfg.real, shape);
    }
    shape.dim[0] = s->cfg.microbatch;
    return gan_random_uniform(g, name, shape);
}

gan_val gan_labels(gan_step *s, const char *name)
{
    const struct gan_task *t = s->cfg.opts;
    gan_graph *g = gan_step_graph(s);
    if (s->sampling) {
        return gan_batch(s, GAN_FIELD_LABEL);
    }
    if (t->classes < 1) {
        return gan_graph_fail(g, GAN_E_RANGE, "labels of %lld classes, at least 1 is needed",
                              (long long)t->classes);
    }
    gan_val u = gan_noise_uniform(s, name, GAN_SHAPE(1));
    double classes = (double)t->classes; /* u rounds up to 1 in short types */
    return gan_cast(g, gan_clamp(g, gan_scale(g, u, classes), 0, classes - 0.5), GAN_I32);
}

gan_val gan_noise_normal(gan_step *s, const char *name, gan_shape shape)
{
    gan_graph *g = gan_step_graph(s);
    if (s->cfg.external_noise) {
        return gan__step_input(s, name, s->cfg.real, shape);
    }
    shape.dim[0] = s->cfg.microbatch;
    return gan_random_normal(g, name, shape);
}

static gan_val latent(gan_step *s, const char *name, int64_t z, bool uniform)
{
    gan_graph *g = gan_step_graph(s);
    if (s->sampling) {
        s->latent_shape = GAN_SHAPE(s->cfg.batch, z);
        s->latent_uniform = uniform;
        return gan_feed(g, "z", s->cfg.real, s->latent_shape);
    }
    if (!uniform || s->cfg.external_noise) {
        return gan_noise_normal(s, name, GAN_SHAPE(1, z));
    }
    gan_val u = gan_noise_uniform(s, name, GAN_SHAPE(1, z));
    return gan_scale(g, gan_shift(g, u, -0.5), 2 * sqrt(3.0));
}

gan_val gan_latent(gan_step *s, const char *name, int64_t z)
{
    return latent(s, name, z, false);
}

gan_val gan_latent_uniform(gan_step *s, const char *name, int64_t z)
{
    return latent(s, name, z, true);
}

/* --- networks ---------------------------------------------------------------------------------------- */

const gan_net *gan__step_net(gan_step *s, const char *name, size_t len)
{
    const struct gan_net_list *nets = s->cfg.nets;
    for (int i = 0; i < nets->n; i++) {
        const char *have = gan_net_name(nets->net[i]);
        if (strlen(have) == len && strncmp(have, name, len) == 0) {
            return nets->net[i];
        }
    }
    gan_graph_fail(gan_step_graph(s), GAN_E_INTERNAL, "model %s has no network '%.*s'",
                   s->cfg.model->name, (int)len, name);
    return NULL;
}

void gan_apply_all(gan_step *s, const char *name, const gan_val *in, gan_val *out)
{
    const gan_net *net = gan__step_net(s, name, strlen(name));
    if (net) {
        gan_net_apply(gan_step_graph(s), net, NULL, s->cfg.mode, in, out);
    }
}

gan_val gan_apply(gan_step *s, const char *name, gan_val x)
{
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_apply_all(s, name, &x, out);
    return out[0];
}

void gan_report(gan_step *s, const char *name, gan_val v)
{
    struct gan__segment *seg = open_segment(s);
    if (!seg || !gan_ok(v)) {
        return;
    }
    if (seg->n_reports == GAN__MAX_REPORTS) {
        gan_graph_fail(seg->graph, GAN_E_RANGE, "a phase reports more than %d values",
                       GAN__MAX_REPORTS);
        return;
    }
    struct gan__report *r = &seg->report[seg->n_reports++];
    (void)gan__copy(r->name, sizeof r->name, name);
    r->val = v;
}

/* --- whole steps ------------------------------------------------------------------------------------------- */

static gan_step *step_new(const struct gan__step_cfg *cfg, gan_err *err)
{
    int64_t micro = cfg->microbatch > 0 ? cfg->microbatch : cfg->batch;
    if (cfg->batch < 1 || cfg->batch % micro != 0) {
        gan__fail(err, GAN_E_RANGE, "--microbatch is %lld, which does not divide the batch of %lld",
                  (long long)micro, (long long)cfg->batch);
        return NULL;
    }
    gan_step *s = gan__alloc(sizeof *s);
    if (!s) {
        gan__fail_nomem(err, sizeof *s, "a step");
        return NULL;
    }
    s->cfg = *cfg;
    s->cfg.microbatch = micro;
    s->open = -1;
    s->latent_shape.rank = -1;
    return s;
}

static gan_step *step_done(gan_step *s, gan_err *err)
{
    gan_status status = s->err.code;
    if (status != GAN_OK && err) {
        *err = s->err;
    }
    for (int i = 0; i < s->n_segments && status == GAN_OK; i++) {
        status = gan_graph_status(s->segment[i].graph, err);
    }
    if (status != GAN_OK) {
        gan__step_free(s);
        return NULL;
    }
    return s;
}

gan_step *gan__step_build(const struct gan__step_cfg *cfg, gan_err *err)
{
    gan_step *s = step_new(cfg, err);
    if (!s) {
        return NULL;
    }
    if (open_segment(s)) {
        cfg->model->iteration(s, cfg->opts);
    }
    return step_done(s, err);
}

gan_step *gan__step_build_sample(const struct gan__step_cfg *cfg, bool show, gan_val *images,
                                 gan_err *err)
{
    const struct gan_model *m = cfg->model;
    gan_step *s = step_new(cfg, err);
    if (!s) {
        return NULL;
    }
    s->sampling = true;
    s->cfg.microbatch = cfg->batch;
    gan_val (*make)(gan_step *, const void *) = show && m->show ? m->show : m->sample;
    *images = open_segment(s) ? make(s, cfg->opts) : GAN_NONE;
    return step_done(s, err);
}

gan_step *gan__step_build_translation(const struct gan__step_cfg *cfg, bool back,
                                      const int64_t size[2], gan_val *images, gan_err *err)
{
    const struct gan_model *m = cfg->model;
    struct gan_translation about;
    *images = GAN_NONE;
    if (m->translates == NULL || !m->translates(cfg->opts, back, &about)) {
        gan__fail(err, GAN_E_INTERNAL, "model %s does not translate this way", m->name);
        return NULL;
    }
    gan_step *s = step_new(cfg, err);
    if (!s) {
        return NULL;
    }
    s->sampling = true;
    struct gan__segment *seg = open_segment(s);
    if (seg) {
        gan_shape shape = GAN_SHAPE(s->cfg.batch, size[0], size[1], about.in);
        gan_val x = gan_feed(seg->graph, "image", cfg->real, shape);
        *images = m->translate(s, cfg->opts, x, back);
    }
    return step_done(s, err);
}

gan_step *gan__step_build_landscape(const struct gan__step_cfg *cfg, struct gan_landscape *out,
                                    gan_err *err)
{
    const struct gan_task *t = cfg->opts;
    gan_step *s = step_new(cfg, err);
    if (!s) {
        return NULL;
    }
    s->sampling = true;
    s->cfg.microbatch = cfg->batch;
    struct gan__segment *seg = open_segment(s);
    if (seg) {
        gan_shape shape = GAN_SHAPE(cfg->batch, t->height, t->width, t->channels);
        gan_val points = gan_feed(seg->graph, "points", cfg->real, shape);
        *out = cfg->model->landscape(s, cfg->opts, points);
    }
    return step_done(s, err);
}

void gan__step_free(gan_step *s)
{
    if (!s) {
        return;
    }
    for (int i = 0; i < s->n_segments; i++) {
        gan_graph_free(s->segment[i].graph);
    }
    gan__free(s->start);
    gan__free(s);
}

int gan__step_segments(const gan_step *s)
{
    return s->n_segments;
}

const struct gan__segment *gan__step_segment(const gan_step *s, int i)
{
    return i >= 0 && i < s->n_segments ? &s->segment[i] : NULL;
}

gan_shape gan__step_latent_shape(const gan_step *s)
{
    return s->latent_shape;
}

bool gan__step_latent_uniform(const gan_step *s)
{
    return s->latent_uniform;
}

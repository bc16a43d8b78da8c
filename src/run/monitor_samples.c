/* monitor_samples.c: spread, duplicates and separation.
 *
 * Distances are taken between vectors: averages of the image over 8x8 cells (points as they are),
 * and, where the discriminator gives its features as a second output, a fixed choice of at most 128
 * of them. A fake counts as a duplicate when its nearest other fake is closer than the closest
 * twentieth of the reals are to their nearest other real, so healthy fakes score about .05. The
 * separation is the area under the ROC curve (Mann and Whitney 1947): it means the same for logits,
 * critics and relativistic scores. Normalisation uses the batch, as in training, and writes no
 * running statistics. */
#include "monitor_samples.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/number.h"
#include "base/philox.h"
#include "base/str.h"
#include "feeds.h"

#include <math.h>
#include <string.h>

enum { PIXELS, FEATURES };
enum { LEAST = 16, MOST = 64, CELLS = 8, MAX_FEATURES = 128, MOST_PACKED = 64 };
enum { OUT_FAKE, OUT_SCORE_FAKE, OUT_SCORE_REAL, OUT_FEATURES_FAKE, OUT_FEATURES_REAL, OUT_MAX };

static const double near_share = 0.05;
/* Latents of other numbers than those of the sample grids. */
enum { FIRST_LATENT = 1 << 20 };

static int64_t sample_size(const struct gan__session *s)
{
    int64_t n = s->recipe->run.batch;
    return n > MOST || s->task->points ? MOST : n < LEAST ? LEAST : n;
}

/* --- the plan ------------------------------------------------------------------------------------ */

static const gan_net *find_disc(const struct gan__session *s)
{
    for (int i = 0; i < s->nets.n; i++) {
        if (strcmp(gan_net_name(s->nets.net[i]), "disc") == 0) {
            return s->nets.net[i];
        }
    }
    return NULL;
}

/* Can D look at one image at a time, alone or with its class? */
static bool can_score(const gan_net *disc, uint32_t fields, const gan_shape *images, int64_t pack)
{
    if (disc == NULL || gan_net_in(disc, 0).index) {
        return false;
    }
    gan_shape in = gan_net_in(disc, 0).shape, second = gan_net_in(disc, 1).shape;
    bool labelled = gan_net_in(disc, 1).index;
    bool one = second.rank <= 0 && !labelled;
    in.dim[0] = images->dim[0];
    in.dim[3] = pack > 1 ? images->dim[3] : in.dim[3];
    return gan_shape_equal(&in, images) && (one || (labelled && (fields & GAN_FIELD_LABEL) != 0));
}

/* How many images a D without classes judges at once, 1: it does not pack. */
static int64_t pack_of(const gan_net *disc, uint32_t fields, const gan_shape *images)
{
    gan_shape in = disc != NULL ? gan_net_in(disc, 0).shape : GAN_SHAPE(0);
    bool alone = disc != NULL && gan_net_in(disc, 1).shape.rank <= 0 && fields == 0;
    int64_t m = alone && in.rank == 4 ? in.dim[3] / images->dim[3] : 1;
    bool whole = alone && in.rank == 4 && in.dim[3] % images->dim[3] == 0;
    return whole && m >= 1 && m < images->dim[0] && m <= MOST_PACKED ? m : 1;
}

/* Every image with the m - 1 behind it, in a circle: as many packs as images. */
static gan_val packed(gan_graph *g, gan_val x, int64_t m)
{
    gan_val part[MOST_PACKED];
    int64_t n = gan_dim(g, x, 0);
    for (int64_t k = 0; k < m; k++) {
        const gan_val turn[] = {gan_slice_axis(g, x, 0, k, n - k), gan_slice_axis(g, x, 0, 0, k)};
        part[k] = k == 0 ? x : gan_concat(g, turn, 2, 0);
    }
    return m > 1 ? gan_concat(g, part, (int)m, 3) : x;
}

/* D on fakes and on reals; fills outputs[1..]. */
static int add_disc(struct gan__samples *m, const struct gan__session *s, gan_graph *g,
                    gan_val fake, gan_val *outputs)
{
    const gan_net *disc = find_disc(s);
    gan_shape shape = gan_shape_get(g, fake);
    int64_t pack = pack_of(disc, m->fields, &shape);
    if (!can_score(disc, m->fields, &shape, pack)) {
        return 1;
    }
    gan_val out[2][GAN_NET_MAX_OUT] = {{{0, 0}}, {{0, 0}}};
    gan_val real = gan_feed(g, "image", GAN_F32, shape);
    for (int k = 0; k < 2; k++) {
        gan_val in[GAN_NET_MAX_IN] = {packed(g, k == 0 ? fake : real, pack)};
        if (gan_net_in(disc, 1).index) {
            in[1] = gan_feed(g, "label", GAN_I32, GAN_SHAPE(m->n));
        }
        gan_net_apply(g, disc, NULL, GAN_BATCH_STATS, in, out[k]);
    }
    gan_shape score = gan_shape_get(g, out[0][0]);
    m->scores = gan_shape_count(&score) == m->n;
    if (!m->scores) {
        return 1;
    }
    outputs[OUT_SCORE_FAKE] = out[0][0];
    outputs[OUT_SCORE_REAL] = out[1][0];
    if (gan_net_outputs(disc) < 2 || pack > 1) { /* features of packs are of no single fake */
        return OUT_FEATURES_FAKE;
    }
    gan_shape f = gan_shape_get(g, out[0][1]);
    m->features = f.rank == 2 && f.dim[0] == m->n;
    outputs[OUT_FEATURES_FAKE] = out[0][1];
    outputs[OUT_FEATURES_REAL] = out[1][1];
    m->real[FEATURES].dim =
        m->features && f.dim[1] < MAX_FEATURES ? (size_t)f.dim[1] : MAX_FEATURES;
    return m->features ? OUT_MAX : OUT_FEATURES_FAKE;
}

static gan_status compile(struct gan__samples *m, struct gan__session *s, gan_step *step,
                          gan_val fake, gan_err *err)
{
    const struct gan__segment *seg = gan__step_segment(step, 0);
    gan_val outputs[OUT_MAX] = {fake};
    gan_shape shape = gan_shape_get(seg->graph, fake);
    m->fields = seg->fields;
    const struct gan_task *t = s->task;
    const gan_shape data = GAN_SHAPE(m->n, t->height, t->width, t->channels);
    m->on = (m->fields & ~(uint32_t)GAN_FIELD_LABEL) == 0 && gan_shape_equal(&shape, &data);
    if (!m->on) {
        return GAN_OK;
    }
    int64_t rows = shape.dim[1] < CELLS ? shape.dim[1] : CELLS;
    int64_t columns = shape.dim[2] < CELLS ? shape.dim[2] : CELLS;
    m->real[PIXELS].dim = (size_t)(rows * columns * shape.dim[3]);
    int n = add_disc(m, s, seg->graph, fake, outputs);
    struct gan_plan_opts opts = {.threads = s->threads};
    m->plan = gan_plan_new(seg->graph, outputs, n, &opts, err);
    if (m->plan == NULL) {
        return err->code;
    }
    struct gan_plan_info info = gan_plan_info(m->plan);
    s->compile_ms += info.compile_ms;
    s->workspace_bytes =
        info.workspace_bytes > s->workspace_bytes ? info.workspace_bytes : s->workspace_bytes;
    return GAN_OK;
}

gan_status gan__samples_compile(struct gan__samples *m, struct gan__session *s, gan_err *err)
{
    gan_err own = {0};
    gan_val fake = GAN_NONE;
    *m = (struct gan__samples){.n = sample_size(s),
                               .last = {(double)NAN, (double)NAN, (double)NAN, (double)NAN}};
    const struct gan__step_cfg cfg = gan__session_step_cfg(s, m->n, GAN_BATCH_STATS);
    gan_step *step = gan__step_build_sample(&cfg, false, &fake, &own);
    gan_status status = step != NULL ? compile(m, s, step, fake, &own) : own.code;
    gan__step_free(step);
    return status == GAN_OK ? GAN_OK : gan__fail(err, status, "the monitor: %s", own.message);
}

/* --- clouds -------------------------------------------------------------------------------------- */

static gan_status cloud_alloc(struct gan__cloud *c, size_t dim, int64_t n, gan_err *err)
{
    c->dim = dim;
    c->at = gan__alloc_array((size_t)n * dim, sizeof *c->at);
    c->near = gan__alloc_array((size_t)n, sizeof *c->near);
    return c->at != NULL && c->near != NULL
               ? GAN_OK
               : gan__fail_nomem(err, (size_t)n * dim * sizeof *c->at, "the monitor's samples");
}

/* Four sums side by side: one would wait for itself. */
static double distance(const float *a, const float *b, size_t dim)
{
    double sum[4] = {0, 0, 0, 0};
    size_t k = 0;
    for (; k + 4 <= dim; k += 4) {
        for (size_t i = 0; i < 4; i++) {
            double d = (double)a[k + i] - (double)b[k + i];
            sum[i] += d * d;
        }
    }
    for (; k < dim; k++) {
        double d = (double)a[k] - (double)b[k];
        sum[0] += d * d;
    }
    return sqrt((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static void measure(struct gan__cloud *c, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        c->near[i] = (double)INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i + 1; j < n; j++) {
            double d = distance(c->at + (size_t)i * c->dim, c->at + (size_t)j * c->dim, c->dim);
            sum += d;
            c->near[i] = d < c->near[i] ? d : c->near[i];
            c->near[j] = d < c->near[j] ? d : c->near[j];
        }
    }
    gan__sort_f64(c->near, (size_t)n);
    c->spread = sum / ((double)n * (double)(n - 1) / 2);
}

/* Averages over cells of the image. */
static void pool(float *dst, const float *image, const struct gan_task *t)
{
    int64_t rows = t->height < CELLS ? t->height : CELLS;
    int64_t columns = t->width < CELLS ? t->width : CELLS;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t q = 0; q < columns; q++) {
            int64_t y0 = r * t->height / rows, y1 = (r + 1) * t->height / rows;
            int64_t x0 = q * t->width / columns, x1 = (q + 1) * t->width / columns;
            for (int64_t c = 0; c < t->channels; c++) {
                double sum = 0;
                for (int64_t y = y0; y < y1; y++) {
                    for (int64_t x = x0; x < x1; x++) {
                        sum += (double)image[(y * t->width + x) * t->channels + c];
                    }
                }
                dst[(r * columns + q) * t->channels + c] =
                    (float)(sum / (double)((y1 - y0) * (x1 - x0)));
            }
        }
    }
}

static void take_pixels(struct gan__cloud *c, const float *images, const struct gan__samples *m,
                        const struct gan_task *t)
{
    size_t pixels = (size_t)(t->height * t->width * t->channels);
    for (int64_t i = 0; i < m->n; i++) {
        pool(c->at + (size_t)i * c->dim, images + (size_t)i * pixels, t);
    }
    measure(c, m->n);
}

static void take_features(struct gan__cloud *c, const gan_tensor *f, int64_t n)
{
    uint64_t all = (uint64_t)f->shape.dim[1];
    for (size_t k = 0; k < c->dim; k++) {
        int64_t from = (int64_t)(all > c->dim ? gan__permute(1, all, k) : k);
        for (int64_t i = 0; i < n; i++) {
            c->at[(size_t)i * c->dim + k] = (float)gan_tensor_get(f, i * (int64_t)all + from);
        }
    }
    measure(c, n);
}

static double duplicates(const struct gan__cloud *fake, const struct gan__cloud *real, int64_t n)
{
    double limit = real->near[(int64_t)(near_share * (double)n)];
    int64_t count = 0;
    while (count < n && fake->near[count] < limit) {
        count++;
    }
    return (double)count / (double)n;
}

static double separation(const gan_tensor *real, const gan_tensor *fake, int64_t n)
{
    double wins = 0;
    for (int64_t i = 0; i < n; i++) {
        double r = gan_tensor_get(real, i);
        for (int64_t k = 0; k < n; k++) {
            double f = gan_tensor_get(fake, k);
            wins += r > f ? 1 : r < f ? 0 : 0.5;
        }
    }
    return wins / ((double)n * (double)n);
}

/* --- looking ------------------------------------------------------------------------------------- */

gan_status gan__samples_start(struct gan__samples *m, struct gan__session *s, gan_err *err)
{
    const struct gan_task *t = s->task;
    size_t pixels = (size_t)(m->n * t->height * t->width * t->channels);
    if (!m->on) {
        return GAN_OK;
    }
    for (int k = PIXELS; k <= (m->features ? FEATURES : PIXELS); k++) {
        GAN_TRY(cloud_alloc(&m->real[k], m->real[k].dim, m->n, err));
        GAN_TRY(cloud_alloc(&m->fake[k], m->real[k].dim, m->n, err));
    }
    m->images = gan__alloc_array(m->scores ? pixels : 1, sizeof *m->images);
    m->labels = gan__alloc_array((size_t)m->n, sizeof *m->labels);
    m->z = gan__alloc_array((size_t)(m->n * s->generator.z) + 1, sizeof *m->z);
    if (m->images == NULL || m->labels == NULL || m->z == NULL) {
        return gan__fail_nomem(err, pixels * sizeof *m->images, "the monitor's samples");
    }
    gan__generator_latents(&s->generator, (uint64_t)s->recipe->run.seed, FIRST_LATENT, m->n, m->z);
    struct gan_loader_cfg cfg = gan__session_loader_cfg(s);
    const struct gan_batch *b = NULL;
    gan_loader *loader = NULL;
    cfg.batch = m->n;
    GAN_TRY(gan_loader_new(s->data, &cfg, &loader, err));
    gan_status status = gan_loader_next(loader, &b, err);
    if (status == GAN_OK) {
        take_pixels(&m->real[PIXELS], b->images, m, t);
        memcpy(m->images, b->images, (m->scores ? pixels : 0) * sizeof *m->images);
        memcpy(m->labels, b->labels, (size_t)m->n * sizeof *m->labels);
    }
    gan_loader_free(loader);
    return status;
}

void gan__samples_release(struct gan__samples *m)
{
    gan_plan_free(m->plan);
    for (int k = PIXELS; k <= FEATURES; k++) {
        gan__free(m->real[k].at);
        gan__free(m->real[k].near);
        gan__free(m->fake[k].at);
        gan__free(m->fake[k].near);
    }
    gan__free(m->images);
    gan__free(m->labels);
    gan__free(m->z);
    *m = (struct gan__samples){0};
}

static gan_status run_plan(struct gan__samples *m, const struct gan__session *s, gan_err *err)
{
    const struct gan_task *t = s->task;
    const struct gan_batch reals = {.images = m->images,
                                    .labels = m->labels,
                                    .n = m->n,
                                    .height = t->height,
                                    .width = t->width,
                                    .channels = t->channels};
    struct gan_feed_data feeds[GAN__MAX_FIELDS + 1];
    uint32_t fields = m->fields | (m->scores ? (uint32_t)GAN_FIELD_IMAGE : 0);
    size_t n = gan__batch_feeds(&reals, fields, feeds);
    if (s->generator.z > 0) {
        feeds[n++] = (struct gan_feed_data){"z", {GAN_F32, GAN_SHAPE(m->n, s->generator.z), m->z}};
    }
    struct gan_run run = {.seed = (uint64_t)s->recipe->run.seed,
                          .feeds = feeds,
                          .n_feeds = n,
                          .workspace = s->workspace};
    return gan_plan_run(m->plan, &run, err);
}

gan_status gan__samples_look(struct gan__samples *m, struct gan__session *s, gan_err *err)
{
    struct gan__look *l = &m->last;
    if (!m->on) {
        return GAN_OK;
    }
    GAN_TRY(run_plan(m, s, err));
    take_pixels(&m->fake[PIXELS], gan_plan_output(m->plan, OUT_FAKE)->data, m, s->task);
    int seen = PIXELS;
    if (m->features) {
        take_features(&m->fake[FEATURES], gan_plan_output(m->plan, OUT_FEATURES_FAKE), m->n);
        take_features(&m->real[FEATURES], gan_plan_output(m->plan, OUT_FEATURES_REAL), m->n);
        seen = m->real[FEATURES].spread > 0 ? FEATURES : PIXELS;
    }
    l->pixel_spread = m->fake[PIXELS].spread / m->real[PIXELS].spread;
    l->spread = m->fake[seen].spread / m->real[seen].spread;
    l->duplicates = duplicates(&m->fake[seen], &m->real[seen], m->n);
    l->separation = (double)NAN;
    if (m->scores) {
        l->separation = separation(gan_plan_output(m->plan, OUT_SCORE_REAL),
                                   gan_plan_output(m->plan, OUT_SCORE_FAKE), m->n);
    }
    return GAN_OK;
}

uint64_t gan__samples_bytes(const struct gan__samples *m, const struct gan__session *s)
{
    if (!m->on) {
        return 0;
    }
    size_t pixels = (size_t)(s->task->height * s->task->width * s->task->channels);
    size_t floats = (m->scores ? pixels : 0) + 2 * (m->real[PIXELS].dim + m->real[FEATURES].dim);
    return (uint64_t)m->n * floats * sizeof(float) + gan_plan_info(m->plan).constant_bytes;
}

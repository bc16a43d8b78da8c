/* session.c: from a recipe to compiled plans. */
#include "session.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/philox.h"
#include "base/str.h"
#include "data/spec.h"
#include "rundir.h"

#include <inttypes.h>
#include <omp.h>
#include <string.h>

enum { MEAN_IMAGES = 10000, DEFAULT_EPOCHS = 25, ENDLESS_STEPS = 20000, ALONE_CLASSES = 10 };

int gan__recipe_threads(const struct gan__recipe *r)
{
    return r->run.threads > 0 ? (int)r->run.threads : omp_get_max_threads();
}

uint64_t gan__session_seed(const struct gan__session *s)
{
    uint64_t seed = (uint64_t)s->recipe->run.seed;
    return s->rollbacks == 0 ? seed : gan__stream_key(seed, (uint64_t)s->rollbacks, 0, 0);
}

int64_t gan__session_count(const struct gan__session *s, int entry)
{
    int64_t v;
    memcpy(&v, gan_store_at(s->store, entry)->value.data, sizeof v);
    return v;
}

void gan__session_set_count(struct gan__session *s, int entry, int64_t value)
{
    memcpy(gan_store_at(s->store, entry)->value.data, &value, sizeof value);
}

/* --- data and size ------------------------------------------------------------------------------ */

static gan_status one_of(const char *name, int64_t spec, int64_t option, int64_t *out, gan_err *err)
{
    if (spec > 0 && option > 0 && spec != option) {
        return gan__fail(err, GAN_E_ARG, "--%s is %" PRId64 ", the SPEC says %s=%" PRId64, name,
                         option, name, spec);
    }
    *out = spec > 0 ? spec : option;
    return GAN_OK;
}

/* Without data: what the settings say. */
static gan_status fit_alone(struct gan__session *s, gan_err *err)
{
    const struct gan__run_opts *o = &s->recipe->run;
    s->task->height = s->task->width = o->size > 0 ? o->size : 64;
    s->task->channels = o->channels > 0 ? o->channels : 3;
    s->task->classes = s->task->attributes = ALONE_CLASSES;
    return s->recipe->model->fit(s->recipe->opts, o->size > 0, err);
}

/* Sizes that are given are held against each other and the model before any file is opened. */
static gan_status fit_given(struct gan__session *s, gan_err *err)
{
    const struct gan__run_opts *o = &s->recipe->run;
    struct gan__spec spec;
    int64_t size = 0, channels = 0;
    GAN_TRY(gan__spec_parse(s->recipe->data, &spec, err));
    gan_status status = one_of("size", spec.common.size, o->size, &size, err);
    if (status == GAN_OK) {
        status = one_of("channels", spec.common.channels, o->channels, &channels, err);
    }
    if (status == GAN_OK && !spec.kind->points && channels != 0 && channels != 1 && channels != 3) {
        status =
            gan__fail(err, GAN_E_RANGE, "--channels is %" PRId64 ", images have 1 or 3", channels);
    }
    if (status == GAN_OK && size > 0) {
        s->task->height = s->task->width = size;
        s->task->channels = channels > 0 ? channels : 3;
        s->task->classes = s->task->attributes = 1; /* how many, the data will say */
        status = s->recipe->model->fit(s->recipe->opts, true, err);
    }
    gan__spec_release(&spec);
    return status;
}

/* What the model needs of the data. */
static gan_status check_needs(const struct gan__session *s, gan_err *err)
{
    const struct gan_dataset_info *info = gan_dataset_about(s->data);
    const char *model = s->recipe->model->name, *data = s->recipe->data;
    uint32_t needs = s->recipe->model->needs;
    if ((needs & GAN_FIELD_LABEL) != 0 && !info->labelled) {
        return gan__fail(err, GAN_E_ARG, "model %s needs classes, %s has none", model, data);
    }
    if ((needs & GAN_FIELD_ATTRIBUTES) != 0 && info->attributes == 0) {
        return gan__fail(err, GAN_E_ARG, "model %s needs attributes, %s has none (attributes:DIR)",
                         model, data);
    }
    if ((needs & GAN_FIELD_PAIR) != 0 && !info->paired) {
        return gan__fail(err, GAN_E_ARG,
                         "model %s needs pairs of images, %s has none (pairs:DIR, edges:SPEC)",
                         model, data);
    }
    if ((needs & GAN_FIELD_B) != 0 && info->count_b == 0) {
        return gan__fail(err, GAN_E_ARG,
                         "model %s needs two sets of images, %s has one "
                         "(domains:DIRA,DIRB)",
                         model, data);
    }
    return GAN_OK;
}

static gan_status fit_data(struct gan__session *s, gan_err *err)
{
    const struct gan__run_opts *o = &s->recipe->run;
    const struct gan_dataset_info *info = gan_dataset_about(s->data);
    struct gan_task *t = s->task;
    int64_t size = 0, channels = 0;
    GAN_TRY(check_needs(s, err));
    GAN_TRY(one_of("size", info->size, o->size, &size, err));
    GAN_TRY(one_of("channels", info->want_channels, o->channels, &channels, err));
    if (info->points && (size > 0 || (channels > 0 && channels != info->channels))) {
        return gan__fail(err, GAN_E_ARG,
                         "%s: samples are points of %" PRId64
                         " numbers, --size and --channels do not apply",
                         s->recipe->data, info->channels);
    }
    t->height = size > 0 ? size : info->height;
    t->width = size > 0 ? size : info->width;
    t->channels = channels > 0 ? channels : info->channels;
    t->channels_b = channels > 0 && info->count_b > 0 ? channels : info->channels_b;
    t->classes = info->classes;
    t->attributes = info->attributes;
    t->points = info->points;
    s->resize = o->size > 0;
    GAN_TRY(s->recipe->model->fit(s->recipe->opts, size > 0 || info->points, err));
    if (t->known > 0 && !info->paired) {
        return gan__fail(err, GAN_E_ARG, "model %s: known pairs are asked for, %s has no pairs",
                         s->recipe->model->name, s->recipe->data);
    }
    return GAN_OK;
}

struct gan_loader_cfg gan__session_loader_cfg(const struct gan__session *s)
{
    return (struct gan_loader_cfg){
        .batch = s->recipe->run.batch,
        .seed = (uint64_t)s->recipe->run.seed,
        .range = s->task->range,
        .fit = s->resize ? GAN_FIT_RESIZE : GAN_FIT_AUTO,
        .height = s->task->height,
        .width = s->task->width,
        .channels = s->task->channels,
        .channels_b = s->task->channels_b,
        .unpair = (s->recipe->model->needs & GAN_FIELD_PAIR) == 0,
        .known = s->task->known,
        .threads = 1,
    };
}

/* Mean over the first images of the training order, at most MEAN_IMAGES. */
static gan_status make_mean(struct gan__session *s, gan_err *err)
{
    const struct gan_task *t = s->task;
    size_t n = (size_t)(t->height * t->width * t->channels);
    int64_t count = gan_dataset_about(s->data)->count, total = 0;
    count = count < MEAN_IMAGES ? count : MEAN_IMAGES;
    struct gan_loader_cfg cfg = gan__session_loader_cfg(s);
    gan_loader *loader = NULL;
    const struct gan_batch *b = NULL;
    double *sum = gan__alloc_array(n, sizeof *sum);
    s->mean = gan__alloc_array(n, sizeof *s->mean);
    gan_status status = sum != NULL && s->mean != NULL
                            ? gan_loader_new(s->data, &cfg, &loader, err)
                            : gan__fail_nomem(err, n * sizeof *sum, "the mean image");
    while (status == GAN_OK && total < count) {
        status = gan_loader_next(loader, &b, err);
        for (int64_t i = 0; status == GAN_OK && i < b->n && total < count; i++, total++) {
            for (size_t k = 0; k < n; k++) {
                sum[k] += (double)b->images[(size_t)i * n + k];
            }
        }
    }
    for (size_t k = 0; status == GAN_OK && k < n; k++) {
        s->mean[k] = (float)(sum[k] / (double)total);
    }
    s->task->mean = s->mean;
    gan_loader_free(loader);
    gan__free(sum);
    return status;
}

/* --- state and graphs --------------------------------------------------------------------------- */

static gan_status add_counter(struct gan__session *s, const char *name, int *entry, gan_err *err)
{
    *entry = gan_store_add(s->store, name, GAN_STATE_COUNTER, GAN_I64, gan_shape_scalar(), err);
    return *entry >= 0 ? GAN_OK : err != NULL ? err->code : GAN_E_NOMEM;
}

static gan_status name_scalars(struct gan__session *s, struct gan__phase *p, gan_err *err)
{
    const struct gan__segment *seg = p->segment;
    for (int u = 0; u < seg->n_updates; u++) {
        const struct gan__update_info *info = &seg->update[u];
        char name[64];
        (void)gan__format(name, sizeof name, "count.%s", info->phase);
        GAN_TRY(add_counter(s, name, &p->counter[u], err));
        int n = gan_optim_scalar_count(info->optim);
        for (int k = 0; k < n * (info->ahead + 1); k++) {
            char *text = p->names[p->n_scalars].text;
            (void)gan_optim_feed_name(text, sizeof p->names[0].text, info->optim, info->phase,
                                      k / n, k % n);
            p->scalars[p->n_scalars++].name = text;
        }
    }
    for (int k = 0; k < seg->n_scalars; k++) {
        p->scalars[p->n_scalars++].name = seg->scalar[k].name;
    }
    return GAN_OK;
}

/* Length of the run in iterations; -1 when only time limits it. */
static int64_t count_steps(const struct gan__session *s)
{
    const struct gan__run_opts *o = &s->recipe->run;
    int64_t images = s->data != NULL ? gan_dataset_about(s->data)->count : INT64_MAX;
    int64_t epochs = o->epochs;
    if (o->steps >= 0) {
        return o->steps;
    }
    if (epochs == 0 && o->time_s > 0) {
        return -1;
    }
    if (images == INT64_MAX) {
        return epochs > 0 ? epochs * ENDLESS_STEPS : ENDLESS_STEPS;
    }
    if (epochs == 0) {
        epochs = s->recipe->model->epochs > 0 ? s->recipe->model->epochs : DEFAULT_EPOCHS;
    }
    int64_t whole = images > INT64_MAX / epochs ? INT64_MAX / 2 : images * epochs;
    return (whole + o->batch - 1) / o->batch;
}

/* Runs of a phase over `steps` iterations: gan__runs_at, summed. */
static int64_t total_runs(const struct gan_runs *r, int64_t steps)
{
    int64_t total = 0;
    for (int64_t i = 0; r->every > 1 && i < steps; i += r->every) {
        total += gan__runs_at(r, i);
    }
    if (r->every > 1) {
        return total;
    }
    int64_t warm = r->warm_until < steps ? r->warm_until : steps;
    if (r->warm_every > 0) { /* multiples of warm_every in [warm_until, steps) */
        warm += (steps + r->warm_every - 1) / r->warm_every -
                (warm + r->warm_every - 1) / r->warm_every;
    }
    int64_t usual = r->count > 0 ? r->count : 1;
    return warm * (r->warm_count > 0 ? r->warm_count : usual) + (steps - warm) * usual;
}

/* Updates counted by one counter over the whole training, in all phases that share it. */
static int64_t total_updates(const struct gan__session *s, int counter)
{
    int64_t steps = s->steps > 0 ? s->steps : 0, total = 0;
    for (int i = 0; i < s->n_phases; i++) {
        const struct gan__phase *p = &s->phase[i];
        int64_t runs = p->segment->repeated ? total_runs(&p->segment->runs, steps) : steps;
        for (int u = 0; u < p->segment->n_updates; u++) {
            total += p->counter[u] == counter ? runs * (1 + p->segment->update[u].again) : 0;
        }
    }
    return total;
}

static gan_status check_horizons(struct gan__session *s, gan_err *err)
{
    const char *needs = gan__step_needs_length(s->step);
    if (s->steps < 0 && needs != NULL) {
        return gan__fail(err, GAN_E_ARG, "%s needs a length: give --steps or --epochs", needs);
    }
    for (int i = 0; i < s->n_phases; i++) {
        struct gan__phase *p = &s->phase[i];
        for (int u = 0; u < p->segment->n_updates; u++) {
            const struct gan_optim *o = p->segment->update[u].optim;
            p->horizon[u] = total_updates(s, p->counter[u]);
            if (s->steps < 0 && gan_schedule_needs_horizon(&o->schedule)) {
                return gan__fail(err, GAN_E_ARG,
                                 "the schedule of %s needs a length: give --steps "
                                 "or --epochs",
                                 o->text);
            }
        }
    }
    return GAN_OK;
}

struct gan__step_cfg gan__session_step_cfg(const struct gan__session *s, int64_t batch,
                                           gan_mode mode)
{
    return (struct gan__step_cfg){.model = s->recipe->model,
                                  .opts = s->recipe->opts,
                                  .store = s->store,
                                  .nets = &s->nets,
                                  .real = GAN_F32,
                                  .batch = batch,
                                  .mode = mode};
}

static gan_status build_step(struct gan__session *s, gan_err *err)
{
    const struct gan__recipe *r = s->recipe;
    struct gan__step_cfg cfg = gan__session_step_cfg(s, r->run.batch, GAN_TRAIN);
    cfg.microbatch = r->run.microbatch;
    cfg.gradients = r->run.monitor_every > 0;
    s->step = gan__step_build(&cfg, err);
    if (s->step == NULL) {
        return err->code;
    }
    s->n_phases = gan__step_segments(s->step);
    for (int i = 0; i < s->n_phases; i++) {
        s->phase[i].segment = gan__step_segment(s->step, i);
        GAN_TRY(name_scalars(s, &s->phase[i], err));
    }
    s->steps = count_steps(s);
    return check_horizons(s, err);
}

/* What auto means on this machine is part of the run from here on. */
static gan_status settle_precision(struct gan__recipe *r, gan_err *err)
{
    if (r->run.precision == GAN__PRECISION_AUTO) {
        r->run.precision = gan_bf16_works() ? GAN__PRECISION_BF16 : GAN__PRECISION_F32;
    }
    if (r->run.precision == GAN__PRECISION_BF16 && !gan_bf16_works()) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "--precision bf16 needs a build with oneDNN and a CPU with avx512_bf16 or "
                         "amx_bf16; --precision f32 works everywhere");
    }
    return GAN_OK;
}

gan_status gan__session_build(struct gan__session *s, struct gan__recipe *r, gan_err *err)
{
    *s = (struct gan__session){.recipe = r, .task = r->opts, .threads = gan__recipe_threads(r)};
    GAN_TRY(settle_precision(r, err));
    if (r->model->check != NULL) {
        GAN_TRY(r->model->check(r->opts, err));
    }
    if (r->data != NULL) {
        GAN_TRY(fit_given(s, err));
        uint64_t before = gan__rss_bytes();
        GAN_TRY(gan_dataset_open(r->data, &s->data, err));
        uint64_t after = gan__rss_bytes();
        s->data_resident = after > before ? after - before : 0;
    }
    GAN_TRY(s->data != NULL ? fit_data(s, err) : fit_alone(s, err));
    s->store = gan_store_new();
    if (s->store == NULL) {
        return gan__fail_nomem(err, 0, "a store");
    }
    GAN_TRY(gan_model_declare(r->model, r->opts, s->store, GAN_F32, &s->nets, err));
    GAN_TRY(gan_model_declare_looks(r->model, r->opts, s->store, GAN_F32, &s->nets, err));
    GAN_TRY(add_counter(s, "count.iteration", &s->iteration, err));
    GAN_TRY(add_counter(s, "count.images", &s->images, err));
    return build_step(s, err);
}

/* --- weights ------------------------------------------------------------------------------------ */

/* "gen=FILE" has a name of a network in front; "dir=1/FILE" is a path. */
static const char *split_init(const char *text, char *net, size_t cap)
{
    size_t n = strcspn(text, "=./");
    if (text[n] != '=' || !gan__format(net, cap, "%.*s", (int)n, text)) {
        return text;
    }
    return text + n + 1;
}

gan_status gan__session_init_file(struct gan__session *s, const char *text, gan_err *err)
{
    char net[160] = "", newest[GAN_PATH_TEXT_MAX];
    const char *file = split_init(text, net, sizeof net);
    gan_checkpoint *c = NULL;
    int loaded = 0;
    if (gan__path_is_dir(file)) {
        GAN_TRY(gan__rundir_newest(file, newest, sizeof newest, err));
        file = newest;
    }
    GAN_TRY(gan_checkpoint_open(file, &c, err));
    gan_status status = gan_checkpoint_init(c, s->store, net[0] != '\0' ? net : NULL, &loaded, err);
    if (status == GAN_OK) {
        gan__log(GAN_LOG_INFO, "%d tensors taken from %s", loaded, file);
    }
    gan_checkpoint_close(c);
    return status;
}

/* Averages "ema.W" start as the weight W. */
static void start_averages(gan_store *st)
{
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_state *avg = gan_store_at(st, i);
        bool is_ema = avg->kind == GAN_STATE_AVERAGE && gan__starts_with(avg->name, "ema.");
        const gan_state *w =
            is_ema ? gan_store_at(st, gan_store_find(st, avg->name + strlen("ema."))) : NULL;
        if (w != NULL) {
            memcpy(avg->value.data, w->value.data, gan_tensor_bytes(&w->value));
        }
    }
}

/* A rule that is a network needs weights that were trained. */
static gan_status check_learned(const struct gan__session *s, const struct gan_optim *o,
                                gan_err *err)
{
    const char *net = gan_optim_network(o);
    for (int i = 0; net != NULL && i < gan_store_count(s->store); i++) {
        const gan_state *e = gan_store_at(s->store, i);
        bool its = strncmp(e->name, net, strlen(net)) == 0 && e->name[strlen(net)] == '.';
        for (int64_t k = 0; its && k < gan_shape_count(&e->value.shape); k++) {
            if (gan_tensor_get(&e->value, k) != 0) {
                return GAN_OK;
            }
        }
    }
    return net == NULL ? GAN_OK
                       : gan__fail(err, GAN_E_ARG,
                                   "optimiser %s has no weights: give --init %s=RUN, where RUN is "
                                   "of gan train l2l",
                                   o->text, net);
}

gan_status gan__session_init_weights(struct gan__session *s, gan_err *err)
{
    const struct gan__recipe *r = s->recipe;
    if (r->model->wants_mean && s->data != NULL && !gan_dataset_about(s->data)->points) {
        GAN_TRY(make_mean(s, err));
    }
    GAN_TRY(gan_model_init(r->model, r->opts, s->store, &s->nets, (uint64_t)r->run.seed, err));
    for (size_t i = 0; i < r->n_init; i++) {
        GAN_TRY(gan__session_init_file(s, r->init[i], err));
    }
    for (int i = 0; i < s->n_phases; i++) {
        for (int u = 0; u < s->phase[i].segment->n_updates; u++) {
            GAN_TRY(check_learned(s, s->phase[i].segment->update[u].optim, err));
        }
    }
    start_averages(s->store);
    return GAN_OK;
}

/* --- plans -------------------------------------------------------------------------------------- */

static gan_status compile_phase(struct gan__session *s, struct gan__phase *p, gan_err *err)
{
    const struct gan__segment *seg = p->segment;
    int n = seg->n_reports + seg->n_gradients;
    gan_val *outputs = gan__alloc_array((size_t)n + 1, sizeof *outputs);
    struct gan_plan_opts opts = {.threads = s->threads,
                                 .exact = s->recipe->run.exact,
                                 .precision = gan__recipe_precision(s->recipe),
                                 .recompute = (enum gan_recompute)s->recipe->run.recompute};
    if (outputs == NULL) {
        return gan__fail_nomem(err, (size_t)n * sizeof *outputs, "the outputs of a plan");
    }
    for (int i = 0; i < n; i++) { /* the reports, then the sizes of gradients */
        outputs[i] =
            i < seg->n_reports ? seg->report[i].val : seg->gradient[i - seg->n_reports].squares;
    }
    p->plan = gan_plan_new(seg->graph, outputs, n, &opts, err);
    gan__free(outputs);
    if (p->plan == NULL) {
        return err->code;
    }
    struct gan_plan_info info = gan_plan_info(p->plan);
    s->compile_ms += info.compile_ms;
    if (info.workspace_bytes > s->workspace_bytes) {
        s->workspace_bytes = info.workspace_bytes;
    }
    return GAN_OK;
}

gan_status gan__session_compile(struct gan__session *s, gan_err *err)
{
    for (int i = 0; i < s->n_phases; i++) {
        GAN_TRY(compile_phase(s, &s->phase[i], err));
    }
    struct gan__generator_cfg cfg = {
        .model = s->recipe->model,
        .opts = s->recipe->opts,
        .store = s->store,
        .nets = &s->nets,
        .mode = GAN_EVAL,
        .batch = s->recipe->model->show != NULL ? GAN__GRID_ROWS : GAN__GRID_IMAGES,
        .threads = s->threads,
        .show = true,
    };
    GAN_TRY(gan__generator_init(&s->generator, &cfg, err));
    struct gan_plan_info info = gan_plan_info(s->generator.plan);
    s->compile_ms += info.compile_ms;
    if (info.workspace_bytes > s->workspace_bytes) {
        s->workspace_bytes = info.workspace_bytes;
    }
    return GAN_OK;
}

/* The first images of the training order, as they are, for the rows of every grid. */
static gan_status make_show(struct gan__session *s, gan_err *err)
{
    struct gan_loader_cfg cfg = gan__session_loader_cfg(s);
    const struct gan_batch *b = NULL;
    gan_loader *loader = NULL;
    cfg.batch = s->generator.batch;
    cfg.plain = true;
    size_t pixels = (size_t)(cfg.batch * cfg.height * cfg.width);
    size_t a = pixels * (size_t)cfg.channels, both = a + pixels * (size_t)cfg.channels_b;
    size_t facts = (size_t)(cfg.batch * s->task->attributes), all = both + facts;
    s->show_data = gan__alloc_array(all, sizeof *s->show_data);
    if (s->show_data == NULL) {
        return gan__fail_nomem(err, all * sizeof *s->show_data, "images to show");
    }
    gan_status status = gan_loader_new(s->data, &cfg, &loader, err);
    if (status == GAN_OK) {
        status = gan_loader_next(loader, &b, err);
    }
    if (status == GAN_OK) {
        s->show = *b;
        memcpy(s->show_data, b->images, a * sizeof *s->show_data);
        s->show.images = s->show_data;
        if (b->images_b != NULL) {
            memcpy(s->show_data + a, b->images_b, (both - a) * sizeof *s->show_data);
            s->show.images_b = s->show_data + a;
        }
        if (b->attributes != NULL) {
            memcpy(s->show_data + both, b->attributes, facts * sizeof *s->show_data);
            s->show.attributes = s->show_data + both;
        }
        memcpy(s->show_labels, b->labels, (size_t)b->n * sizeof *b->labels);
        s->show.labels = s->show_labels;
        s->show.index = s->show.index_b = NULL;
        s->show.known = NULL;
    }
    gan_loader_free(loader);
    return status;
}

gan_status gan__session_start(struct gan__session *s, gan_err *err)
{
    struct gan_loader_cfg cfg = gan__session_loader_cfg(s);
    s->workspace = gan_workspace_new(s->workspace_bytes);
    if (s->workspace == NULL) {
        return gan__fail_nomem(err, s->workspace_bytes, "the workspace");
    }
    if (s->fixed != NULL) {
        return GAN_OK;
    }
    if (s->generator.fields != 0) {
        GAN_TRY(make_show(s, err));
    }
    GAN_TRY(gan_loader_new(s->data, &cfg, &s->loader, err));
    int64_t seen = gan__session_count(s, s->images);
    return seen > 0 ? gan_loader_seek(s->loader, seen, err) : GAN_OK;
}

void gan__session_release(struct gan__session *s)
{
    gan_loader_free(s->loader);
    gan__generator_release(&s->generator);
    for (int i = 0; i < s->n_phases; i++) {
        gan_plan_free(s->phase[i].plan);
    }
    gan_workspace_free(s->workspace);
    gan__free(s->show_data);
    gan__step_free(s->step);
    gan_net_list_free(&s->nets);
    gan_store_free(s->store);
    gan__free(s->mean);
    gan_dataset_close(s->data);
    *s = (struct gan__session){0};
}

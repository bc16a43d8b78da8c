/* classifier.c: a classifier rebuilt from the metadata of a checkpoint, and its accuracy on a data
 * set: one epoch of the loader, so that images come to it as they did in training. */
#include "classifier.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "checkpoint.h"
#include "digest.h"
#include "meta.h"
#include "resume.h"

#include <gan/plan.h>

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { DEFAULT_BATCH = 128 };

struct gan_classifier {
    struct gan_classifier_info info;
    struct gan__recipe recipe;
    gan_store *store;
    struct gan_net_list nets;
    gan_plan *plan, *inner; /* inner: made when its layers are first asked for */
    struct gan_feature_layer layer[GAN__CLASSIFIER_LAYERS];
    int n_layers, threads;
    float *input; /* [batch,height,width,channels] */
    char hash[GAN__DIGEST_TEXT];
};

/* --- opening ------------------------------------------------------------------------------------ */

/* A plan of the scores and features, or of the inner layers. */
static gan_status compile(gan_classifier *c, bool inner, gan_plan **plan, gan_err *err)
{
    static const char *const names[] = {"stage0", "stage1", "stage2", "stage3", "stage4", "stage5"};
    static_assert(sizeof names / sizeof *names == GAN__CLASSIFIER_LAYERS, "a name for each stage");
    struct gan_classifier_info *i = &c->info;
    gan_graph *g = gan_graph_new(c->store, GAN_F32);
    if (g == NULL) {
        return gan__fail_nomem(err, 0, "a graph");
    }
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_val x =
        gan_feed(g, "image", GAN_F32, GAN_SHAPE(i->batch, i->height, i->width, i->channels));
    gan_net_apply(g, c->nets.net[0], NULL, GAN_EVAL, &x, out);
    i->classes = gan_dim(g, out[0], 1);
    i->features = gan_dim(g, out[1], 1);
    c->n_layers = 0;
    for (int k = 0; k < GAN__CLASSIFIER_LAYERS && gan_ok(out[2 + k]); k++) {
        c->layer[c->n_layers++] = (struct gan_feature_layer){.name = names[k],
                                                             .height = gan_dim(g, out[2 + k], 1),
                                                             .width = gan_dim(g, out[2 + k], 2),
                                                             .channels = gan_dim(g, out[2 + k], 3)};
    }
    *plan = gan_plan_new(g, inner ? out + 2 : out, inner ? c->n_layers : 2,
                         &(struct gan_plan_opts){.threads = c->threads}, err);
    gan_graph_free(g);
    return *plan != NULL ? GAN_OK : err != NULL && err->code != GAN_OK ? err->code : GAN_E_NOMEM;
}

/* Of weights, statistics and the range of pixels: whatever changes the features. */
static void fill_hash(gan_classifier *c)
{
    struct gan__digest d;
    gan__digest_init(&d);
    gan__digest_add(&d, &c->info.range, sizeof c->info.range);
    for (int k = 0; k < gan_net_count(c->nets.net[0]); k++) {
        const struct gan_param *p = gan_net_param(c->nets.net[0], k);
        const gan_state *s = gan_store_at(c->store, gan_store_find(c->store, p->name));
        gan__digest_add(&d, p->name, strlen(p->name));
        gan__digest_add(&d, s->value.data, gan_tensor_bytes(&s->value));
    }
    gan__digest_text(&d, c->hash);
    c->info.hash = c->hash;
}

static gan_status build(gan_classifier *c, const gan_checkpoint *file,
                        const struct gan_classifier_opts *opts, gan_err *err)
{
    struct gan_classifier_info *i = &c->info;
    const char *path = gan__checkpoint_path(file);
    GAN_TRY(gan__meta_recipe(file, &c->recipe, err));
    if (strcmp(c->recipe.model->name, "classifier") != 0) {
        return gan__fail(err, GAN_E_FORMAT, "%s: model %s is no classifier", path,
                         c->recipe.model->name);
    }
    const struct gan_task *t = c->recipe.opts;
    c->store = gan_store_new();
    if (c->store == NULL) {
        return gan__fail_nomem(err, 0, "a store");
    }
    GAN_TRY(gan_model_declare(c->recipe.model, c->recipe.opts, c->store, GAN_F32, &c->nets, err));
    GAN_TRY(gan__checkpoint_load_part(file, c->store, err));
    GAN_TRY(gan__meta_i64(file, "libgan.iteration", &i->step, err));
    i->file = gan__arena_strdup(&c->recipe.arena, path);
    i->height = t->height;
    i->width = t->width;
    i->channels = t->channels;
    i->range = t->range;
    i->resize = gan__meta_resized(file);
    i->batch = opts->batch > 0 ? opts->batch : DEFAULT_BATCH;
    size_t floats = (size_t)(i->batch * i->height * i->width * i->channels);
    c->input = gan__alloc_array(floats, sizeof *c->input);
    if (i->file == NULL || c->input == NULL) {
        return gan__fail_nomem(err, floats * sizeof *c->input, "a batch of images");
    }
    fill_hash(c);
    c->threads = opts->threads > 0 ? opts->threads : 1;
    return compile(c, false, &c->plan, err);
}

gan_status gan_classifier_open(const char *path, const struct gan_classifier_opts *opts,
                               gan_classifier **out, gan_err *err)
{
    static const struct gan_classifier_opts defaults;
    gan_err own = {0};
    gan_checkpoint *file = NULL;
    *out = NULL;
    gan_classifier *c = gan__alloc(sizeof *c);
    gan_status status = c == NULL                ? gan__fail_nomem(&own, sizeof *c, "a classifier")
                        : gan__path_is_dir(path) ? gan__open_newest(path, &file, &own)
                                                 : gan_checkpoint_open(path, &file, &own);
    if (status == GAN_OK) {
        status = build(c, file, opts != NULL ? opts : &defaults, &own);
    }
    gan_checkpoint_close(file);
    if (status != GAN_OK) {
        gan_classifier_close(c);
        if (err != NULL) {
            *err = own;
        }
        return status;
    }
    *out = c;
    return GAN_OK;
}

void gan_classifier_close(gan_classifier *c)
{
    if (c != NULL) {
        gan_plan_free(c->plan);
        gan_plan_free(c->inner);
        gan_net_list_free(&c->nets);
        gan_store_free(c->store);
        gan__recipe_release(&c->recipe);
        gan__free(c->input);
        gan__free(c);
    }
}

const struct gan_classifier_info *gan_classifier_about(const gan_classifier *c)
{
    return &c->info;
}

const struct gan_model *gan__classifier_model(const gan_classifier *c)
{
    return c->recipe.model;
}

const gan_net *gan__classifier_net(const gan_classifier *c)
{
    return c->nets.net[0];
}

int gan__classifier_layers(const gan_classifier *c, const struct gan_feature_layer **at)
{
    *at = c->layer;
    return c->n_layers;
}

/* --- running ------------------------------------------------------------------------------------ */

static void copy_rows(float *dst, const gan_tensor *src, int64_t first, int64_t n)
{
    if (dst != NULL) {
        int64_t size = gan_shape_count(&src->shape) / src->shape.dim[0];
        memcpy(dst + first * size, src->data, (size_t)(n * size) * sizeof *dst);
    }
}

/* Runs a plan over images, a batch at a time; its outputs go to dst, those that are not NULL. */
static gan_status run_batches(gan_classifier *c, gan_plan *plan, const float *hwc, int64_t n,
                              float *const *dst, int n_dst, gan_err *err)
{
    const struct gan_classifier_info *i = &c->info;
    const gan_shape shape = GAN_SHAPE(i->batch, i->height, i->width, i->channels);
    int64_t image = i->height * i->width * i->channels;
    const struct gan_feed_data feed = {"image", {GAN_F32, shape, c->input}};
    for (int64_t done = 0; done < n; done += i->batch) {
        int64_t now = n - done < i->batch ? n - done : i->batch;
        memcpy(c->input, hwc + done * image, (size_t)(now * image) * sizeof *hwc);
        memset(c->input + now * image, 0, (size_t)((i->batch - now) * image) * sizeof *hwc);
        GAN_TRY(gan_plan_run(plan, &(struct gan_run){.feeds = &feed, .n_feeds = 1}, err));
        for (int k = 0; k < n_dst; k++) {
            copy_rows(dst[k], gan_plan_output(plan, k), done, now);
        }
    }
    return GAN_OK;
}

gan_status gan_classifier_run(gan_classifier *c, const float *hwc, int64_t n, float *logits,
                              float *features, gan_err *err)
{
    return run_batches(c, c->plan, hwc, n, (float *[]){logits, features}, 2, err);
}

gan_status gan__classifier_look(gan_classifier *c, const float *hwc, int64_t n,
                                float *const *layers, gan_err *err)
{
    if (c->inner == NULL) {
        GAN_TRY(compile(c, true, &c->inner, err));
    }
    return run_batches(c, c->inner, hwc, n, layers, c->n_layers, err);
}

/* --- accuracy ----------------------------------------------------------------------------------- */

struct gan_classifier_score gan__score_of(const struct gan_classifier_info *i)
{
    return (struct gan_classifier_score){
        .classes = i->classes < GAN_CLASSIFIER_CLASSES ? i->classes : GAN_CLASSIFIER_CLASSES};
}

void gan__score_count(struct gan_classifier_score *s, const float *logits, int64_t classes,
                      int32_t truth)
{
    int64_t best = 0;
    double sum = 0;
    for (int64_t k = 1; k < classes; k++) {
        best = logits[k] > logits[best] ? k : best;
    }
    for (int64_t k = 0; k < classes; k++) {
        sum += exp((double)logits[k] - (double)logits[best]);
    }
    bool right = best == truth;
    s->n++;
    s->accuracy += right;
    s->loss += (double)logits[best] - (double)logits[truth] + log(sum);
    if (truth < s->classes) {
        s->of[truth].n++;
        s->of[truth].right += right;
        if (best < s->classes) {
            s->of[truth].as[best]++;
        }
    }
}

void gan__score_conclude(struct gan_classifier_score *s)
{
    const double z = 1.959964; /* 97.5 % of N(0,1) */
    double n = (double)s->n, p = s->accuracy / n;
    double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    s->accuracy = p;
    s->loss /= n;
    s->low = middle - half;
    s->high = middle + half;
}

static gan_status check_data(const gan_classifier *c, const struct gan_dataset_info *info,
                             gan_err *err)
{
    if (info->points || !info->labelled) {
        return gan__fail(err, GAN_E_ARG, "%s has no %s to be classified", info->spec,
                         info->points ? "images" : "classes");
    }
    if (info->classes != c->info.classes) {
        return gan__fail(err, GAN_E_ARG,
                         "%s has %" PRId64 " classes, the classifier knows %" PRId64, info->spec,
                         info->classes, c->info.classes);
    }
    return GAN_OK;
}

/* The first epoch of a plain loader is every image once. */
static gan_status measure(gan_classifier *c, const gan_dataset *ds, gan_loader *loader,
                          struct gan_classifier_score *out, gan_err *err)
{
    const struct gan_batch *b;
    int64_t left = gan_dataset_about(ds)->count, classes = c->info.classes;
    float *logits = gan__alloc_array((size_t)(c->info.batch * classes), sizeof *logits);
    if (logits == NULL) {
        return gan__fail_nomem(err, (size_t)(c->info.batch * classes) * sizeof *logits, "scores");
    }
    gan_status status = GAN_OK;
    while (status == GAN_OK && left > 0) {
        status = gan_loader_next(loader, &b, err);
        if (status == GAN_OK) {
            status = gan_classifier_run(c, b->images, b->n, logits, NULL, err);
        }
        for (int64_t i = 0; status == GAN_OK && i < b->n && left > 0; i++, left--) {
            if (b->labels[i] < 0 || b->labels[i] >= classes) {
                status = gan__fail(err, GAN_E_FORMAT, "image %" PRId64 " has class %d of %" PRId64,
                                   b->index[i], (int)b->labels[i], classes);
                break;
            }
            gan__score_count(out, logits + i * classes, classes, b->labels[i]);
        }
    }
    gan__free(logits);
    return status;
}

gan_status gan_classifier_measure(gan_classifier *c, const char *spec,
                                  struct gan_classifier_score *out, gan_err *err)
{
    const struct gan_classifier_info *i = &c->info;
    struct gan_loader_cfg cfg = {
        .batch = i->batch,
        .range = i->range,
        .fit = GAN_FIT_AUTO,
        .height = i->height,
        .width = i->width,
        .channels = i->channels,
        .plain = true,
    };
    gan_dataset *ds = NULL;
    gan_loader *loader = NULL;
    *out = gan__score_of(i);
    gan_status status = gan_dataset_open(spec, &ds, err);
    if (status == GAN_OK) {
        status = check_data(c, gan_dataset_about(ds), err);
    }
    if (status == GAN_OK) {
        const struct gan_dataset_info *info = gan_dataset_about(ds);
        bool pads = info->height <= i->height && info->width <= i->width;
        cfg.fit = pads && !i->resize ? GAN_FIT_AUTO : GAN_FIT_RESIZE;
        status = gan_loader_new(ds, &cfg, &loader, err);
    }
    if (status == GAN_OK) {
        status = measure(c, ds, loader, out, err);
    }
    gan_loader_free(loader);
    gan_dataset_close(ds);
    if (status == GAN_OK) {
        gan__score_conclude(out);
    }
    return status;
}

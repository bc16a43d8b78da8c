/* pretrained.c: feature networks with weights of a file: found in the cache, checked, compiled for a
 * fixed batch, run. */
#include "pretrained.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "nn/net.h"

#include <gan/checkpoint.h>
#include <gan/plan.h>
#include <gan/weights.h>

#include <inttypes.h>
#include <limits.h>
#include <string.h>

enum { MAX_BATCH = 16, HASH_TEXT = GAN_WEIGHTS_HASH, PROTOCOL = 1 };

struct network {
    const struct gan__pretrained *about;
    gan_store *store;
    gan_net *net;
    gan_plan *plan;
    int64_t batch, height, width;
    float *input; /* [batch,height,width,3] */
    struct gan_feature_layer layer[GAN__PRETRAINED_LAYERS];
    char hash[HASH_TEXT];
};

static const struct gan__pretrained *const all[] = {
    &gan__pretrained_alexnet,      &gan__pretrained_efficientnet_lite0,
    &gan__pretrained_inception,    &gan__pretrained_inception_nsfwjs,
    &gan__pretrained_lpips_alex,   &gan__pretrained_lpips_vgg,
    &gan__pretrained_mobilenet_v2, &gan__pretrained_mobilenet_v2_nsfwjs,
    &gan__pretrained_vgg16,        &gan__pretrained_vgg19,
};

const struct gan__pretrained *gan__pretrained_at(int i)
{
    return i >= 0 && i < (int)(sizeof all / sizeof *all) ? all[i] : NULL;
}

/* --- parts of networks --------------------------------------------------------------------------- */

gan_val gan__photo_input(gan_graph *g, gan_val x)
{
    static const double mean[3] = {0.485, 0.456, 0.406}, deviation[3] = {0.229, 0.224, 0.225};
    gan_val plane[3];
    for (int k = 0; k < 3; k++) {
        gan_val v = gan_slice_axis(g, x, 3, k, 1);
        plane[k] = gan_scale(g, gan_shift(g, v, -255 * mean[k]), 1 / (255 * deviation[k]));
    }
    return gan_concat(g, plane, 3, 3);
}

/* n cells of one axis, cell i from floor(i s/n) to ceil((i+1) s/n). */
static gan_val mean_cells(gan_graph *g, gan_val x, int axis, int64_t n)
{
    enum { MOST = 16 };
    gan_val cell[MOST];
    int64_t size = gan_dim(g, x, axis);
    for (int64_t i = 0; i < n && i < MOST; i++) {
        int64_t low = i * size / n, high = ((i + 1) * size + n - 1) / n;
        cell[i] = gan_mean(g, gan_slice_axis(g, x, axis, low, high - low), 1u << axis, true);
    }
    return gan_concat(g, cell, (int)n, axis);
}

gan_val gan__adaptive_mean(gan_graph *g, gan_val x, int64_t n)
{
    x = gan_dim(g, x, 1) != n ? mean_cells(g, x, 1, n) : x;
    return gan_dim(g, x, 2) != n ? mean_cells(g, x, 2, n) : x;
}

/* --- weights ------------------------------------------------------------------------------------- */

static gan_status file_of(const struct gan__pretrained *p, char *dst, size_t cap, gan_err *err)
{
    char dir[PATH_MAX], name[96];
    GAN_TRY(gan__cache_dir(dir, sizeof dir, err));
    (void)gan__format(name, sizeof name, "features/%s.safetensors", p->name);
    return gan__path_join(dst, cap, dir, name, err);
}

static uint64_t hash_text(uint64_t h, const char *text)
{
    return gan__hash_bytes(h, text, strlen(text) + 1);
}

/* Of every weight and of how images come to the network. */
static void fill_hash(struct network *w)
{
    const int64_t how[] = {PROTOCOL, w->about->size, (int64_t)w->about->filter};
    uint64_t h = gan__hash_bytes(hash_text(0, w->about->name), how, sizeof how);
    for (int i = 0; i < gan_net_count(w->net); i++) {
        const char *name = gan_net_param(w->net, i)->local;
        const gan_tensor *value = gan__net_value(w->net, name);
        h = gan__hash_bytes(hash_text(h, name), value->data, gan_tensor_bytes(value));
    }
    (void)gan__format(w->hash, sizeof w->hash, "%016" PRIx64, h);
}

static gan_status declare(struct network *w, gan_err *err)
{
    const struct gan__pretrained *p = w->about;
    w->store = gan_store_new();
    if (w->store == NULL) {
        return gan__fail_nomem(err, 0, "a store");
    }
    const struct gan_net_desc desc = {
        .name = "net",
        .fn = p->fn,
        .opts = p->opts,
        .in = {{.shape = GAN_SHAPE(1, p->size, p->size, 3)}},
        .n_in = 1,
    };
    gan_err own = {0};
    w->net = gan_net_new(w->store, &desc, &own);
    return w->net != NULL ? GAN_OK : gan__fail(err, own.code, "%s: %s", p->name, own.message);
}

static gan_status load(struct network *w, const char *path, gan_err *err)
{
    gan_checkpoint *c = NULL;
    gan_err own = {0};
    gan_status status = gan_checkpoint_open(path, &c, err);
    if (status == GAN_OK && gan_checkpoint_init(c, w->store, "net", NULL, &own) != GAN_OK) {
        status = gan__fail(err, GAN_E_FORMAT, "these are not the weights of %s: %s", w->about->name,
                           own.message);
    }
    gan_checkpoint_close(c);
    return status;
}

/* --- installing ---------------------------------------------------------------------------------- */

static bool has_tensor(const gan_checkpoint *c, const char *name)
{
    const char *at;
    gan_tensor t;
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &at, &t); i++) {
        at += gan__starts_with(at, "net.") ? 4 : 0; /* as libgan would save it */
        if (strcmp(at, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool looks_like(const struct gan__pretrained *p, const gan_checkpoint *c)
{
    for (int i = 0; i < 2; i++) {
        if (p->has[i] != NULL && !has_tensor(c, p->has[i])) {
            return false;
        }
    }
    return p->lacks == NULL || !has_tensor(c, p->lacks);
}

/* The network a file is of: named, or told by its tensors. */
static gan_status which(const char *file, const char *as, const struct gan__pretrained **out,
                        gan_err *err)
{
    const char *names[sizeof all / sizeof *all];
    gan_checkpoint *c = NULL;
    *out = NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        names[i] = all[i]->name;
        if (as != NULL && strcmp(as, names[i]) == 0) {
            *out = all[i];
        }
    }
    if (as != NULL && *out == NULL) {
        const char *near = gan__nearest_name(as, names, sizeof names / sizeof *names);
        return gan__fail(err, GAN_E_ARG, "no feature network '%s' has weights of a file%s%s%s", as,
                         near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    }
    if (as != NULL) {
        return GAN_OK;
    }
    GAN_TRY(gan_checkpoint_open(file, &c, err));
    for (size_t i = 0; *out == NULL && i < sizeof all / sizeof *all; i++) {
        *out = looks_like(all[i], c) ? all[i] : NULL;
    }
    gan_checkpoint_close(c);
    return *out != NULL ? GAN_OK
                        : gan__fail(err, GAN_E_FORMAT,
                                    "%s: weights of no network known here; gan features list names "
                                    "them, --as NAME says what is missing",
                                    file);
}

static gan_status copy_file(const char *from, const char *to, gan_err *err)
{
    struct gan__map map;
    struct gan__writer w;
    GAN_TRY(gan__map_open(&map, from, err));
    gan_status status = gan__writer_open(&w, to, err);
    if (status == GAN_OK) {
        status = gan__writer_put(&w, map.data, map.size, err);
        status = status == GAN_OK ? gan__writer_commit(&w, err) : status;
        gan__writer_abort(&w);
    }
    gan__map_close(&map);
    return status;
}

static gan_status make_folder(gan_err *err)
{
    char dir[PATH_MAX], path[PATH_MAX];
    GAN_TRY(gan__cache_dir(dir, sizeof dir, err));
    GAN_TRY(gan__path_join(path, sizeof path, dir, "features", err));
    return gan__mkdirs(path, err);
}

gan_status gan_weights_install(const char *file, const char *as, struct gan_weights *out,
                               gan_err *err)
{
    const struct gan__pretrained *p;
    *out = (struct gan_weights){0};
    GAN_TRY(which(file, as, &p, err));
    GAN_TRY(gan__pretrained_check(p, file, out->hash, err));
    GAN_TRY(make_folder(err));
    GAN_TRY(file_of(p, out->path, sizeof out->path, err));
    GAN_TRY(copy_file(file, out->path, err));
    out->name = p->name;
    out->from = p->from;
    out->installed = true;
    return GAN_OK;
}

bool gan_weights_at(int i, struct gan_weights *out)
{
    const struct gan__pretrained *p = gan__pretrained_at(i);
    *out = (struct gan_weights){0};
    if (p == NULL) {
        return false;
    }
    out->name = p->name;
    out->from = p->from;
    if (file_of(p, out->path, sizeof out->path, NULL) == GAN_OK) {
        out->installed = gan__path_exists(out->path);
    }
    return true;
}

gan_status gan_weights_check(const struct gan_weights *w, char hash[GAN_WEIGHTS_HASH], gan_err *err)
{
    const struct gan__pretrained *p;
    GAN_TRY(which(w->path, w->name, &p, err));
    return gan__pretrained_check(p, w->path, hash, err);
}

/* --- compiling ----------------------------------------------------------------------------------- */

static gan_status compile(struct network *w, int threads, struct gan_features_info *info,
                          gan_err *err)
{
    const struct gan__pretrained *p = w->about;
    gan_graph *g = gan_graph_new(w->store, GAN_F32);
    if (g == NULL) {
        return gan__fail_nomem(err, 0, "a graph");
    }
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_val x = gan_feed(g, "image", GAN_F32, GAN_SHAPE(w->batch, w->height, w->width, 3));
    gan_net_apply(g, w->net, NULL, GAN_EVAL, &x, out);
    info->features = gan_dim(g, out[0], 1);
    info->logits = p->logits ? gan_dim(g, out[1], 1) : 0;
    for (int i = 0; i < p->n_layers; i++) {
        w->layer[i] =
            (struct gan_feature_layer){p->layers[i], gan_dim(g, out[2 + i], 1),
                                       gan_dim(g, out[2 + i], 2), gan_dim(g, out[2 + i], 3), NULL};
    }
    gan_err own = {0};
    const struct gan_plan_opts opts = {.threads = threads};
    int n = p->n_layers > 0 ? 2 + p->n_layers : p->logits ? 2 : 1;
    w->plan = gan_plan_new(g, out, n, &opts, &own);
    gan_graph_free(g);
    return w->plan != NULL ? GAN_OK
                           : gan__fail(err, own.code, "%s on images of %" PRId64 "x%" PRId64 ": %s",
                                       p->name, w->height, w->width, own.message);
}

/* LPIPS' weights lie in the store. */
static void find_heads(struct network *w)
{
    for (int i = 0; i < w->about->n_layers && w->about->heads; i++) {
        char name[32];
        (void)gan__format(name, sizeof name, "lin%d.model.1.weight", i);
        const gan_tensor *head = gan__net_value(w->net, name);
        w->layer[i].weight = head != NULL ? head->data : NULL;
    }
}

static gan_status open_into(struct network *w, const char *argument,
                            const struct gan_features_cfg *cfg, struct gan_features_info *info,
                            gan_err *err)
{
    const struct gan__pretrained *p = w->about;
    char path[PATH_MAX];
    if (argument == NULL) {
        GAN_TRY(file_of(p, path, sizeof path, err));
        if (!gan__path_exists(path)) {
            return gan__fail(err, GAN_E_NOTFOUND,
                             "the weights of %s are not installed: gan features install FILE, from "
                             "%s (tools/features_convert.py makes FILE)",
                             p->name, p->from);
        }
    }
    GAN_TRY(declare(w, err));
    GAN_TRY(load(w, argument != NULL ? argument : path, err));
    w->batch = cfg->batch < MAX_BATCH ? cfg->batch : MAX_BATCH;
    w->height = p->own_size && cfg->height > 0 ? cfg->height : p->size;
    w->width = p->own_size && cfg->width > 0 ? cfg->width : p->size;
    *info = (struct gan_features_info){
        .layer = p->layer,
        .hash = w->hash,
        .height = w->height,
        .width = w->width,
        .channels = 3,
        .filter = p->filter,
        .n_layers = p->n_layers,
        .layer_at = w->layer,
    };
    size_t floats = (size_t)(w->batch * w->height * w->width * 3);
    w->input = gan__alloc_array(floats, sizeof *w->input);
    if (w->input == NULL) {
        return gan__fail_nomem(err, floats * sizeof *w->input, "a batch of images");
    }
    fill_hash(w);
    GAN_TRY(compile(w, cfg->threads, info, err));
    find_heads(w);
    return GAN_OK;
}

gan_status gan__pretrained_open(const struct gan__pretrained *p, const char *argument,
                                const struct gan_features_cfg *cfg, struct gan_features_info *info,
                                void **state, gan_err *err)
{
    struct network *w = gan__alloc(sizeof *w);
    if (w == NULL) {
        return gan__fail_nomem(err, sizeof *w, "a feature network");
    }
    *state = w;
    w->about = p;
    return open_into(w, argument, cfg, info, err);
}

void gan__pretrained_close(void *state)
{
    struct network *w = state;
    if (w != NULL) {
        gan_plan_free(w->plan);
        gan_net_free(w->net);
        gan_store_free(w->store);
        gan__free(w->input);
        gan__free(w);
    }
}

gan_status gan__pretrained_check(const struct gan__pretrained *p, const char *path, char *hash,
                                 gan_err *err)
{
    struct network w = {.about = p};
    gan_status status = declare(&w, err);
    if (status == GAN_OK) {
        status = load(&w, path, err);
    }
    if (status == GAN_OK) {
        fill_hash(&w);
        (void)gan__copy(hash, HASH_TEXT, w.hash);
    }
    gan_net_free(w.net);
    gan_store_free(w.store);
    return status;
}

/* --- running ------------------------------------------------------------------------------------- */

static void copy_rows(float *dst, const struct network *w, int i, int64_t first, int64_t n)
{
    const gan_tensor *t = gan_plan_output(w->plan, i);
    if (dst != NULL && t != NULL) {
        int64_t size = gan_shape_count(&t->shape) / w->batch;
        memcpy(dst + first * size, t->data, (size_t)(n * size) * sizeof *dst);
    }
}

gan_status gan__pretrained_run(void *state, const float *images, int64_t n,
                               const struct gan_features_out *out, gan_err *err)
{
    struct network *w = state;
    int64_t image = w->height * w->width * 3;
    const gan_shape shape = GAN_SHAPE(w->batch, w->height, w->width, 3);
    const struct gan_feed_data feed = {"image", {GAN_F32, shape, w->input}};
    for (int64_t done = 0; done < n; done += w->batch) {
        int64_t now = n - done < w->batch ? n - done : w->batch;
        memcpy(w->input, images + done * image, (size_t)(now * image) * sizeof *images);
        memset(w->input + now * image, 0, (size_t)((w->batch - now) * image) * sizeof *images);
        GAN_TRY(gan_plan_run(w->plan, &(struct gan_run){.feeds = &feed, .n_feeds = 1}, err));
        copy_rows(out->features, w, 0, done, now);
        copy_rows(w->about->logits ? out->logits : NULL, w, 1, done, now);
        for (int i = 0; out->layers != NULL && i < w->about->n_layers; i++) {
            copy_rows(out->layers[i], w, 2 + i, done, now);
        }
    }
    return GAN_OK;
}

/* --- inside other graphs ------------------------------------------------------------------------- */

enum { LAYER_NAME = 24 };

/* What is taken of a network: a layer by name, or an output of the whole. */
struct part {
    const struct gan__pretrained *about;
    char layer[LAYER_NAME];
    int at;
};

static void apply_part(gan_nn *nn, const gan_val *in, gan_val *out, const void *opts)
{
    const struct part *p = opts;
    gan_val given[GAN_NET_MAX_OUT] = {{0, 0}};
    if (p->layer[0] == '\0') {
        p->about->fn(nn, in, given, p->about->opts);
        out[0] = given[p->at];
    } else if (!p->about->upto(nn, in, out, p->about->opts, p->layer)) {
        gan_graph_fail(gan_nn_graph(nn), GAN_E_NOTFOUND, "features '%s' have no layer '%s'",
                       p->about->name, p->layer);
    }
}

/* Output of the whole network that a layer is, -1: none. */
static int output_of(const struct gan__pretrained *p, const char *layer)
{
    for (int i = 0; i < p->n_layers; i++) {
        if (strcmp(p->layers[i], layer) == 0) {
            return 2 + i;
        }
    }
    return -1;
}

gan_status gan__pretrained_part(const void *state, const char *layer, struct gan_feature_part *out,
                                gan_err *err)
{
    const struct network *w = state;
    struct part *p = gan__alloc(sizeof *p);
    if (p == NULL) {
        return gan__fail_nomem(err, sizeof *p, "a feature network");
    }
    *p = (struct part){.about = w->about};
    *out = (struct gan_feature_part){.fn = apply_part, .opts = p, .channels = 3};
    if (layer != NULL && w->about->upto != NULL) {
        (void)gan__copy(p->layer, sizeof p->layer, layer);
    } else if (layer != NULL) {
        p->at = output_of(w->about, layer);
    }
    if (p->at < 0) {
        gan__free(p);
        *out = (struct gan_feature_part){0};
        return gan__fail(err, GAN_E_NOTFOUND, "features '%s' have no layer '%.60s'", w->about->name,
                         layer);
    }
    return GAN_OK;
}

const gan_tensor *gan__pretrained_weight(const void *state, const char *local)
{
    const struct network *w = state;
    return gan__net_value(w->net, local);
}

/* translator.c: a generator from images to images, rebuilt from a checkpoint. Networks of
 * convolutions take any size, so there is a plan for each size that is asked for, and a few are
 * kept. Images are continued by reflection to what the network takes; large ones go through in
 * tiles. */
#include "translator.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/number.h"
#include "base/str.h"
#include "checkpoint.h"
#include "meta.h"
#include "models/step.h"
#include "receptive.h"
#include "resume.h"

#include <gan/image.h>
#include <gan/machine.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Largest side of an image that is compiled only to see what it needs; images below SMALL pixels go
 * through several at a time. */
enum { PROBE_SIDE = 512, SMALL = 65536, MOST_AT_A_TIME = 16, MOST_TILE = 1024 };

/* --- plans -------------------------------------------------------------------------------------- */

static gan_step *build_step(gan_translator *t, int64_t batch, int64_t height, int64_t width,
                            gan_val *images, gan_err *err)
{
    const int64_t size[2] = {height, width};
    struct gan__step_cfg cfg = {
        .model = t->recipe.model,
        .opts = t->recipe.opts,
        .store = t->store,
        .nets = &t->nets,
        .real = GAN_F32,
        .batch = batch,
        .mode = GAN_EVAL,
    };
    return gan__step_build_translation(&cfg, t->info.back, size, images, err);
}

static void drop_plan(struct gan__translate_plan *p)
{
    gan_plan_free(p->plan);
    gan__free(p->input);
    *p = (struct gan__translate_plan){0};
}

static gan_status compile(gan_translator *t, struct gan__translate_plan *p, gan_err *err)
{
    gan_val images = GAN_NONE;
    gan_step *step = build_step(t, p->batch, p->height, p->width, &images, err);
    if (step == NULL) {
        return err->code;
    }
    const gan_graph *g = gan__step_segment(step, 0)->graph;
    gan_shape s = gan_shape_get(g, images);
    gan_shape want = GAN_SHAPE(p->batch, p->height, p->width, t->info.out);
    char have[96], text[96];
    if (!gan_shape_equal(&s, &want)) {
        gan__fail(err, GAN_E_INTERNAL, "model %s translates to %s, not %s", t->info.model,
                  gan_shape_text(&s, have, sizeof have), gan_shape_text(&want, text, sizeof text));
    } else {
        struct gan_plan_opts opts = {.threads = t->opts.threads, .frozen = true};
        p->plan = gan_plan_new(g, &images, 1, &opts, err);
    }
    gan__step_free(step);
    return p->plan != NULL ? GAN_OK : err->code;
}

struct gan__translate_plan *gan__translate_plan_for(gan_translator *t, int64_t batch,
                                                    int64_t height, int64_t width, gan_err *err)
{
    struct gan__translate_plan *oldest = &t->plan[0];
    for (int i = 0; i < GAN__TRANSLATE_PLANS; i++) {
        struct gan__translate_plan *p = &t->plan[i];
        if (p->batch == batch && p->height == height && p->width == width) {
            p->used = ++t->uses;
            return p;
        }
        oldest = p->used < oldest->used ? p : oldest;
    }
    drop_plan(oldest);
    gan_err own = {0};
    *oldest = (struct gan__translate_plan){
        .batch = batch, .height = height, .width = width, .used = ++t->uses};
    if (compile(t, oldest, &own) != GAN_OK) {
        drop_plan(oldest);
        gan__fail(err, own.code, "%s", own.message);
        return NULL;
    }
    return oldest;
}

/* One workspace for all plans, as large as the largest asked for. */
static gan_status make_room(gan_translator *t, struct gan__translate_plan *p, gan_err *err)
{
    size_t bytes = gan_plan_info(p->plan).workspace_bytes;
    size_t floats = (size_t)(p->batch * p->height * p->width * t->info.in);
    if (t->workspace == NULL || t->workspace_bytes < bytes) {
        gan_workspace_free(t->workspace);
        t->workspace = gan_workspace_new(bytes);
        t->workspace_bytes = bytes;
    }
    if (p->input == NULL) {
        p->input = gan__alloc_array(floats, sizeof *p->input);
    }
    return t->workspace != NULL && p->input != NULL
               ? GAN_OK
               : gan__fail(err, GAN_E_NOMEM,
                           "not enough memory for an image of %" PRId64 "x%" PRId64
                           ": smaller tiles need less",
                           p->width, p->height);
}

gan_status gan__translate_run(gan_translator *t, struct gan__translate_plan *p, uint64_t sample,
                              uint64_t tile, gan_err *err)
{
    struct gan_feed_data feed = {
        "image", {GAN_F32, GAN_SHAPE(p->batch, p->height, p->width, t->info.in), p->input}};
    struct gan_run run = {.seed = t->opts.seed,
                          .run = tile,
                          .sample = sample,
                          .feeds = &feed,
                          .n_feeds = 1,
                          .workspace = t->workspace};
    return gan_plan_run(p->plan, &run, err);
}

/* --- opening ------------------------------------------------------------------------------------ */

static const char *way(bool back)
{
    return back ? "BtoA" : "AtoB";
}

static gan_status choose_direction(gan_translator *t, const char *path, gan_err *err)
{
    const struct gan_model *m = t->recipe.model;
    struct gan_translation about = {0};
    struct gan_translator_info *info = &t->info;
    gan_direction d = t->opts.direction;
    if (m->translates == NULL) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s: model %s makes images from noise, it does not translate", path,
                         m->name);
    }
    info->back = d == GAN_DIRECTION_BA;
    bool can = m->translates(t->recipe.opts, info->back, &about);
    if (!can && d != GAN_DIRECTION_AUTO) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "%s: direction %s, this %s was trained %s and translates only so", path,
                         way(info->back), m->name, way(!info->back));
    }
    if (!can) {
        info->back = true;
        can = m->translates(t->recipe.opts, true, &about);
    }
    info->in = about.in;
    info->out = about.out;
    info->multiple = about.multiple;
    info->least = about.least;
    return can ? GAN_OK
               : gan__fail(err, GAN_E_UNSUPPORTED,
                           "%s: model %s as it was trained translates no way", path, m->name);
}

/* The receptive field, at a size where no side is trivial. */
static gan_status find_reach(gan_translator *t, gan_err *err)
{
    struct gan_translator_info *info = &t->info;
    struct gan__receptive r;
    gan_val images = GAN_NONE;
    int64_t side = gan__raise(info->least * 2, info->multiple);
    gan_step *step = build_step(t, 1, side, side, &images, err);
    if (step == NULL) {
        return err->code;
    }
    gan_graph *g = gan__step_segment(step, 0)->graph;
    gan_val in = gan_feed(g, "image", GAN_F32, GAN_SHAPE(1, side, side, info->in));
    gan_status status = gan__receptive_field(g, in, images, &r, err);
    gan__step_free(step);
    if (status == GAN_OK) {
        bool known = !r.opaque && fabs(r.jump - 1) < 1e-9;
        info->reach = known ? (int64_t)ceil(fmax(fmax(r.before, r.after), 0) - 1e-9) : -1;
        info->whole = r.whole;
        info->noise = r.noise;
    }
    return status;
}

static gan_status fill_info(gan_translator *t, const gan_checkpoint *c, gan_err *err)
{
    struct gan_translator_info *info = &t->info;
    const struct gan_task *task = t->recipe.opts;
    const char *hash = gan_checkpoint_meta(c, "libgan.digest");
    GAN_TRY(gan__meta_i64(c, "libgan.iteration", &info->step, err));
    info->file = gan__arena_strdup(&t->recipe.arena, gan__checkpoint_path(c));
    info->hash = gan__arena_strdup(&t->recipe.arena, hash != NULL ? hash : "");
    info->model = t->recipe.model->name;
    info->range = task->range;
    return info->file != NULL && info->hash != NULL ? GAN_OK
                                                    : gan__fail_nomem(err, 64, "a translator");
}

static gan_status check_opts(struct gan_translator_opts *o, gan_err *err)
{
    if (o->pad < GAN_CONTINUE_REFLECT || o->pad > GAN_CONTINUE_WHITE) {
        return gan__fail(err, GAN_E_RANGE, "way to continue images %d, allowed are 0 to 3",
                         (int)o->pad);
    }
    if (o->tile < -1 || o->tile > GAN_IMAGE_SIDE) {
        return gan__fail(err, GAN_E_RANGE, "tiles of %" PRId64 " pixels, allowed are 1 to %d",
                         o->tile, GAN_IMAGE_SIDE);
    }
    o->threads = o->threads > 0 ? o->threads : 1;
    if (o->memory_bytes == 0) {
        struct gan_machine machine;
        gan_machine_about(&machine);
        o->memory_bytes = machine.free_bytes > 0 ? machine.free_bytes / 2 : (uint64_t)1 << 30;
    }
    return GAN_OK;
}

static gan_status build(gan_translator *t, const gan_checkpoint *c, gan_err *err)
{
    GAN_TRY(check_opts(&t->opts, err));
    GAN_TRY(gan__meta_recipe(c, &t->recipe, err));
    GAN_TRY(choose_direction(t, gan__checkpoint_path(c), err));
    t->store = gan_store_new();
    if (t->store == NULL) {
        return gan__fail_nomem(err, 0, "a store");
    }
    GAN_TRY(gan_model_declare(t->recipe.model, t->recipe.opts, t->store, GAN_F32, &t->nets, err));
    GAN_TRY(fill_info(t, c, err));
    GAN_TRY(find_reach(t, err)); /* adds averages of weights to the store, where there are any */
    return gan__checkpoint_load_part(c, t->store, err);
}

gan_status gan_translator_open(const char *path, const struct gan_translator_opts *opts,
                               gan_translator **out, gan_err *err)
{
    gan_err own = {0};
    gan_checkpoint *c = NULL;
    *out = NULL;
    gan_translator *t = gan__alloc(sizeof *t);
    gan_status status = t == NULL                ? gan__fail_nomem(&own, sizeof *t, "a translator")
                        : gan__path_is_dir(path) ? gan__open_newest(path, &c, &own)
                                                 : gan_checkpoint_open(path, &c, &own);
    if (status == GAN_OK) {
        t->opts = opts != NULL ? *opts : (struct gan_translator_opts){0};
        status = build(t, c, &own);
    }
    gan_checkpoint_close(c);
    if (status != GAN_OK) {
        gan_translator_close(t);
        if (err != NULL) {
            *err = own;
        }
        return status;
    }
    *out = t;
    return GAN_OK;
}

void gan_translator_close(gan_translator *t)
{
    if (t != NULL) {
        for (int i = 0; i < GAN__TRANSLATE_PLANS; i++) {
            drop_plan(&t->plan[i]);
        }
        gan_workspace_free(t->workspace);
        gan_net_list_free(&t->nets);
        gan_store_free(t->store);
        gan__recipe_release(&t->recipe);
        gan__free(t);
    }
}

const struct gan_translator_info *gan_translator_about(const gan_translator *t)
{
    return &t->info;
}

/* --- sizes -------------------------------------------------------------------------------------- */

/* The side the network takes, reached by reflection on both ends. */
static gan_status padded_side(const gan_translator *t, const char *which, int64_t side,
                              int64_t *padded, gan_err *err)
{
    const struct gan_translator_info *i = &t->info;
    int64_t least = gan__raise(i->least, i->multiple);
    *padded = gan__raise(side, i->multiple);
    *padded = *padded < least ? least : *padded;
    if (side < 1 || side > GAN_IMAGE_SIDE) {
        return gan__fail(err, GAN_E_SHAPE, "the image's %s is %" PRId64 ", allowed are 1 to %d",
                         which, side, GAN_IMAGE_SIDE);
    }
    bool mirrors = t->opts.pad == GAN_CONTINUE_REFLECT;
    if (mirrors &&
        *padded - side > 2 * (side - 1)) { /* reflection gives side - 1 pixels on each end */
        return gan__fail(err, GAN_E_SHAPE,
                         "the image's %s is %" PRId64 ", the network takes at least %" PRId64
                         ", which reflection reaches from %" PRId64 " on (another --pad always)",
                         which, side, least, (least + 2 + 2) / 3);
    }
    return GAN_OK;
}

/* Bytes that a window needs, from a plan of it or of a part of it. */
static gan_status weigh(gan_translator *t, int64_t height, int64_t width, uint64_t *bytes,
                        gan_err *err)
{
    int64_t most = gan__raise(PROBE_SIDE, t->info.multiple);
    int64_t h = height < most ? height : most, w = width < most ? width : most;
    const struct gan__translate_plan *p = gan__translate_plan_for(t, 1, h, w, err);
    if (p == NULL) {
        return err->code;
    }
    struct gan_plan_info info = gan_plan_info(p->plan);
    double pixels = (double)height * (double)width, share = pixels / ((double)h * (double)w);
    double input = pixels * (double)t->info.in * sizeof(float);
    double need = (double)(info.workspace_bytes + info.constant_bytes) * share + input;
    *bytes = need < 1e18 ? (uint64_t)need : UINT64_MAX;
    return GAN_OK;
}

static void set_windows(const gan_translator *t, int64_t core, struct gan__tiling *out)
{
    core = gan__raise(core, t->info.multiple);
    out->halo = gan__raise(t->info.reach, t->info.multiple);
    int64_t window = core + 2 * out->halo;
    int64_t least = gan__raise(t->info.least, t->info.multiple);
    window = window < least ? least : window;
    out->window_h = window < out->padded_h ? window : out->padded_h;
    out->window_w = window < out->padded_w ? window : out->padded_w;
    out->core_h = out->window_h < out->padded_h ? core : out->padded_h;
    out->core_w = out->window_w < out->padded_w ? core : out->padded_w;
    out->tiled = out->window_h < out->padded_h || out->window_w < out->padded_w;
}

static gan_status choose_tiles(gan_translator *t, struct gan__tiling *out, gan_err *err)
{
    uint64_t bytes;
    GAN_TRY(weigh(t, out->padded_h, out->padded_w, &bytes, err));
    if (bytes <= t->opts.memory_bytes || t->info.reach < 0) {
        return GAN_OK;
    }
    for (int64_t core = MOST_TILE; bytes > t->opts.memory_bytes && core >= 64; core /= 2) {
        set_windows(t, core, out);
        GAN_TRY(weigh(t, out->window_h, out->window_w, &bytes, err));
    }
    return GAN_OK;
}

gan_status gan__translate_tiling(gan_translator *t, int64_t height, int64_t width,
                                 struct gan__tiling *out, gan_err *err)
{
    *out = (struct gan__tiling){0};
    GAN_TRY(padded_side(t, "height", height, &out->padded_h, err));
    GAN_TRY(padded_side(t, "width", width, &out->padded_w, err));
    out->window_h = out->padded_h;
    out->window_w = out->padded_w;
    if (t->opts.tile == 0) {
        return choose_tiles(t, out, err);
    }
    if (t->opts.tile > 0 && t->info.reach < 0) {
        return gan__fail(err, GAN_E_UNSUPPORTED,
                         "no tiles: every pixel of model %s may depend on all of the image",
                         t->info.model);
    }
    if (t->opts.tile > 0) {
        set_windows(t, t->opts.tile, out);
    }
    return GAN_OK;
}

int64_t gan__tile_at(int64_t core_at, int64_t halo, int64_t window, int64_t padded)
{
    int64_t at = core_at - halo;
    at = at + window > padded ? padded - window : at;
    return at < 0 ? 0 : at;
}

/* --- images ------------------------------------------------------------------------------------- */

/* One image on its way: what is copied between it and windows. */
struct job {
    gan_translator *t;
    struct gan__tiling tiling;
    int64_t height, width; /* of the image */
    int64_t top, left;     /* padding before it */
    const float *src;
    float *dst;
};

/* Where pixel i of a side of n comes from, -1: from nowhere. */
static int64_t origin_of(int64_t i, int64_t n, gan_continue pad)
{
    if (i >= 0 && i < n) {
        return i;
    }
    if (pad == GAN_CONTINUE_REFLECT) {
        return i < 0 ? -i : 2 * (n - 1) - i;
    }
    return pad != GAN_CONTINUE_EDGE ? -1 : i < 0 ? 0 : n - 1;
}

static float filler(const gan_translator *t)
{
    float black = t->info.range == GAN_RANGE_UNIT ? 0.0f : -1.0f;
    return t->opts.pad == GAN_CONTINUE_WHITE ? 1.0f : black;
}

/* The window at (y0,x0) of the padded image. */
static void fill_window(const struct job *j, int64_t y0, int64_t x0, float *input)
{
    const struct gan__tiling *w = &j->tiling;
    int64_t c = j->t->info.in;
    gan_continue pad = j->t->opts.pad;
    float fill = filler(j->t);
    for (int64_t y = 0; y < w->window_h; y++) {
        int64_t from_y = origin_of(y0 + y - j->top, j->height, pad);
        for (int64_t x = 0; x < w->window_w; x++) {
            int64_t from_x = origin_of(x0 + x - j->left, j->width, pad);
            bool inside = from_y >= 0 && from_x >= 0;
            const float *src = inside ? j->src + (from_y * j->width + from_x) * c : NULL;
            for (int64_t k = 0; k < c; k++) {
                *input++ = inside ? src[k] : fill;
            }
        }
    }
}

/* What lies in [from, from+n) of the padded image and in the image itself. */
static void clip(int64_t from, int64_t n, int64_t before, int64_t side, int64_t *begin,
                 int64_t *end)
{
    *begin = from < before ? before : from;
    *end = from + n > before + side ? before + side : from + n;
}

/* Rows and columns of the padded image from core_y, core_x on, out of the window at (y0,x0). */
static void keep_core(const struct job *j, const int64_t core[2], const int64_t size[2], int64_t y0,
                      int64_t x0, const float *output)
{
    int64_t c = j->t->info.out, top, bottom, left, right;
    clip(core[0], size[0], j->top, j->height, &top, &bottom);
    clip(core[1], size[1], j->left, j->width, &left, &right);
    for (int64_t y = top; y < bottom && left < right; y++) {
        memcpy(j->dst + ((y - j->top) * j->width + left - j->left) * c,
               output + ((y - y0) * j->tiling.window_w + left - x0) * c,
               (size_t)((right - left) * c) * sizeof *output);
    }
}

static gan_status run_tiles(const struct job *j, uint64_t sample, gan_err *err)
{
    const struct gan__tiling *w = &j->tiling;
    struct gan__translate_plan *p = gan__translate_plan_for(j->t, 1, w->window_h, w->window_w, err);
    if (p == NULL) {
        return err->code;
    }
    GAN_TRY(make_room(j->t, p, err));
    uint64_t tile = 0;
    for (int64_t y = 0; y < w->padded_h; y += w->core_h) {
        for (int64_t x = 0; x < w->padded_w; x += w->core_w) {
            int64_t y0 = gan__tile_at(y, w->halo, w->window_h, w->padded_h);
            int64_t x0 = gan__tile_at(x, w->halo, w->window_w, w->padded_w);
            fill_window(j, y0, x0, p->input);
            GAN_TRY(gan__translate_run(j->t, p, sample, tile++, err));
            const int64_t core[] = {y, x}, size[] = {w->core_h, w->core_w};
            keep_core(j, core, size, y0, x0, gan_plan_output(p->plan, 0)->data);
        }
    }
    return GAN_OK;
}

/* Images of which the whole is the window, several at a time; the last places are filled up with
 * what was there. */
static gan_status run_whole(struct job *j, const struct gan_translate_images *what, gan_err *err)
{
    const struct gan__tiling *w = &j->tiling;
    int64_t area = w->window_h * w->window_w, batch = SMALL / area;
    batch = batch > MOST_AT_A_TIME ? MOST_AT_A_TIME : batch;
    batch = batch < 1 || what->n == 1 ? 1 : batch;
    struct gan__translate_plan *p =
        gan__translate_plan_for(j->t, batch, w->window_h, w->window_w, err);
    if (p == NULL) {
        return err->code;
    }
    GAN_TRY(make_room(j->t, p, err));
    const float *src = j->src;
    float *dst = j->dst;
    int64_t pixels = what->height * what->width;
    const int64_t origin[] = {0, 0}, size[] = {w->padded_h, w->padded_w};
    for (int64_t done = 0; done < what->n; done += batch) {
        int64_t n = what->n - done < batch ? what->n - done : batch;
        for (int64_t i = 0; i < n; i++) {
            j->src = src + (done + i) * pixels * j->t->info.in;
            fill_window(j, 0, 0, p->input + i * area * j->t->info.in);
        }
        GAN_TRY(gan__translate_run(j->t, p, what->first + (uint64_t)done, 0, err));
        const float *output = gan_plan_output(p->plan, 0)->data;
        for (int64_t i = 0; i < n; i++) {
            j->dst = dst + (done + i) * pixels * j->t->info.out;
            keep_core(j, origin, size, 0, 0, output + i * area * j->t->info.out);
        }
    }
    return GAN_OK;
}

gan_status gan_translator_floats(gan_translator *t, const struct gan_translate_images *what,
                                 const float *hwc, float *dst, gan_err *err)
{
    gan_err own = {0};
    struct job j = {.t = t, .height = what->height, .width = what->width, .src = hwc, .dst = dst};
    gan_status status = gan__translate_tiling(t, what->height, what->width, &j.tiling, &own);
    j.top = (j.tiling.padded_h - what->height) / 2;
    j.left = (j.tiling.padded_w - what->width) / 2;
    if (status == GAN_OK && !j.tiling.tiled) {
        status = run_whole(&j, what, &own);
    }
    for (int64_t i = 0; status == GAN_OK && j.tiling.tiled && i < what->n; i++) {
        int64_t pixels = what->height * what->width;
        j.src = hwc + i * pixels * t->info.in;
        j.dst = dst + i * pixels * t->info.out;
        status = run_tiles(&j, what->first + (uint64_t)i, &own);
    }
    return status == GAN_OK ? GAN_OK : gan__fail(err, status, "%s", own.message);
}

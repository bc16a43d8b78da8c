/* loader_plan.c: from the wishes of a loader and its SPEC to sizes, channels and transforms, and images
 * seen through them. */
#include "loader_plan.h"

#include "base/alloc.h"
#include "base/err.h"

#include <inttypes.h>
#include <string.h>

#define MAX_BATCH 65536
#define MAX_SIDE 8192

static gan_status fill_defaults(const struct gan_dataset *ds, const struct gan_loader_cfg *want,
                                struct gan_loader_cfg *cfg, gan_err *err)
{
    const struct gan_dataset_info *info = &ds->info;
    *cfg = *want;
    cfg->batch = want->batch == 0 ? 64 : want->batch;
    cfg->threads = want->threads == 0 ? 1 : want->threads;
    cfg->height = want->height != 0 ? want->height : info->size != 0 ? info->size : info->height;
    cfg->width = want->width != 0 ? want->width : info->size != 0 ? info->size : info->width;
    int64_t own_channels = info->want_channels != 0 ? info->want_channels : info->channels;
    cfg->channels = want->channels != 0 ? want->channels : own_channels;
    int64_t own_b = info->want_channels != 0 ? info->want_channels : info->channels_b;
    cfg->channels_b = info->count_b == 0 ? 0 : want->channels_b != 0 ? want->channels_b : own_b;
    cfg->flip = !want->plain && (want->flip || info->flip);
    if (cfg->batch < 1 || cfg->batch > MAX_BATCH) {
        return gan__fail(err, GAN_E_RANGE, "batch is %" PRId64 ", allowed 1 to %d", cfg->batch,
                         MAX_BATCH);
    }
    if (cfg->threads < 1 || cfg->threads > GAN__LOADER_THREADS) {
        return gan__fail(err, GAN_E_RANGE, "loader threads are %d, allowed 1 to %d", cfg->threads,
                         GAN__LOADER_THREADS);
    }
    if (cfg->height < 1 || cfg->height > MAX_SIDE || cfg->width < 1 || cfg->width > MAX_SIDE) {
        return gan__fail(err, GAN_E_RANGE,
                         "images of %" PRId64 "x%" PRId64 " wanted, allowed 1 to %d on a side",
                         cfg->height, cfg->width, MAX_SIDE);
    }
    return GAN_OK;
}

static gan_status check_channels(const struct gan_dataset_info *info, int64_t channels,
                                 gan_err *err)
{
    if (channels != 1 && channels != 3) {
        return gan__fail(err, GAN_E_ARG, "%" PRId64 " channels wanted, data %s give 1 or 3",
                         channels, info->spec);
    }
    if (info->want_channels != 0 && channels != info->want_channels) {
        return gan__fail(err, GAN_E_ARG, "data %s have channels=%" PRId64 ", %" PRId64 " wanted",
                         info->spec, info->want_channels, channels);
    }
    return GAN_OK;
}

/* What the SPEC says and what is asked for must not contradict each other. */
static gan_status check_wishes(const struct gan_dataset *ds, const struct gan_loader_cfg *cfg,
                               gan_err *err)
{
    const struct gan_dataset_info *info = &ds->info;
    if (info->points) {
        if (cfg->height != 1 || cfg->width != 1 || cfg->channels != info->channels || cfg->flip) {
            return gan__fail(err, GAN_E_ARG,
                             "data %s are points of %" PRId64 " numbers, [%" PRId64 ",%" PRId64
                             ",%" PRId64 "] wanted",
                             info->spec, info->channels, cfg->height, cfg->width, cfg->channels);
        }
        return GAN_OK;
    }
    if (info->size != 0 && (cfg->height != info->size || cfg->width != info->size)) {
        return gan__fail(err, GAN_E_ARG,
                         "data %s have size=%" PRId64 ", %" PRId64 "x%" PRId64 " wanted",
                         info->spec, info->size, cfg->height, cfg->width);
    }
    GAN_TRY(check_channels(info, cfg->channels, err));
    return info->count_b > 0 ? check_channels(info, cfg->channels_b, err) : GAN_OK;
}

int64_t gan__loader_jitter(const struct gan_dataset *ds, const struct gan_loader_cfg *cfg)
{
    return cfg->plain ? 0 : ds->info.jitter;
}

/* Fills the transform's description for first or second images; points need none. Where these have
 * sizes of their own padding would set them apart: both are scaled. */
static struct gan__transform_cfg plan_transform(const struct gan_dataset *ds,
                                                const struct gan_loader_cfg *cfg, bool second)
{
    const struct gan__source *s = second ? ds->source.second : &ds->source;
    int64_t jitter = gan__loader_jitter(ds, cfg);
    const struct gan__source *a = &ds->source, *b = ds->source.second;
    bool mixed = b != NULL && (a->height != b->height || a->width != b->width);
    bool smaller = mixed || cfg->height < s->height || cfg->width < s->width;
    bool other = cfg->height != s->height || cfg->width != s->width;
    bool resize =
        cfg->fit == GAN_FIT_RESIZE || (cfg->fit == GAN_FIT_AUTO && (ds->info.size != 0 || smaller));
    struct gan__transform_cfg t = {
        .src_h = s->height,
        .src_w = s->width,
        .src_c = s->channels,
        .dst_h = cfg->height + jitter,
        .dst_w = cfg->width + jitter,
        .dst_c = second ? cfg->channels_b : cfg->channels,
        .resize = (resize && other) || jitter > 0,
        .pad_edge = ds->pad_edge,
        .range = cfg->range,
    };
    memcpy(t.background, s->background, sizeof t.background);
    return t;
}

gan_status gan__loader_transforms(const struct gan_dataset *ds, const struct gan_loader_cfg *cfg,
                                  struct gan__transform t[2], size_t *scratch, gan_err *err)
{
    *scratch = 0;
    for (int i = 0; i < (ds->info.points ? 0 : ds->source.second != NULL ? 2 : 1); i++) {
        const struct gan__transform_cfg c = plan_transform(ds, cfg, i == 1);
        GAN_TRY(gan__transform_init(&t[i], &c, err));
        size_t need = gan__transform_scratch(&t[i]);
        *scratch = need > *scratch ? need : *scratch;
    }
    return GAN_OK;
}

gan_status gan__loader_resolve(const struct gan_dataset *ds, const struct gan_loader_cfg *want,
                               struct gan_loader_cfg *cfg, gan_err *err)
{
    GAN_TRY(fill_defaults(ds, want, cfg, err));
    return check_wishes(ds, cfg, err);
}

/* --- a look at single images ---------------------------------------------------------------------- */

/* What a loader without wishes does, both images in the channels of the richer one. */
static gan_status plan_view(const gan_dataset *ds, struct gan_loader_cfg *cfg, gan_err *err)
{
    const struct gan_dataset_info *info = &ds->info;
    int64_t most = info->channels_b > info->channels ? info->channels_b : info->channels;
    const struct gan_loader_cfg want = {
        .batch = 1,
        .range = GAN_RANGE_UNIT,
        .plain = true,
        .channels = info->want_channels != 0 ? info->want_channels : most,
        .channels_b = info->want_channels != 0 ? info->want_channels : most,
    };
    if (info->points) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "data %s are points: they have no pixels",
                         info->spec);
    }
    return gan__loader_resolve(ds, &want, cfg, err);
}

gan_status gan_dataset_view_size(const gan_dataset *ds, struct gan_view *view, gan_err *err)
{
    struct gan_loader_cfg cfg;
    GAN_TRY(plan_view(ds, &cfg, err));
    *view = (struct gan_view){cfg.height, cfg.width, cfg.channels};
    return GAN_OK;
}

/* One image of the source through t. */
static gan_status view_one(const gan_dataset *ds, bool second, int64_t index,
                           const struct gan__transform *t, uint8_t *stored, float *floats,
                           uint8_t *dst, gan_err *err)
{
    int64_t n = t->cfg.dst_h * t->cfg.dst_w * t->cfg.dst_c;
    GAN_TRY(second ? gan_dataset_pixels_b(ds, index, stored, err)
                   : gan_dataset_pixels(ds, index, stored, err));
    gan__transform_run(t, stored, false, floats, floats + n);
    for (int64_t i = 0; i < n; i++) {
        dst[i] = (uint8_t)(floats[i] * 255.0f + 0.5f);
    }
    return GAN_OK;
}

gan_status gan_dataset_view(const gan_dataset *ds, bool second, int64_t first, int64_t n,
                            uint8_t *nhwc, gan_err *err)
{
    struct gan_loader_cfg cfg;
    struct gan__transform t[2] = {{.x = {0}}, {.x = {0}}};
    size_t scratch = 0;
    const struct gan__source *s = second ? ds->source.second : &ds->source;
    if (s == NULL) {
        return gan__fail(err, GAN_E_UNSUPPORTED, "data %s have no second images", ds->info.spec);
    }
    GAN_TRY(plan_view(ds, &cfg, err));
    gan_status status = gan__loader_transforms(ds, &cfg, t, &scratch, err);
    size_t one = (size_t)(cfg.height * cfg.width * cfg.channels);
    uint8_t *stored = gan__alloc((size_t)(s->height * s->width * s->channels));
    float *floats = gan__alloc_array(one + scratch, sizeof *floats);
    if (status == GAN_OK && (stored == NULL || floats == NULL)) {
        status = gan__fail_nomem(err, one * sizeof *floats, "an image");
    }
    for (int64_t i = 0; i < n && status == GAN_OK; i++) {
        status = view_one(ds, second, first + i, &t[second], stored, floats, nhwc + (size_t)i * one,
                          err);
    }
    gan__free(stored);
    gan__free(floats);
    gan__transform_release(&t[0]);
    gan__transform_release(&t[1]);
    return status;
}

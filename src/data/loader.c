/* loader.c: batches prepared ahead by threads of their own.
 *
 * Positions count samples from the start of training. Position p is sample
 * permute(key(seed, epoch), p mod count) of epoch p / count, mirrored or not by a bit of
 * (seed, epoch, sample): nothing depends on batches, threads or history.
 *
 * Batch number b lives in slot b mod RING. A worker claims the next number when its slot is free
 * (b < released + RING); the reader takes them in order. All storage is made at the start. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "balance.h"
#include "loader_plan.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/philox.h"
#include "base/str.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#define RING 3
#define MAX_THREADS GAN__LOADER_THREADS

struct slot {
    struct gan_batch batch;    /* points into the arrays below */
    float *images, *images_b;  /* images_b, index_b, known are NULL without second images */
    float *known, *attributes; /* attributes: NULL where the data have none */
    int32_t *labels;
    int64_t *index, *index_b;
    int64_t number; /* batch that is ready here; -1 while empty or being filled */
    gan_status status;
    gan_err err;
};

struct worker {
    struct gan_loader *loader;
    pthread_t thread;
    bool running;
    uint8_t *pixels; /* one stored image */
    float *scratch;  /* of the transform */
    float *wide;     /* one image before its crop, NULL without jitter */
};

struct gan_loader {
    const struct gan_dataset *ds;
    struct gan_loader_cfg cfg; /* with defaults filled in */
    struct gan__transform transform, transform_b;
    uint64_t order_key, order_b_key, flip_key, flip_b_key;
    struct gan__balance balance; /* empty unless classes come equally often */
    size_t sample, sample_b;     /* floats of one sample */
    int64_t jitter;

    struct slot slots[RING];
    struct worker workers[MAX_THREADS];

    pthread_mutex_t lock; /* everything below */
    pthread_cond_t filled, freed;
    bool has_lock, has_filled, has_freed;
    int64_t start;    /* position of batch 0 */
    int64_t claimed;  /* batches begun */
    int64_t taken;    /* batches given out */
    int64_t released; /* batches whose slot may be filled again */
    int busy;         /* workers filling a slot */
    bool paused, stop;
};

/* Sizes in floats and bytes, checked. */
struct sizes {
    size_t images; /* bytes of one slot, first and second */
    size_t images_b;
    size_t labels; /* bytes */
    size_t attributes;
    size_t index;   /* bytes */
    size_t pixels;  /* bytes of a worker */
    size_t scratch; /* bytes of a worker */
    size_t wide;    /* bytes of a worker */
};

static bool measure(const struct gan_dataset *ds, const struct gan_loader_cfg *cfg, size_t scratch,
                    struct sizes *z)
{
    size_t sample = (size_t)(cfg->height * cfg->width * cfg->channels);
    size_t sample_b = (size_t)(cfg->height * cfg->width * cfg->channels_b);
    size_t stored = ds->info.points ? 0 : (size_t)(ds->info.height * ds->info.width * 3);
    size_t stored_b = (size_t)(ds->info.height_b * ds->info.width_b * 3);
    stored = stored_b > stored ? stored_b : stored;
    int64_t jitter = gan__loader_jitter(ds, cfg);
    int64_t wide = (cfg->height + jitter) * (cfg->width + jitter) * 3;
    return gan__mul(jitter > 0 ? (size_t)wide : 0, sizeof(float), &z->wide) &&
           gan__mul(sample_b, sizeof(float), &z->images_b) &&
           gan__mul(z->images_b, (size_t)cfg->batch, &z->images_b) &&
           gan__mul(sample, sizeof(float), &z->images) &&
           gan__mul(z->images, (size_t)cfg->batch, &z->images) &&
           gan__mul((size_t)cfg->batch, sizeof(int32_t), &z->labels) &&
           gan__mul(z->labels, (size_t)ds->source.attributes, &z->attributes) &&
           gan__mul((size_t)cfg->batch, sizeof(int64_t), &z->index) &&
           gan__mul(stored, 1, &z->pixels) && gan__mul(scratch, sizeof(float), &z->scratch);
}

/* What chance does to one image: mirror it, and where its crop begins. */
struct luck {
    bool flip;
    int64_t top, left;
};

static struct luck luck_of(const struct gan_loader *l, uint64_t key, int64_t epoch, int64_t index)
{
    uint32_t word[4];
    struct luck luck = {0};
    if (!l->cfg.flip && l->jitter == 0) {
        return luck;
    }
    gan__stream_block(key, (uint64_t)index, (uint64_t)epoch, word);
    uint64_t places = (uint64_t)l->jitter + 1;
    luck.flip = l->cfg.flip && (word[0] & 1) != 0;
    luck.top = (int64_t)((word[1] * places) >> 32);
    luck.left = (int64_t)((word[2] * places) >> 32);
    return luck;
}

/* Stored pixels to what the model wants. */
static void transform(const struct worker *w, const struct gan__transform *t,
                      const struct luck *luck, float *dst)
{
    const struct gan_loader *l = w->loader;
    const struct gan__transform_cfg *c = &t->cfg;
    if (l->jitter == 0) {
        gan__transform_run(t, w->pixels, luck->flip, dst, w->scratch);
        return;
    }
    gan__transform_run(t, w->pixels, luck->flip, w->wide, w->scratch);
    size_t row = (size_t)(l->cfg.width * c->dst_c);
    for (int64_t y = 0; y < l->cfg.height; y++) {
        const float *src = w->wide + ((luck->top + y) * c->dst_w + luck->left) * c->dst_c;
        memcpy(dst + (size_t)y * row, src, row * sizeof *dst);
    }
}

/* Epoch and index of what stands at a position of a shuffled set. */
static int64_t shuffled(uint64_t key, int64_t count, int64_t position, int64_t *epoch)
{
    *epoch = position / count;
    return (int64_t)gan__permute(gan__hash_mix(key, (uint64_t)*epoch), (uint64_t)count,
                                 (uint64_t)(position % count));
}

/* Whether the second image of a sample is to be the other half of its pair. */
static bool is_known(const struct gan_loader *l, int64_t index)
{
    int64_t count = l->ds->source.count;
    if (!l->ds->source.paired || !l->cfg.unpair) {
        return l->ds->source.paired;
    }
    int64_t place = (int64_t)gan__permute(gan__hash_mix(l->order_b_key, UINT64_MAX),
                                          (uint64_t)count, (uint64_t)index);
    return (double)place < l->cfg.known * (double)count;
}

/* The second image of sample k: the other half of its pair, or from an order of its own. */
static gan_status fill_second(const struct worker *w, struct slot *slot, int64_t k,
                              struct luck luck)
{
    const struct gan_loader *l = w->loader;
    const struct gan__source *s = l->ds->source.second;
    int64_t index = slot->index[k], epoch;
    bool known = is_known(l, index);
    slot->known[k] = known ? 1 : 0;
    if (!known) {
        index = shuffled(l->order_b_key, s->count, slot->batch.first + k, &epoch);
        luck = luck_of(l, l->flip_b_key, epoch, index);
    }
    slot->index_b[k] = index;
    GAN_TRY(s->pixels(s, index, w->pixels, &slot->err));
    transform(w, &l->transform_b, &luck, slot->images_b + (size_t)k * l->sample_b);
    return GAN_OK;
}

static void fill_attributes(const struct gan__source *s, struct slot *slot, int64_t k)
{
    const int8_t *row = s->attribute_row(s, slot->index[k]);
    for (int64_t i = 0; i < s->attributes; i++) {
        slot->attributes[k * s->attributes + i] = (float)row[i];
    }
}

/* Sample k of a batch, from its position alone. */
static gan_status fill_sample(const struct worker *w, struct slot *slot, int64_t k)
{
    const struct gan_loader *l = w->loader;
    const struct gan__source *s = &l->ds->source;
    int64_t position = slot->batch.first + k;
    int64_t epoch = 0, index = position;
    if (l->balance.classes > 0) {
        index = gan__balance_at(&l->balance, l->order_key, position, &epoch);
    } else if (!s->endless) {
        index = shuffled(l->order_key, s->count, position, &epoch);
    }
    slot->index[k] = index;
    slot->labels[k] = s->label != NULL ? s->label(s, l->cfg.seed, index) : -1;
    if (slot->attributes != NULL) {
        fill_attributes(s, slot, k);
    }
    float *dst = slot->images + (size_t)k * l->sample;
    if (s->points) {
        s->point(s, l->cfg.seed, index, dst);
        return GAN_OK;
    }
    struct luck luck = luck_of(l, l->flip_key, epoch, index);
    GAN_TRY(s->pixels(s, index, w->pixels, &slot->err));
    transform(w, &l->transform, &luck, dst);
    return s->second != NULL ? fill_second(w, slot, k, luck) : GAN_OK;
}

static void fill_slot(const struct worker *w, struct slot *slot, int64_t first)
{
    slot->err = (gan_err){0};
    slot->status = GAN_OK;
    slot->batch.first = first;
    for (int64_t k = 0; k < w->loader->cfg.batch && slot->status == GAN_OK; k++) {
        slot->status = fill_sample(w, slot, k);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct gan_loader *l = w->loader;
    (void)pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        if (l->paused || l->claimed >= l->released + RING) {
            (void)pthread_cond_wait(&l->freed, &l->lock);
            continue;
        }
        int64_t number = l->claimed++;
        int64_t first = l->start + number * l->cfg.batch;
        struct slot *slot = &l->slots[number % RING];
        slot->number = -1;
        l->busy++;
        (void)pthread_mutex_unlock(&l->lock);
        fill_slot(w, slot, first);
        (void)pthread_mutex_lock(&l->lock);
        l->busy--;
        slot->number = number;
        (void)pthread_cond_broadcast(&l->filled);
    }
    (void)pthread_mutex_unlock(&l->lock);
    return NULL;
}

static gan_status make_slots(struct gan_loader *l, const struct sizes *z, gan_err *err)
{
    for (size_t i = 0; i < RING; i++) {
        struct slot *s = &l->slots[i];
        s->images = gan__alloc_aligned(64, z->images);
        s->labels = gan__alloc(z->labels);
        s->index = gan__alloc(z->index);
        s->attributes = z->attributes > 0 ? gan__alloc(z->attributes) : NULL;
        if (z->images_b > 0) {
            s->images_b = gan__alloc_aligned(64, z->images_b);
            s->index_b = gan__alloc(z->index);
            s->known = gan__alloc(z->labels);
        }
        bool second =
            z->images_b == 0 || (s->images_b != NULL && s->index_b != NULL && s->known != NULL);
        bool facts = z->attributes == 0 || s->attributes != NULL;
        if (s->images == NULL || s->labels == NULL || s->index == NULL || !second || !facts) {
            return gan__fail_nomem(err, z->images + z->images_b, "a batch");
        }
        s->number = -1;
        s->batch = (struct gan_batch){.images = s->images,
                                      .images_b = s->images_b,
                                      .index_b = s->index_b,
                                      .known = s->known,
                                      .channels_b = l->cfg.channels_b,
                                      .labels = s->labels,
                                      .index = s->index,
                                      .attributes = s->attributes,
                                      .n_attributes = l->ds->source.attributes,
                                      .n = l->cfg.batch,
                                      .height = l->cfg.height,
                                      .width = l->cfg.width,
                                      .channels = l->cfg.channels};
    }
    return GAN_OK;
}

static gan_status make_workers(struct gan_loader *l, const struct sizes *z, gan_err *err)
{
    l->has_lock = pthread_mutex_init(&l->lock, NULL) == 0;
    l->has_filled = pthread_cond_init(&l->filled, NULL) == 0;
    l->has_freed = pthread_cond_init(&l->freed, NULL) == 0;
    if (!l->has_lock || !l->has_filled || !l->has_freed) {
        return gan__fail(err, GAN_E_NOMEM, "cannot make the locks of a loader");
    }
    for (int i = 0; i < l->cfg.threads; i++) {
        struct worker *w = &l->workers[i];
        w->loader = l;
        w->pixels = gan__alloc(z->pixels);
        w->scratch = gan__alloc(z->scratch);
        w->wide = z->wide > 0 ? gan__alloc(z->wide) : NULL;
        if (w->pixels == NULL || w->scratch == NULL || (z->wide > 0 && w->wide == NULL)) {
            return gan__fail_nomem(err, z->pixels + z->scratch + z->wide, "a loader thread");
        }
    }
    for (int i = 0; i < l->cfg.threads; i++) {
        struct worker *w = &l->workers[i];
        if (pthread_create(&w->thread, NULL, work, w) != 0) {
            return gan__fail(err, GAN_E_NOMEM, "cannot start loader thread %d of %d", i + 1,
                             l->cfg.threads);
        }
        w->running = true;
    }
    return GAN_OK;
}

static gan_status build(struct gan_loader *l, const struct gan_loader_cfg *want, gan_err *err)
{
    struct sizes z;
    GAN_TRY(gan__loader_resolve(l->ds, want, &l->cfg, err));
    struct gan__transform t[2] = {{.x = {0}}, {.x = {0}}};
    size_t scratch = 0;
    gan_status status = gan__loader_transforms(l->ds, &l->cfg, t, &scratch, err);
    l->transform = t[0]; /* released with the loader */
    l->transform_b = t[1];
    GAN_TRY(status);
    if (!measure(l->ds, &l->cfg, scratch, &z)) {
        return gan__fail(err, GAN_E_RANGE, "a batch of %" PRId64 " images is too large",
                         l->cfg.batch);
    }
    l->sample = (size_t)(l->cfg.height * l->cfg.width * l->cfg.channels);
    l->sample_b = (size_t)(l->cfg.height * l->cfg.width * l->cfg.channels_b);
    l->jitter = gan__loader_jitter(l->ds, &l->cfg);
    l->order_b_key = gan__stream_key(l->cfg.seed, 0, 0, gan__hash_text("data/order_b"));
    l->flip_b_key = gan__stream_key(l->cfg.seed, 0, 0, gan__hash_text("data/flip_b"));
    l->order_key = gan__stream_key(l->cfg.seed, 0, 0, gan__hash_text("data/order"));
    l->flip_key = gan__stream_key(l->cfg.seed, 0, 0, gan__hash_text("data/flip"));
    if (l->ds->info.balance) {
        GAN_TRY(gan__balance_init(&l->balance, &l->ds->source, err));
    }
    GAN_TRY(make_slots(l, &z, err));
    return make_workers(l, &z, err);
}

gan_status gan_loader_new(const gan_dataset *ds, const struct gan_loader_cfg *cfg,
                          gan_loader **loader, gan_err *err)
{
    *loader = NULL;
    gan_loader *l = gan__alloc(sizeof *l);
    if (l == NULL) {
        return gan__fail_nomem(err, sizeof *l, "a loader");
    }
    l->ds = ds;
    gan_status status = build(l, cfg, err);
    if (status != GAN_OK) {
        gan_loader_free(l);
        return status;
    }
    *loader = l;
    return GAN_OK;
}

static void stop_workers(gan_loader *l)
{
    if (l->has_lock && l->has_freed) {
        (void)pthread_mutex_lock(&l->lock);
        l->stop = true;
        (void)pthread_cond_broadcast(&l->freed);
        (void)pthread_mutex_unlock(&l->lock);
    }
    for (size_t i = 0; i < MAX_THREADS; i++) {
        if (l->workers[i].running) {
            (void)pthread_join(l->workers[i].thread, NULL);
        }
        gan__free(l->workers[i].pixels);
        gan__free(l->workers[i].scratch);
        gan__free(l->workers[i].wide);
    }
}

void gan_loader_free(gan_loader *l)
{
    if (l == NULL) {
        return;
    }
    stop_workers(l);
    for (size_t i = 0; i < RING; i++) {
        gan__free(l->slots[i].images);
        gan__free(l->slots[i].images_b);
        gan__free(l->slots[i].index_b);
        gan__free(l->slots[i].known);
        gan__free(l->slots[i].attributes);
        gan__free(l->slots[i].labels);
        gan__free(l->slots[i].index);
    }
    if (l->has_freed) {
        (void)pthread_cond_destroy(&l->freed);
    }
    if (l->has_filled) {
        (void)pthread_cond_destroy(&l->filled);
    }
    if (l->has_lock) {
        (void)pthread_mutex_destroy(&l->lock);
    }
    gan__balance_release(&l->balance);
    gan__transform_release(&l->transform);
    gan__transform_release(&l->transform_b);
    gan__free(l);
}

gan_status gan_loader_seek(gan_loader *l, int64_t images_seen, gan_err *err)
{
    if (images_seen < 0 || images_seen > INT64_MAX / 2) {
        return gan__fail(err, GAN_E_RANGE, "position %" PRId64 " of the data, at least 0 expected",
                         images_seen);
    }
    (void)pthread_mutex_lock(&l->lock);
    l->paused = true;
    while (l->busy > 0) {
        (void)pthread_cond_wait(&l->filled, &l->lock);
    }
    for (size_t i = 0; i < RING; i++) {
        l->slots[i].number = -1;
    }
    l->start = images_seen;
    l->claimed = 0;
    l->taken = 0;
    l->released = 0;
    l->paused = false;
    (void)pthread_cond_broadcast(&l->freed);
    (void)pthread_mutex_unlock(&l->lock);
    return GAN_OK;
}

gan_status gan_loader_next(gan_loader *l, const struct gan_batch **batch, gan_err *err)
{
    *batch = NULL;
    (void)pthread_mutex_lock(&l->lock);
    l->released = l->taken; /* the batch given out last goes back */
    (void)pthread_cond_broadcast(&l->freed);
    struct slot *slot = &l->slots[l->taken % RING];
    while (slot->number != l->taken) {
        (void)pthread_cond_wait(&l->filled, &l->lock);
    }
    l->taken++;
    (void)pthread_mutex_unlock(&l->lock);
    if (slot->status != GAN_OK) {
        return gan__fail_at(err, slot->status, slot->err.where, "%s", slot->err.message);
    }
    *batch = &slot->batch;
    return GAN_OK;
}

uint64_t gan_loader_bytes(const gan_dataset *ds, const struct gan_loader_cfg *want)
{
    struct gan_loader_cfg cfg;
    struct sizes z;
    struct gan__transform t[2] = {{.x = {0}}, {.x = {0}}};
    if (gan__loader_resolve(ds, want, &cfg, NULL) != GAN_OK) {
        return 0;
    }
    uint64_t taps = 0;
    size_t scratch = 0;
    gan_status status = gan__loader_transforms(ds, &cfg, t, &scratch, NULL);
    for (int i = 0; i < 2; i++) {
        taps += (uint64_t)(t[i].x.n * (t[i].x.most * 4 + 16) + t[i].y.n * (t[i].y.most * 4 + 16));
        gan__transform_release(&t[i]);
    }
    if (status != GAN_OK || !measure(ds, &cfg, scratch, &z)) {
        return 0;
    }
    size_t index_b = z.images_b > 0 ? z.index + z.labels : 0;
    uint64_t members = ds->info.balance ? gan__balance_bytes(&ds->source) : 0;
    return sizeof(struct gan_loader) + taps + members +
           RING * (z.images + z.images_b + z.labels + z.attributes + z.index + index_b) +
           (uint64_t)cfg.threads * (z.pixels + z.scratch + z.wide);
}

/* meta.h: the texts of a checkpoint: what it needs to be sampled from and trained on. */
#ifndef GAN_RUN_META_H
#define GAN_RUN_META_H

#include "base/arena.h"
#include "session.h"

struct gan__meta {
    struct gan_meta *item;
    size_t n, cap;
    bool bad; /* memory was short */
    struct gan__arena arena;
};

/* Everything about a session: model, options, preprocessing, counters. */
gan_status gan__meta_of_session(struct gan__meta *m, const struct gan__session *s, gan_err *err);
/* One text more. errors: GAN_E_NOMEM */
gan_status gan__meta_add(struct gan__meta *m, const char *key, const char *value, gan_err *err);
void gan__meta_release(struct gan__meta *m);

/* Compares with a checkpoint, counters and provenance aside: GAN_E_FORMAT names what differs. */
gan_status gan__meta_compare(const struct gan__meta *m, const gan_checkpoint *c, gan_err *err);

/* Whether the data of training were scaled to their size. */
bool gan__meta_resized(const gan_checkpoint *c);

/* Model, fitted options and task out of a checkpoint. */
gan_status gan__meta_recipe(const gan_checkpoint *c, struct gan__recipe *r, gan_err *err);

/* A whole number of the metadata; GAN_E_FORMAT when it is missing or malformed. */
gan_status gan__meta_i64(const gan_checkpoint *c, const char *key, int64_t *out, gan_err *err);

#endif

/* feeds.h: a batch of the data as feeds of a plan. */
#ifndef GAN_RUN_FEEDS_H
#define GAN_RUN_FEEDS_H

#include <gan/model.h>
#include <gan/plan.h>

enum { GAN__MAX_FIELDS = 5 };

/* The fields (gan_field bits) of a batch under their names; returns their number. */
size_t gan__batch_feeds(const struct gan_batch *b, uint32_t fields,
                        struct gan_feed_data feeds[GAN__MAX_FIELDS]);

#endif

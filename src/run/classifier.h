/* classifier.h: counting how often a classifier is right; see gan/classifier.h. */
#ifndef GAN_RUN_CLASSIFIER_H
#define GAN_RUN_CLASSIFIER_H

#include <gan/classifier.h>
#include <gan/features.h>
#include <gan/model.h>
#include <gan/nn.h>

enum { GAN__CLASSIFIER_LAYERS = GAN_NET_MAX_OUT - 2 }; /* inner ones, at most */

/* Its model and its network. */
const struct gan_model *gan__classifier_model(const gan_classifier *c);
const gan_net *gan__classifier_net(const gan_classifier *c);

/* How many stages it shows and what each sees, before it is halved: "stage0", "stage1", ... */
int gan__classifier_layers(const gan_classifier *c, const struct gan_feature_layer **at);

/* What the stages make of images, each [n, layer's height, width, channels]. */
gan_status gan__classifier_look(gan_classifier *c, const float *hwc, int64_t n,
                                float *const *layers, gan_err *err);

/* A score of nothing yet. */
struct gan_classifier_score gan__score_of(const struct gan_classifier_info *i);

/* One image: its true class against its scores. Sums of the loss stay in `loss`. */
void gan__score_count(struct gan_classifier_score *s, const float *logits, int64_t classes,
                      int32_t truth);

/* Sums to means, and Wilson's interval. */
void gan__score_conclude(struct gan_classifier_score *s);

#endif

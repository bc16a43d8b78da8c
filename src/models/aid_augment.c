/* aid_augment.c: the discriminator sees only augmented images, reals and fakes alike, in both updates:
 * differentiable augmentation, and augmentation whose probability p follows how sure the
 * discriminator is.
 *
 * ADA: r = E sign D(x) over reals is measured over four batches; then p moves by 4 N / images towards
 * more where r is above its target. Zhao et al. 2020, arXiv:2006.10738; Karras et al. 2020,
 * arXiv:2006.06676, section 3. */
#include "aids.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

enum { BATCHES = 4 };

static gan_status parse_diff(const char *text, struct gan__aid_augment *a, gan_err *err)
{
    static const char *const names[] = {"color", "translation", "cutout"};
    a->which = text == NULL ? GAN_AUGMENT_ALL : 0;
    while (text != NULL) {
        char word[24];
        size_t n = strcspn(text, ","), k = 0;
        if (!gan__format(word, sizeof word, "%.*s", (int)n, text)) {
            word[0] = '\0';
        }
        while (k < 3 && strcmp(word, names[k]) != 0) {
            k++;
        }
        if (k == 3) {
            return gan__fail(err, GAN_E_ARG,
                             "augmentation diff: '%.40s' is none of color, translation, cutout",
                             text);
        }
        a->which |= 1u << k;
        text = text[n] == ',' ? text + n + 1 : NULL;
    }
    return GAN_OK;
}

static gan_status parse_ada(const char *text, struct gan__aid_augment *a, gan_err *err)
{
    char target[32] = "0.6", images[32] = "500000";
    const char *comma = text != NULL ? strchr(text, ',') : NULL;
    int n = comma != NULL ? (int)(comma - text) : text != NULL ? (int)strlen(text) : 0;
    bool whole = text == NULL || gan__format(target, sizeof target, "%.*s", n, text);
    whole = whole && (comma == NULL || gan__copy(images, sizeof images, comma + 1));
    if (!whole || !gan__parse_f64(target, &a->target) || !gan__parse_f64(images, &a->images)) {
        return gan__fail(err, GAN_E_ARG, "augmentation ada: '%.40s', expected TARGET[,IMAGES]",
                         text);
    }
    if (!(a->target > -1 && a->target < 1) || !(a->images >= 1 && a->images <= 1e12)) {
        return gan__fail(err, GAN_E_RANGE,
                         "augmentation ada: target %s, allowed -1 to 1; images %s, at least 1",
                         target, images);
    }
    return GAN_OK;
}

gan_status gan__aid_augment_option(const char *text, void *field, gan_err *err)
{
    struct gan__aid_augment a = {.kind = GAN__AUGMENT_NONE};
    const char *colon = strchr(text, ':');
    size_t n = strcspn(text, ":");
    if (n == 4 && strncmp(text, "diff", n) == 0) {
        a.kind = GAN__AUGMENT_DIFF;
        GAN_TRY(parse_diff(colon != NULL ? colon + 1 : NULL, &a, err));
    } else if (n == 3 && strncmp(text, "ada", n) == 0) {
        a.kind = GAN__AUGMENT_ADA;
        GAN_TRY(parse_ada(colon != NULL ? colon + 1 : NULL, &a, err));
    } else if (strcmp(text, "none") != 0) {
        return gan__fail(err, GAN_E_ARG,
                         "augmentation '%.40s': expected none, diff[:color,translation,cutout] or "
                         "ada[:TARGET,IMAGES]",
                         text);
    }
    memcpy(field, &a, sizeof a);
    return GAN_OK;
}

static gan_val uniform(void *step, const char *name, gan_shape shape)
{
    return gan_noise_uniform(step, name, shape);
}

static gan_val normal(void *step, const char *name, gan_shape shape)
{
    return gan_noise_normal(step, name, shape);
}

gan_val gan__aid_augment(gan_step *s, const struct gan__aid_augment *a, gan_val x)
{
    const struct gan_draws d = {uniform, normal, s};
    gan_graph *g = gan_step_graph(s);
    if (a->kind == GAN__AUGMENT_DIFF) {
        return gan_augment_diff(g, x, a->which, &d);
    }
    return a->kind == GAN__AUGMENT_ADA
               ? gan_augment_ada(g, x, gan_kept(s, "ada.p", gan_shape_scalar(), 0), &d)
               : x;
}

void gan__aid_augment_adapt(gan_step *s, const struct gan__aid_augment *a, gan_val on_real)
{
    gan_graph *g = gan_step_graph(s);
    if (a->kind != GAN__AUGMENT_ADA) {
        return;
    }
    gan_val p = gan_kept(s, "ada.p", gan_shape_scalar(), 0);
    gan_val signs = gan_add(g, gan_kept(s, "ada.signs", gan_shape_scalar(), 0),
                            gan_mean_all(g, gan_sign(g, on_real)));
    gan_val count = gan_shift(g, gan_kept(s, "ada.batches", gan_shape_scalar(), 0), 1);
    gan_val due = gan_greater_equal(g, count, gan_const(g, BATCHES)), zero = gan_const(g, 0);
    double step = BATCHES * (double)gan_step_batch(s) / a->images;
    gan_val above = gan_sign(g, gan_shift(g, gan_scale(g, signs, 1.0 / BATCHES), -a->target));
    gan_val moved = gan_clamp(g, gan_add(g, p, gan_scale(g, above, step)), 0, 1);
    p = gan_select(g, due, moved, p);
    gan_report(s, "ada.p", p);
    gan_keep(s, "ada.p", p);
    gan_keep(s, "ada.signs", gan_select(g, due, zero, signs));
    gan_keep(s, "ada.batches", gan_select(g, due, zero, count));
}

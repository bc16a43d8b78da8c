/* aid_augment.c: the discriminator sees only augmented images, reals and fakes alike, in both updates:
 * differentiable augmentation, and augmentation whose probability p follows how sure the
 * discriminator is, or a schedule.
 *
 * ADA: r = E sign D(x) over reals is measured over four batches; then p moves by 4 N / images towards
 * more where r is above its target. Zhao et al. 2020, arXiv:2006.10738; Karras et al. 2020,
 * arXiv:2006.06676, section 3. A p on a schedule: Huang et al. 2024, arXiv:2501.05441. */
#include "aids.h"
#include "base/args.h"
#include "base/err.h"
#include "base/str.h"

#include <math.h>
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

/* "filter" or "filter*.5" */
static gan_status parse_group(const char *word, struct gan_ada *out, gan_err *err)
{
    static const struct {
        const char *name, *letters;
    } sets[] = {{"bg", "bg"},         {"bgc", "bgc"}, {"bgcf", "bgcf"}, {"bgcfn", "bgcfn"},
                {"bgcfnc", "bgcfnx"}, {"blit", "b"},  {"geom", "g"},    {"color", "c"},
                {"filter", "f"},      {"noise", "n"}, {"cutout", "x"},  {NULL, NULL}};
    double *const strength[] = {&out->blit,   &out->geom,  &out->color,
                                &out->filter, &out->noise, &out->cutout};
    const char *star = strchr(word, '*');
    double times = 1;
    size_t length = star != NULL ? (size_t)(star - word) : strlen(word);
    if (star != NULL && (!gan__parse_f64(star + 1, &times) || !(times >= 0 && times <= 1))) {
        return gan__fail(err, GAN_E_RANGE, "augmentation: strength '%.40s', allowed 0 to 1",
                         star + 1);
    }
    for (int i = 0; sets[i].name != NULL; i++) {
        if (strlen(sets[i].name) == length && strncmp(sets[i].name, word, length) == 0) {
            for (const char *l = sets[i].letters; *l != '\0'; l++) {
                *strength[strchr("bgcfnx", *l) - "bgcfnx"] = times;
            }
            return GAN_OK;
        }
    }
    return gan__fail(err, GAN_E_ARG,
                     "augmentation: '%.40s' is none of blit, geom, color, filter, noise, cutout, "
                     "bg, bgc, bgcf, bgcfn, bgcfnc",
                     word);
}

/* "bgc+filter+color*.5" */
static gan_status parse_groups(const char *text, struct gan_ada *out, gan_err *err)
{
    *out = (struct gan_ada){0};
    while (text != NULL) {
        char word[48];
        size_t n = strcspn(text, "+");
        if (!gan__format(word, sizeof word, "%.*s", (int)n, text)) {
            return gan__fail(err, GAN_E_ARG, "augmentation: group '%.40s..' is too long", text);
        }
        GAN_TRY(parse_group(word, out, err));
        text = text[n] == '+' ? text + n + 1 : NULL;
    }
    return GAN_OK;
}

/* "[:TARGET,IMAGES]" */
static gan_status parse_ada(const char *text, struct gan__aid_augment *a, gan_err *err)
{
    static const struct gan__arg table[] = {
        {"target", 0.6, -0.999999, 0.999999}, {"images", 500000, 1, 1e12}, {NULL, 0, 0, 0}};
    double value[2];
    GAN_TRY(gan__args_parse("augmentation ada", text, table, value, err));
    a->target = value[0];
    a->images = value[1];
    return GAN_OK;
}

/* ":P", ":P..P@SCHEDULE" */
static gan_status parse_random(const char *text, struct gan__aid_augment *a, gan_err *err)
{
    static const struct gan__arg table[] = {{"probability", 0.2, 0, 1}, {NULL, 0, 0, 0}};
    char numbers[64];
    const char *at = text != NULL ? strchr(text, '@') : NULL;
    if (text != NULL && !gan__format(numbers, sizeof numbers, "%.*s",
                                     at != NULL ? (int)(at - text) : (int)strlen(text), text)) {
        return gan__fail(err, GAN_E_ARG, "augmentation random: '%.40s..' is too long", text);
    }
    GAN_TRY(gan__args_parse_moving("augmentation random", text != NULL ? numbers : NULL, table,
                                   &a->p, &a->to, err));
    if (at != NULL) {
        GAN_TRY(gan_schedule_parse(at + 1, &a->schedule, err));
    }
    a->moves = !isnan(a->to);
    if (a->moves && a->schedule.kind == GAN_SCHEDULE_CONSTANT) {
        return gan__fail(err, GAN_E_ARG,
                         "augmentation random: probability is %s, a schedule must say how it "
                         "moves, such as @cosine",
                         numbers);
    }
    a->to = a->moves ? a->to : 0;
    return GAN_OK;
}

/* What stands between the name and the groups, NULL for nothing. */
static gan_status parse_probable(const char *text, size_t name, struct gan__aid_augment *a,
                                 gan_err *err)
{
    char middle[96];
    const char *slash = strchr(text, '/');
    const char *first = text[name] == ':' ? text + name + 1 : NULL;
    size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
    a->groups = GAN_ADA_BGC;
    if (slash != NULL) {
        GAN_TRY(parse_groups(slash + 1, &a->groups, err));
    }
    if (first != NULL &&
        !gan__format(middle, sizeof middle, "%.*s", (int)(text + n - first), first)) {
        return gan__fail(err, GAN_E_ARG, "augmentation '%.40s..' is too long", text);
    }
    return a->kind == GAN__AUGMENT_ADA ? parse_ada(first != NULL ? middle : NULL, a, err)
                                       : parse_random(first != NULL ? middle : NULL, a, err);
}

gan_status gan__aid_augment_option(const char *text, void *field, gan_err *err)
{
    struct gan__aid_augment a = {.kind = GAN__AUGMENT_NONE};
    const char *colon = strchr(text, ':');
    size_t n = strcspn(text, ":/");
    if (n == 4 && strncmp(text, "diff", n) == 0 && text[n] != '/') {
        a.kind = GAN__AUGMENT_DIFF;
        GAN_TRY(parse_diff(colon != NULL ? colon + 1 : NULL, &a, err));
    } else if (n == 3 && strncmp(text, "ada", n) == 0) {
        a.kind = GAN__AUGMENT_ADA;
        GAN_TRY(parse_probable(text, n, &a, err));
    } else if (n == 6 && strncmp(text, "random", n) == 0) {
        a.kind = GAN__AUGMENT_RANDOM;
        GAN_TRY(parse_probable(text, n, &a, err));
    } else if (strcmp(text, "none") != 0) {
        return gan__fail(err, GAN_E_ARG,
                         "augmentation '%.40s': expected none, diff[:color,translation,cutout], "
                         "ada[:TARGET,IMAGES][/GROUPS] or random[:P][@SCHEDULE][/GROUPS]",
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

static double random_p(const void *augment, const struct gan_moment *m)
{
    const struct gan__aid_augment *a = augment;
    int64_t t = m->iteration + 1, horizon = m->steps > 0 ? m->steps : 1;
    return a->moves ? gan_schedule_between(&a->schedule, a->p, a->to, t, horizon)
                    : a->p * gan_schedule_factor(&a->schedule, t, horizon);
}

static gan_val probability(gan_step *s, const struct gan__aid_augment *a)
{
    if (a->kind == GAN__AUGMENT_ADA) {
        return gan_kept(s, "ada.p", gan_shape_scalar(), 0);
    }
    if (gan_schedule_needs_horizon(&a->schedule)) {
        gan_step_needs_length(s, "the schedule of --augment");
    }
    return gan_step_scalar(s, "augment.p", random_p, a);
}

gan_val gan__aid_augment(gan_step *s, const struct gan__aid_augment *a, gan_val x)
{
    const struct gan_draws d = {uniform, normal, s};
    gan_graph *g = gan_step_graph(s);
    if (a->kind == GAN__AUGMENT_DIFF) {
        return gan_augment_diff(g, x, a->which, &d);
    }
    return a->kind == GAN__AUGMENT_NONE ? x
                                        : gan_augment_ada(g, x, probability(s, a), &a->groups, &d);
}

void gan__aid_augment_adapt(gan_step *s, const struct gan__aid_augment *a, gan_val on_real)
{
    gan_graph *g = gan_step_graph(s);
    if (a->kind == GAN__AUGMENT_RANDOM) {
        gan_report(s, "augment.p", probability(s, a));
    }
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

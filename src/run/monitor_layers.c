/* monitor_layers.c: gradients that vanish or explode, layer by layer.
 *
 * A layer's gradient is too small at 1e-5 of the median layer of its network, or of what
 * its own running median has been at most: with plain SGD such a layer needs a hundred thousand steps for what the others do in one,
 * and Adam (epsilon 1e-8, gradients around 1e-3) no longer normalises it. Healthy networks spread
 * over two or three decades. It is too large at 100 times its running median: single spikes of ten
 * to twenty are usual in GANs. Both must last, so that a layer that starts at zero (a residual
 * branch whose last weight is zero) or one odd batch is no alarm. */
#include "monitor_layers.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/number.h"
#include "base/str.h"

#include <math.h>
#include <string.h>

static const double vanishes = 1e-5, explodes = 100;
enum { LOW_STEPS = 50, HIGH_STEPS = 5 };

void gan__level_add(struct gan__level *l, double v)
{
    if (!(v > 0) || !isfinite(v)) {
        return;
    }
    double x = log2(v), step = fmin(2, 8.0 / (double)(l->seen + 1));
    const double least = 1.0 / 200;
    if (l->seen++ == 0) {
        l->log2 = x;
        return;
    }
    step = step > least ? step : least;
    l->log2 += fmin(fmax(x - l->log2, -step), step);
    if (l->seen == GAN__LEVEL_WARM || (l->seen > GAN__LEVEL_WARM && l->log2 > l->height)) {
        l->height = l->log2;
    }
}

double gan__level_value(const struct gan__level *l)
{
    return l->seen >= GAN__LEVEL_WARM ? exp2(l->log2) : 0;
}

double gan__level_height(const struct gan__level *l)
{
    return l->seen >= GAN__LEVEL_WARM ? exp2(l->height) : 0;
}

/* --- grouping ------------------------------------------------------------------------------------ */

static int net_of(const struct gan__session *s, const char *weight)
{
    for (int i = 0; i < s->nets.n; i++) {
        const char *name = gan_net_name(s->nets.net[i]);
        size_t len = strlen(name);
        if (strncmp(weight, name, len) == 0 && weight[len] == '.') {
            return i;
        }
    }
    return 0;
}

/* Index of the layer a weight belongs to, a new one at the end; -1 when memory is short. */
static int layer_of(struct gan__layers *l, const struct gan__session *s, const char *weight)
{
    const char *dot = strrchr(weight, '.');
    size_t len = dot != NULL ? (size_t)(dot - weight) : strlen(weight);
    for (int i = l->n - 1; i >= 0; i--) {
        if (strncmp(l->layer[i].name, weight, len) == 0 && l->layer[i].name[len] == '\0') {
            return i;
        }
    }
    static const char prefix[] = "grad.";
    char *key = gan__arena_array(&l->arena, sizeof prefix + len, 1);
    if (key == NULL) {
        return -1;
    }
    memcpy(key, prefix, sizeof prefix - 1);
    memcpy(key + sizeof prefix - 1, weight, len);
    l->layer[l->n] =
        (struct gan__layer){.name = key + sizeof prefix - 1, .key = key, .net = net_of(s, weight)};
    return l->n++;
}

gan_status gan__layers_init(struct gan__layers *l, const struct gan__session *s, gan_err *err)
{
    size_t weights = 0;
    *l = (struct gan__layers){0};
    for (int i = 0; i < s->n_phases; i++) {
        weights += (size_t)s->phase[i].segment->n_gradients;
    }
    l->layer = gan__arena_array(&l->arena, weights + 1, sizeof *l->layer);
    l->scratch = gan__arena_array(&l->arena, weights + 1, sizeof *l->scratch);
    bool good = l->layer != NULL && l->scratch != NULL;
    for (int i = 0; i < s->n_phases && good; i++) {
        const struct gan__segment *seg = s->phase[i].segment;
        l->of[i] = gan__arena_array(&l->arena, (size_t)seg->n_gradients + 1, sizeof **l->of);
        good = l->of[i] != NULL;
        for (int k = 0; k < seg->n_gradients && good; k++) {
            l->of[i][k] = layer_of(l, s, seg->gradient[k].weight);
            good = l->of[i][k] >= 0;
        }
    }
    return good ? GAN_OK : gan__fail_nomem(err, weights * sizeof *l->layer, "norms of layers");
}

void gan__layers_release(struct gan__layers *l)
{
    gan__arena_release(&l->arena);
    *l = (struct gan__layers){0};
}

void gan__layers_forget(struct gan__layers *l)
{
    for (int i = 0; i < l->n; i++) {
        l->layer[i].usual = (struct gan__level){0};
        l->layer[i].low_for = l->layer[i].high_for = 0;
    }
}

/* --- looking ------------------------------------------------------------------------------------- */

/* Phases that do not run in every iteration are left out: theirs are other gradients, or old ones. */
static void read_norms(struct gan__layers *l, const struct gan__session *s)
{
    for (int i = 0; i < l->n; i++) {
        l->layer[i].norm = 0;
    }
    for (int i = 0; i < s->n_phases; i++) {
        const struct gan__phase *p = &s->phase[i];
        bool always = !p->segment->repeated || p->segment->runs.every <= 1;
        for (int k = 0; always && k < p->segment->n_gradients; k++) {
            const gan_tensor *out = gan_plan_output(p->plan, p->segment->n_reports + k);
            l->layer[l->of[i][k]].norm += gan_tensor_get(out, 0);
        }
    }
    for (int i = 0; i < l->n; i++) {
        l->layer[i].norm = sqrt(l->layer[i].norm);
    }
}

/* Each layer is told the median of its network. */
static void find_medians(struct gan__layers *l, int nets)
{
    for (int net = 0; net < nets; net++) {
        size_t n = 0;
        for (int i = 0; i < l->n; i++) {
            if (l->layer[i].net == net) {
                l->scratch[n++] = l->layer[i].norm;
            }
        }
        gan__sort_f64(l->scratch, n);
        for (int i = 0; i < l->n; i++) {
            if (l->layer[i].net == net) {
                l->layer[i].median = l->scratch[n / 2];
            }
        }
    }
}

static void judge(struct gan__layer *a)
{
    double usual = gan__level_value(&a->usual);
    bool low = a->norm <= vanishes * a->median || a->norm < vanishes * gan__level_height(&a->usual);
    bool high = usual > 0 && a->norm > explodes * usual;
    a->low_for = low ? a->low_for + 1 : 0;
    a->high_for = high ? a->high_for + 1 : 0;
    gan__level_add(&a->usual, a->norm);
}

void gan__layers_look(struct gan__layers *l, const struct gan__session *s)
{
    read_norms(l, s);
    find_medians(l, s->nets.n);
    for (int i = 0; i < l->n; i++) {
        judge(&l->layer[i]);
    }
}

const struct gan__layer *gan__layers_vanishing(const struct gan__layers *l, int *count)
{
    const struct gan__layer *worst = NULL;
    *count = 0;
    for (int i = 0; i < l->n; i++) {
        if (l->layer[i].low_for >= LOW_STEPS) {
            worst = worst == NULL || l->layer[i].norm < worst->norm ? &l->layer[i] : worst;
            ++*count;
        }
    }
    return worst;
}

const struct gan__layer *gan__layers_exploding(const struct gan__layers *l, int *count)
{
    const struct gan__layer *worst = NULL;
    *count = 0;
    for (int i = 0; i < l->n; i++) {
        if (l->layer[i].high_for >= HIGH_STEPS) {
            worst = worst == NULL || l->layer[i].norm > worst->norm ? &l->layer[i] : worst;
            ++*count;
        }
    }
    return worst;
}

double gan__layers_total(const struct gan__layers *l, int net)
{
    double sum = 0;
    for (int i = 0; i < l->n; i++) {
        sum += l->layer[i].net == net ? l->layer[i].norm * l->layer[i].norm : 0;
    }
    return sqrt(sum);
}

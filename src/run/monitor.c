/* monitor.c: from figures to alarms. Each kind is a condition over time: so many bad looks in a row
 * raise it, so many good ones end it, and it is told once each way.
 *
 * Collapse: the fakes are spread less than a quarter as wide as the reals, in D's features and in
 * pooled pixels alike (features alone would shrink when D merely despises all fakes), or more than
 * half are duplicates by the measure at which a twentieth of the reals are, and they are not spread
 * as wide as the reals either; five looks in a row, so that a passing dip is none. A generator that
 * never was spread has four times as long: it starts that way.
 *
 * D has won: it scores every real above every fake (separation .999), three looks in a row, and the
 * generator's gradient has fallen to a twentieth of the most its running median has been. Without the second there is
 * no harm: a good critic separates and still teaches (Arjovsky and Bottou 2017, arXiv:1701.04862). */
#include "monitor.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double narrow = 0.25, wide = 0.5, many_alike = 0.5, as_wide = 0.7;
static const double narrow_over = 0.35, alike_over = 0.4;
static const double separates = 0.999, separates_over = 0.99, fallen = 0.05, fallen_over = 0.1;
enum { COLLAPSE_LOOKS = 5, NEVER_SPREAD_LOOKS = 20, WON_LOOKS = 3, OVER_LOOKS = 2 };
enum { CALM_STEPS = 50 };

/* --- from birth to death -------------------------------------------------------------------------- */

gan_status gan__monitor_compile(struct gan__monitor *m, struct gan__session *s, gan_err *err)
{
    *m = (struct gan__monitor){.every = s->recipe->run.monitor_every, .gen = -1};
    if (m->every == 0) {
        return GAN_OK;
    }
    for (int i = 0; i < s->nets.n; i++) {
        if (strcmp(gan_net_name(s->nets.net[i]), "gen") == 0) {
            m->gen = i;
        }
    }
    GAN_TRY(gan__layers_init(&m->layers, s, err));
    return gan__samples_compile(&m->samples, s, err);
}

gan_status gan__monitor_start(struct gan__monitor *m, struct gan__session *s, gan_err *err)
{
    return m->every > 0 ? gan__samples_start(&m->samples, s, err) : GAN_OK;
}

void gan__monitor_release(struct gan__monitor *m)
{
    gan__layers_release(&m->layers);
    gan__samples_release(&m->samples);
    *m = (struct gan__monitor){0};
}

void gan__monitor_forget(struct gan__monitor *m)
{
    gan__layers_forget(&m->layers);
    m->samples.last = (struct gan__look){(double)NAN, (double)NAN, (double)NAN, (double)NAN};
    m->usual = (struct gan__level){0};
    m->n_recent = 0;
    memset(m->recent, 0, sizeof m->recent);
    m->spread_once = 0;
    memset(m->condition, 0, sizeof m->condition);
    m->n_alarms = 0;
    m->stands = 0;
}

/* --- conditions ---------------------------------------------------------------------------------- */

static int number_of(gan_alarm_kind kind)
{
    int i = 0;
    while ((1 << i) != (int)kind) {
        i++;
    }
    return i;
}

/* A new alarm of this look, to be given its evidence. */
static struct gan__alarm *tell(struct gan__monitor *m, gan_alarm_kind kind, int64_t step)
{
    const struct gan__condition *c = &m->condition[number_of(kind)];
    struct gan__alarm *a = &m->alarm[m->n_alarms++];
    *a = (struct gan__alarm){.about = {.kind = kind,
                                       .name = gan_alarm_name(kind),
                                       .over = c->stands == 0,
                                       .step = step,
                                       .since = c->since,
                                       .remedy = gan__alarm_remedy(kind),
                                       .back_to = -1}};
    a->about.where = a->where;
    a->about.evidence = a->evidence;
    if (c->stands != 0) {
        m->stands |= (uint32_t)kind;
        m->raised++;
    } else {
        m->stands &= ~(uint32_t)kind;
    }
    return a;
}

static void add(struct gan__alarm *a, const char *name, double value)
{
    if (a != NULL && a->about.n_evidence < GAN__MAX_EVIDENCE && !isnan(value)) {
        a->evidence[a->about.n_evidence++] = (struct gan_evidence){name, value};
    }
}

/* One look at a condition; the alarm when it starts or ends, else NULL. */
static struct gan__alarm *look_at(struct gan__monitor *m, gan_alarm_kind kind, int64_t step,
                                  bool bad, bool good, int64_t raise_after, int64_t over_after)
{
    struct gan__condition *c = &m->condition[number_of(kind)];
    if (bad && c->bad++ == 0 && c->stands == 0) {
        c->since = step;
    }
    c->bad = bad ? c->bad : 0;
    c->good = good ? c->good + 1 : 0;
    if (c->stands == 0 && c->bad >= raise_after) {
        c->stands = 1;
        return tell(m, kind, step);
    }
    if (c->stands != 0 && c->good >= over_after) {
        c->stands = 0;
        return tell(m, kind, step);
    }
    return NULL;
}

/* --- samples ------------------------------------------------------------------------------------- */

static void look_at_spread(struct gan__monitor *m, int64_t step)
{
    const struct gan__look *l = &m->samples.last;
    bool thin = l->spread < narrow && l->pixel_spread < wide;
    bool alike = l->duplicates > many_alike && l->spread < as_wide && l->pixel_spread < as_wide;
    bool good = (l->spread > narrow_over || l->pixel_spread > wide) &&
                (l->duplicates < alike_over || l->spread > as_wide || l->pixel_spread > as_wide);
    if (l->spread > wide && l->duplicates < many_alike) {
        m->spread_once = 1;
    }
    int64_t after = m->spread_once != 0 ? COLLAPSE_LOOKS : NEVER_SPREAD_LOOKS;
    struct gan__alarm *a =
        look_at(m, GAN_ALARM_COLLAPSE, step, thin || alike, good, after, OVER_LOOKS);
    add(a, "spread", l->spread);
    if (m->samples.features) {
        add(a, "pixel_spread", l->pixel_spread);
    }
    add(a, "duplicates", l->duplicates);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Norm of the generator's gradient of late over the most its running median has been; NAN while
 * that is not known. */
static double gen_fall(const struct gan__monitor *m)
{
    double v[GAN__RECENT];
    double height = gan__level_height(&m->usual);
    if (m->gen < 0 || m->n_recent < GAN__RECENT || height <= 0) {
        return (double)NAN;
    }
    memcpy(v, m->recent, sizeof v);
    qsort(v, GAN__RECENT, sizeof *v, ascending);
    return v[GAN__RECENT / 2] / height;
}

static void look_at_winner(struct gan__monitor *m, int64_t step)
{
    double sep = m->samples.last.separation, fall = gen_fall(m);
    bool bad = sep >= separates && fall < fallen;
    bool good = sep < separates_over || fall > fallen_over;
    struct gan__alarm *a = look_at(m, GAN_ALARM_WON, step, bad, good, WON_LOOKS, OVER_LOOKS);
    add(a, "separation", sep);
    add(a, "gen_grad_norm", fall * gan__level_height(&m->usual));
    add(a, "usual", gan__level_height(&m->usual));
}

/* --- gradients ----------------------------------------------------------------------------------- */

static void name_layer(struct gan__alarm *a, const struct gan__layer *worst, int count)
{
    if (a == NULL) {
        return;
    }
    if (worst != NULL) {
        (void)gan__copy(a->where, sizeof a->where, worst->name);
        add(a, "grad_norm", worst->norm);
        add(a, "median_of_layers", worst->median);
        add(a, "usual", gan__level_value(&worst->usual));
        add(a, "usual_at_most", gan__level_height(&worst->usual));
    }
    add(a, "layers", count);
}

static void look_at_layers(struct gan__monitor *m, const struct gan__session *s, int64_t step)
{
    int count;
    gan__layers_look(&m->layers, s);
    const struct gan__layer *worst = gan__layers_vanishing(&m->layers, &count);
    struct gan__alarm *a =
        look_at(m, GAN_ALARM_VANISHING, step, count > 0, count == 0, 1, CALM_STEPS);
    name_layer(a, worst, count);
    if (a != NULL && worst != NULL) {
        a->about.since = m->condition[number_of(GAN_ALARM_VANISHING)].since =
            step - worst->low_for + 1;
    }
    worst = gan__layers_exploding(&m->layers, &count);
    a = look_at(m, GAN_ALARM_EXPLODING, step, count > 0, count == 0, 1, CALM_STEPS);
    name_layer(a, worst, count);
    if (m->gen >= 0) {
        double norm = gan__layers_total(&m->layers, m->gen);
        memmove(m->recent + 1, m->recent, (GAN__RECENT - 1) * sizeof *m->recent);
        m->recent[0] = norm;
        m->n_recent++;
        gan__level_add(&m->usual, norm);
    }
}

/* --- a look -------------------------------------------------------------------------------------- */

gan_status gan__monitor_look(struct gan__monitor *m, struct gan__session *s, gan_err *err)
{
    int64_t step = gan__session_count(s, s->iteration);
    m->n_alarms = 0;
    if (m->every == 0) {
        return GAN_OK;
    }
    (void)look_at(m, GAN_ALARM_NAN, step, false, true, 1, 1); /* over: this one was finite */
    look_at_layers(m, s, step);
    if (step % m->every == 0) {
        GAN_TRY(gan__samples_look(&m->samples, s, err));
        look_at_spread(m, step);
        look_at_winner(m, step);
    }
    return GAN_OK;
}

void gan__monitor_diverged(struct gan__monitor *m, const struct gan__session *s)
{
    int64_t step = gan__session_count(s, s->iteration);
    struct gan__condition *c = &m->condition[number_of(GAN_ALARM_NAN)];
    m->n_alarms = 0;
    *c = (struct gan__condition){.stands = 1, .since = step + 1};
    struct gan__alarm *a = tell(m, GAN_ALARM_NAN, step);
    const char *node = s->bad.node[0] != '\0' ? s->bad.node : s->bad.report;
    (void)gan__copy(a->where, sizeof a->where, node);
    add(a, "iteration", (double)step + 1);
}

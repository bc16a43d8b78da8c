/* monitor_alarm.c: names, remedies and lines of alarms. */
#include "monitor.h"

#include "base/err.h"

#include <inttypes.h>
#include <math.h>

static const struct {
    gan_alarm_kind kind;
    const char *name, *remedy;
} table[GAN__ALARM_KINDS] = {
    {GAN_ALARM_COLLAPSE, "mode-collapse",
     "show D several samples at once or smooth it: packing, minibatch features, --reg gp:10 or "
     "r1:1; or lower the rate of --optim-gen"},
    {GAN_ALARM_WON, "discriminator-won",
     "weaken D: a lower rate in --optim-disc, --n-critic 1, --reg gp:10 or r1:1; and "
     "--loss nonsaturating instead of minimax"},
    {GAN_ALARM_VANISHING, "vanishing-gradient",
     "normalise (--norm-gen, --norm-disc batch or layer), larger initial weights or fewer layers; "
     "a weaker D when it scores without error"},
    {GAN_ALARM_EXPLODING, "exploding-gradient",
     "lower the learning rate of this network, or bound its slope: --reg sn, gp:10 or r1:1; with "
     "clip:W another W"},
    {GAN_ALARM_NAN, "not-finite",
     "lower the learning rates; --reg sn or gp:10; --precision f32; --on-alarm rollback goes back "
     "to a checkpoint"},
};

const char *gan_alarm_name(gan_alarm_kind kind)
{
    for (int i = 0; i < GAN__ALARM_KINDS; i++) {
        if (table[i].kind == kind) {
            return table[i].name;
        }
    }
    return NULL;
}

const char *gan__alarm_remedy(gan_alarm_kind kind)
{
    for (int i = 0; i < GAN__ALARM_KINDS; i++) {
        if (table[i].kind == kind) {
            return table[i].remedy;
        }
    }
    return "";
}

/* Four digits say what there is to say, and keep the log small. */
static double rounded(double v)
{
    if (!isfinite(v) || v == 0) {
        return v;
    }
    double scale = pow(10, 3 - floor(log10(fabs(v))));
    return isfinite(scale) && scale > 0 ? round(v * scale) / scale : v;
}

void gan__monitor_log(const struct gan__monitor *m, struct gan__runlog *l)
{
    const struct gan__look *look = &m->samples.last;
    if (m->every == 0) {
        return;
    }
    if (m->samples.on) {
        gan__runlog_number(l, "fake.spread", rounded(look->spread));
        gan__runlog_number(l, "fake.duplicates", rounded(look->duplicates));
    }
    if (m->samples.scores) {
        gan__runlog_number(l, "disc.separation", rounded(look->separation));
    }
    for (int i = 0; i < m->layers.n; i++) {
        gan__runlog_number(l, m->layers.layer[i].key, rounded(m->layers.layer[i].norm));
    }
}

gan_status gan__alarm_log(struct gan__runlog *l, int64_t step, double time_s,
                          const struct gan_train_alarm *a, gan_err *err)
{
    gan__runlog_begin(l, step);
    gan__runlog_number(l, "time_s", time_s);
    gan__runlog_text(l, "alarm", a->name);
    if (a->over) {
        gan__runlog_text(l, "state", "over");
    }
    if (a->back_to >= 0) { /* the line stands at the iteration the run went back to */
        gan__runlog_number(l, "at", (double)a->step);
        gan__runlog_number(l, "rollback", (double)a->back_to);
    }
    gan__runlog_number(l, "since", (double)a->since);
    if (a->where[0] != '\0') {
        gan__runlog_text(l, "where", a->where);
    }
    gan__runlog_open_object(l, "evidence");
    for (int i = 0; i < a->n_evidence; i++) {
        gan__runlog_number(l, a->evidence[i].name, rounded(a->evidence[i].value));
    }
    gan__runlog_close_object(l);
    if (!a->over) {
        gan__runlog_text(l, "remedy", a->remedy);
    }
    return gan__runlog_end(l, err);
}

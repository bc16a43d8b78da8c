/* schedule.c: factors of a learning rate or a weight over a run. */
#include "base/args.h"
#include "base/err.h"
#include "base/str.h"
#include <gan/optim.h>

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* In the order of gan_schedule_kind. */
static const struct kind {
    const char *name;
    struct gan__arg args[3];
    bool horizon;
} kinds[] = {
    {"constant", {{0}}, false},
    {"linear", {{"end", 0, 0, 1}, {0}}, true},
    {"hold", {{"fraction", 0.5, 0, 1}, {0}}, true},
    {"step", {{"updates", 10000, 1, 1e15}, {"factor", 0.1, 0, 1}, {0}}, false},
    {"cosine", {{"end", 0, 0, 1}, {0}}, true},
};

enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

gan_status gan_schedule_parse(const char *text, struct gan_schedule *out, gan_err *err)
{
    char head[32];
    const char *rest, *names[N_KINDS];
    bool whole = gan__args_head(text, head, sizeof head, &rest);
    for (int i = 0; i < N_KINDS; i++) {
        names[i] = kinds[i].name;
        if (whole && strcmp(head, names[i]) == 0) {
            double values[2] = {0};
            GAN_TRY(gan__args_parse(head, rest, kinds[i].args, values, err));
            *out = (struct gan_schedule){(gan_schedule_kind)i, values[0], values[1]};
            return GAN_OK;
        }
    }
    const char *near = gan__nearest_name(head, names, N_KINDS);
    return gan__fail(err, GAN_E_ARG, "unknown schedule '%.60s'%s%s%s", text,
                     near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

bool gan_schedule_needs_horizon(const struct gan_schedule *s)
{
    return kinds[s->kind].horizon;
}

double gan_schedule_factor(const struct gan_schedule *s, int64_t t, int64_t horizon)
{
    double done = (double)(t - 1); /* updates before this one */
    double part = horizon > 0 ? fmin(done / (double)horizon, 1) : 0;
    gan__assert(horizon > 0 || !kinds[s->kind].horizon);
    switch (s->kind) {
    case GAN_SCHEDULE_CONSTANT:
        return 1;
    case GAN_SCHEDULE_LINEAR:
        return s->a + (1 - s->a) * (1 - part);
    case GAN_SCHEDULE_HOLD:
        return part <= s->a ? 1 : (1 - part) / (1 - s->a);
    case GAN_SCHEDULE_STEP:
        return pow(s->b, floor(done / s->a));
    case GAN_SCHEDULE_COSINE:
        return s->a + (1 - s->a) * 0.5 * (1 + cos(pi * part));
    }
    return 1;
}

double gan_schedule_between(const struct gan_schedule *s, double from, double to, int64_t t,
                            int64_t horizon)
{
    struct gan_schedule whole = *s;
    if (s->kind == GAN_SCHEDULE_LINEAR || s->kind == GAN_SCHEDULE_COSINE) {
        whole.a = 0;
    }
    return to + (from - to) * gan_schedule_factor(&whole, t, horizon);
}

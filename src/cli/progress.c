/* progress.c: a line that is rewritten on a terminal, plain lines every few seconds elsewhere. */
#include "progress.h"

#include "out.h"

#include "base/file.h"
#include "base/str.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const double terminal_every_s = 0.2, plain_every_s = 5;

void gan__progress_started(void *ctx, const struct gan_train_start *start)
{
    struct gan__progress *s = ctx;
    char params[32], from[48] = "";
    s->terminal = gan__err_is_terminal();
    s->printed = start->step;
    s->next_s = gan__now_s() + (s->terminal ? 0 : 1);
    if (start->step > 0) {
        (void)gan__format(from, sizeof from, ", from step %" PRId64, start->step);
    }
    gan__say("train: %s on %s: %" PRId64 "x%" PRId64 "x%" PRId64 ", batch %" PRId64
             ", %s parameters, threads: %d%s",
             start->model, start->data, start->height, start->width, start->channels, start->batch,
             gan__text_count(params, sizeof params, start->params), start->threads, from);
    gan__say("train: run directory: %s", start->dir);
}

/* Seconds to go, negative when unknown. */
static double remaining(const struct gan_train_progress *p)
{
    double left = -1;
    if (p->stop > 0 && p->steps_per_s > 0) {
        left = (double)(p->stop - p->step) / p->steps_per_s;
    }
    if (p->limit_s > 0 && (left < 0 || p->limit_s - p->time_s < left)) {
        left = p->limit_s - p->time_s;
    }
    return left;
}

static void compose(const struct gan_train_progress *p, struct gan__str *text)
{
    gan__str_printf(text, "step %" PRId64, p->step);
    if (p->stop > 0) {
        gan__str_printf(text, "/%" PRId64, p->stop);
    }
    if (p->steps_per_s > 0) {
        gan__str_printf(text, p->steps_per_s >= 100 ? "  %.0f steps/s" : "  %.3g steps/s",
                        p->steps_per_s);
        gan__str_printf(text, "  %.0f images/s", p->images_per_s);
    }
    for (int i = 0; i < p->n; i++) {
        /* not a number: of a phase that did not run this time */
        if (gan__starts_with(p->names[i], "loss.") && !isnan(p->values[i])) {
            gan__str_printf(text, "  %s %.4g", p->names[i], p->values[i]);
        }
    }
    double left = remaining(p);
    if (left > 0) {
        char eta[32];
        gan__str_printf(text, "  %s left", gan__text_time(eta, sizeof eta, left));
    }
}

/* A longer line would go on in the next one, which a carriage return does not take back. */
static int terminal_columns(void)
{
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20;
    return known ? (int)size.ws_col : 80;
}

void gan__progress_step(void *ctx, const struct gan_train_progress *p)
{
    struct gan__progress *s = ctx;
    double now = gan__now_s();
    bool last = p->stop > 0 && p->step >= p->stop;
    if ((now < s->next_s && !last) || p->step == s->printed) {
        return;
    }
    struct gan__str text = {0};
    compose(p, &text);
    if (text.p != NULL && s->terminal) {
        (void)fprintf(stderr, "\r%.*s\033[K", terminal_columns() - 1, text.p);
        (void)fflush(stderr);
        s->shown = true;
    } else if (text.p != NULL) {
        (void)fprintf(stderr, "%s\n", text.p);
    }
    gan__str_release(&text);
    s->printed = p->step;
    s->next_s = now + (s->terminal ? terminal_every_s : plain_every_s);
}

void gan__progress_clear(struct gan__progress *s)
{
    if (s->shown) {
        (void)fputs("\n", stderr);
        s->shown = false;
    }
}

void gan__progress_alarm(void *ctx, const struct gan_train_alarm *a)
{
    struct gan__str text = {0};
    gan__progress_clear(ctx);
    for (int i = 0; i < a->n_evidence; i++) {
        gan__str_printf(&text, "%s %.3g, ", a->evidence[i].name, a->evidence[i].value);
    }
    gan__say("train: %s %s at step %" PRId64 "%s%s (%ssince step %" PRId64 ")",
             a->over ? "over:" : "alarm:", a->name, a->step, a->where[0] != '\0' ? ", " : "",
             a->where, text.p != NULL ? text.p : "", a->since);
    gan__str_release(&text);
    if (!a->over) {
        gan__say("train: remedy: %s", a->remedy);
    }
    if (a->back_to >= 0) {
        gan__say("train: back to step %" PRId64 ", on with other random numbers", a->back_to);
    }
}

/* progress.h: how far a training is, on stderr. */
#ifndef GAN_CLI_PROGRESS_H
#define GAN_CLI_PROGRESS_H

#include <gan/train.h>

#include <stdbool.h>

/* Zero-initialise. */
struct gan__progress {
    bool terminal;   /* one line, rewritten */
    bool shown;      /* the line stands there */
    double next_s;   /* when the next line is due, on gan__now_s's clock */
    int64_t printed; /* step of the last line */
};

/* Functions of struct gan_train_watch; ctx is a struct gan__progress. */
void gan__progress_started(void *ctx, const struct gan_train_start *start);
void gan__progress_step(void *ctx, const struct gan_train_progress *p);
void gan__progress_alarm(void *ctx, const struct gan_train_alarm *alarm);
/* Takes the line away. */
void gan__progress_clear(struct gan__progress *s);

#endif

/* monitor.h: what watches a training and raises alarms. It reads; nothing it does changes what is
 * trained. Its memory
 * (what is usual, how long something has been wrong) goes into checkpoints. */
#ifndef GAN_RUN_MONITOR_H
#define GAN_RUN_MONITOR_H

#include "monitor_layers.h"
#include "monitor_samples.h"
#include "runlog.h"

enum { GAN__ALARM_KINDS = 5, GAN__MAX_EVIDENCE = 5, GAN__RECENT = 15 };

/* One kind of alarm over time. */
struct gan__condition {
    int64_t stands;    /* 0 or 1 */
    int64_t bad, good; /* looks in a row */
    int64_t since;     /* iteration of the first bad look */
};

/* An alarm with the memory its parts point into. */
struct gan__alarm {
    struct gan_train_alarm about;
    struct gan_evidence evidence[GAN__MAX_EVIDENCE];
    char where[200];
};

struct gan__monitor {
    int64_t every; /* 0: off */
    struct gan__layers layers;
    struct gan__samples samples;
    int gen;                 /* the generator's index in the session's networks, -1: none */
    struct gan__level usual; /* norm of its gradient */
    double recent[GAN__RECENT];
    int64_t n_recent;
    int64_t spread_once; /* 0 or 1: the fakes have been spread as the reals are */
    struct gan__condition condition[GAN__ALARM_KINDS]; /* by bit of gan_alarm_kind */
    struct gan__alarm alarm[GAN__ALARM_KINDS];         /* of the last look */
    int n_alarms;
    uint32_t stands;
    int64_t raised;
};

/* Makes its plan (recipe->run.monitor_every > 0); before gan__session_start. */
gan_status gan__monitor_compile(struct gan__monitor *m, struct gan__session *s, gan_err *err);
/* Takes its sample of reals; after gan__session_start. */
gan_status gan__monitor_start(struct gan__monitor *m, struct gan__session *s, gan_err *err);
void gan__monitor_release(struct gan__monitor *m);
/* Back to the beginning: no alarm stands, nothing is usual. */
void gan__monitor_forget(struct gan__monitor *m);

/* What it remembers as a text; owned by the caller, NULL when memory is short. And back: a text of
 * another monitor's length (or NULL) starts from the beginning. errors: GAN_E_FORMAT, GAN_E_NOMEM */
char *gan__monitor_text(struct gan__monitor *m);
gan_status gan__monitor_remember(struct gan__monitor *m, const char *text, gan_err *err);

/* Looks at the iteration just made: alarm[0..n_alarms) are those that start or are over. */
gan_status gan__monitor_look(struct gan__monitor *m, struct gan__session *s, gan_err *err);
/* The same for an iteration that diverged (session->bad): one alarm. */
void gan__monitor_diverged(struct gan__monitor *m, const struct gan__session *s);

/* What the monitor adds to a line of the log: its figures, the norm of each layer. */
void gan__monitor_log(const struct gan__monitor *m, struct gan__runlog *l);
/* A line of its own: {"step":..,"time_s":..,"alarm":"mode-collapse",...}. */
gan_status gan__alarm_log(struct gan__runlog *l, int64_t step, double time_s,
                          const struct gan_train_alarm *a, gan_err *err);

/* "mode-collapse", with the remedy; for a bit number. */
const char *gan__alarm_remedy(gan_alarm_kind kind);

#endif

/* runlog.h: log.jsonl: one JSON object a line, the step first. */
#ifndef GAN_RUN_RUNLOG_H
#define GAN_RUN_RUNLOG_H

#include "base/str.h"

#include <gan/status.h>

struct gan__runlog {
    int fd; /* -1 when closed */
    char *path;
    int64_t bytes; /* of whole lines */
    struct gan__str line;
};

/* Opens for appending after cutting it back to lines of at most `step`; a missing file is made.
 * *time_s is the time of the last line kept, 0 when there is none. */
gan_status gan__runlog_open(struct gan__runlog *l, const char *path, int64_t step, double *time_s,
                            gan_err *err);
void gan__runlog_close(struct gan__runlog *l);

/* One line: begin, its values in order (the first one is "time_s"), end. An object holds the values
 * between its two calls. On failure the file ends with the line before. */
void gan__runlog_begin(struct gan__runlog *l, int64_t step);
void gan__runlog_number(struct gan__runlog *l, const char *name, double value);
void gan__runlog_text(struct gan__runlog *l, const char *name, const char *text);
void gan__runlog_open_object(struct gan__runlog *l, const char *name);
void gan__runlog_close_object(struct gan__runlog *l);
gan_status gan__runlog_end(struct gan__runlog *l, gan_err *err);

/* To the disk. */
gan_status gan__runlog_sync(struct gan__runlog *l, gan_err *err);

#endif

/* logtable.h: log.jsonl read back as a table: one row a step, one column a name. */
#ifndef GAN_RUN_LOGTABLE_H
#define GAN_RUN_LOGTABLE_H

#include "base/arena.h"

#include <gan/status.h>

#include <stddef.h>

struct gan__column {
    const char *name;
    double *value; /* [cap of the table]; NaN where a line lacks it or says null */
};

struct gan__log_table {
    struct gan__arena arena; /* names */
    struct gan__column *column;
    size_t n_columns, cap_columns;
    double *step; /* [n] */
    size_t n, cap;
};

/* Reads a log. Lines of alarms and members that are no numbers are passed over; of equal steps the last line counts. errors: GAN_E_NOTFOUND, GAN_E_IO,
 * GAN_E_FORMAT (names the line), GAN_E_NOMEM, GAN_E_UNSUPPORTED (no cJSON). */
gan_status gan__log_read(struct gan__log_table *t, const char *path, gan_err *err);
void gan__log_release(struct gan__log_table *t);

/* Column i of those whose name begins with the prefix, NULL past the end. */
const struct gan__column *gan__log_column(const struct gan__log_table *t, const char *prefix,
                                          size_t i);

#endif

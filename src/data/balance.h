/* balance.h: an order in which every class comes equally often. */
#ifndef GAN_DATA_BALANCE_H
#define GAN_DATA_BALANCE_H

#include "dataset.h"

struct gan__balance {
    int64_t classes; /* that have samples; 0: not in use */
    int64_t *start;  /* [classes + 1]: where each begins in `member` */
    int64_t *member; /* [count]: samples, class after class */
};

/* errors: GAN_E_NOMEM, GAN_E_FORMAT (no sample has a class) */
gan_status gan__balance_init(struct gan__balance *b, const struct gan__source *s, gan_err *err);
void gan__balance_release(struct gan__balance *b);

/* What gan__balance_init allocates. */
uint64_t gan__balance_bytes(const struct gan__source *s);

/* The sample at a position of the endless order under the key, and the how manieth time (from 0) its
 * class comes round. */
int64_t gan__balance_at(const struct gan__balance *b, uint64_t key, int64_t position,
                        int64_t *epoch);

#endif

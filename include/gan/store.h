/* store.h: named state that outlives graphs and plans: weights, moments, statistics, pools,
 * counters.
 *
 * The store holds each weight once, in one plain unpadded order, the same on every CPU: linear
 * [out,in], conv [O,I,kh,kw], transposed conv [I,O,kh,kw]. Names are dotted: "gen.main.0.weight".
 */
#ifndef GAN_STORE_H
#define GAN_STORE_H

#include <gan/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Named state. Not shared between threads. */
typedef struct gan_store gan_store;

/** What an entry is for: checkpoints keep all but the frozen; a fresh optimiser drops the moments. */
typedef enum gan_state_kind {
    GAN_STATE_WEIGHT,    /* trained by an optimiser */
    GAN_STATE_STATISTIC, /* running means and variances, power-iteration vectors */
    GAN_STATE_AVERAGE,   /* exponential moving averages of weights */
    GAN_STATE_MOMENT,    /* optimiser state */
    GAN_STATE_POOL,      /* image pools */
    GAN_STATE_COUNTER,   /* numbers of updates and the like */
    GAN_STATE_FROZEN     /* of a network that is never trained: read from a file of its own */
} gan_state_kind;

/** One entry. The tensor's memory belongs to the store and never moves. */
typedef struct gan_state {
    const char *name;
    gan_state_kind kind;
    gan_tensor value;
} gan_state;

/** New empty store. owns: the caller; gan_store_free. Returns NULL when memory is short. */
GAN_API gan_store *gan_store_new(void);

/** Frees the store and every entry; NULL is fine. Graphs and plans over it must be gone. */
GAN_API void gan_store_free(gan_store *st);

/**
 * Adds an entry filled with zeros.
 *
 * out:     its index, or -1 on failure
 * errors:  GAN_E_ARG (the name exists with another shape, type or kind; the same again gives the
 *          old entry), GAN_E_SHAPE (negative or overflowing extent), GAN_E_NOMEM
 */
GAN_API int gan_store_add(gan_store *st, const char *name, gan_state_kind kind, gan_dtype dtype,
                          gan_shape shape, gan_err *err);

/** Index of an entry, -1 when there is none. */
GAN_API int gan_store_find(const gan_store *st, const char *name);

/** Number of entries; indices run from 0 in order of addition. */
GAN_API int gan_store_count(const gan_store *st);

/** Entry by index; NULL out of range. owns: the store. */
GAN_API const gan_state *gan_store_at(const gan_store *st, int index);

/** Bytes of all entries. */
GAN_API size_t gan_store_bytes(const gan_store *st);

#ifdef __cplusplus
}
#endif
#endif

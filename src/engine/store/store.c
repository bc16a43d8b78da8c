/* store.c: named state. Entries are found through an open hash table of indices, so that a network
 * of thousands of tensors is declared in linear time. */
#include "gan/store.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

struct gan_store {
    gan_state **items; /* each its own block: pointers given out stay valid */
    size_t n, cap;
    int32_t *slots; /* index + 1, 0 = free; size is a power of two, at most half full */
    size_t n_slots;
};

gan_store *gan_store_new(void)
{
    return gan__alloc(sizeof(gan_store));
}

static void state_free(gan_state *s)
{
    if (s) {
        union {
            const char *c;
            char *p;
        } name = {.c = s->name};
        gan__free(name.p);
        gan__free(s->value.data);
        gan__free(s);
    }
}

void gan_store_free(gan_store *st)
{
    if (!st) {
        return;
    }
    for (size_t i = 0; i < st->n; i++) {
        state_free(st->items[i]);
    }
    gan__free(st->items);
    gan__free(st->slots);
    gan__free(st);
}

/* Slot of the name: either where it is or the free one where it would go. */
static size_t slot_of(const gan_store *st, const char *name)
{
    size_t mask = st->n_slots - 1;
    size_t i = (size_t)gan__hash_text(name) & mask;
    while (st->slots[i] && strcmp(st->items[st->slots[i] - 1]->name, name) != 0) {
        i = (i + 1) & mask;
    }
    return i;
}

int gan_store_find(const gan_store *st, const char *name)
{
    return st && st->n_slots ? st->slots[slot_of(st, name)] - 1 : -1;
}

static bool grow_slots(gan_store *st)
{
    if (2 * (st->n + 1) <= st->n_slots) {
        return true;
    }
    size_t n_slots = st->n_slots ? 2 * st->n_slots : 64;
    int32_t *slots = gan__alloc_array(n_slots, sizeof *slots);
    if (!slots) {
        return false;
    }
    gan__free(st->slots);
    st->slots = slots;
    st->n_slots = n_slots;
    for (size_t i = 0; i < st->n; i++) {
        st->slots[slot_of(st, st->items[i]->name)] = (int32_t)i + 1;
    }
    return true;
}

static gan_state *state_new(const char *name, gan_state_kind kind, gan_dtype dtype,
                            const gan_shape *shape, size_t bytes)
{
    gan_state *s = gan__alloc(sizeof *s);
    if (!s) {
        return NULL;
    }
    s->name = gan__strdup(name);
    s->kind = kind;
    s->value = (gan_tensor){dtype, *shape, gan__alloc_aligned(64, bytes ? bytes : 1)};
    if (!s->name || !s->value.data) {
        state_free(s);
        return NULL;
    }
    memset(s->value.data, 0, bytes);
    return s;
}

int gan_store_add(gan_store *st, const char *name, gan_state_kind kind, gan_dtype dtype,
                  gan_shape shape, gan_err *err)
{
    char text[96], old_text[96];
    int old = gan_store_find(st, name);
    if (old >= 0) {
        const gan_state *s = st->items[old];
        if (s->kind == kind && s->value.dtype == dtype &&
            gan_shape_equal(&s->value.shape, &shape)) {
            return old;
        }
        gan__fail(err, GAN_E_ARG, "state %s exists as %s %s, asked for as %s %s", name,
                  gan_dtype_name(s->value.dtype),
                  gan_shape_text(&s->value.shape, old_text, sizeof old_text), gan_dtype_name(dtype),
                  gan_shape_text(&shape, text, sizeof text));
        return -1;
    }
    int64_t count = gan_shape_count(&shape);
    if (count < 0) {
        gan__fail(err, GAN_E_SHAPE, "state %s: shape %s is negative or too large", name,
                  gan_shape_text(&shape, text, sizeof text));
        return -1;
    }
    size_t bytes = (size_t)count * gan_dtype_size(dtype);
    if (!grow_slots(st) || !gan__grow(&st->items, &st->cap, st->n + 1, sizeof *st->items)) {
        gan__fail_nomem(err, st->n * sizeof *st->items, "the store's table");
        return -1;
    }
    gan_state *s = state_new(name, kind, dtype, &shape, bytes);
    if (!s) {
        gan__fail_nomem(err, bytes, name);
        return -1;
    }
    st->items[st->n] = s;
    st->slots[slot_of(st, name)] = (int32_t)st->n + 1;
    return (int)st->n++;
}

int gan_store_count(const gan_store *st)
{
    return st ? (int)st->n : 0;
}

const gan_state *gan_store_at(const gan_store *st, int index)
{
    return st && index >= 0 && (size_t)index < st->n ? st->items[index] : NULL;
}

size_t gan_store_bytes(const gan_store *st)
{
    size_t sum = 0;
    for (size_t i = 0; st && i < st->n; i++) {
        sum += gan_tensor_bytes(&st->items[i]->value);
    }
    return sum;
}

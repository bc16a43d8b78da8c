/* load.c: tensors of a checkpoint into a store: all of it to go on training, or the networks of a
 * file of any origin to start from. Everything is checked before the first byte is written. */
#include "checkpoint.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

enum { NAME_MAX_BYTES = 512, MAX_NETS = 16, NET_NAME = 64 };

static gan_status check_fit(const gan_checkpoint *c, const gan_state *s, const char *name,
                            const gan_tensor *t, bool convert, gan_err *err)
{
    char have[96], want[96];
    const char *path = gan__checkpoint_path(c);
    if (!gan_shape_equal(&t->shape, &s->value.shape)) {
        return gan__fail(err, GAN_E_FORMAT, "%s: tensor %.100s is %s, the model's %.100s is %s",
                         path, name, gan_shape_text(&t->shape, have, sizeof have), s->name,
                         gan_shape_text(&s->value.shape, want, sizeof want));
    }
    bool same = t->dtype == s->value.dtype;
    bool real = gan_dtype_is_real(t->dtype) && gan_dtype_is_real(s->value.dtype);
    if (!same && !(convert && real)) {
        return gan__fail(err, GAN_E_FORMAT, "%s: tensor %.100s has type %s, the model needs %s",
                         path, name, gan_dtype_name(t->dtype), gan_dtype_name(s->value.dtype));
    }
    return GAN_OK;
}

/* A file's tensors may stand at any byte: each element is copied out before it is converted. */
static void copy_tensor(const gan_tensor *src, const gan_tensor *dst)
{
    if (src->dtype == dst->dtype) {
        memcpy(dst->data, src->data, gan_tensor_bytes(dst));
        return;
    }
    size_t size = gan_dtype_size(src->dtype);
    int64_t n = gan_shape_count(&src->shape);
    double element;
    gan_tensor one = {src->dtype, gan_shape_scalar(), &element};
    for (int64_t i = 0; i < n; i++) {
        memcpy(&element, (const unsigned char *)src->data + (size_t)i * size, size);
        gan_tensor_set(dst, i, gan_tensor_get(&one, 0));
    }
}

/* --- the whole store ---------------------------------------------------------------------------- */

gan_status gan__checkpoint_load_part(const gan_checkpoint *c, gan_store *st, gan_err *err)
{
    gan_tensor t;
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_state *s = gan_store_at(st, i);
        if (s->kind == GAN_STATE_FROZEN) {
            continue;
        }
        if (!gan__checkpoint_find(c, s->name, &t)) {
            return gan__fail(err, GAN_E_FORMAT, "%s: the checkpoint lacks %.200s",
                             gan__checkpoint_path(c), s->name);
        }
        GAN_TRY(check_fit(c, s, s->name, &t, false, err));
    }
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_state *s = gan_store_at(st, i);
        if (s->kind != GAN_STATE_FROZEN && gan__checkpoint_find(c, s->name, &t)) {
            copy_tensor(&t, &s->value);
        }
    }
    return GAN_OK;
}

gan_status gan_checkpoint_load(const gan_checkpoint *c, gan_store *st, gan_err *err)
{
    const char *name;
    gan_tensor t;
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        if (gan_store_find(st, name) < 0) {
            return gan__fail(err, GAN_E_FORMAT, "%s: the model has no %.200s",
                             gan__checkpoint_path(c), name);
        }
    }
    return gan__checkpoint_load_part(c, st, err);
}

/* --- networks ----------------------------------------------------------------------------------- */

/* One network to fill: entries "net.LOCAL" of the store from "FROM.LOCAL" (or "LOCAL"). */
struct source {
    char net[NET_NAME];
    char from[NET_NAME + 1]; /* prefix in the file with its dot, "" for none */
};

static bool is_parameter(const gan_state *s)
{
    return s->kind == GAN_STATE_WEIGHT || s->kind == GAN_STATE_STATISTIC;
}

/* "gen" of "gen.main.0.weight"; false when there is no dot or the name is too long. */
static bool first_part(const char *name, char dst[NET_NAME])
{
    size_t n = strcspn(name, ".");
    return name[n] == '.' && gan__format(dst, NET_NAME, "%.*s", (int)n, name);
}

/* Names of the networks in a store, in order. */
static int list_nets(const gan_store *st, char nets[MAX_NETS][NET_NAME])
{
    int n = 0;
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_state *s = gan_store_at(st, i);
        char name[NET_NAME];
        if (!is_parameter(s) || !first_part(s->name, name)) {
            continue;
        }
        int k = 0;
        while (k < n && strcmp(nets[k], name) != 0) {
            k++;
        }
        if (k == n && n < MAX_NETS) {
            (void)gan__copy(nets[n++], NET_NAME, name);
        }
    }
    return n;
}

static bool file_has_prefix(const gan_checkpoint *c, const char *prefix)
{
    const char *name;
    gan_tensor t;
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        if (gan__starts_with(name, prefix)) {
            return true;
        }
    }
    return false;
}

static void join_names(char *dst, size_t cap, char nets[MAX_NETS][NET_NAME], int n)
{
    struct gan__str s = {0};
    for (int i = 0; i < n; i++) {
        gan__str_printf(&s, "%s%s", i > 0 ? ", " : "", nets[i]);
    }
    (void)gan__copy(dst, cap, s.p != NULL ? s.p : "none");
    gan__str_release(&s);
}

/* Every network of the store that the file's names speak of. */
static gan_status find_sources(const gan_checkpoint *c, char nets[MAX_NETS][NET_NAME], int n_nets,
                               struct source *src, int *n_src, gan_err *err)
{
    *n_src = 0;
    for (int i = 0; i < n_nets; i++) {
        struct source *s = &src[*n_src];
        (void)gan__copy(s->net, sizeof s->net, nets[i]);
        (void)gan__format(s->from, sizeof s->from, "%s.", nets[i]);
        *n_src += file_has_prefix(c, s->from);
    }
    if (*n_src > 0) {
        return GAN_OK;
    }
    char list[160];
    const char *name = "nothing";
    gan_tensor t;
    (void)gan_checkpoint_tensor(c, 0, &name, &t);
    join_names(list, sizeof list, nets, n_nets);
    return gan__fail(err, GAN_E_FORMAT,
                     "%s: no tensor belongs to a network of the model (%s); the first is %.80s: "
                     "name its network, as in --init %s=FILE",
                     gan__checkpoint_path(c), list, name, n_nets > 0 ? nets[0] : "NET");
}

/* "gen" or "gen:dec". */
static gan_status named_source(const gan_checkpoint *c, const char *text,
                               char nets[MAX_NETS][NET_NAME], int n_nets, struct source *src,
                               gan_err *err)
{
    size_t n = strcspn(text, ":");
    int k = 0;
    while (k < n_nets && (strlen(nets[k]) != n || strncmp(nets[k], text, n) != 0)) {
        k++;
    }
    if (k == n_nets) {
        char list[160];
        join_names(list, sizeof list, nets, n_nets);
        return gan__fail(err, GAN_E_ARG, "--init: the model has no network '%.*s', it has %s",
                         (int)n, text, list);
    }
    (void)gan__copy(src->net, sizeof src->net, nets[k]);
    if (!gan__format(src->from, sizeof src->from, "%s.", text[n] == ':' ? text + n + 1 : nets[k])) {
        return gan__fail(err, GAN_E_ARG, "--init: name too long: %.100s", text);
    }
    if (!file_has_prefix(c, src->from)) {
        if (text[n] == ':') {
            return gan__fail(err, GAN_E_FORMAT, "%s: the file has no network '%.60s'",
                             gan__checkpoint_path(c), text + n + 1);
        }
        src->from[0] = '\0';
    }
    return GAN_OK;
}

/* Store entry that a tensor of the file would fill, or -1. */
static int entry_for(const gan_store *st, const struct source *s, const char *name)
{
    char full[NAME_MAX_BYTES];
    size_t skip = strlen(s->from);
    if (strncmp(name, s->from, skip) != 0 ||
        !gan__format(full, sizeof full, "%s.%s", s->net, name + skip)) {
        return -1;
    }
    int i = gan_store_find(st, full);
    return i >= 0 && is_parameter(gan_store_at(st, i)) ? i : -1;
}

/* Name in the file of a store entry of network s; false when the entry is not of s. */
static bool source_name(const struct source *s, const gan_state *e, char *dst, size_t cap)
{
    size_t n = strlen(s->net);
    return is_parameter(e) && strncmp(e->name, s->net, n) == 0 && e->name[n] == '.' &&
           gan__format(dst, cap, "%s%s", s->from, e->name + n + 1);
}

static gan_status check_source(const gan_checkpoint *c, const gan_store *st, const struct source *s,
                               gan_err *err)
{
    const char *path = gan__checkpoint_path(c), *name;
    char from[NAME_MAX_BYTES];
    gan_tensor t;
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        if (gan__starts_with(name, s->from) && !gan__ends_with(name, "num_batches_tracked") &&
            entry_for(st, s, name) < 0) {
            return gan__fail(err, GAN_E_FORMAT, "%s: network %s of the model has no %.200s", path,
                             s->net, name + strlen(s->from));
        }
    }
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_state *e = gan_store_at(st, i);
        if (!source_name(s, e, from, sizeof from)) {
            continue;
        }
        if (!gan__checkpoint_find(c, from, &t)) {
            return gan__fail(err, GAN_E_FORMAT, "%s: lacks %.200s for network %s", path, from,
                             s->net);
        }
        GAN_TRY(check_fit(c, e, from, &t, true, err));
    }
    return GAN_OK;
}

static int fill(const gan_checkpoint *c, const gan_store *st, const struct source *s)
{
    char from[NAME_MAX_BYTES];
    gan_tensor t;
    int n = 0;
    for (int i = 0; i < gan_store_count(st); i++) {
        const gan_state *e = gan_store_at(st, i);
        if (source_name(s, e, from, sizeof from) && gan__checkpoint_find(c, from, &t)) {
            copy_tensor(&t, &e->value);
            n++;
        }
    }
    return n;
}

gan_status gan_checkpoint_init(const gan_checkpoint *c, gan_store *st, const char *net, int *loaded,
                               gan_err *err)
{
    char nets[MAX_NETS][NET_NAME];
    struct source src[MAX_NETS];
    int n_nets = list_nets(st, nets), n_src = 1, n = 0;
    if (net == NULL) {
        GAN_TRY(find_sources(c, nets, n_nets, src, &n_src, err));
    } else {
        GAN_TRY(named_source(c, net, nets, n_nets, src, err));
    }
    for (int i = 0; i < n_src; i++) {
        GAN_TRY(check_source(c, st, &src[i], err));
    }
    for (int i = 0; i < n_src; i++) {
        n += fill(c, st, &src[i]);
    }
    if (loaded != NULL) {
        *loaded = n;
    }
    return GAN_OK;
}

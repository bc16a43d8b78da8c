/* ops_bench.c: random inputs for a case, a graph around one op, runs. */
#include "ops_bench.h"

#include "base/alloc.h"
#include "base/philox.h"
#include "base/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int failures, checks;

void complain(const struct sample *s, const char *fmt, ...)
{
    char text[640];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *shapes = s->cs && s->cs->shapes ? s->cs->shapes : "no inputs";
    fprintf(stderr, "%s case %d (%s%s): %s\n", s->op->name, s->index, shapes,
            s->aliased ? ", aliased" : "", text);
    failures++;
}

/* --- inputs --------------------------------------------------------------------------------- */

/* Copies the next word of *list, words being parted by blanks; false at the end. */
static bool next_word(const char **list, char *word, size_t cap)
{
    const char *p = *list + strspn(*list, " ");
    size_t n = strcspn(p, " ");
    if (n == 0 || n >= cap)
        return false;
    memcpy(word, p, n);
    word[n] = 0;
    *list = p + n;
    return true;
}

static bool read_dtype(const char *word, gan_dtype real, gan_dtype *out)
{
    for (int d = GAN_F32; d <= GAN_BOOL; d++) {
        if (strcmp(word, gan_dtype_name((gan_dtype)d)) == 0) {
            *out = d == GAN_F32 || d == GAN_F64 ? real : (gan_dtype)d;
            return true;
        }
    }
    return false;
}

static bool read_types(struct sample *s, gan_dtype real)
{
    const char *shapes = s->cs->shapes, *dtypes = s->cs->dtypes;
    char word[96];
    while (next_word(&shapes, word, sizeof word)) {
        struct gan__type *t = &s->type[s->n];
        gan_err err = {0};
        if (s->n == MAX_IN || gan_shape_parse(word, &t->shape, &err) != GAN_OK)
            return false;
        t->dtype = real;
        if (dtypes && !(next_word(&dtypes, word, sizeof word) && read_dtype(word, real, &t->dtype)))
            return false;
        s->n++;
    }
    return s->op->n_in < 0 || s->n == s->op->n_in;
}

/* Distance of v to 0, to the same place of other inputs and to earlier elements of its own tensor
 * (the last counts by `own`, as many elements may not leave room). */
static double clearance(const struct sample *s, int input, int64_t at, double v, double own)
{
    double d = fabs(v);
    for (int i = 0; i < input; i++) {
        if (gan_shape_equal(&s->type[i].shape, &s->type[input].shape))
            d = fmin(d, fabs(v - s->value[i][at]));
    }
    for (int64_t k = 0; k < at && own > 0.0; k++)
        d = fmin(d, fabs(v - s->value[input][k]) / own);
    return d;
}

static bool draw_real(struct sample *s, int input, int64_t n, struct gan__rng *rng)
{
    double low = s->cs->low, high = s->cs->high, away = s->cs->away;
    for (int64_t at = 0; at < n; at++) {
        double own = n <= 512 ? 1.0 : 0.0, v;
        int tries = 0;
        do {
            v = low + (high - low) * gan__rng_uniform(rng);
            if (++tries % 64 == 0)
                own *= 0.5;
        } while (away > 0.0 && clearance(s, input, at, v, own) < away && tries < 4096);
        if (tries == 4096)
            return false;
        s->value[input][at] = s->type[input].dtype == GAN_F32 ? (double)(float)v : v;
    }
    return true;
}

static bool draw(struct sample *s, int input)
{
    int64_t n = gan_shape_count(&s->type[input].shape);
    struct gan__rng rng;
    gan__rng_init(
        &rng, gan__stream_key((uint64_t)s->index, (uint64_t)input, 0, gan__hash_text(s->op->name)));
    s->value[input] = gan__alloc_array((size_t)n + 1, sizeof(double));
    if (!s->value[input])
        return false;
    if (gan_dtype_is_real(s->type[input].dtype))
        return draw_real(s, input, n, &rng);
    uint64_t below = s->cs->integer_high >= 1.0 ? (uint64_t)s->cs->integer_high : 2;
    for (int64_t i = 0; i < n; i++)
        s->value[input][i] = (double)gan__rng_below(&rng, below);
    return true;
}

bool sample_open(struct sample *s, const struct gan__op *op, int index, gan_dtype real)
{
    *s = (struct sample){.op = op, .cs = &op->cases[index], .index = index, .real = real};
    bool good = read_types(s, real);
    for (int i = 0; good && i < s->n; i++)
        good = draw(s, i);
    if (!good)
        complain(s, "the case cannot be read or its range leaves no room");
    return good;
}

void sample_close(struct sample *s)
{
    for (int i = 0; i < s->n; i++)
        gan__free(s->value[i]);
}

/* --- graphs --------------------------------------------------------------------------------- */

static gan_val add_feed(struct bench *b, const char *name, struct gan__type type,
                        const double *value)
{
    int k = b->n_feed;
    gan_tensor t = {.dtype = type.dtype, .shape = type.shape};
    t.data = k < MAX_FEEDS ? gan__alloc(gan_tensor_bytes(&t) + 8) : NULL;
    if (!t.data)
        return gan_graph_fail(b->g, GAN_E_NOMEM, "feed %s", name);
    int64_t n = gan_shape_count(&type.shape);
    for (int64_t i = 0; i < n; i++)
        gan_tensor_set(&t, i, value[i]);
    gan__copy(b->name[k], sizeof b->name[k], name);
    b->feed[k] = (struct gan_feed_data){.name = b->name[k], .value = t};
    b->n_feed++;
    return gan_feed(b->g, name, type.dtype, type.shape);
}

gan_val bench_random(struct bench *b, const char *name, struct gan__type type)
{
    int64_t n = gan_shape_count(&type.shape);
    double *r = gan__alloc_array((size_t)n + 1, sizeof *r);
    struct gan__rng rng;
    gan__rng_init(&rng, gan__stream_key((uint64_t)b->s->index, 1, gan__hash_text(name),
                                        gan__hash_text(b->s->op->name)));
    for (int64_t i = 0; r && i < n; i++) {
        double v = 0.5 + gan__rng_uniform(&rng);
        r[i] = gan__rng_u32(&rng) & 1 ? v : -v;
    }
    gan_val v = r ? add_feed(b, name, type, r) : GAN_NONE;
    gan__free(r);
    return v;
}

bool bench_open(struct bench *b, const struct sample *s)
{
    *b = (struct bench){.s = s, .g = gan_graph_new(NULL, s->real)};
    for (int i = 0; b->g && i < s->n; i++) {
        char name[16];
        gan__format(name, sizeof name, "x%d", i);
        b->x[i] = s->aliased && i > 0 ? b->x[0] : add_feed(b, name, s->type[i], s->value[i]);
    }
    if (b->g) {
        gan_val y = gan__add_node(b->g, s->op, b->x, s->n, s->cs->attr);
        for (int i = 0; i < s->op->n_out; i++)
            b->y[i] = (gan_val){y.node, gan_ok(y) ? (uint32_t)i : 0};
    }
    gan_err err = {0};
    if (b->g && gan_graph_status(b->g, &err) == GAN_OK)
        return true;
    complain(s, "cannot build: %s", b->g ? err.message : "no memory");
    bench_close(b);
    return false;
}

void bench_close(struct bench *b)
{
    for (int i = 0; i < b->n_feed; i++)
        gan__free(b->feed[i].value.data);
    gan_graph_free(b->g);
    b->g = NULL;
    b->n_feed = 0;
}

gan_val bench_weighted(struct bench *b, const gan_val *v, int n, int stage)
{
    gan_val total = GAN_NONE;
    gan_dtype real = gan_graph_real(b->g);
    for (int i = 0; i < n; i++) {
        char name[16];
        gan__format(name, sizeof name, "r%d.%d", stage, i);
        struct gan__type type = {real, gan_shape_get(b->g, v[i])};
        if (!gan_ok(v[i]))
            return GAN_NONE;
        gan_val r = bench_random(b, name, type);
        gan_val part = gan_sum_all(b->g, gan_mul(b->g, gan_cast(b->g, v[i], real), r));
        total = i == 0 ? part : gan_add(b->g, total, part);
    }
    return total;
}

/* --- runs ----------------------------------------------------------------------------------- */

gan_plan *bench_plan(const struct bench *b, const gan_val *out, int n, const char *backend,
                     int threads, const char *without)
{
    gan_err err = {0};
    struct gan_plan_opts opts = {
        .backend = backend, .threads = threads, .without = without, .verify = true};
    gan_plan *p = gan_plan_new(b->g, out, n, &opts, &err);
    if (!p)
        complain(b->s, "%s with %d threads does not compile: %s", backend, threads, err.message);
    return p;
}

bool bench_run(const struct bench *b, gan_plan *p)
{
    gan_err err = {0};
    struct gan_run run = {.seed = 7, .feeds = b->feed, .n_feeds = (size_t)b->n_feed};
    if (gan_plan_run(p, &run, &err) == GAN_OK)
        return true;
    complain(b->s, "does not run: %s", err.message);
    return false;
}

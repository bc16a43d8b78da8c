/* plan_dump.c: a plan in words: one line, object or box for each step. */
#include "steps.h"

#include "base/alloc.h"
#include "base/str.h"
#include "engine/compile/fused.h"

#include <string.h>

/* "mul+add" */
static void name_program(const struct gan__program *p, char *dst, size_t cap)
{
    size_t at = 0;
    dst[0] = '\0';
    for (int i = 0; i < p->n_code && at < cap; i++) {
        if (!gan__format(dst + at, cap - at, "%s%s", i > 0 ? "+" : "", p->code[i].op->name)) {
            break;
        }
        at += strlen(dst + at);
    }
    if (p->n_tails > 0 && at < cap) {
        (void)gan__format(dst + at, cap - at, "+%d sums", p->n_tails);
    }
}

const char *gan__step_name(const struct gan__step *s, char *dst, size_t cap)
{
    if (s->op == &gan__op_bundle) { /* the last program is as good as any */
        const struct gan__attr_bundle *b = s->call.attr;
        if (gan__format(dst, cap, "%lld x ", (long long)b->n_parts)) {
            size_t at = strlen(dst);
            name_program(b->parts[b->n_parts - 1].program, dst + at, cap - at);
        }
    } else if (s->op == &gan__op_fused) {
        name_program(((const struct gan__attr_fused *)s->call.attr)->program, dst, cap);
    } else {
        (void)gan__copy(dst, cap, s->op->name);
    }
    return dst;
}

static void add_tensor(struct gan__str *t, const gan_tensor *x)
{
    char shape[96];
    gan__str_printf(t, "%s%s", gan_dtype_name(x->dtype),
                    gan_shape_text(&x->shape, shape, sizeof shape));
}

static const char *backend_of(const struct gan__step *s)
{
    if (s->kernel && s->kernel->variant) {
        return s->kernel->variant;
    }
    return s->kernel ? s->kernel->backend : "ref";
}

static void text_step(struct gan__str *t, size_t i, const struct gan__step *s)
{
    char name[256];
    gan__str_printf(t, "%5zu  %s %s(", i, backend_of(s), gan__step_name(s, name, sizeof name));
    for (int j = 0; j < s->call.n_in; j++) {
        gan__str_add(t, j > 0 ? " " : "");
        add_tensor(t, &s->in[j]);
        if (s->from[j] >= 0) {
            gan__str_printf(t, "#%lld", (long long)s->from[j]);
        }
    }
    gan__str_add(t, ") ->");
    for (int k = 0; k < s->call.n_out; k++) {
        gan__str_add(t, " ");
        add_tensor(t, &s->out[k]);
        if (s->out_at[k] != SIZE_MAX) {
            gan__str_printf(t, "@%zu", s->out_at[k]);
        }
    }
    gan__str_printf(t, "  %.0f flop %.0f B", s->flops, s->bytes);
    if (s->scratch_bytes != 0) {
        gan__str_printf(t, " scratch %zu@%zu", s->scratch_bytes, s->scratch_at);
    }
    if (s->copy_from == (int64_t)i) {
        gan__str_printf(t, " packs %zu@%zu", s->copy.bytes, s->copy_at);
    } else if (s->copy_from >= 0) {
        gan__str_printf(t, " packed#%lld", (long long)s->copy_from);
    }
    gan__str_printf(t, "%s%s\n", *s->scope ? "  " : "", s->scope);
}

/* A name inside double quotes, for JSON and DOT. */
static void add_quoted(struct gan__str *t, const char *text)
{
    gan__str_add(t, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            gan__str_printf(t, "\\%c", c);
        } else if (c < 0x20) {
            gan__str_printf(t, "\\u%04x", c);
        } else {
            gan__str_addn(t, text, 1);
        }
    }
    gan__str_add(t, "\"");
}

static void json_tensors(struct gan__str *t, const char *key, const gan_tensor *x, int n)
{
    char shape[96];
    gan__str_printf(t, ",\"%s\":[", key);
    for (int i = 0; i < n; i++) {
        gan__str_printf(t, "%s{\"dtype\":\"%s\",\"shape\":%s}", i > 0 ? "," : "",
                        gan_dtype_name(x[i].dtype),
                        gan_shape_text(&x[i].shape, shape, sizeof shape));
    }
    gan__str_add(t, "]");
}

static void json_step(struct gan__str *t, size_t i, const struct gan__step *s)
{
    char name[256];
    gan__str_printf(t, "%s{\"step\":%zu,\"op\":", i > 0 ? ",\n" : "", i);
    add_quoted(t, gan__step_name(s, name, sizeof name));
    gan__str_printf(t, ",\"backend\":\"%s\",\"scope\":", backend_of(s));
    add_quoted(t, s->scope);
    json_tensors(t, "in", s->in, s->call.n_in);
    json_tensors(t, "out", s->out, s->call.n_out);
    gan__str_add(t, ",\"from\":[");
    for (int j = 0; j < s->call.n_in; j++) {
        gan__str_printf(t, "%s%lld", j > 0 ? "," : "", (long long)s->from[j]);
    }
    gan__str_add(t, "],\"offset\":[");
    for (int k = 0; k < s->call.n_out; k++) {
        gan__str_add(t, k > 0 ? "," : "");
        if (s->out_at[k] != SIZE_MAX) {
            gan__str_printf(t, "%zu", s->out_at[k]);
        } else {
            gan__str_add(t, "null");
        }
    }
    gan__str_printf(t, "],\"flops\":%.0f,\"bytes\":%.0f,\"scratch\":%zu", s->flops, s->bytes,
                    s->scratch_bytes);
    if (s->copy_from >= 0) {
        gan__str_printf(t, ",\"copy\":%zu,\"copy_from\":%lld", s->copy.bytes,
                        (long long)s->copy_from);
    }
    gan__str_add(t, "}");
}

static void dot_step(struct gan__str *t, size_t i, const struct gan__step *s)
{
    char name[256], shape[96] = "";
    if (s->call.n_out > 0) {
        gan_shape_text(&s->out[0].shape, shape, sizeof shape);
    }
    gan__str_printf(t, "  s%zu [label=", i);
    gan__step_name(s, name, sizeof name);
    struct gan__str label = {0};
    gan__str_printf(&label, "%s %s %s", name, shape, s->scope);
    add_quoted(t, label.p ? label.p : "");
    t->bad = t->bad || label.bad;
    gan__str_release(&label);
    gan__str_add(t, "];\n");
    for (int j = 0; j < s->call.n_in; j++) {
        if (s->from[j] >= 0) {
            gan__str_printf(t, "  s%lld -> s%zu;\n", (long long)s->from[j], i);
        }
    }
}

static void header(struct gan__str *t, const gan_plan *p, gan_dump_form form)
{
    const struct gan_plan_info *i = &p->info;
    if (form == GAN_DUMP_TEXT) {
        gan__str_printf(t,
                        "plan: %lld steps of %lld nodes, %d thread%s, %.0f flop (%.0f heavy), "
                        "%.0f B moved, workspace %zu B, constant %zu B\n",
                        (long long)i->steps, (long long)i->nodes, p->run.threads,
                        p->run.threads == 1 ? "" : "s", i->flops, i->heavy_flops, i->bytes,
                        i->workspace_bytes, i->constant_bytes);
    } else if (form == GAN_DUMP_JSON) {
        gan__str_printf(t,
                        "{\"nodes\":%lld,\"threads\":%d,\"flops\":%.0f,\"heavy_flops\":%.0f,"
                        "\"bytes\":%.0f,\"workspace_bytes\":%zu,\"constant_bytes\":%zu,"
                        "\"steps\":[\n",
                        (long long)i->nodes, p->run.threads, i->flops, i->heavy_flops, i->bytes,
                        i->workspace_bytes, i->constant_bytes);
    } else {
        gan__str_add(t, "digraph plan {\n  node [shape=box];\n");
    }
}

char *gan_plan_dump(const gan_plan *p, gan_dump_form form)
{
    struct gan__str t = {0};
    header(&t, p, form);
    for (size_t i = 0; i < p->n_steps; i++) {
        switch (form) {
        case GAN_DUMP_TEXT:
            text_step(&t, i, &p->steps[i]);
            break;
        case GAN_DUMP_JSON:
            json_step(&t, i, &p->steps[i]);
            break;
        case GAN_DUMP_DOT:
            dot_step(&t, i, &p->steps[i]);
            break;
        }
    }
    gan__str_add(&t, form == GAN_DUMP_JSON ? "\n]}\n" : form == GAN_DUMP_DOT ? "}\n" : "");
    if (t.bad) {
        gan__str_release(&t);
        return NULL;
    }
    return t.p;
}

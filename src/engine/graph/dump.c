/* dump.c: a graph for people (text, DOT) and machines (JSON). Numbers and orders are those of the
 * graph; nothing else should depend on them. */
#include "base/alloc.h"
#include "base/str.h"
#include "attr.h"
#include "op.h"

#include <string.h>

static void type_text(struct gan__str *s, const struct gan__type *t)
{
    char shape[96];
    gan__str_printf(s, "%s%s", gan_dtype_name(t->dtype),
                    gan_shape_text(&t->shape, shape, sizeof shape));
}

/* The entry a state or feed node is about, NULL for other nodes. */
static const char *subject(const gan_graph *g, const struct gan__node *n)
{
    const struct gan__attr_index *a = n->attr;
    if (n->op == &gan__op_feed) {
        return g->feeds[a->index].name;
    }
    if (n->op == &gan__op_scalar_feed) {
        return g->scalars[a->index].name;
    }
    if (n->op == &gan__op_state_get || n->op == &gan__op_state_set) {
        return gan_store_at(g->store, (int)a->index)->name;
    }
    return NULL;
}

static void text_node(struct gan__str *s, const gan_graph *g, size_t id, const struct gan__node *n)
{
    gan__str_printf(s, "%%%zu", id);
    for (int i = 0; i < n->n_out; i++) {
        gan__str_add(s, i ? ", " : " : ");
        type_text(s, &n->out[i]);
    }
    gan__str_printf(s, " = %s(", n->op->name);
    for (int i = 0; i < n->n_in; i++) {
        gan__str_printf(s, "%s%%%u", i ? ", " : "", n->in[i].node);
        if (n->in[i].out) {
            gan__str_printf(s, ".%u", n->in[i].out);
        }
    }
    const char *what = subject(g, n);
    gan__str_printf(s, ")%s%s%s%s\n", what ? " " : "", what ? what : "", *n->scope ? "  # " : "",
                    n->scope);
}

static void dot_node(struct gan__str *s, const gan_graph *g, size_t id, const struct gan__node *n)
{
    const char *what = subject(g, n);
    gan__str_printf(s, "  n%zu [label=\"%s", id, n->op->name);
    if (what) {
        gan__str_printf(s, "\\n%s", what);
    }
    for (int i = 0; i < n->n_out; i++) {
        gan__str_add(s, "\\n");
        type_text(s, &n->out[i]);
    }
    gan__str_printf(s, "\"%s];\n", n->op->flags & GAN_OP_HEAVY ? ",style=filled" : "");
    for (int i = 0; i < n->n_in; i++) {
        gan__str_printf(s, "  n%u -> n%zu;\n", n->in[i].node, id);
    }
}

static void json_node(struct gan__str *s, const gan_graph *g, size_t id, const struct gan__node *n)
{
    const char *what = subject(g, n);
    gan__str_printf(s, "  {\"id\": %zu, \"op\": \"%s\", \"scope\": \"%s\", \"in\": [", id,
                    n->op->name, n->scope);
    for (int i = 0; i < n->n_in; i++) {
        gan__str_printf(s, "%s[%u, %u]", i ? ", " : "", n->in[i].node, n->in[i].out);
    }
    gan__str_add(s, "], \"out\": [");
    for (int i = 0; i < n->n_out; i++) {
        gan__str_add(s, i ? ", \"" : "\"");
        type_text(s, &n->out[i]);
        gan__str_add(s, "\"");
    }
    gan__str_add(s, "]");
    if (what) {
        gan__str_printf(s, ", \"name\": \"%s\"", what);
    }
    gan__str_printf(s, "}%s\n", id + 1 < g->n_nodes ? "," : "");
}

char *gan_graph_dump(const gan_graph *g, gan_dump_form form)
{
    struct gan__str s = {0};
    gan__str_add(&s, form == GAN_DUMP_DOT    ? "digraph gan {\n  node [shape=box];\n"
                     : form == GAN_DUMP_JSON ? "[\n"
                                             : "");
    for (size_t id = 1; id < g->n_nodes; id++) {
        const struct gan__node *n = &g->nodes[id];
        if (form == GAN_DUMP_DOT) {
            dot_node(&s, g, id, n);
        } else if (form == GAN_DUMP_JSON) {
            json_node(&s, g, id, n);
        } else {
            text_node(&s, g, id, n);
        }
    }
    gan__str_add(&s, form == GAN_DUMP_DOT ? "}\n" : form == GAN_DUMP_JSON ? "]\n" : "");
    if (s.bad) {
        gan__str_release(&s);
    } else if (!s.p) {
        return gan__strdup("");
    }
    return s.p;
}

void gan_text_free(char *text)
{
    gan__free(text);
}

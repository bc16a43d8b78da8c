/* optim.c: optimisers as text, their scalars, and the nodes all rules share: gradient norm,
 * clipping, slots in the store and the guard that keeps the last good state. */
#include "base/err.h"
#include "base/str.h"
#include "engine/graph/node.h"
#include "rules.h"

#include <math.h>
#include <string.h>

enum { MAX_RULES = 64, NAME_MAX_LENGTH = 320 };

static const struct gan_optimizer *find_rule(const char *name, gan_err *err)
{
    const char *names[MAX_RULES];
    size_t n = 0;
    for (; gan__optims[n] != NULL && n < MAX_RULES; n++) {
        names[n] = gan__optims[n]->name;
        if (strcmp(names[n], name) == 0) {
            return gan__optims[n];
        }
    }
    const char *near = gan__nearest_name(name, names, n);
    gan__fail(err, GAN_E_ARG, "unknown optimiser '%.60s'%s%s%s", name,
              near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    return NULL;
}

/* Numbers that move must be able to, and know how. */
static gan_status check_moving(const struct gan_optim *o, gan_err *err)
{
    for (int i = 0; o->kind->args[i].name != NULL; i++) {
        const char *name = o->kind->args[i].name;
        if (!o->moves[i]) {
            continue;
        }
        if (o->kind->moving[i][0] == NULL) {
            return gan__fail(err, GAN_E_ARG, "%s: %s is %.6g..%.6g, it cannot move over a run",
                             o->kind->name, name, o->arg[i], o->to[i]);
        }
        if (o->schedule.kind == GAN_SCHEDULE_CONSTANT) {
            return gan__fail(err, GAN_E_ARG,
                             "%s: %s is %.6g..%.6g, a schedule must say how it moves, such as "
                             "@cosine",
                             o->kind->name, name, o->arg[i], o->to[i]);
        }
    }
    return GAN_OK;
}

gan_status gan_optim_parse(const char *text, struct gan_optim *out, gan_err *err)
{
    struct gan_optim o = {0};
    char numbers[GAN_OPTIM_TEXT_MAX], head[GAN_OPTIM_TEXT_MAX];
    const char *rest, *at = strchr(text, '@');
    if (!gan__copy(o.text, sizeof o.text, text)) {
        return gan__fail(err, GAN_E_RANGE, "optimiser '%.60s..' is longer than %d", text,
                         GAN_OPTIM_TEXT_MAX - 1);
    }
    (void)gan__format(numbers, sizeof numbers, "%.*s", at ? (int)(at - text) : (int)strlen(text),
                      text);
    (void)gan__args_head(numbers, head, sizeof head, &rest);
    o.kind = find_rule(head, err);
    if (o.kind == NULL) {
        return GAN_E_ARG;
    }
    GAN_TRY(gan__args_parse_moving(head, rest, o.kind->args, o.arg, o.to, err));
    for (int i = 0; o.kind->args[i].name != NULL; i++) {
        o.moves[i] = !isnan(o.to[i]);
    }
    if (at != NULL) {
        GAN_TRY(gan_schedule_parse(at + 1, &o.schedule, err));
    }
    GAN_TRY(check_moving(&o, err));
    *out = o;
    return GAN_OK;
}

gan_status gan_optim_option(const char *text, void *field, gan_err *err)
{
    return gan_optim_parse(text, field, err);
}

/* An exponential average's decay rate, by the name its rule gives it. */
static bool is_decay_rate(const struct gan__arg *a)
{
    static const char *const names[] = {"beta1", "beta2", "alpha", "decay"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(a->name, names[i]) == 0 && a->max < 1) {
            return true;
        }
    }
    return false;
}

struct gan_optim gan_optim_more_often(const struct gan_optim *o, double c)
{
    struct gan_optim out = *o;
    if (c == 1) {
        return out;
    }
    out.arg[GAN__LR] *= c;
    for (int i = GAN__LR + 1; i < GAN_OPTIM_ARGS && o->kind->args[i].name != NULL; i++) {
        bool decays = is_decay_rate(&o->kind->args[i]);
        out.arg[i] = decays ? pow(o->arg[i], c) : o->arg[i];
        out.to[i] = decays ? pow(o->to[i], c) : o->to[i];
    }
    return out;
}

static const struct gan_optimizer *rule_at(int i)
{
    for (int k = 0; k < i; k++) {
        if (gan__optims[k] == NULL) {
            return NULL;
        }
    }
    return i >= 0 ? gan__optims[i] : NULL;
}

const char *gan_optim_kind_name(int i)
{
    const struct gan_optimizer *kind = rule_at(i);
    return kind ? kind->name : NULL;
}

const char *gan_optim_kind_doc(int i)
{
    const struct gan_optimizer *kind = rule_at(i);
    return kind ? kind->doc : NULL;
}

const char *gan_optim_network(const struct gan_optim *o)
{
    return o->kind->network;
}

/* The rule's own scalars, then two for each number that moves. */
static int own_scalars(const struct gan_optimizer *kind)
{
    int n = 0;
    while (kind->scalars[n] != NULL) {
        n++;
    }
    return n;
}

int gan_optim_scalar_count(const struct gan_optim *o)
{
    int n = own_scalars(o->kind);
    for (int i = 0; i < GAN_OPTIM_ARGS; i++) {
        n += o->moves[i] ? 2 : 0;
    }
    return n;
}

const char *gan_optim_scalar_name(const struct gan_optim *o, int i)
{
    int n = own_scalars(o->kind);
    if (i >= 0 && i < n) {
        return o->kind->scalars[i];
    }
    for (int k = 0; k < GAN_OPTIM_ARGS && i >= 0; k++) {
        if (o->moves[k] && i < n + 2) {
            return o->kind->moving[k][i - n];
        }
        n += o->moves[k] ? 2 : 0;
    }
    return NULL;
}

double gan_optim_lr(const struct gan_optim *o, int64_t update, int64_t horizon)
{
    double lr = o->kind->decay ? o->kind->decay(o->arg, update) : o->arg[GAN__LR];
    return lr * gan_schedule_factor(&o->schedule, update, horizon);
}

void gan_optim_scalars(const struct gan_optim *o, int64_t update, int64_t horizon, double *values)
{
    double arg[GAN_OPTIM_ARGS];
    int n = own_scalars(o->kind);
    for (int i = 0; i < GAN_OPTIM_ARGS; i++) {
        arg[i] = o->arg[i];
        if (o->moves[i]) {
            arg[i] = gan_schedule_between(&o->schedule, o->arg[i], o->to[i], update, horizon);
            values[n++] = arg[i];
            values[n++] = 1 - arg[i];
        }
    }
    o->kind->values(arg, gan_optim_lr(o, update, horizon), update, values);
}

/* --- nodes
 * ----------------------------------------------------------------------------------------- */

/* sqrt of the sum of all squares. */
static gan_val global_norm(gan_graph *g, const gan_val *grads, int n)
{
    gan_val sum = gan_sum_all(g, gan_square(g, grads[0]));
    for (int i = 1; i < n; i++) {
        sum = gan_add(g, sum, gan_sum_all(g, gan_square(g, grads[i])));
    }
    return gan_sqrt(g, sum);
}

/* min(1, clip/(norm + 1e-6)), as PyTorch clips. */
static gan_val clip_factor(gan_graph *g, gan_val norm, double clip)
{
    const double floor = 1e-6;
    gan_val ratio = gan_div(g, gan_const(g, clip), gan_shift(g, norm, floor));
    return gan_min(g, ratio, gan_const(g, 1));
}

gan_val gan__rule_root(const struct gan__rule_call *c, gan_val v)
{
    const double tiny = 1e-36; /* its root is far below every epsilon, and normal in f32 */
    return gan_sqrt(c->g, c->through ? gan_max(c->g, v, gan_const(c->g, tiny)) : v);
}

/* Adds the slot to the store when it is not there, filled with its first value. */
static bool ensure_slot(gan_graph *g, const struct gan_optimizer *kind, const char *name,
                        const char *param, double initial)
{
    gan_err err = {0};
    const gan_state *p = gan_store_at(g->store, gan_store_find(g->store, param));
    bool fresh = gan_store_find(g->store, name) < 0;
    if (p == NULL) {
        gan_graph_fail(g, GAN_E_NOTFOUND, "optimiser: state %s is not in the store", param);
        return false;
    }
    gan_shape shape = p->value.shape;
    if (kind->width > 0) {
        shape = GAN_SHAPE(gan_shape_count(&shape), kind->width);
    }
    int i = gan_store_add(g->store, name, GAN_STATE_MOMENT, p->value.dtype, shape, &err);
    if (i < 0) {
        gan_graph_fail(g, err.code, "%s", err.message);
        return false;
    }
    const gan_tensor *t = &gan_store_at(g->store, i)->value;
    int64_t n = fresh ? gan_shape_count(&t->shape) : 0;
    for (int64_t k = 0; k < n; k++) {
        gan_tensor_set(t, k, initial);
    }
    return true;
}

/* Gradient and parameter must agree, or broadcasting would hide a mistake. */
static bool check_pair(gan_graph *g, const struct gan_optim_args *a, int i)
{
    gan_shape p = gan_shape_get(g, a->params[i]), d = gan_shape_get(g, a->grads[i]);
    char tp[96], td[96];
    if (gan_graph_status(g, NULL) == GAN_OK && !gan_shape_equal(&p, &d)) {
        gan_graph_fail(g, GAN_E_SHAPE, "optimiser %s: %s is %s, its gradient %s", a->phase,
                       a->names[i], gan_shape_text(&p, tp, sizeof tp),
                       gan_shape_text(&d, td, sizeof td));
    }
    return gan_graph_status(g, NULL) == GAN_OK;
}

struct slot_names {
    char name[GAN_OPTIM_MAX_SLOTS][NAME_MAX_LENGTH];
};

/* Names and newest values of a parameter's slots. */
static int open_slots(gan_graph *g, const struct gan_optim *o, const struct gan_optim_args *a,
                      int i, struct slot_names *names, gan_val *slot)
{
    const char *const *kinds = NULL;
    int n = o->kind->slots(o->arg, &kinds);
    for (int k = 0; k < n; k++) {
        double initial = o->kind->initial ? o->kind->initial(o->arg, k) : 0;
        if (!gan__format(names->name[k], NAME_MAX_LENGTH, "optim.%s.%s.%s", a->phase, kinds[k],
                         a->names[i])) {
            gan_graph_fail(g, GAN_E_RANGE, "name of a slot of %.60s.. is too long", a->names[i]);
            return 0;
        }
        if (!ensure_slot(g, o->kind, names->name[k], a->names[i], initial)) {
            return 0;
        }
        slot[k] = gan_state_get(g, names->name[k]);
    }
    return n;
}

/* One parameter: the rule, then everything it writes behind the guard. */
static void update_one(gan_graph *g, const struct gan_optim *o, const struct gan_optim_args *a,
                       int i, struct gan__rule_call c, gan_val ok)
{
    struct slot_names names;
    int n_slots = open_slots(g, o, a, i, &names, c.slot);
    c.p = a->params[i];
    struct gan__rule_call old = c;
    o->kind->update(&c);
    gan_state_set(g, a->names[i], gan_select(g, ok, c.p, old.p));
    for (int k = 0; k < n_slots; k++) {
        gan_state_set(g, names.name[k], gan_select(g, ok, c.slot[k], old.slot[k]));
    }
}

static bool check_args(gan_graph *g, const struct gan_optim_args *a)
{
    if (a->n < 1) {
        gan_graph_fail(g, GAN_E_ARG, "optimiser %s: no parameters", a->phase);
    }
    for (int i = 0; i < a->n && check_pair(g, a, i);) {
        i++;
    }
    return gan_graph_status(g, NULL) == GAN_OK;
}

bool gan_optim_feed_name(char *dst, size_t cap, const struct gan_optim *o, const char *phase,
                         int ahead, int i)
{
    return ahead > 0 ? gan__format(dst, cap, "%s+%d.%s", phase, ahead, gan_optim_scalar_name(o, i))
                     : gan__format(dst, cap, "%s.%s", phase, gan_optim_scalar_name(o, i));
}

/* Scalar feeds of an update, the rule's own and those of numbers that move. */
struct feeds {
    gan_val scalar[GAN_OPTIM_MAX_SCALARS];
    struct gan__moving moving[GAN_OPTIM_ARGS];
};

/* The scalar feeds of the update `ahead` of the next one. */
static void open_scalars(gan_graph *g, const struct gan_optim *o, const char *phase, int ahead,
                         struct feeds *f)
{
    int n = own_scalars(o->kind);
    for (int i = 0; i < gan_optim_scalar_count(o); i++) {
        char name[NAME_MAX_LENGTH];
        (void)gan_optim_feed_name(name, sizeof name, o, phase, ahead, i);
        f->scalar[i] = gan_scalar_feed(g, name);
    }
    for (int i = 0; i < GAN_OPTIM_ARGS; i++) {
        bool fed = o->moves[i];
        f->moving[i].value = fed ? f->scalar[n] : GAN_NONE;
        f->moving[i].rest = fed ? f->scalar[n + 1] : GAN_NONE;
        n += fed ? 2 : 0;
    }
}

int gan_optim_slot_count(const struct gan_optim *o)
{
    const char *const *names = NULL;
    return o->kind->slots(o->arg, &names);
}

void gan_optim_slots(gan_graph *g, const struct gan_optim *o, const struct gan_optim_args *a,
                     gan_val *slots)
{
    int n = gan_optim_slot_count(o);
    for (int i = 0; i < a->n; i++) {
        struct slot_names names;
        gan_val slot[GAN_OPTIM_MAX_SLOTS] = {{0, 0}};
        (void)open_slots(g, o, a, i, &names, slot);
        for (int k = 0; k < n; k++) {
            slots[i * n + k] = slot[k];
        }
    }
}

void gan_optim_next(gan_graph *g, const struct gan_optim *o, const struct gan_optim_args *a,
                    int ahead, gan_val *slots, gan_val *params)
{
    struct feeds f;
    int n = gan_optim_slot_count(o);
    if (!check_args(g, a)) {
        return;
    }
    gan_scope_push(g, a->phase);
    open_scalars(g, o, a->phase, ahead, &f);
    gan_val factor = GAN_NONE;
    if (o->clip > 0) {
        factor = clip_factor(g, global_norm(g, a->grads, a->n), o->clip);
    }
    for (int i = 0; i < a->n; i++) {
        struct gan__rule_call c = {.g = g,
                                   .arg = o->arg,
                                   .scalar = f.scalar,
                                   .moving = f.moving,
                                   .p = a->params[i],
                                   .through = true};
        c.grad = o->clip > 0 ? gan_mul(g, a->grads[i], factor) : a->grads[i];
        for (int k = 0; k < n; k++) {
            c.slot[k] = slots[i * n + k];
        }
        o->kind->update(&c);
        params[i] = c.p;
        for (int k = 0; k < n; k++) {
            slots[i * n + k] = c.slot[k];
        }
    }
    gan_scope_pop(g);
}

void gan_optim_apply(gan_graph *g, const struct gan_optim *o, const struct gan_optim_args *a,
                     struct gan_update *out)
{
    struct feeds f;
    *out = (struct gan_update){GAN_NONE, GAN_NONE};
    if (!check_args(g, a)) {
        return;
    }
    gan_scope_push(g, a->phase);
    open_scalars(g, o, a->phase, a->ahead, &f);
    out->grad_norm = global_norm(g, a->grads, a->n);
    out->ok = gan_isfinite(g, out->grad_norm);
    gan_val factor = o->clip > 0 ? clip_factor(g, out->grad_norm, o->clip) : GAN_NONE;
    for (int i = 0; i < a->n && gan_graph_status(g, NULL) == GAN_OK; i++) {
        gan_val grad = o->clip > 0 ? gan_mul(g, a->grads[i], factor) : a->grads[i];
        struct gan__rule_call c = {
            .g = g, .arg = o->arg, .scalar = f.scalar, .moving = f.moving, .grad = grad};
        update_one(g, o, a, i, c, out->ok);
    }
    gan_scope_pop(g);
}

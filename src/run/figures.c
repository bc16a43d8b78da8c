/* figures.c: a run as figures: its log, the gradients of its layers, its weights, its film. The
 * gradients by layer and the weights are figure 1b of Gulrajani et al. 2017, arXiv:1704.00028. */
#include <gan/figures.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "landscape.h"
#include "logtable.h"
#include "resume.h"
#include "rundir.h"

#include <gan/plot.h>

#include <math.h>
#include <string.h>

enum { BINS = 60, MAX_NETS = 8, MAX_LINES = 6, NAME = 64 };

struct job {
    const char *run, *out;
    void (*written)(void *ctx, const char *path);
    void *ctx;
};

/* --- files -------------------------------------------------------------------------------------- */

static gan_status put_figure(const struct job *j, gan_figure *f, const char *name, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    gan_status status = gan__path_join(path, sizeof path, j->out, name, err);
    if (status == GAN_OK) {
        status = gan_figure_write(f, path, err);
    }
    if (status == GAN_OK && j->written != NULL) {
        j->written(j->ctx, path);
    }
    gan_figure_free(f);
    return status;
}

static gan_status put_text(const struct job *j, struct gan__str *text, const char *name,
                           gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    gan_status status = text->bad ? gan__fail_nomem(err, text->len, name)
                                  : gan__path_join(path, sizeof path, j->out, name, err);
    if (status == GAN_OK) {
        status = gan__file_replace(path, text->p, text->len, err);
    }
    if (status == GAN_OK && j->written != NULL) {
        j->written(j->ctx, path);
    }
    gan__str_release(text);
    return status;
}

/* A number as CSV holds it: nothing for a gap. */
static void add_number(struct gan__str *s, double v)
{
    char text[40] = "";
    if (isfinite(v)) {
        (void)gan__format_f64(text, sizeof text, v);
    }
    gan__str_printf(s, ",%s", text);
}

/* --- the log ------------------------------------------------------------------------------------ */

/* What belongs together in a panel. */
static const struct group {
    const char *prefix, *title, *label;
    bool log;
} groups[] = {
    {"loss.", "losses", "loss", false},
    {"disc.", "what the discriminator says", "mean", false},
    {"penalty.", "penalties", "penalty", true},
    {"grad_norm.", "norms of whole gradients", "norm", true},
};

enum { N_GROUPS = sizeof groups / sizeof *groups };

static bool has_values(const struct gan__log_table *t, const struct gan__column *c)
{
    for (size_t i = 0; i < t->n; i++) {
        if (isfinite(c->value[i])) {
            return true;
        }
    }
    return false;
}

static void draw_group(gan_panel *p, const struct gan__log_table *t, const struct group *g)
{
    const struct gan__column *c;
    gan_panel_title(p, g->title);
    gan_panel_x(p, &(struct gan_axis){.label = "step"});
    gan_panel_y(p, &(struct gan_axis){.label = g->label, .log = g->log});
    for (size_t i = 0; (c = gan__log_column(t, g->prefix, i)) != NULL; i++) {
        const struct gan_style style = {.label = c->name + strlen(g->prefix), .width = 2};
        if (has_values(t, c)) {
            gan_plot_line(p, t->step, c->value, t->n, &style);
        }
    }
}

static gan_status csv_log(const struct job *j, const struct gan__log_table *t, gan_err *err)
{
    struct gan__str s = {0};
    gan__str_add(&s, "step");
    for (size_t i = 0; i < t->n_columns; i++) {
        gan__str_printf(&s, ",%s", t->column[i].name);
    }
    gan__str_add(&s, "\n");
    for (size_t r = 0; r < t->n; r++) {
        gan__str_printf(&s, "%.0f", t->step[r]);
        for (size_t i = 0; i < t->n_columns; i++) {
            add_number(&s, t->column[i].value[r]);
        }
        gan__str_add(&s, "\n");
    }
    return put_text(j, &s, "log.csv", err);
}

static gan_status plot_log(const struct job *j, const struct gan__log_table *t, gan_err *err)
{
    int n = 0, at = 0;
    for (size_t g = 0; g < N_GROUPS; g++) {
        n += gan__log_column(t, groups[g].prefix, 0) != NULL;
    }
    if (n == 0 || t->n == 0) {
        return GAN_OK;
    }
    int columns = n > 1 ? 2 : 1;
    gan_figure *f = gan_figure_new((n + columns - 1) / columns, columns, NULL);
    for (size_t g = 0; g < N_GROUPS; g++) {
        if (gan__log_column(t, groups[g].prefix, 0) != NULL) {
            draw_group(gan_figure_panel(f, at / columns, at % columns), t, &groups[g]);
            at++;
        }
    }
    GAN_TRY(put_figure(j, f, "log.png", err));
    return csv_log(j, t, err);
}

/* --- gradients of layers ------------------------------------------------------------------------ */

/* Mean over the last quarter of the lines that have it; NaN without any. */
static double at_end(const struct gan__log_table *t, const struct gan__column *c)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = t->n - (t->n + 3) / 4; i < t->n; i++) {
        if (isfinite(c->value[i])) {
            sum += c->value[i];
            n++;
        }
    }
    return n > 0 ? sum / (double)n : (double)NAN;
}

struct nets {
    char name[MAX_NETS][NAME];
    int n;
};

/* "disc" of "disc.main.0"; its number, a new one at the end; -1 when there are too many. */
static int net_of(struct nets *nets, const char *name)
{
    char net[NAME];
    if (!gan__format(net, sizeof net, "%.*s", (int)strcspn(name, "."), name)) {
        return -1;
    }
    for (int i = 0; i < nets->n; i++) {
        if (strcmp(nets->name[i], net) == 0) {
            return i;
        }
    }
    if (nets->n == MAX_NETS) {
        return -1;
    }
    (void)gan__copy(nets->name[nets->n], NAME, net);
    return nets->n++;
}

/* One network: left, norms by layer at the end; right, over the steps, of some layers spread over
 * the depth. */
static void draw_gradients(gan_figure *f, int row, const struct gan__log_table *t, const char *net)
{
    char prefix[NAME + 8], title[NAME + 64];
    const char *names[256];
    double norm[256];
    size_t n = 0;
    const struct gan__column *c;
    (void)gan__format(prefix, sizeof prefix, "grad.%s.", net);
    for (size_t i = 0; n < 256 && (c = gan__log_column(t, prefix, i)) != NULL; i++) {
        names[n] = c->name + strlen(prefix);
        norm[n++] = at_end(t, c);
    }
    gan_panel *p = gan_figure_panel(f, row, 0);
    (void)gan__format(title, sizeof title, "%s: gradients by layer, last quarter", net);
    gan_panel_title(p, title);
    bool few = n <= 24;
    gan_panel_x(p, &(struct gan_axis){.label = few ? NULL : "layer",
                                      .names = few ? names : NULL,
                                      .n_names = few ? n : 0});
    gan_panel_y(p, &(struct gan_axis){.label = "norm", .log = true});
    gan_plot_line(p, NULL, norm, n, &(struct gan_style){.color = GAN_COLOR_BLUE});
    gan_plot_points(p, NULL, norm, n, &(struct gan_style){.color = GAN_COLOR_BLUE});
    p = gan_figure_panel(f, row, 1);
    (void)gan__format(title, sizeof title, "%s: gradients over training", net);
    gan_panel_title(p, title);
    gan_panel_x(p, &(struct gan_axis){.label = "step"});
    gan_panel_y(p, &(struct gan_axis){.label = "norm", .log = true});
    size_t lines = n < MAX_LINES ? n : MAX_LINES;
    for (size_t k = 0; k < lines; k++) {
        size_t i = lines < 2 ? 0 : k * (n - 1) / (lines - 1);
        c = gan__log_column(t, prefix, i);
        gan_plot_line(p, t->step, c->value, t->n,
                      &(struct gan_style){.label = names[i], .width = 2});
    }
}

static gan_status plot_gradients(const struct job *j, const struct gan__log_table *t, gan_err *err)
{
    static const char grad[] = "grad.";
    struct nets nets = {.n = 0};
    struct gan__str s = {0};
    const struct gan__column *c;
    for (size_t i = 0; (c = gan__log_column(t, grad, i)) != NULL; i++) {
        (void)net_of(&nets, c->name + sizeof grad - 1);
    }
    if (nets.n == 0 || t->n == 0) {
        return GAN_OK;
    }
    gan_figure *f = gan_figure_new(nets.n, 2, &(struct gan_figure_opts){.panel_height = 600});
    for (int k = 0; k < nets.n; k++) {
        draw_gradients(f, k, t, nets.name[k]);
    }
    GAN_TRY(put_figure(j, f, "gradients.png", err));
    gan__str_add(&s, "layer,norm_last_quarter\n");
    for (size_t i = 0; (c = gan__log_column(t, grad, i)) != NULL; i++) {
        gan__str_add(&s, c->name + sizeof grad - 1);
        add_number(&s, at_end(t, c));
        gan__str_add(&s, "\n");
    }
    return put_text(j, &s, "gradients.csv", err);
}

/* --- weights ------------------------------------------------------------------------------------ */

/* Matrices and kernels of a network; not biases, averages, moments. */
static bool is_weight(const char *name, const gan_tensor *t)
{
    return t->shape.rank >= 2 && t->dtype == GAN_F32 && gan__ends_with(name, ".weight") &&
           !gan__starts_with(name, "optim.") && !gan__starts_with(name, "ema.");
}

/* All weights of a network, as f64. owns: the caller. */
static gan_status gather(const gan_checkpoint *c, const char *net, double **out, size_t *n,
                         gan_err *err)
{
    const char *name;
    gan_tensor t;
    size_t len = strlen(net), cap = 0;
    *out = NULL;
    *n = 0;
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        if (!is_weight(name, &t) || strncmp(name, net, len) != 0 || name[len] != '.') {
            continue;
        }
        size_t count = (size_t)gan_shape_count(&t.shape);
        if (!gan__grow(out, &cap, *n + count, sizeof **out)) {
            return gan__fail_nomem(err, (*n + count) * sizeof **out, "weights");
        }
        for (size_t k = 0; k < count; k++) {
            float v; /* the file's memory need not be aligned */
            memcpy(&v, (const char *)t.data + k * sizeof v, sizeof v);
            (*out)[(*n)++] = (double)v;
        }
    }
    return GAN_OK;
}

/* The bins of gan_plot_histogram, as numbers. */
static void csv_bins(struct gan__str *s, const char *net, const double *v, size_t n)
{
    double low = (double)INFINITY, high = -(double)INFINITY, count[BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        low = isfinite(v[i]) ? fmin(low, v[i]) : low;
        high = isfinite(v[i]) ? fmax(high, v[i]) : high;
    }
    double width = high > low ? (high - low) / BINS : 1;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(v[i])) {
            double at = (v[i] - low) / width;
            count[at < BINS ? (size_t)at : BINS - 1] += 1;
        }
    }
    for (int k = 0; k < BINS && low <= high; k++) {
        gan__str_add(s, net);
        add_number(s, low + k * width);
        add_number(s, low + (k + 1) * width);
        add_number(s, count[k]);
        gan__str_add(s, "\n");
    }
}

static gan_status draw_weights(gan_panel *p, struct gan__str *csv, const gan_checkpoint *c,
                               const char *net, gan_err *err)
{
    double *v = NULL;
    size_t n = 0;
    char title[NAME + 64];
    gan_status status = gather(c, net, &v, &n, err);
    if (status == GAN_OK) {
        (void)gan__format(title, sizeof title, "%s: %zu weights", net, n);
        gan_panel_title(p, title);
        gan_panel_x(p, &(struct gan_axis){.label = "weight"});
        gan_panel_y(p, &(struct gan_axis){.label = "weights in a bin"});
        gan_plot_histogram(p, v, n, BINS, false, NULL);
        csv_bins(csv, net, v, n);
    }
    gan__free(v);
    return status;
}

static gan_status plot_weights(const struct job *j, gan_err *err)
{
    gan_checkpoint *c = NULL;
    struct nets nets = {.n = 0};
    struct gan__str csv = {0};
    const char *name;
    gan_tensor t;
    GAN_TRY(gan__open_newest(j->run, &c, err));
    for (size_t i = 0; gan_checkpoint_tensor(c, i, &name, &t); i++) {
        if (is_weight(name, &t)) {
            (void)net_of(&nets, name);
        }
    }
    gan_status status = GAN_OK;
    if (nets.n > 0) {
        gan_figure *f = gan_figure_new((nets.n + 1) / 2, nets.n > 1 ? 2 : 1, NULL);
        gan__str_add(&csv, "net,from,to,count\n");
        for (int k = 0; k < nets.n && status == GAN_OK; k++) {
            gan_panel *p = gan_figure_panel(f, k / 2, k % 2);
            status = draw_weights(p, &csv, c, nets.name[k], err);
        }
        if (status == GAN_OK) {
            status = put_figure(j, f, "weights.png", err);
        } else {
            gan_figure_free(f);
        }
        if (status == GAN_OK) {
            status = put_text(j, &csv, "weights.csv", err);
        }
    }
    gan__str_release(&csv);
    gan_checkpoint_close(c);
    return status;
}

/* --- all ---------------------------------------------------------------------------------------- */

static gan_status plot_film(const struct job *j, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    GAN_TRY(gan__rundir_file(path, sizeof path, j->run, "samples/real.npy", err));
    if (!gan__path_exists(path)) {
        return GAN_OK; /* no run in the plane */
    }
    GAN_TRY(gan__path_join(path, sizeof path, j->out, "film.png", err));
    GAN_TRY(gan__film_write(j->run, -1, path, err));
    if (j->written != NULL) {
        j->written(j->ctx, path);
    }
    return GAN_OK;
}

static gan_status plot_all(const struct job *j, const struct gan__log_table *t, gan_err *err)
{
    GAN_TRY(gan__mkdirs(j->out, err));
    GAN_TRY(plot_log(j, t, err));
    GAN_TRY(plot_gradients(j, t, err));
    GAN_TRY(plot_weights(j, err));
    return plot_film(j, err);
}

gan_status gan_figures_of_run(const char *run, const char *out,
                              void (*written)(void *ctx, const char *path), void *ctx, gan_err *err)
{
    char own_out[GAN_PATH_TEXT_MAX], log[GAN_PATH_TEXT_MAX];
    struct gan__log_table t = {0};
    gan_err own = {0};
    int64_t *steps = NULL;
    size_t n = 0;
    gan_status status = gan__rundir_steps(run, &steps, &n, &own); /* says what is no run */
    gan__free(steps);
    if (status == GAN_OK) {
        status = gan__rundir_file(log, sizeof log, run, "log.jsonl", &own);
    }
    if (status == GAN_OK && out == NULL) {
        status = gan__rundir_file(own_out, sizeof own_out, run, "plots", &own);
        out = own_out;
    }
    if (status == GAN_OK) {
        status = gan__log_read(&t, log, &own);
    }
    if (status == GAN_OK) {
        status = plot_all(&(struct job){run, out, written, ctx}, &t, &own);
    }
    gan__log_release(&t);
    return status == GAN_OK ? GAN_OK : gan__fail(err, status, "%s", own.message);
}

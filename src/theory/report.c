/* report.c: experiments as one HTML file: texts, figures as data in base64 (RFC 4648), tables of
 * expected and measured values. Nothing is loaded from elsewhere; it prints on A4. */
#include "theory.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <math.h>
#include <string.h>

static const char style[] =
    "body{font:16px/1.5 Georgia,serif;color:#111;background:#fff;max-width:62em;margin:2em auto;"
    "padding:0 1em}h1,h2{line-height:1.2}h2{margin-top:2.5em;border-top:1px solid #999;"
    "padding-top:.6em}code,table{font-family:sans-serif;font-size:.85em}figure{margin:1em 0}"
    "img{max-width:100%;height:auto}figcaption{font-size:.9em;color:#333}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25em .6em;"
    "border-bottom:1px solid #ccc;vertical-align:top}td.n{text-align:right;white-space:nowrap}"
    ".miss{font-weight:bold;background:#fde3d0}.ref{font-style:italic}p.claim{white-space:pre-line}"
    "@media print{body{max-width:none;margin:0;font-size:11pt}h2{break-before:page;border:0}"
    "figure,tr{break-inside:avoid}}";

static void add_escaped(struct gan__str *s, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            gan__str_add(s, "&amp;");
            break;
        case '<':
            gan__str_add(s, "&lt;");
            break;
        case '>':
            gan__str_add(s, "&gt;");
            break;
        case '"':
            gan__str_add(s, "&quot;");
            break;
        default:
            gan__str_addn(s, text, 1);
        }
    }
}

static void add_base64(struct gan__str *s, const unsigned char *p, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const unsigned b = i + 1 < n ? p[i + 1] : 0, c = i + 2 < n ? p[i + 2] : 0;
        const unsigned bits = (unsigned)p[i] << 16 | b << 8 | c;
        const char four[4] = {digit[bits >> 18 & 63], digit[bits >> 12 & 63],
                              i + 1 < n ? digit[bits >> 6 & 63] : '=',
                              i + 2 < n ? digit[bits & 63] : '='};
        gan__str_addn(s, four, sizeof four);
    }
}

static void add_number(struct gan__str *s, double v)
{
    gan__str_printf(s, isinf(v) ? (v > 0 ? "&infin;" : "&minus;&infin;") : "%.6g", v);
}

static void add_check(struct gan__str *s, const struct gan_check *c)
{
    static const char *const relation[] = {"", "&le; ", "&ge; "};
    gan__str_printf(s, "<tr%s><td>", c->pass ? "" : " class=\"miss\"");
    add_escaped(s, c->name);
    gan__str_printf(s, "</td><td class=\"n\">%s", relation[c->kind]);
    add_number(s, c->expected);
    if (c->kind == GAN_CHECK_EQUAL && isfinite(c->expected)) {
        gan__str_printf(s, " &plusmn; %.2g", c->tolerance);
    }
    gan__str_add(s, "</td><td class=\"n\">");
    add_number(s, c->measured);
    gan__str_printf(s, "</td><td>%s</td></tr>\n", c->pass ? "as expected" : "MISSED");
}

static gan_status add_figure(struct gan__str *s, const struct gan_theory_file *f, gan_err *err)
{
    const size_t limit = (size_t)64 << 20;
    char *data = NULL;
    size_t size = 0;
    GAN_TRY(gan__file_read(f->path, limit, &data, &size, err));
    gan__str_add(s, "<figure><img alt=\"");
    add_escaped(s, f->caption);
    gan__str_add(s, "\" src=\"data:image/png;base64,");
    add_base64(s, (const unsigned char *)data, size);
    gan__str_add(s, "\"><figcaption>");
    add_escaped(s, f->caption);
    gan__str_add(s, "</figcaption></figure>\n");
    gan__free(data);
    return GAN_OK;
}

static gan_status add_result(struct gan__str *s, const struct gan_theory_result *r, gan_err *err)
{
    const struct gan_experiment *e = r->experiment;
    gan__str_printf(s, "<h2 id=\"%s\">", e->name);
    add_escaped(s, e->title);
    gan__str_add(s, "</h2>\n<p class=\"claim\">");
    add_escaped(s, e->claim);
    gan__str_add(s, "</p>\n<p class=\"ref\">");
    add_escaped(s, e->ref);
    gan__str_add(s, "</p>\n");
    if (r->missing[0] != '\0') {
        gan__str_add(s, "<p>Not run: ");
        add_escaped(s, r->missing);
        gan__str_add(s, ".</p>\n");
        return GAN_OK;
    }
    if (r->no_figures) {
        gan__str_add(s, "<p>This build cannot draw (no cairo): there are no figures.</p>\n");
    }
    for (size_t i = 0; i < r->n_files; i++) {
        if (gan__ends_with(r->file[i].path, ".png")) {
            GAN_TRY(add_figure(s, &r->file[i], err));
        }
    }
    gan__str_add(s, "<table><tr><th>claim</th><th>expected</th><th>measured</th><th></th></tr>\n");
    for (size_t i = 0; i < r->n_checks; i++) {
        add_check(s, &r->check[i]);
    }
    gan__str_printf(s, "</table>\n<p>%s version, %.1f s. Command: <code>gan theory %s%s</code>.",
                    r->quick ? "Short" : "Full", r->seconds, e->name, r->quick ? " --quick" : "");
    gan__str_add(s, " Numbers:");
    for (size_t i = 0; i < r->n_files; i++) {
        if (gan__ends_with(r->file[i].path, ".csv")) {
            gan__str_add(s, " <code>");
            add_escaped(s, gan__path_base(r->file[i].path));
            gan__str_add(s, "</code>");
        }
    }
    gan__str_add(s, "</p>\n");
    return GAN_OK;
}

static void add_contents(struct gan__str *s, const struct gan_theory_result *const *results,
                         size_t n)
{
    gan__str_add(s, "<table><tr><th>experiment</th><th></th><th>as expected</th></tr>\n");
    for (size_t i = 0; i < n; i++) {
        const struct gan_theory_result *r = results[i];
        gan__str_printf(s, "<tr%s><td><a href=\"#%s\">%s</a></td><td>",
                        r->n_failed > 0 ? " class=\"miss\"" : "", r->experiment->name,
                        r->experiment->name);
        add_escaped(s, r->experiment->title);
        gan__str_printf(s, "</td><td>%zu of %zu</td></tr>\n", r->n_checks - r->n_failed,
                        r->n_checks);
    }
    gan__str_add(s, "</table>\n");
}

gan_status gan__report_write(const char *path, const struct gan_theory_result *const *results,
                             size_t n, gan_err *err)
{
    struct gan__str s = {0};
    gan_status status = GAN_OK;
    gan__str_printf(&s,
                    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                    "<meta name=\"viewport\" content=\"width=device-width\">"
                    "<title>The theory of GANs, computed</title><style>%s</style></head>\n<body>\n"
                    "<h1>The theory of GANs, computed</h1>\n"
                    "<p>libgan %s. Each claim was computed anew for this page; a row says what "
                    "theory expects and what was measured.</p>\n",
                    style, gan_version());
    add_contents(&s, results, n);
    for (size_t i = 0; i < n && status == GAN_OK; i++) {
        status = add_result(&s, results[i], err);
    }
    gan__str_add(&s, "</body></html>\n");
    if (status == GAN_OK) {
        status = s.bad ? gan__fail_nomem(err, s.len, "the report")
                       : gan__file_replace(path, s.p, s.len, err);
    }
    gan__str_release(&s);
    return status;
}

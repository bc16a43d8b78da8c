/* data_report.c: the report of a check, for people and for programs. */
#include "data_report.h"
#include "out.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>

static void print_json(const struct gan_data_report *r)
{
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_text(&j, "spec", r->spec);
    gan__json_i64(&j, "images", r->images);
    gan__json_i64(&j, "second_images", r->seconds);
    gan__json_i64(&j, "colour", r->colour);
    gan__json_i64(&j, "gray", r->gray);
    gan__json_i64(&j, "least_height", r->least_h);
    gan__json_i64(&j, "least_width", r->least_w);
    gan__json_i64(&j, "most_height", r->most_h);
    gan__json_i64(&j, "most_width", r->most_w);
    gan__json_i64(&j, "near_bits", r->near_bits);
    gan__json_i64(&j, "near_levels", r->near_levels);
    gan__json_open(&j, "counts", '{');
    for (int k = 0; k < GAN_FOUND_KINDS; k++) {
        gan__json_i64(&j, gan_finding_name((gan_finding_kind)k), r->count[k]);
    }
    gan__json_close(&j, '}');
    gan__json_open(&j, "classes", '[');
    for (int64_t y = 0; y < r->classes; y++) {
        gan__json_open(&j, NULL, '{');
        gan__json_text(&j, "name", r->class_names[y]);
        gan__json_i64(&j, "count", r->class_count[y]);
        gan__json_close(&j, '}');
    }
    gan__json_close(&j, ']');
    gan__json_open(&j, "found", '[');
    for (size_t i = 0; i < r->n; i++) {
        gan__json_open(&j, NULL, '{');
        gan__json_text(&j, "kind", gan_finding_name(r->found[i].kind));
        gan__json_text(&j, "what", r->found[i].what);
        gan__json_text(&j, "why", r->found[i].why);
        gan__json_i64(&j, "number", r->found[i].number);
        gan__json_close(&j, '}');
    }
    gan__json_close(&j, ']');
    gan__json_text(&j, "advice", r->advice[0] != '\0' ? r->advice : NULL);
    gan__json_close(&j, '}');
}

static void print_kind(const struct gan_data_report *r, gan_finding_kind kind, int64_t most)
{
    int64_t shown = 0;
    if (r->count[kind] == 0) {
        return;
    }
    (void)printf("  %-15s %" PRId64, gan_finding_name(kind), r->count[kind]);
    if (kind == GAN_FOUND_NEAR) {
        (void)printf(" (at most %d of 64 bits of the difference hash and %d of 255 levels apart)",
                     r->near_bits, r->near_levels);
    }
    (void)puts("");
    for (size_t i = 0; i < r->n && shown < most; i++) {
        const struct gan_data_finding *f = &r->found[i];
        if (f->kind == kind) {
            (void)printf("    %s: %s\n", f->what, f->why);
            shown++;
        }
    }
    if (shown < r->count[kind]) {
        (void)printf("    ... and %" PRId64 " more (--json lists all)\n", r->count[kind] - shown);
    }
}

static void print_classes(const struct gan_data_report *r)
{
    int64_t least = 0, most = 0;
    for (int64_t y = 1; y < r->classes; y++) {
        least = r->class_count[y] < r->class_count[least] ? y : least;
        most = r->class_count[y] > r->class_count[most] ? y : most;
    }
    if (r->classes > 0) {
        (void)printf("  classes         %" PRId64 ", from %" PRId64 " images (%s) to %" PRId64
                     " (%s)\n",
                     r->classes, r->class_count[least], r->class_names[least], r->class_count[most],
                     r->class_names[most]);
    }
}

static void print_text(const struct gan_data_report *r, int64_t most)
{
    (void)printf("%s\n", r->spec);
    if (r->seconds > 0) {
        (void)printf("  looked at       %" PRId64 " images and %" PRId64 " second ones\n",
                     r->images - r->seconds, r->seconds);
    } else {
        (void)printf("  looked at       %" PRId64 " images\n", r->images);
    }
    if (r->least_h == r->most_h && r->least_w == r->most_w) {
        (void)printf("  size            %" PRId64 "x%" PRId64 "\n", r->usual_w, r->usual_h);
    } else {
        (void)printf("  size            %" PRId64 "x%" PRId64 " to %" PRId64 "x%" PRId64
                     ", most often %" PRId64 "x%" PRId64 " (%" PRId64 ")\n",
                     r->least_w, r->least_h, r->most_w, r->most_h, r->usual_w, r->usual_h,
                     r->usual);
    }
    (void)printf("  colour          %" PRId64 " of %" PRId64 "\n", r->colour, r->colour + r->gray);
    print_classes(r);
    for (int k = 0; k < GAN_FOUND_KINDS; k++) {
        print_kind(r, (gan_finding_kind)k, most);
    }
    if (r->n == 0) {
        (void)puts("  nothing found");
    }
    if (r->advice[0] != '\0') {
        (void)printf("  try             '%s'\n", r->advice);
    }
}

gan_status gan__data_report(const char *spec, const struct gan_data_check_cfg *cfg, bool json,
                            int64_t most, gan_err *err)
{
    struct gan_data_report *r = NULL;
    GAN_TRY(gan_data_check(spec, cfg, &r, err));
    if (json) {
        print_json(r);
    } else {
        print_text(r, most);
    }
    int64_t stops =
        r->count[GAN_FOUND_BROKEN] + r->count[GAN_FOUND_UNMATCHED] + r->count[GAN_FOUND_UNALIKE];
    gan_status status = GAN_OK;
    if (stops > 0) {
        status = gan__fail(
            err, GAN_E_FORMAT,
            "%" PRId64 " broken, %" PRId64 " unmatched, %" PRId64 " unalike: a training would stop",
            r->count[GAN_FOUND_BROKEN], r->count[GAN_FOUND_UNMATCHED], r->count[GAN_FOUND_UNALIKE]);
    }
    gan_data_report_free(r);
    return status;
}

/* cmd_data.c: gan data SPEC: what a data set holds, and a contact sheet of it. */
#include "cmdline.h"
#include "data_report.h"
#include "out.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <gan/data.h>
#include <gan/train.h>

#include <inttypes.h>
#include <stdio.h>

struct data_opts {
    const char *out;
    int64_t n, first, columns, near_bits, list;
    bool check, skip_broken, json;
};

static const struct gan_opt opts[] = {
    GAN__OPT_PATH(struct data_opts, out, "out", "write a contact sheet of the images, a PNG"),
    GAN_OPT_I64(struct data_opts, n, "n", "100", 1, 10000, "images on the sheet"),
    GAN_OPT_I64(struct data_opts, first, "first", "0", 0, 9e15, "number of its first image"),
    GAN_OPT_I64(struct data_opts, columns, "columns", "0", 0, 10000,
                "images in a row; 0 makes it nearly square"),
    GAN_OPT_BOOL(
        struct data_opts, check, "check", "false",
        "decode every image once and list what is broken, unmatched, constant, gray, odd in "
        "size, or there twice"),
    GAN_OPT_I64(
        struct data_opts, near_bits, "near", "4", 0, 15,
        "of --check: bits of 64 of the difference hash in which near-duplicates may differ"),
    GAN_OPT_I64(struct data_opts, list, "list", "10", 0, 1000000,
                "of --check: findings of a kind that are listed"),
    GAN_OPT_BOOL(struct data_opts, skip_broken, "skip-broken", "false",
                 "go on without what cannot be read; same as skip-broken=yes in the SPEC"),
    GAN_OPT_BOOL(struct data_opts, json, "json", "false", "the facts as JSON"),
    GAN_OPT_END,
};

/* Samples of each class; NULL without labels or when memory is short. */
static int64_t *count_classes(const gan_dataset *ds, const struct gan_dataset_info *info)
{
    if (!info->labelled || info->endless || info->classes < 1) {
        return NULL;
    }
    int64_t *count = gan__alloc_array((size_t)info->classes, sizeof *count);
    for (int64_t i = 0; count != NULL && i < info->count; i++) {
        int32_t y = gan_dataset_label(ds, i);
        if (y >= 0 && y < info->classes) {
            count[y]++;
        }
    }
    return count;
}

static const char *class_name(const struct gan_dataset_info *info, int64_t y, char *dst, size_t cap)
{
    if (info->class_names != NULL) {
        return info->class_names[y];
    }
    (void)gan__format(dst, cap, "%" PRId64, y);
    return dst;
}

static void print_json(const struct gan_dataset_info *info, const int64_t *classes)
{
    struct gan__json j = {0};
    char name[32];
    gan__json_open(&j, NULL, '{');
    gan__json_text(&j, "spec", info->spec);
    gan__json_text(&j, "kind", info->kind);
    gan__json_text(&j, "file", info->file[0] != '\0' ? info->file : NULL);
    gan__json_bool(&j, "endless", info->endless);
    if (!info->endless) {
        gan__json_i64(&j, "count", info->count);
    }
    gan__json_bool(&j, "points", info->points);
    gan__json_i64(&j, "height", info->height);
    gan__json_i64(&j, "width", info->width);
    gan__json_i64(&j, "channels", info->channels);
    if (info->count_b > 0) {
        gan__json_bool(&j, "paired", info->paired);
        gan__json_i64(&j, "count_b", info->count_b);
        gan__json_i64(&j, "height_b", info->height_b);
        gan__json_i64(&j, "width_b", info->width_b);
        gan__json_i64(&j, "channels_b", info->channels_b);
    }
    gan__json_bool(&j, "alpha", info->alpha);
    gan__json_i64(&j, "size", info->size);
    gan__json_i64(&j, "want_channels", info->want_channels);
    gan__json_bool(&j, "flip", info->flip);
    gan__json_i64(&j, "jitter", info->jitter);
    gan__json_bool(&j, "balance", info->balance);
    gan__json_i64(&j, "skipped", info->skipped);
    gan__json_open(&j, "attributes", '[');
    for (int64_t k = 0; k < info->attributes; k++) {
        gan__json_text(&j, NULL, info->attribute_names[k]);
    }
    gan__json_close(&j, ']');
    gan__json_bool(&j, "labelled", info->labelled);
    if (classes != NULL) {
        gan__json_open(&j, "classes", '[');
        for (int64_t y = 0; y < info->classes; y++) {
            gan__json_open(&j, NULL, '{');
            gan__json_text(&j, "name", class_name(info, y, name, sizeof name));
            gan__json_i64(&j, "count", classes[y]);
            gan__json_close(&j, '}');
        }
        gan__json_close(&j, ']');
    }
    gan__json_i64(&j, "memory_bytes", (int64_t)info->memory_bytes);
    gan__json_close(&j, '}');
}

static void print_text(const struct gan_dataset_info *info, const int64_t *classes)
{
    char text[64];
    (void)printf("%s\n", info->spec);
    if (info->file[0] != '\0') {
        (void)printf("  file      %s\n", info->file);
    }
    (void)printf("  samples   %s\n",
                 info->endless ? "endless" : gan__text_count(text, sizeof text, info->count));
    if (info->points) {
        (void)printf("  each      a point of %" PRId64 " dimensions\n", info->channels);
    } else {
        (void)printf("  each      %" PRId64 " x %" PRId64 " pixels, %s%s\n", info->height,
                     info->width, info->channels == 1 ? "gray" : "RGB",
                     info->alpha ? ", alpha composited" : "");
    }
    if (info->count_b > 0) {
        (void)printf("  %-8s  %s second images of %" PRId64 " x %" PRId64 " pixels, %s\n",
                     info->paired ? "pairs" : "domains",
                     gan__text_count(text, sizeof text, info->count_b), info->height_b,
                     info->width_b, info->channels_b == 1 ? "gray" : "RGB");
    }
    if (info->size > 0) {
        (void)printf("  size      %" PRId64 " wanted\n", info->size);
    }
    if (info->want_channels > 0) {
        (void)printf("  channels  %" PRId64 " wanted\n", info->want_channels);
    }
    if (info->flip) {
        (void)puts("  flip      half of the images are mirrored");
    }
    if (info->jitter > 0) {
        (void)printf("  jitter    scaled %" PRId64 " pixels too large, cropped anywhere\n",
                     info->jitter);
    }
    if (info->balance) {
        (void)puts("  balance   every class equally often");
    }
    if (info->attributes > 0) {
        (void)printf("  facts     %" PRId64 " attributes of each image, %s to %s\n",
                     info->attributes, info->attribute_names[0],
                     info->attribute_names[info->attributes - 1]);
    }
    (void)printf("  memory    %s\n", gan__text_bytes(text, sizeof text, info->memory_bytes));
    if (classes == NULL) {
        (void)printf("  labels    %s\n", info->labelled ? "yes" : "none");
        return;
    }
    (void)printf("  classes   %" PRId64 "\n", info->classes);
    for (int64_t y = 0; y < info->classes; y++) {
        char name[32], count[32];
        (void)printf("    %-20s %10s\n", class_name(info, y, name, sizeof name),
                     gan__text_count(count, sizeof count, classes[y]));
    }
}

static gan_status write_sheet(const gan_dataset *ds, const struct data_opts *o, gan_err *err)
{
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    if (o->first >= info->count) {
        return gan__fail(err, GAN_E_NOTFOUND,
                         "--first is %" PRId64 ", %s has the samples 0 to %" PRId64, o->first,
                         info->spec, info->count - 1);
    }
    int64_t rest = info->count - o->first;
    GAN_TRY(gan_dataset_sheet(ds, o->first, o->n < rest ? o->n : rest, o->columns, o->out, err));
    gan__say("data: contact sheet: %s", o->out);
    return GAN_OK;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct data_opts *o = a->opts;
    gan_dataset *ds = NULL;
    char spec[GAN_PATH_TEXT_MAX];
    const char *name = a->word[0];
    if (o->check && o->out != NULL) {
        return gan__fail(err, GAN_E_ARG, "--check and --out: one at a time");
    }
    if (o->skip_broken) {
        GAN_TRY(gan_data_spec_add(name, "skip-broken=yes", spec, sizeof spec, err));
        name = spec;
    }
    if (o->check) {
        const struct gan_data_check_cfg cfg = {.near_bits =
                                                   o->near_bits > 0 ? (int)o->near_bits : -1};
        return gan__data_report(name, &cfg, o->json, o->list, err);
    }
    GAN_TRY(gan_dataset_open(name, &ds, err));
    const struct gan_dataset_info *info = gan_dataset_about(ds);
    gan_status status = o->out != NULL ? write_sheet(ds, o, err) : GAN_OK;
    int64_t *classes = status == GAN_OK ? count_classes(ds, info) : NULL;
    if (status == GAN_OK && o->json) {
        print_json(info, classes);
    } else if (status == GAN_OK) {
        print_text(info, classes);
    }
    gan__free(classes);
    gan_dataset_close(ds);
    return status;
}

GAN_COMMAND(data) = {
    .name = "data",
    .summary = "look at a data set: counts, sizes, classes, contact sheet",
    .usage = "gan data SPEC [--out sheet.png] [--check] [--skip-broken] [--json]",
    .about = "SPEC is KIND, KIND:ARGUMENT or either followed by options: "
             "idx:photos?size=64&channels=3&flip=1. gan list data shows the kinds, gan help KIND "
             "their options.",
    .opts = opts,
    .size = sizeof(struct data_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};

/* cmd_data.c: gan data SPEC: what a data set holds, and a contact sheet of it. */
#include "cmdline.h"
#include "out.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

#include <gan/data.h>

#include <inttypes.h>
#include <stdio.h>

struct data_opts {
    const char *out;
    int64_t n, first, columns;
    bool json;
};

static const struct gan_opt opts[] = {
    GAN__OPT_PATH(struct data_opts, out, "out", "write a contact sheet of the images, a PNG"),
    GAN_OPT_I64(struct data_opts, n, "n", "100", 1, 10000, "images on the sheet"),
    GAN_OPT_I64(struct data_opts, first, "first", "0", 0, 9e15, "number of its first image"),
    GAN_OPT_I64(struct data_opts, columns, "columns", "0", 0, 10000,
                "images in a row; 0 makes it nearly square"),
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
    gan__json_bool(&j, "alpha", info->alpha);
    gan__json_bool(&j, "flip", info->flip);
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
    if (info->size > 0) {
        (void)printf("  size      %" PRId64 " wanted\n", info->size);
    }
    if (info->want_channels > 0) {
        (void)printf("  channels  %" PRId64 " wanted\n", info->want_channels);
    }
    if (info->flip) {
        (void)puts("  flip      half of the images are mirrored");
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
    GAN_TRY(gan_dataset_open(a->word[0], &ds, err));
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
    .usage = "gan data SPEC [--out sheet.png] [--json]",
    .about = "SPEC is KIND, KIND:ARGUMENT or either followed by options: "
             "idx:photos?size=64&channels=3&flip=1. gan list data shows the kinds, gan help KIND "
             "their options.",
    .opts = opts,
    .size = sizeof(struct data_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};

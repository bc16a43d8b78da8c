/* cmd_translate.c: gan translate: images into images by a trained generator. */
#include "cmdline.h"
#include "out.h"

#include "base/err.h"

#include <gan/data.h>
#include <gan/translate.h>

#include <inttypes.h>
#include <stdio.h>

struct translate_opts {
    const char *in, *data, *out;
    int64_t size, tile, memory, seed, threads;
    int direction, pad;
    bool skip_broken, json;
};

static const struct gan_opt opts[] = {
    GAN__OPT_PATH(struct translate_opts, in, "in", "an image file, or a directory of them"),
    GAN__OPT_PATH(struct translate_opts, data, "data",
                  "instead of --in, SPEC of a data set: its first images, or with BtoA its second"),
    GAN__OPT_PATH(
        struct translate_opts, out, "out",
        "FILE.png for one image, or a directory: PNGs named by the stems of the inputs; of "
        "a data set X.npy, too: exact numbers (N,H,W,C) in the model's range"),
    GAN_OPT_CHOICE(struct translate_opts, direction, "direction", "auto", "auto|AtoB|BtoA",
                   "which way; auto: as trained, AtoB where the model knows both"),
    GAN_OPT_CHOICE(struct translate_opts, pad, "pad", "reflect", "reflect|edge|black|white",
                   "how images are continued to a size the network takes; training pads small "
                   "ones with their background: black, white for line drawings"),
    GAN_OPT_I64(struct translate_opts, size, "size", "0", 0, 32768,
                "shorter side that images are brought to first; 0: as they are"),
    GAN_OPT_I64(struct translate_opts, tile, "tile", "0", -1, 32768,
                "side of tiles, which overlap by the receptive field; 0: tiles where memory is "
                "short, -1: never"),
    GAN_OPT_I64(struct translate_opts, memory, "memory", "0", 0, 1e9,
                "MiB one image may take before it is cut into tiles; 0: half of what is free"),
    GAN_OPT_I64(struct translate_opts, seed, "seed", "1", 0, 9e15,
                "of the noise, where the generator has any (pix2pix: dropout)"),
    GAN_OPT_BOOL(struct translate_opts, skip_broken, "skip-broken", "false",
                 "go on without files that cannot be read or are too small; each is named"),
    GAN_OPT_I64(struct translate_opts, threads, "threads", "0", 0, 1024,
                "compute threads; 0: as many as processors"),
    GAN_OPT_BOOL(struct translate_opts, json, "json", "false",
                 "what was written and from what, as JSON"),
    GAN_OPT_END,
};

static gan_status check(const struct translate_opts *o, gan_err *err)
{
    if (o->in == NULL && o->data == NULL) {
        return gan__fail(err, GAN_E_ARG, "--in is missing: an image file or a directory of them");
    }
    if (o->in != NULL && o->data != NULL) {
        return gan__fail(err, GAN_E_ARG, "--data takes the place of --in");
    }
    if (o->out == NULL) {
        return gan__fail(err, GAN_E_ARG, "--out is missing: FILE.png or a directory");
    }
    return o->data != NULL ? gan_data_check_spec(o->data, err) : GAN_OK;
}

static void print_json(const gan_translator *t, const char *out,
                       const struct gan_translate_report *r)
{
    const struct gan_translator_info *i = gan_translator_about(t);
    struct gan__json j = {0};
    gan__json_open(&j, NULL, '{');
    gan__json_text(&j, "out", out);
    gan__json_text(&j, "checkpoint", i->file);
    gan__json_text(&j, "model", i->model);
    gan__json_text(&j, "hash", i->hash);
    gan__json_i64(&j, "step", i->step);
    gan__json_text(&j, "direction", i->back ? "BtoA" : "AtoB");
    gan__json_i64(&j, "multiple", i->multiple);
    gan__json_i64(&j, "reach", i->reach);
    gan__json_bool(&j, "whole", i->whole);
    gan__json_bool(&j, "noise", i->noise);
    gan__json_i64(&j, "translated", r->translated);
    gan__json_i64(&j, "skipped", r->skipped);
    gan__json_i64(&j, "tiled", r->tiled);
    gan__json_bool(&j, "inexact", r->inexact);
    gan__json_close(&j, '}');
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct translate_opts *o = a->opts;
    struct gan_translate_report report = {0};
    gan_translator *t = NULL;
    GAN_TRY(check(o, err));
    const struct gan_translator_opts how = {.direction = (gan_direction)o->direction,
                                            .pad = (gan_continue)o->pad,
                                            .threads = gan__cmdline_threads(o->threads),
                                            .tile = o->tile,
                                            .memory_bytes = (uint64_t)o->memory << 20,
                                            .seed = (uint64_t)o->seed};
    const struct gan_translate_request what = {
        .in = o->in, .data = o->data, .size = o->size, .skip_broken = o->skip_broken};
    GAN_TRY(gan_translator_open(a->word[0], &how, &t, err));
    gan_status status = gan_translator_write(t, &what, o->out, &report, err);
    if (status == GAN_OK && o->json) {
        print_json(t, o->out, &report);
    } else if (status == GAN_OK) {
        (void)printf("%s\n", o->out);
    }
    if (report.skipped > 0) {
        gan__say("translate: %" PRId64 " translated, %" PRId64 " skipped", report.translated,
                 report.skipped);
    }
    gan_translator_close(t);
    return status;
}

GAN_COMMAND(translate) = {
    .name = "translate",
    .summary = "images into images by a trained generator",
    .usage = "gan translate RUN|FILE --in DIR|FILE --out DIR|FILE.png [--direction AtoB|BtoA]\n"
             "gan translate RUN|FILE --data SPEC --out DIR|X.npy",
    .about =
        "Applies the generator of pix2pix, cyclegan and the like to images of any size. Each is "
        "continued (--pad) to the next size the network takes and cut back. One that does "
        "not fit into memory goes through in tiles that overlap by the receptive field: the "
        "result is the same, except where the network normalises by statistics of the whole "
        "image or draws noise, which is told. Gray and colour images are converted as the model "
        "needs them.",
    .opts = opts,
    .size = sizeof(struct translate_opts),
    .min_words = 1,
    .max_words = 1,
    .run = run,
};

/* cmd_features.c: gan features: feature networks of metrics and their weights. */
#include "cmdline.h"
#include "out.h"

#include "base/err.h"

#include <gan/features.h>
#include <gan/weights.h>

#include <stdio.h>
#include <string.h>

struct features_opts {
    const char *as;
    bool json;
};

static const struct gan_opt opts[] = {
    GAN__OPT_PATH(struct features_opts, as, "as",
                  "network the file is for; told by its tensors when not given"),
    GAN_OPT_BOOL(struct features_opts, json, "json", "false", "as JSON"),
    GAN_OPT_END,
};

static void print_json(struct gan__json *j, const struct gan_weights *w)
{
    gan__json_open(j, NULL, '{');
    gan__json_text(j, "name", w->name);
    gan__json_bool(j, "installed", w->installed);
    gan__json_text(j, "hash", w->hash[0] != '\0' ? w->hash : NULL);
    gan__json_text(j, "file", w->path);
    gan__json_text(j, "from", w->from);
    gan__json_close(j, '}');
}

static gan_status install(const char *file, const struct features_opts *o, gan_err *err)
{
    struct gan_weights w;
    GAN_TRY(gan_weights_install(file, o->as, &w, err));
    if (o->json) {
        struct gan__json j = {0};
        print_json(&j, &w);
    } else {
        (void)printf("%s  hash %s  %s\n", w.name, w.hash, w.path);
    }
    return GAN_OK;
}

static gan_status list(const struct features_opts *o, gan_err *err)
{
    struct gan_weights w;
    struct gan__json j = {0};
    if (o->json) {
        gan__json_open(&j, NULL, '[');
    } else {
        gan__out_heading("networks");
        for (size_t i = 0; gan_feature_net_at(i) != NULL; i++) {
            gan__out_entry(24, gan_feature_net_at(i)->name, gan_feature_net_at(i)->help);
        }
        gan__out_heading("weights");
    }
    for (int i = 0; gan_weights_at(i, &w); i++) {
        char text[200];
        if (w.installed) {
            GAN_TRY(gan_weights_check(&w, w.hash, err));
        }
        (void)snprintf(text, sizeof text, "%s%s",
                       w.installed ? "hash " : "not installed: ", w.installed ? w.hash : w.from);
        if (o->json) {
            print_json(&j, &w);
        } else {
            gan__out_entry(24, w.name, text);
        }
    }
    if (o->json) {
        gan__json_close(&j, ']');
    }
    return GAN_OK;
}

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    const struct features_opts *o = a->opts;
    if (strcmp(a->word[0], "install") == 0) {
        return a->n_words == 2
                   ? install(a->word[1], o, err)
                   : gan__fail(err, GAN_E_ARG, "gan features install FILE: FILE is missing");
    }
    if (strcmp(a->word[0], "list") != 0 || a->n_words > 1) {
        return gan__fail(err, GAN_E_ARG, "gan features takes install FILE or list, not '%.60s'",
                         a->word[a->n_words - 1]);
    }
    if (o->as != NULL) {
        return gan__fail(err, GAN_E_ARG, "--as goes with install");
    }
    return list(o, err);
}

GAN_COMMAND(features) = {
    .name = "features",
    .summary = "feature networks of metrics: list them, install weights",
    .usage = "gan features list [--json]\n"
             "gan features install FILE [--as NAME]",
    .about =
        "install takes a safetensors file, checks every name and shape in it and copies it into "
        "the cache ($GAN_CACHE/features); tools/features_convert.py makes such files of "
        "PyTorch's and of weights that packages hold. The hash covers the weights and how "
        "images come to the network; it is in every result of gan eval.",
    .opts = opts,
    .size = sizeof(struct features_opts),
    .min_words = 1,
    .max_words = 2,
    .run = run,
};

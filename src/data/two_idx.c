/* two_idx.c: two IDX files of images as one data set: what pairs-idx and domains-idx share. */
#include "idx.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <limits.h>
#include <string.h>

const struct gan_opt gan__two_idx_table[] = {
    GAN_OPT_PARSED(struct gan__two_idx_opts, background, "background", "white", gan__parse_colour,
                   "colour under transparent pixels: white, black or RRGGBB"),
    GAN_OPT_END,
};

gan_status gan__two_idx_check(const char *argument, gan_err *err)
{
    const char *comma = strchr(argument, ',');
    if (comma == NULL || comma == argument || comma[1] == '\0' || strchr(comma + 1, ',') != NULL) {
        return gan__fail(err, GAN_E_ARG, "'%.200s' are not two files joined by a comma", argument);
    }
    return GAN_OK;
}

static gan_status open_one(struct gan__source *s, const char *path,
                           const struct gan__two_idx_opts *o, gan_err *err)
{
    struct gan__idx_set set = {.images = path};
    memcpy(set.background, o->background, sizeof set.background);
    if (!gan__path_exists(path)) {
        return gan__fail(err, GAN_E_NOTFOUND, "%s is not there: an IDX file is expected", path);
    }
    GAN_TRY(gan__idx_source(s, &set, err));
    s->classes = 0; /* a position is no class here */
    s->label = NULL;
    return GAN_OK;
}

gan_status gan__two_idx_open(struct gan__source *s, const char *argument,
                             const struct gan__two_idx_opts *o, gan_err *err)
{
    char a[PATH_MAX];
    const char *b = strchr(argument, ',') + 1;
    if (!gan__format(a, sizeof a, "%.*s", (int)(b - 1 - argument), argument)) {
        return gan__fail(err, GAN_E_ARG, "path too long: %.200s", argument);
    }
    GAN_TRY(open_one(s, a, o, err));
    GAN_TRY(gan__source_second(s, err));
    return open_one(s->second, b, o, err);
}

/* train_line.c: from a command line to what gan_train, gan_train_plan and gan_train_graph take. */
#include "train_line.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <string.h>

gan_status gan__init_option(const char *text, void *field, gan_err *err)
{
    struct gan__init_list *list = field;
    if (text[0] == '\0') {
        return GAN_OK;
    }
    if (list->n >= GAN__MAX_INIT) {
        return gan__fail(err, GAN_E_RANGE, "--init stands %zu times, allowed %d", list->n + 1,
                         GAN__MAX_INIT);
    }
    list->item[list->n++] = text;
    return GAN_OK;
}

const char *gan__train_data(const struct gan__cmdline *a, const struct gan__train_places *p)
{
    bool elsewhere = p->data != NULL || p->config != NULL || p->resume != NULL;
    return elsewhere || a->preset == NULL ? p->data : a->preset->data;
}

struct gan_train_cfg gan__train_cfg(const struct gan__cmdline *a, const struct gan__train_places *p)
{
    return (struct gan_train_cfg){
        .model = a->model_word,
        .data = gan__train_data(a, p),
        .out = p->out,
        .resume = p->resume,
        .config = p->config,
        .init = p->init.item,
        .n_init = p->init.n,
        .set = a->setting,
        .n_set = a->n_settings,
    };
}

/* "idx:photos/train.gz?size=64" -> "train", "fashion-mnist" -> "fashion-mnist". */
static void short_name(char *dst, size_t cap, const char *spec)
{
    char text[128];
    size_t len = strcspn(spec, "?");
    const char *colon = memchr(spec, ':', len);
    (void)gan__format(text, sizeof text, "%.*s", (int)(len < 120 ? len : 120), spec);
    size_t n = strlen(text);
    while (n > 1 && text[n - 1] == '/') {
        text[--n] = '\0';
    }
    const char *start = text;
    if (colon != NULL && (size_t)(colon - spec) < n) {
        start = gan__path_base(text + (colon - spec) + 1);
    }
    size_t at = 0;
    for (; start[at] != '\0' && at + 1 < cap && at < 40; at++) {
        char c = start[at];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_';
        if (c == '.' && at > 0) {
            break;
        }
        dst[at] = plain ? c : '-';
    }
    dst[at] = '\0';
}

gan_status gan__free_run_dir(char *dst, size_t cap, const char *model, const char *data,
                             gan_err *err)
{
    enum { LAST = 99999 };
    char name[48];
    short_name(name, sizeof name, data);
    for (int n = 1; n <= LAST; n++) {
        if (!gan__format(dst, cap, "runs/%s-%s-%d", model, name, n)) {
            return gan__fail(err, GAN_E_ARG,
                             "the name of the run directory is too long: use --out");
        }
        if (!gan__path_exists(dst)) {
            return GAN_OK;
        }
    }
    return gan__fail(err, GAN_E_IO, "runs/%s-%s-1 to -%d are all taken: use --out", model, name,
                     LAST);
}

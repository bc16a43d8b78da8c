/* losses.c: finding the GAN losses by name. */
#include "losses.h"

#include "base/err.h"
#include "base/str.h"

#include <string.h>

enum { MAX_LOSSES = 128 };

const struct gan_loss *gan_loss_find(const char *name, gan_err *err)
{
    const char *names[MAX_LOSSES];
    size_t n = 0;
    for (; gan__losses[n] != NULL && n < MAX_LOSSES; n++) {
        names[n] = gan__losses[n]->name;
        if (strcmp(names[n], name) == 0) {
            return gan__losses[n];
        }
    }
    const char *near = gan__nearest_name(name, names, n);
    gan__fail(err, GAN_E_ARG, "unknown loss '%.60s'%s%s%s", name, near ? " (did you mean " : "",
              near ? near : "", near ? "?)" : "");
    return NULL;
}

gan_status gan_loss_option(const char *text, void *field, gan_err *err)
{
    const struct gan_loss *l = gan_loss_find(text, err);
    if (l == NULL) {
        return GAN_E_ARG;
    }
    memcpy(field, &l, sizeof l);
    return GAN_OK;
}

const struct gan_loss *gan_loss_at(int i)
{
    for (int k = 0; k < i; k++) {
        if (gan__losses[k] == NULL) {
            return NULL;
        }
    }
    return i >= 0 ? gan__losses[i] : NULL;
}

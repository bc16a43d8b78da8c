/* aid_perceptual.c: distances that a network trained for something else sees: two images are alike when
 * their features are.
 *
 * Johnson, Alahi, Fei-Fei 2016, arXiv:1603.08155, equation 2: the mean squared difference of the
 * features of one layer; Taigman, Polyak, Wolf 2016, arXiv:1611.02200, equation 5, where the two are
 * an image and its translation (f-constancy). */
#include "aids.h"

#include "base/err.h"
#include "base/str.h"

#include <string.h>

gan_status gan__aid_perceptual_option(const char *text, void *field, gan_err *err)
{
    struct gan__aid_perceptual p = {0};
    if (strcmp(text, "none") != 0) {
        const char *at = strrchr(text, '@');
        size_t n = at != NULL ? (size_t)(at - text) : strlen(text);
        if (!gan__format(p.features, sizeof p.features, "%.*s", (int)n, text) ||
            (at != NULL && !gan__copy(p.layer, sizeof p.layer, at + 1))) {
            return gan__fail(err, GAN_E_ARG, "features '%.60s..' are longer than %zu bytes", text,
                             sizeof p.features - 1);
        }
        if (at != NULL && p.layer[0] == '\0') {
            return gan__fail(err, GAN_E_ARG, "features '%.200s' name no layer behind the @", text);
        }
        GAN_TRY(gan_features_check(p.features, err));
    }
    memcpy(field, &p, sizeof p);
    return GAN_OK;
}

void gan__aid_perceptual_declare(gan_nets *d, const char *net, const struct gan__aid_perceptual *p,
                                 const struct gan_task *t, int64_t channels)
{
    if (p->features[0] != '\0') {
        gan_declare_features(d, net, p->features, p->layer[0] != '\0' ? p->layer : NULL, t,
                             channels);
    }
}

gan_val gan__aid_perceptual(gan_step *s, const char *net, gan_val x, gan_val y)
{
    gan_graph *g = gan_step_graph(s);
    return gan_loss_l2(g, gan_look(s, net, x), gan_stop(g, gan_look(s, net, y)));
}

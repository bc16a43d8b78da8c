/* aid_noise.c: instance noise: the same normal noise on the discriminator's reals and fakes, less and
 * less of it, so that the two laws overlap from the start.
 *
 * Soenderby et al. 2017, arXiv:1610.04490, section 2.3; Arjovsky and Bottou 2017, arXiv:1701.04862. */
#include "aids.h"
#include "base/err.h"
#include "base/str.h"

#include <string.h>

gan_status gan__aid_noise_option(const char *text, void *field, gan_err *err)
{
    struct gan__aid_noise n = {.schedule = {.kind = GAN_SCHEDULE_LINEAR}};
    char number[32];
    const char *at = strchr(text, '@');
    int length = at != NULL ? (int)(at - text) : (int)strlen(text);
    if (!gan__format(number, sizeof number, "%.*s", length, text) ||
        !gan__parse_f64(number, &n.sigma)) {
        return gan__fail(err, GAN_E_ARG,
                         "noise '%.40s': a deviation is expected, such as .5@linear", text);
    }
    if (!(n.sigma >= 0 && n.sigma <= 100)) {
        return gan__fail(err, GAN_E_RANGE, "noise: the deviation is %s, allowed 0 to 100", number);
    }
    if (at != NULL) {
        GAN_TRY(gan_schedule_parse(at + 1, &n.schedule, err));
    }
    memcpy(field, &n, sizeof n);
    return GAN_OK;
}

static double deviation(const void *noise, const struct gan_moment *m)
{
    const struct gan__aid_noise *n = noise;
    int64_t horizon = m->steps > 0 ? m->steps : 1;
    return n->sigma * gan_schedule_factor(&n->schedule, m->iteration + 1, horizon);
}

gan_val gan__aid_noise(gan_step *s, const struct gan__aid_noise *n)
{
    if (gan_schedule_needs_horizon(&n->schedule)) {
        gan_step_needs_length(s, "--noise");
    }
    return gan_step_scalar(s, "noise", deviation, n);
}

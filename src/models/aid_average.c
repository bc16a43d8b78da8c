/* aid_average.c: the half-life of the averaged generator as text: "500000" images, "0..5e6@cosine",
 * "1e4@linear:.1".
 *
 * Karras et al. 2020, arXiv:2006.06676 (one half-life); Huang et al. 2024, arXiv:2501.05441, whose
 * half-life grows with the run. */
#include "aids.h"
#include "base/args.h"
#include "base/err.h"
#include "base/str.h"

#include <math.h>
#include <string.h>

gan_status gan__aid_average_option(const char *text, void *field, gan_err *err)
{
    static const struct gan__arg table[] = {{"half-life", 0, 0, 1e12}, {NULL, 0, 0, 0}};
    struct gan_average a, *out = field;
    char numbers[64];
    const char *at = strchr(text, '@');
    int length = at != NULL ? (int)(at - text) : (int)strlen(text);
    memcpy(&a, out, sizeof a); /* the ramp is an option of its own */
    a.schedule = (struct gan_schedule){.kind = GAN_SCHEDULE_CONSTANT};
    if (length == 0 || !gan__format(numbers, sizeof numbers, "%.*s", length, text)) {
        return gan__fail(err, GAN_E_ARG,
                         "average '%.40s': a number of images is expected, such as 500000 or "
                         "0..5e6@cosine",
                         text);
    }
    GAN_TRY(gan__args_parse_moving("average", numbers, table, &a.half_life, &a.to, err));
    if (at != NULL) {
        GAN_TRY(gan_schedule_parse(at + 1, &a.schedule, err));
    }
    a.moves = !isnan(a.to);
    if (a.moves && a.schedule.kind == GAN_SCHEDULE_CONSTANT) {
        return gan__fail(err, GAN_E_ARG,
                         "average: half-life is %s, a schedule must say how it moves, such as "
                         "@cosine",
                         numbers);
    }
    a.to = a.moves ? a.to : 0;
    memcpy(out, &a, sizeof a);
    return GAN_OK;
}

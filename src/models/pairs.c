/* pairs.c: translation from aligned pairs, without its networks and losses. */
#include "pairs.h"

#include "net_image.h"

void gan__pairs_fit(struct gan_task *t, int64_t height, int64_t width)
{
    t->height = height;
    t->width = width;
    t->channels_b = t->channels_b > 0 ? t->channels_b : t->channels;
    t->range = GAN_RANGE_SIGNED;
}

int64_t gan__pairs_in(const struct gan__pairs *p)
{
    return p->direction == 0 ? p->task.channels : p->task.channels_b;
}

int64_t gan__pairs_out(const struct gan__pairs *p)
{
    return p->direction == 0 ? p->task.channels_b : p->task.channels;
}

void gan__pairs_batch(gan_step *s, const struct gan__pairs *p, gan_val *x, gan_val *y)
{
    gan_val a = gan_batch(s, GAN_FIELD_IMAGE), b = gan_batch(s, GAN_FIELD_B);
    *x = p->direction == 0 ? a : b;
    *y = p->direction == 0 ? b : a;
}

bool gan__pairs_translates(const struct gan__pairs *p, bool back, int64_t multiple, int64_t least,
                           struct gan_translation *out)
{
    *out = (struct gan_translation){
        .in = gan__pairs_in(p), .out = gan__pairs_out(p), .multiple = multiple, .least = least};
    return back == (p->direction == 1);
}

gan_val gan__pairs_sample(gan_step *s, const void *options)
{
    const struct gan__pairs *p = options;
    return gan_apply(s, "gen", gan_batch(s, p->direction == 0 ? GAN_FIELD_IMAGE : GAN_FIELD_B));
}

gan_val gan__pairs_translate(gan_step *s, const void *options, gan_val x, bool back)
{
    (void)options;
    (void)back;
    return gan_apply(s, "gen", x);
}

gan_val gan__pairs_show(gan_step *s, const void *options)
{
    gan_val x, y;
    gan__pairs_batch(s, options, &x, &y);
    const gan_val row[] = {x, gan_apply(s, "gen", x), y};
    return gan__panels(gan_step_graph(s), row, 3);
}

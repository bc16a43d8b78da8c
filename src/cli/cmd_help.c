/* cmd_help.c: gan help [TOPIC]. */
#include "command.h"
#include "page.h"

static gan_status run(const struct gan__cmdline *a, gan_err *err)
{
    if (a->n_words == 0) {
        gan__page_program();
        return GAN_OK;
    }
    return gan__page_topic(a->word[0], err);
}

struct help_opts {
    bool unused;
};

static const struct gan_opt opts[] = {GAN_OPT_END};

GAN_COMMAND(help) = {
    .name = "help",
    .summary = "the page of a command, a model, a preset, a loss, a kind of data, ...",
    .usage = "gan help [TOPIC]",
    .opts = opts,
    .size = sizeof(struct help_opts),
    .max_words = 1,
    .run = run,
};

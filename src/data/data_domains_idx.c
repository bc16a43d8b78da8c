/* data_domains_idx.c: two sets of images that are not paired, each in an order of its own. */
#include "idx.h"

static gan_status open_domains(struct gan__source *s, const char *argument, const void *opts,
                               gan_err *err)
{
    return gan__two_idx_open(s, argument, opts, err);
}

GAN_DATA(domains_idx) = {
    .name = "domains-idx",
    .argument = "FILEA,FILEB",
    .help = "two unpaired sets of images in two IDX files, shuffled independently",
    .opts = gan__two_idx_table,
    .opts_size = sizeof(struct gan__two_idx_opts),
    .check = gan__two_idx_check,
    .open = open_domains,
};

/* cmdline.h: the command line, read by tables of options. */
#ifndef GAN_CLI_CMDLINE_H
#define GAN_CLI_CMDLINE_H

#include "command.h"

/* Reads what follows the command's name. Opens no file.
 * errors: GAN_E_ARG, GAN_E_RANGE: unknown option (with "did you mean"), bad value, words missing or
 * too many. owns: a, to be released with gan__cmdline_release, also after a failure. */
gan_status gan__cmdline_read(struct gan__cmdline *a, const struct gan__command *c, int argc,
                             char **argv, gan_err *err);
void gan__cmdline_release(struct gan__cmdline *a);

/* Threads of --threads; 0: as many as processors. */
int gan__cmdline_threads(int64_t asked);

/* Parser for option tables: keeps the text as it is (const char *); "" becomes NULL. */
gan_status gan__path_option(const char *text, void *field, gan_err *err);

#define GAN__OPT_PATH(S, F, N, H) GAN_OPT_PARSED(S, F, N, "", gan__path_option, H)

#endif

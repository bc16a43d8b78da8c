/* page.h: pages of help on stdout. */
#ifndef GAN_CLI_PAGE_H
#define GAN_CLI_PAGE_H

#include "command.h"

/* What the program is and its commands. */
void gan__page_program(void);
/* A command; the options of the model, too, when its line named one. */
void gan__page_command(const struct gan__command *c, const struct gan_model *model);
/* Anything with a name: command, model, preset, loss, kind of data, ... errors: GAN_E_ARG. */
gan_status gan__page_topic(const char *topic, gan_err *err);

#endif

/* interrupt.h: Ctrl-C: the first asks to stop, the second ends the program at once. */
#ifndef GAN_CLI_INTERRUPT_H
#define GAN_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT, SIGTERM and SIGHUP only set the flag, the first time. */
void gan__interrupt_watch(void);
/* Gives the signals their old meaning. */
void gan__interrupt_release(void);
/* Whether one has come. */
bool gan__interrupted(void);

#endif

/* waits.h: how long compute threads spin before they sleep. */
#ifndef GAN_CLI_WAITS_H
#define GAN_CLI_WAITS_H

/* Starts the program again with short waits, unless the user chose some. Returns when there is
 * nothing to do or it could not be done: then the program runs as it is. */
void gan__short_waits(char **argv);

#endif

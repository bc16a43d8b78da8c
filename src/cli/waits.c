/* waits.c: libgomp's threads spin for about a millisecond at every barrier. With nothing else on the
 * cores that gains nothing here; beside other programs a spinning thread keeps the core from the one
 * it waits for, and a DCGAN-32 step on two busy cores takes 265 ms instead of 86 (idle: 33 and 33).
 * libgomp reads its setting when it is loaded, so the program sets it and starts again (2 ms). */
#include "waits.h"

#include <stdlib.h>
#include <unistd.h>

#define SPINS "1000" /* some microseconds */

void gan__short_waits(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") != NULL || getenv("OMP_WAIT_POLICY") != NULL) {
        return;
    }
    if (setenv("GOMP_SPINCOUNT", SPINS, 1) == 0) {
        (void)execv("/proc/self/exe", argv);
    }
}

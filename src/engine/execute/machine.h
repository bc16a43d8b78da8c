/* machine.h: what the oneDNN in use says of itself; only in builds that have it. */
#ifndef GAN_ENGINE_EXECUTE_MACHINE_H
#define GAN_ENGINE_EXECUTE_MACHINE_H

#include <stdbool.h>

/* "2.6.0" of the library found at run time, and the instruction set it uses here. Static. */
const char *gan__dnnl_version(void);
const char *gan__dnnl_isa(void);
/* Does it multiply bf16 by machine instructions here? */
bool gan__dnnl_bf16(void);

#endif

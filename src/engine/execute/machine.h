/* machine.h: what the oneDNN in use says of itself; only in builds that have it. */
#ifndef GAN_ENGINE_EXECUTE_MACHINE_H
#define GAN_ENGINE_EXECUTE_MACHINE_H

/* "2.6.0" of the library found at run time, and the instruction set it uses here. Static. */
const char *gan__dnnl_version(void);
const char *gan__dnnl_isa(void);

#endif

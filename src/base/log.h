/* log.h: words for people, through one callback. The library itself never prints. */
#ifndef GAN_BASE_LOG_H
#define GAN_BASE_LOG_H

#include <gan/log.h>

void gan__log(gan_log_level level, const char *fmt, ...) GAN_PRINTF(2, 3);

#endif

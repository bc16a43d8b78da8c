/* log.h: where libgan's words for people go. Silent until a program sets a function. */
#ifndef GAN_LOG_H
#define GAN_LOG_H

#include <gan/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Weight of a message. */
typedef enum gan_log_level { GAN_LOG_INFO, GAN_LOG_WARNING } gan_log_level;

/** Receives one line without a newline. Called from any thread, one call at a time. */
typedef void (*gan_log_fn)(void *ctx, gan_log_level level, const char *line);

/**
 * Sets the function that receives messages; NULL silences them.
 *
 * threads: call before other threads use libgan
 */
GAN_API void gan_set_log(gan_log_fn fn, void *ctx);

#ifdef __cplusplus
}
#endif
#endif

/* status.h: how libgan reports failure.
 *
 * What can fail returns a gan_status (0 or negative) and fills a caller-owned gan_err. A message
 * names the object, its value and the limit, in one line. Messages never carry secrets or stacks.
 */
#ifndef GAN_STATUS_H
#define GAN_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(GAN_BUILDING) && defined(__GNUC__)
#define GAN_API __attribute__((visibility("default")))
#else
#define GAN_API
#endif

#if defined(__GNUC__)
#define GAN_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#else
#define GAN_PRINTF(fmt_at, args_at)
#endif

/** Result of a call: GAN_OK or one of the negative codes. */
typedef enum gan_status {
    GAN_OK = 0,
    GAN_E_ARG = -1,          /* wrong without opening any file: unknown name, bad option (exit 2) */
    GAN_E_RANGE = -2,        /* a value outside its stated range (exit 2) */
    GAN_E_SHAPE = -3,        /* shapes that do not fit together */
    GAN_E_DTYPE = -4,        /* element types that do not fit together */
    GAN_E_NOPATH = -5,       /* a derivative was asked of something that does not depend on it */
    GAN_E_NOMEM = -6,        /* an allocation failed */
    GAN_E_IO = -7,           /* the system refused a file operation (exit 1) */
    GAN_E_FORMAT = -8,       /* a file is not what it says it is (exit 1) */
    GAN_E_NOTFOUND = -9,     /* a file, entry or tensor that is not there (exit 1) */
    GAN_E_UNSUPPORTED = -10, /* this build or machine cannot do it */
    GAN_E_DIVERGED = -11,    /* training met a non-finite value (exit 3) */
    GAN_E_INTERRUPTED = -12, /* the user asked to stop (exit 130) */
    GAN_E_INTERNAL = -13     /* a broken invariant of libgan itself */
} gan_status;

/** A failure in words. Zero-initialise; the first failure written stays until cleared. */
typedef struct gan_err {
    gan_status code;   /* GAN_OK while nothing failed */
    char where[48];    /* room and function, for reports */
    char message[464]; /* one line, no newline at the end */
} gan_err;

/** Name of a status code, such as "GAN_E_SHAPE". Never NULL. */
GAN_API const char *gan_status_name(gan_status code);

/** Exit code a program should end with for this status: 0, 1, 2, 3 or 130. */
GAN_API int gan_status_exit_code(gan_status code);

/** Version of the library, such as "0.1.0". */
GAN_API const char *gan_version(void);

#ifdef __cplusplus
}
#endif
#endif

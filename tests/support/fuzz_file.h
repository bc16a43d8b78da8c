/* fuzz_file.h: a file with the fuzzer's bytes, for targets that read paths. */
#ifndef GAN_TESTS_FUZZ_FILE_H
#define GAN_TESTS_FUZZ_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Writes the bytes to one file of this process, made at the first call and removed at exit. */
const char *fuzz_file(const uint8_t *data, size_t size);

#endif

/* idx_file.c: builds IDX files byte by byte, independently of the reader. */
#include "support/idx_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

unsigned char *idx_bytes(int rank, const uint32_t *dim, const unsigned char *payload, size_t n,
                         size_t *size)
{
    size_t head = 4 + 4 * (size_t)rank;
    unsigned char *p = malloc(head + n);
    assert_non_null(p);
    p[0] = p[1] = 0;
    p[2] = 8;
    p[3] = (unsigned char)rank;
    for (size_t i = 0; i < (size_t)rank; i++) {
        for (size_t k = 0; k < 4; k++) {
            p[4 + 4 * i + k] = (unsigned char)(dim[i] >> (24 - 8 * k));
        }
    }
    memcpy(p + head, payload, n);
    *size = head + n;
    return p;
}

void gz_write(const struct temp_dir *t, const char *name, const void *p, size_t n)
{
    char path[TEMP_PATH_MAX];
    gzFile f = gzopen(temp_path(t, name, path), "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, p, (unsigned)n), n);
    assert_int_equal(gzclose(f), Z_OK);
}

void idx_write(const struct temp_dir *t, const char *name, int rank, const uint32_t *dim,
               const unsigned char *payload, size_t n, bool gz)
{
    size_t size;
    unsigned char *p = idx_bytes(rank, dim, payload, n, &size);
    if (gz) {
        gz_write(t, name, p, size);
    } else {
        temp_write(t, name, p, size);
    }
    free(p);
}

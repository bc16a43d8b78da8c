/* ops_tests.h: tests of the op suite that are not made from the ops' own cases. */
#ifndef GAN_TESTS_OPS_TESTS_H
#define GAN_TESTS_OPS_TESTS_H

#include "ops_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void test_errors(void **state);  /* wrong builds; ops_errors.c */
void test_values(void **state);  /* special values, by hand; ops_values.c */
void test_empty(void **state);   /* extents of 0; ops_empty.c */
void test_large(void **state);   /* sizes that use every thread; ops_large.c */
void test_special(void **state); /* infinities, NaN, denormals; ops_special.c */

/* Runs a graph without feeds with all passes on; the elements of its outputs one after the other. */
bool values_of(gan_graph *g, const gan_val *out, int n, const char *backend, double *dst,
               size_t cap, size_t *count);

#endif

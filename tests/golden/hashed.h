/* hashed.h: numbers that a test and tools/golden/common.py both compute, so that golden files need not
 * hold weights and images; and tensors of which a file holds a part. */
#ifndef GAN_TESTS_HASHED_H
#define GAN_TESTS_HASHED_H

#include <gan/checkpoint.h>
#include <gan/nn.h>
#include <gan/store.h>

/* Number i of a name in [-1,1): common.py's uniform. */
double hashed(const char *name, uint64_t i);

/* Numbers 0..n-1 of a name. The caller frees them. */
double *hashed_numbers(const char *name, size_t n);

/* Weights and statistics of a network: common.py's fill. */
void hashed_fill(gan_store *store, const gan_net *net);

/* Compares with what common.py's put_some kept under a name: numbers in even steps, and NAME/all, a
 * projection of them all. Relative to 1 + |v|, for the projection to 1 + the sum of its terms' sizes.
 * The running test fails on a difference. */
void hashed_compare(const gan_checkpoint *f, const char *name, const gan_tensor *got, double tol);

#endif

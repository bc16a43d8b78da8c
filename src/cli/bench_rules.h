/* bench_rules.h: gan bench l2l. */
#ifndef GAN_CLI_BENCH_RULES_H
#define GAN_CLI_BENCH_RULES_H

#include <gan/bench.h>

/* Measures and prints. */
gan_status gan__bench_l2l(const char *path, const struct gan_bench_how *how, bool json,
                          gan_err *err);

#endif

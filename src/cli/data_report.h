/* data_report.h: what gan data SPEC --check prints. */
#ifndef GAN_CLI_DATA_REPORT_H
#define GAN_CLI_DATA_REPORT_H

#include <gan/data_check.h>

/* Checks the set and prints the report, as JSON or as text with at most `most` findings of a kind.
 * errors: as gan_data_check; GAN_E_FORMAT when something was found that stops a training. */
gan_status gan__data_report(const char *spec, const struct gan_data_check_cfg *cfg, bool json,
                            int64_t most, gan_err *err);

#endif

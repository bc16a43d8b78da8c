/* figures.h: figures of a run, made from its directory: losses, gradients, weights.
 *
 *     #include <gan/figures.h>
 *
 *     int main(void)
 *     {
 *         gan_err err = {0};
 *         gan_figures_of_run("runs/demo-1", "plots", NULL, NULL, &err);
 *         return gan_status_exit_code(err.code);
 *     }
 *
 * Beside each figure lie its numbers as CSV. What a run has no data for is not drawn. */
#ifndef GAN_FIGURES_H
#define GAN_FIGURES_H

#include <gan/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes, as far as the run has them:
 *
 *     log.png, log.csv          everything log.jsonl holds, over the steps: losses, what D says,
 *                               penalties, norms of whole gradients
 *     gradients.png, .csv       norm of the gradient of each layer ("grad.NET.LAYER" in the log): by
 *                               layer, at the end, and over the steps
 *     weights.png, .csv         histogram of each network's weights in the newest checkpoint
 *     film.png                  of a run in the plane: one panel for each sample step
 *
 * in:      run      run directory
 *          out      directory, made if absent; NULL: RUN/plots
 *          written  called with the path of each file once it is there; may be NULL
 * errors:  GAN_E_NOTFOUND (no run directory), GAN_E_IO, GAN_E_FORMAT (a damaged log, array or
 *          checkpoint: names the file), GAN_E_NOMEM, GAN_E_UNSUPPORTED (a build without cairo,
 *          libspng or cJSON)
 * ref:     Gulrajani et al. 2017, arXiv:1704.00028, figure 1b (gradient norms, weights)
 */
GAN_API gan_status gan_figures_of_run(const char *run, const char *out,
                                      void (*written)(void *ctx, const char *path), void *ctx,
                                      gan_err *err);

#ifdef __cplusplus
}
#endif
#endif

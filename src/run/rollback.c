/* rollback.c: the state, the counters and the place in the data are those of the checkpoint; the
 * random numbers are not, or the run would come to the same end. */
#include "rollback.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "rundir.h"

static bool is_whole(const char *dir, int64_t step)
{
    char path[GAN_PATH_TEXT_MAX];
    gan_checkpoint *c = NULL;
    gan_err err = {0};
    bool whole = gan__rundir_checkpoint(path, sizeof path, dir, step, &err) == GAN_OK &&
                 gan_checkpoint_open(path, &c, &err) == GAN_OK;
    gan_checkpoint_close(c);
    return whole;
}

gan_status gan__rollback_target(const char *dir, int64_t limit, int64_t last, int64_t *step,
                                gan_err *err)
{
    int64_t *steps = NULL;
    size_t n = 0;
    GAN_TRY(gan__rundir_steps(dir, &steps, &n, err));
    *step = -1;
    while (n > 0) { /* from the newest: the first that will do, else the last one seen */
        int64_t at = steps[--n];
        if (is_whole(dir, at)) {
            *step = at;
            if (at <= limit && (last < 0 || at < last)) {
                break;
            }
        }
    }
    gan__free(steps);
    return *step >= 0 ? GAN_OK
                      : gan__fail(err, GAN_E_NOTFOUND, "%s/checkpoints holds no checkpoint", dir);
}

static gan_status remove_after(const char *dir, int64_t step, gan_err *err)
{
    int64_t *steps = NULL;
    size_t n = 0;
    gan_status status = gan__rundir_steps(dir, &steps, &n, err);
    while (status == GAN_OK && n > 0 && steps[n - 1] > step) {
        char path[GAN_PATH_TEXT_MAX];
        status = gan__rundir_checkpoint(path, sizeof path, dir, steps[--n], err);
        if (status == GAN_OK) {
            status = gan__remove(path, err);
        }
    }
    gan__free(steps);
    return status;
}

gan_status gan__rollback(struct gan__session *s, const char *dir, int64_t step, char **memory,
                         gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    gan_checkpoint *c = NULL;
    GAN_TRY(gan__rundir_checkpoint(path, sizeof path, dir, step, err));
    GAN_TRY(gan_checkpoint_open(path, &c, err));
    gan_status status = gan_checkpoint_load(c, s->store, err);
    const char *text = gan_checkpoint_meta(c, "libgan.monitor");
    gan__free(*memory);
    *memory = text != NULL ? gan__strdup(text) : NULL;
    bool short_of = text != NULL && *memory == NULL;
    gan_checkpoint_close(c);
    GAN_TRY(status);
    if (short_of) {
        return gan__fail_nomem(err, 0, "what the monitor remembers");
    }
    GAN_TRY(remove_after(dir, step, err));
    s->rollbacks++;
    return gan_loader_seek(s->loader, gan__session_count(s, s->images), err);
}

/* rundir.c: the directory of a run. Checkpoints are found by their names; anything else that lies
 * there (temporaries of a crashed process, a user's notes) is left alone. */
#include "rundir.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/number.h"
#include "base/str.h"

#include <gan/train.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SUFFIX ".safetensors"

gan_status gan__rundir_check_new(const char *dir, gan_err *err)
{
    char **names = NULL;
    size_t count = 0;
    if (!gan__path_exists(dir)) {
        return GAN_OK;
    }
    if (!gan__path_is_dir(dir)) {
        return gan__fail(err, GAN_E_IO, "--out %s is a file, a directory is expected", dir);
    }
    GAN_TRY(gan__list_dir(dir, &names, &count, err));
    gan__list_free(names, count);
    if (count > 0) {
        return gan__fail(err, GAN_E_IO,
                         "--out %s is not empty: continue that run with --resume %s, or name "
                         "another directory",
                         dir, dir);
    }
    return GAN_OK;
}

gan_status gan__rundir_default(char *dst, size_t cap, const char *model, gan_err *err)
{
    for (int i = 1; i < 1000000; i++) {
        if (!gan__format(dst, cap, "runs/%s-%d", model, i)) {
            break;
        }
        if (!gan__path_exists(dst)) {
            return GAN_OK;
        }
    }
    return gan__fail(err, GAN_E_IO, "runs/%s-N: no free number; name a directory with --out",
                     model);
}

gan_status gan__rundir_file(char *dst, size_t cap, const char *dir, const char *name, gan_err *err)
{
    return gan__path_join(dst, cap, dir, name, err);
}

gan_status gan__rundir_make(const char *dir, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    GAN_TRY(gan__mkdirs(dir, err));
    GAN_TRY(gan__rundir_file(path, sizeof path, dir, "checkpoints", err));
    GAN_TRY(gan__mkdirs(path, err));
    GAN_TRY(gan__rundir_file(path, sizeof path, dir, "samples", err));
    return gan__mkdirs(path, err);
}

gan_status gan__rundir_checkpoint(char *dst, size_t cap, const char *dir, int64_t step,
                                  gan_err *err)
{
    char name[64];
    (void)gan__format(name, sizeof name, "checkpoints/step-%08" PRId64 SUFFIX, step);
    return gan__rundir_file(dst, cap, dir, name, err);
}

gan_status gan__rundir_sample(char *dst, size_t cap, const char *dir, int64_t step, const char *ext,
                              gan_err *err)
{
    char name[64];
    (void)gan__format(name, sizeof name, "samples/step-%08" PRId64 ".%s", step, ext);
    return gan__rundir_file(dst, cap, dir, name, err);
}

/* 1000 of "step-00001000.safetensors" */
static bool step_of(const char *name, int64_t *step)
{
    char digits[24];
    size_t n = strlen(name), skip = strlen("step-"), tail = strlen(SUFFIX);
    return n > skip + tail && gan__starts_with(name, "step-") && gan__ends_with(name, SUFFIX) &&
           gan__format(digits, sizeof digits, "%.*s", (int)(n - skip - tail), name + skip) &&
           strspn(digits, "0123456789") == strlen(digits) && gan__parse_i64(digits, step);
}

gan_status gan__rundir_steps(const char *dir, int64_t **steps, size_t *count, gan_err *err)
{
    char path[GAN_PATH_TEXT_MAX];
    char **names = NULL;
    size_t n = 0;
    *steps = NULL;
    *count = 0;
    GAN_TRY(gan__rundir_file(path, sizeof path, dir, "checkpoints", err));
    errno = 0;
    if (!gan__path_is_dir(path)) {
        if (errno == EACCES) {
            return gan__fail_errno(err, "cannot read the directory", path);
        }
        return gan__path_is_dir(dir)
                   ? gan__fail(err, GAN_E_NOTFOUND, "%s is no run directory: it has no checkpoints",
                               dir)
                   : gan__fail(err, GAN_E_NOTFOUND, "%s: no such directory", dir);
    }
    GAN_TRY(gan__list_dir(path, &names, &n, err));
    *steps = gan__alloc_array(n + 1, sizeof **steps);
    for (size_t i = 0; i < n && *steps != NULL; i++) {
        *count += step_of(names[i], &(*steps)[*count]);
    }
    gan__list_free(names, n);
    if (*steps == NULL) {
        return gan__fail_nomem(err, n * sizeof **steps, "a list of checkpoints");
    }
    gan__sort_i64(*steps, *count);
    return GAN_OK;
}

gan_status gan__rundir_newest(const char *dir, char *dst, size_t cap, gan_err *err)
{
    int64_t *steps = NULL;
    size_t n = 0;
    gan_status status = gan__rundir_steps(dir, &steps, &n, err);
    if (status == GAN_OK && n == 0) {
        status = gan__fail(err, GAN_E_NOTFOUND, "%s/checkpoints holds no checkpoint", dir);
    }
    if (status == GAN_OK) {
        status = gan__rundir_checkpoint(dst, cap, dir, steps[n - 1], err);
    }
    gan__free(steps);
    return status;
}

gan_status gan__rundir_prune(const char *dir, int64_t keep, gan_err *err)
{
    int64_t *steps = NULL;
    size_t n = 0;
    gan_status status = gan__rundir_steps(dir, &steps, &n, err);
    for (size_t i = 0; status == GAN_OK && i + (size_t)keep < n; i++) {
        char path[GAN_PATH_TEXT_MAX];
        status = gan__rundir_checkpoint(path, sizeof path, dir, steps[i], err);
        if (status == GAN_OK) {
            status = gan__remove(path, err);
        }
    }
    gan__free(steps);
    return status;
}

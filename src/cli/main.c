/* main.c: the program `gan`: finds the command, reads its line, runs it, and turns what came of it
 * into one line on stderr and an exit code. */
#include "cmdline.h"
#include "find.h"
#include "out.h"
#include "page.h"
#include "waits.h"

#include "base/err.h"
#include "base/str.h"

#include <gan/log.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct gan__command *gan__command_find(const char *name, gan_err *err)
{
    enum { MANY = 64 };
    const char *names[MANY];
    size_t n = 0;
    for (; gan__commands[n] != NULL && n < MANY; n++) {
        names[n] = gan__commands[n]->name;
        if (strcmp(names[n], name) == 0) {
            return gan__commands[n];
        }
    }
    const char *near = gan__suggest(name, names, n);
    if (near == NULL) {
        (void)gan__fail(err, GAN_E_ARG, "unknown command '%s', see gan help", name);
    } else {
        (void)gan__fail(err, GAN_E_ARG, "unknown command '%s' (did you mean '%s'?)", name, near);
    }
    return NULL;
}

/* A descriptor 0, 1 or 2 that came closed would be given to the next file that is opened, and the
 * words meant for it would land in that file. */
static void hold_descriptors(void)
{
    int fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDONLY);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void on_log(void *ctx, gan_log_level level, const char *line)
{
    (void)ctx;
    gan__say("%s%s", level == GAN_LOG_WARNING ? "warning: " : "", line);
}

/* Output that never arrived is a failure, told unless nobody is there to read it. */
static int finish(int code)
{
    errno = 0;
    bool bad = ferror(stdout) != 0;
    bad = fflush(stdout) != 0 || bad;
    if (!bad || code != 0) {
        return code;
    }
    if (errno != EPIPE && errno != EBADF && errno != 0) {
        gan__say("cannot write to standard output: %s", strerror(errno));
    }
    return 1;
}

static int report(const char *command, const gan_err *err, gan_status status)
{
    if (err->message[0] != '\0') {
        (void)fflush(stdout);
        gan__say("%s%s%s", command != NULL ? command : "", command != NULL ? ": " : "",
                 err->message);
    } else if (status != GAN_OK) {
        gan__say("%s%s%s", command != NULL ? command : "", command != NULL ? ": " : "",
                 gan_status_name(status));
    }
    return gan_status_exit_code(status);
}

static int run_command(const struct gan__command *c, int argc, char **argv)
{
    struct gan__cmdline args;
    gan_err err = {0};
    gan_status status = gan__cmdline_read(&args, c, argc, argv, &err);
    if (status == GAN_OK && args.help) {
        gan__page_command(c, args.model);
    } else if (status == GAN_OK) {
        status = c->run(&args, &err);
    }
    gan__cmdline_release(&args);
    return status != GAN_OK ? report(c->name, &err, status) : 0;
}

int main(int argc, char **argv)
{
    gan_err err = {0};
    hold_descriptors();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is a failed write, as a full disk */
    gan_set_log(on_log, NULL);
    if (argc < 2) {
        gan__say("a command is missing, see gan help");
        return 2;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("gan %s\n", gan_version());
        return finish(0);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        gan__page_program();
        return finish(0);
    }
    if (argv[1][0] == '-') {
        gan__say("unknown option %s before the command, see gan help", argv[1]);
        return 2;
    }
    const struct gan__command *c = gan__command_find(argv[1], &err);
    if (c == NULL) {
        return finish(report(NULL, &err, GAN_E_ARG));
    }
    gan__short_waits(argv);
    return finish(run_command(c, argc - 2, argv + 2));
}

/* interrupt.c: the handler does what a handler may: set a flag, write, _exit. */
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130 };

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNALS = sizeof signals / sizeof signals[0] };

static volatile sig_atomic_t flag;
static struct sigaction before[SIGNALS];

static void on_signal(int number)
{
    static const char text[] =
        "\ngan: finishing the step, then a checkpoint; once more to stop at once\n";
    (void)number;
    if (flag != 0) {
        _exit(EXIT_INTERRUPTED);
    }
    flag = 1;
    int saved = errno;
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    errno = saved;
}

void gan__interrupt_watch(void)
{
    struct sigaction action = {0};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    (void)sigemptyset(&action.sa_mask);
    flag = 0;
    for (size_t i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) { /* nohup stays nohup */
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

void gan__interrupt_release(void)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], &before[i], NULL);
    }
}

bool gan__interrupted(void)
{
    return flag != 0;
}

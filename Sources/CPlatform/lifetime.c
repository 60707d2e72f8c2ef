#define _GNU_SOURCE
#include "lifetime.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

static void end_group(int number) {
    (void)number;
    kill(0, SIGKILL);
}

int platform_group_end_signal(void) {
    return SIGRTMAX;
}

int platform_end_with_parent(int parent) {
    struct sigaction action = {.sa_handler = end_group};
    if (sigaction(SIGRTMAX, &action, NULL) != 0) {
        return errno;
    }
    // A stopped group whose parent ends gets SIGHUP, then SIGCONT; the first would end this process alone.
    struct sigaction now;
    if (sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        sigaction(SIGHUP, &action, NULL);
    }
    sigset_t mine;
    sigemptyset(&mine);
    sigaddset(&mine, SIGRTMAX);
    sigprocmask(SIG_UNBLOCK, &mine, NULL);
    return getppid() == parent ? 0 : ESRCH;
}

void platform_name_thread(const char *name) {
    prctl(PR_SET_NAME, name);
}

static _Atomic int report_to = -1;
static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
static _Atomic int is_caught[3];

static void report(int number) {
    int error = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(atomic_load(&report_to), &byte, 1);
    (void)written;
    errno = error;
}

void platform_catch_termination(int descriptor) {
    atomic_store(&report_to, descriptor);
    for (int index = 0; index < 3; index++) {
        struct sigaction now;
        if (sigaction(caught[index], NULL, &now) != 0 || now.sa_handler != SIG_DFL) {
            continue;
        }
        // SA_RESETHAND: the second one ends the program even if the first is being dealt with.
        struct sigaction action = {.sa_handler = report, .sa_flags = SA_RESTART | SA_RESETHAND};
        is_caught[index] = sigaction(caught[index], &action, NULL) == 0;
    }
}

void platform_release_termination(void) {
    for (int index = 0; index < 3; index++) {
        struct sigaction now;
        if (is_caught[index] && sigaction(caught[index], NULL, &now) == 0 && now.sa_handler == report) {
            struct sigaction action = {.sa_handler = SIG_DFL};
            sigaction(caught[index], &action, NULL);
        }
        is_caught[index] = 0;
    }
    atomic_store(&report_to, -1);
}

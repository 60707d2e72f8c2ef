#define _GNU_SOURCE
#include "events.h"
#include "lifetime.h"
#include "processes.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/// Runs in the guard, a copy of a process that may have had threads: only async-signal-safe calls.
static void guard(int reading, int *groups) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    // Out of reach of the terminal, and of those who end the starter's group.
    setsid();
    prctl(PR_SET_NAME, "muster-guard");
    // Holds no file of the starter's open: whoever reads the other end of a pipe waits for the last writer.
    dup2(reading, 0);
    platform_close_from(1);
    int count = 0, told;
    while (read(0, &told, sizeof told) == sizeof told) {
        if (told > 0) {
            groups[count++] = told;
            continue;
        }
        for (int index = 0; index < count; index++) {
            if (groups[index] == -told) {
                groups[index] = groups[--count];
                break;
            }
        }
    }
    for (int index = 0; index < count; index++) {
        kill(-groups[index], SIGKILL);
    }
    _exit(0);
}

int platform_start_guard(int capacity, struct platform_guard *started) {
    int ends[2];
    int error = platform_pipe(ends);
    if (error != 0) {
        return error;
    }
    int *groups = calloc((size_t)capacity, sizeof(int));
    pid_t process = groups == NULL ? -1 : fork();
    error = errno;
    if (process == 0) {
        guard(ends[0], groups);
    }
    free(groups);
    close(ends[0]);
    if (process < 0) {
        close(ends[1]);
        return error;
    }
    started->process = process;
    started->descriptor = ends[1];
    return 0;
}

void platform_tell_guard(const struct platform_guard *guard, int group) {
    // Four bytes into a pipe go whole. A guard that was killed can't be told; then SIGPIPE must not end us.
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    if (write(guard->descriptor, &group, sizeof group) < 0 && errno == EPIPE) {
        struct timespec now = {0, 0};
        sigtimedwait(&pipe, NULL, &now);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void platform_end_guard(const struct platform_guard *guard) {
    close(guard->descriptor);
    while (waitpid(guard->process, NULL, 0) < 0 && errno == EINTR) {
    }
}

#define _GNU_SOURCE
#include "processes.h"
#include "affinity.h"
#include "spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/// What the child tells its parent before it becomes another program; vfork shares the memory.
struct report {
    volatile int step;
    volatile int error;
};

void platform_close_from(unsigned first) {
    if (syscall(SYS_close_range, first, UINT_MAX, 0) == 0) {
        return;
    }
    // Kernels before 5.9: ask for the limit. Only async-signal-safe calls are allowed here.
    long limit = sysconf(_SC_OPEN_MAX);
    for (long descriptor = first; descriptor < limit; descriptor++) {
        close((int)descriptor);
    }
}

/// Runs in the child until exec: only async-signal-safe calls, no allocation, no return.
static void become(const struct platform_spawn_request *request, pid_t parent, int *moved, struct report *report) {
    int count = (int)request->descriptor_count;
    setpgid(0, request->group);
    if (request->parent_death_signal != 0) {
        prctl(PR_SET_PDEATHSIG, request->parent_death_signal);
        if (getppid() != parent) {
            _exit(127);  // the parent died before the line above
        }
    }
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        sigaction(number, &standard, NULL);
    }
    report->step = platform_spawn_descriptors;
    // First out of the way of the targets, then into place.
    for (int index = 0; index < count; index++) {
        moved[index] = fcntl(request->descriptors[index], F_DUPFD, count);
        if (moved[index] < 0) {
            report->error = errno;
            _exit(127);
        }
    }
    for (int index = 0; index < count; index++) {
        if (dup2(moved[index], index) < 0) {
            report->error = errno;
            _exit(127);
        }
    }
    platform_close_from((unsigned)count);
    struct rlimit limit;
    if (request->open_file_limit > 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = (rlim_t)request->open_file_limit;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (request->directory != NULL) {
        report->step = platform_spawn_directory;
        if (chdir(request->directory) != 0) {
            report->error = errno;
            _exit(127);
        }
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (request->binding != NULL) {
        struct platform_binding *binding = request->binding;
        binding->mask_error = platform_get_affinity(0, binding->mask, binding->mask_size);
        long code = syscall(SYS_get_mempolicy, &binding->policy, binding->nodes, binding->nodes_size * 8, NULL, 0);
        binding->policy_error = code == 0 ? 0 : errno;
    }
    report->step = platform_spawn_execute;
    execve(request->executable, request->arguments, request->environment);
    report->error = errno;
    _exit(127);
}

int platform_spawn(const struct platform_spawn_request *request, pid_t *process, int *watch, int *failed_step) {
    struct report report = {.step = platform_spawn_fork, .error = 0};
    int *moved = malloc(sizeof(int) * (request->descriptor_count + 1));
    if (moved == NULL) {
        *failed_step = platform_spawn_fork;
        return ENOMEM;
    }
    // No handler of the program may run in the child while it shares our memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t child = vfork();
    if (child == 0) {
        become(request, parent, moved, &report);
    }
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(moved);
    if (child < 0) {
        *failed_step = platform_spawn_fork;
        return error;
    }
    if (report.error != 0) {
        waitpid(child, NULL, 0);
        *failed_step = report.step;
        return report.error;
    }
    int descriptor = (int)syscall(SYS_pidfd_open, child, 0);
    if (descriptor < 0) {
        error = errno;
        kill(request->group == 0 ? -child : child, SIGKILL);
        waitpid(child, NULL, 0);
        *failed_step = platform_spawn_watch;
        return error;
    }
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    *process = child;
    *watch = descriptor;
    return 0;
}

void platform_collect(pid_t process, struct platform_exit *ended) {
    kill(-process, SIGKILL);
    platform_wait(process, ended);
}

void platform_wait(pid_t process, struct platform_exit *ended) {
    int status = 0;
    pid_t result;
    do {
        result = waitpid(process, &status, 0);
    } while (result < 0 && errno == EINTR);
    ended->signal = 0;
    if (result != process) {
        ended->status = -2;
    } else if (WIFSIGNALED(status)) {
        ended->status = -1;
        ended->signal = WTERMSIG(status);
    } else {
        ended->status = WEXITSTATUS(status);
    }
}

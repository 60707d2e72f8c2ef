// glibc hides sched_setaffinity behind _GNU_SOURCE, so Swift's Glibc module does not export it.
#define _GNU_SOURCE
#include "affinity.h"
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int platform_set_affinity(pid_t thread, const void *mask, size_t size) {
    return sched_setaffinity(thread, size, (const cpu_set_t *)mask) == 0 ? 0 : errno;
}

int platform_get_affinity(pid_t thread, void *mask, size_t size) {
    return sched_getaffinity(thread, size, (cpu_set_t *)mask) == 0 ? 0 : errno;
}

pid_t platform_thread(void) {
    return (pid_t)syscall(SYS_gettid);
}

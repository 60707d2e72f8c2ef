#ifndef C_PLATFORM_EVENTS_H
#define C_PLATFORM_EVENTS_H
// Swift's Glibc module has neither of these.
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// pipe2(2) with O_CLOEXEC: returns 0, or the errno value.
int platform_pipe(int ends[2]);

#endif

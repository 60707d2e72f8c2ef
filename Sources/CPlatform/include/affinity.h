#ifndef C_PLATFORM_AFFINITY_H
#define C_PLATFORM_AFFINITY_H
#include <stddef.h>
#include <sys/types.h>

/// Binds thread `thread` (0: the calling one) to the processors set in `mask` (`size` bytes, bit n = processor n).
/// Returns 0, or the errno value of sched_setaffinity(2).
int platform_set_affinity(pid_t thread, const void *mask, size_t size);

#endif

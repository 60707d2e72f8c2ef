#ifndef C_PLATFORM_AFFINITY_H
#define C_PLATFORM_AFFINITY_H
#include <stddef.h>
#include <sys/types.h>

/// Binds thread `thread` (0: the calling one) to the processors set in `mask` (`size` bytes, bit n = processor n).
/// Returns 0, or the errno value of sched_setaffinity(2).
int platform_set_affinity(pid_t thread, const void *mask, size_t size);

/// Writes the processors that thread `thread` (0: the calling one) is bound to into `mask` (`size` bytes, a multiple
/// of 8, bit n = processor n; bytes that the kernel doesn't use are zeroed).
/// Returns 0, or the errno value of sched_getaffinity(2): EINVAL if the kernel's masks are larger than `size`.
int platform_get_affinity(pid_t thread, void *mask, size_t size);

/// The kernel's number of the calling thread.
pid_t platform_thread(void);

#endif

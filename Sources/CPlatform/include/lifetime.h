#ifndef C_PLATFORM_LIFETIME_H
#define C_PLATFORM_LIFETIME_H

/// Makes the end of `parent` (the process that started this one) end this process and its whole group at once.
///
/// Returns 0, or ESRCH if the parent has ended already, or an errno value. The caller leads a process group of its own.
int platform_end_with_parent(int parent);

/// Names the calling thread; at most 15 bytes show.
void platform_name_thread(const char *name);

/// Catches SIGINT, SIGTERM and SIGHUP where the program has not chosen otherwise: the number is written as one byte to `descriptor`.
///
/// A second signal of the same kind has its usual effect.
void platform_catch_termination(int descriptor);

/// Gives the caught signals their usual effect again.
void platform_release_termination(void);

#endif

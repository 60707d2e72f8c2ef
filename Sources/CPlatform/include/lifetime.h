#ifndef C_PLATFORM_LIFETIME_H
#define C_PLATFORM_LIFETIME_H

/// The signal by which a worker learns that its parent has ended: SIGRTMAX.
int platform_group_end_signal(void);

/// Makes the end of the thread that started this process end this process and its whole group at once.
///
/// For a process started with `platform_group_end_signal` as its parent-death signal, which by itself would end only
/// the process: it gets a handler. That the kernel sends it was asked for before this program began: the request belongs to a thread, and may be
/// changed only by the thread itself, the main one. Returns 0, or ESRCH if `parent` has ended already, or an errno
/// value. The caller leads a process group of its own.
int platform_end_with_parent(int parent);

/// Names the calling thread; at most 15 bytes show.
void platform_name_thread(const char *name);

/// Catches SIGINT, SIGTERM and SIGHUP where the program has not chosen otherwise: the number is written as one byte to `descriptor`.
///
/// A second signal of the same kind has its usual effect.
void platform_catch_termination(int descriptor);

/// Gives the caught signals their usual effect again.
void platform_release_termination(void);

/// A process that ends process groups when the one that started it has ended, in whatever way: also by SIGKILL, when it
/// could no longer do so itself.
struct platform_guard {
    int process;
    int descriptor;
};

/// Starts a guard for at most `capacity` groups. Returns 0, or an errno value.
int platform_start_guard(int capacity, struct platform_guard *guard);

/// Names a group to the guard, or with a negative number strikes it off.
void platform_tell_guard(const struct platform_guard *guard, int group);

/// Ends the guard, and the groups that it still knows.
void platform_end_guard(const struct platform_guard *guard);

#endif

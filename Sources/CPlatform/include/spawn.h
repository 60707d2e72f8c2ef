#ifndef C_PLATFORM_SPAWN_H
#define C_PLATFORM_SPAWN_H
#include <stddef.h>
#include <sys/types.h>

/// What a child was bound to, the moment before it became another program.
struct platform_binding {
    /// Its processors, bit n = processor n; `mask_size` bytes, a multiple of 8.
    void *mask;
    size_t mask_size;
    /// The errno value of sched_getaffinity(2), or 0.
    int mask_error;
    /// The number of its memory policy, and its nodes, bit n = node n; `nodes_size` bytes.
    int policy;
    void *nodes;
    size_t nodes_size;
    /// The errno value of get_mempolicy(2), or 0.
    int policy_error;
};

/// How to start a process; all pointers are borrowed for the call.
struct platform_spawn_request {
    /// Path of the executable; it is resolved in the child, so `/proc/self/exe` names the caller's own.
    const char *executable;
    /// NULL-terminated, the first is the name the program sees.
    char *const *arguments;
    /// NULL-terminated `NAME=value` strings.
    char *const *environment;
    /// Working directory, or NULL for the caller's.
    const char *directory;
    /// Descriptor n of the child is a copy of `descriptors[n]`; every other one is closed.
    const int *descriptors;
    size_t descriptor_count;
    /// Signal that the child gets when the calling *thread* ends; 0 for none. A program of ours that calls
    /// `platform_end_with_parent` needs `platform_group_end_signal`.
    int parent_death_signal;
    /// The process group that the child joins, or 0 for a new one that it leads.
    pid_t group;
    /// Soft limit on open files of the child, or 0 for the caller's.
    long open_file_limit;
    /// Where the child writes what it is bound to, or NULL.
    struct platform_binding *binding;
};

/// Which step of starting a process failed.
enum platform_spawn_step {
    platform_spawn_fork = 1,
    platform_spawn_descriptors = 2,
    platform_spawn_directory = 3,
    platform_spawn_execute = 4,
    platform_spawn_watch = 5,
};

/// Starts a process with the calling thread's CPU mask and memory policy.
///
/// On success stores the process id, and in `watch` a pidfd (close-on-exec) that becomes readable when the process
/// has ended, and returns 0. Otherwise returns an errno value and stores the step that failed; no process is left.
/// Uses vfork: the cost does not depend on the caller's size.
int platform_spawn(const struct platform_spawn_request *request, pid_t *process, int *watch, int *failed_step);

/// How a process ended.
struct platform_exit {
    /// Exit status, or -1 if a signal ended it, or -2 if it can't be known (the program ignores SIGCHLD).
    int status;
    /// The signal that ended it, or 0.
    int signal;
};

/// Ends everything left in `process`'s group and collects its exit; the process must have ended.
///
/// The group is signalled before the process is collected, while its number can't have been given to another.
void platform_collect(pid_t process, struct platform_exit *ended);

/// Waits for the end of `process`, which leads no group, and collects its exit.
void platform_wait(pid_t process, struct platform_exit *ended);

#endif

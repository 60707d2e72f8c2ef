#ifndef FLOORS_H
#define FLOORS_H

#include <stddef.h>

// What the machine can do at best. Every function returns a negative number if the system refuses what it needs.

/// Microseconds for 8 bytes to another process and back over a pair of Unix sockets.
double floor_socket_round_trip(int cpu, int other_cpu, long calls);

/// The same over loopback TCP with TCP_NODELAY.
double floor_tcp_round_trip(int cpu, int other_cpu, long calls);

/// The same through shared memory: each side looks `spins` times for its turn before it sleeps on a futex.
double floor_ring_round_trip(int cpu, int other_cpu, long calls, long spins);

/// Microseconds for a frame of `size` bytes to another process and back, through a ring of 256 KiB each way, out of which the
/// reader copies; each side looks `spins` times before it sleeps.
double floor_frame_round_trip(int cpu, int other_cpu, size_t size, long calls, long spins);

/// GB/s of frames of `size` bytes through such a ring, one way.
double floor_frames_one_way(int cpu, int other_cpu, size_t size, long calls, long spins);

/// Seconds to copy `size` bytes into pages that the process has, or (`fresh`) into new ones.
double floor_copy(size_t size, int fresh);

/// Seconds to copy `size` bytes to another process and back by shared memory: into it, out of it, and the same again, all
/// of it memory that was used before.
double floor_four_copies(size_t size);

/// Seconds in which two threads, each on a CPU of its own, sum `count` doubles `sums` times together, in order.
double floor_two_thread_sums(int cpu, int other_cpu, size_t count, long sums);

/// What to do with a block of shared memory (memfd).
enum floor_shared_way {
    /// Take its pages from the system in bulk (fallocate, then populate), and copy into them.
    floor_shared_copy_populated,
    /// Copy into it, a page fault for each page.
    floor_shared_copy_faults,
    /// Copy into pages that were written before.
    floor_shared_copy_used,
    /// Sum it in a mapping that was never read, a page fault for every 16 pages.
    floor_shared_read_faults,
    /// The same, after its pages were entered in bulk.
    floor_shared_read_populated,
    /// Sum it in a mapping that was used before.
    floor_shared_read_used,
};

/// Seconds for that with a block of `size` bytes.
double floor_shared(size_t size, enum floor_shared_way way);

/// Seconds to start a program with one argument (or none: NULL) and wait for its end: `count` times, all of them at once.
double floor_spawn(const char *program, const char *argument, long count);

/// Binds all threads that the process has now to these CPUs; returns 0 or an errno.
int floor_bind_process(const int *cpus, size_t count);

/// Blocks that this thread has asked of malloc and its relatives so far.
long floor_allocations(void);

/// From now on the process keeps the pages of freed blocks, of any size, and gives them out again: so that a large
/// block is as warm as the one that a copy is measured with. Nothing happens if FRESH_PAGES is set in the environment.
void floor_keep_memory(void);

/// Seconds on a clock that never goes back.
double floor_seconds(void);

#endif

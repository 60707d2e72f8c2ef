#ifndef C_PLATFORM_MEMORY_H
#define C_PLATFORM_MEMORY_H
#include <stddef.h>

// Memory behind a descriptor. Swift's Glibc module has neither memfd_create nor fallocate nor the seals. Unless
// it says otherwise, what is here returns 0, or an errno value.

/// Makes a file of `size` zero bytes that is nowhere but in memory, and is gone with its last holder.
///
/// Close-on-exec, not executable where the kernel knows of that, for its owner only, and with no page allocated.
/// `name` shows in /proc/self/maps.
int platform_make_memory(const char *name, size_t size, int *descriptor);

/// Fixes the size of the file for good, and with it the seals.
int platform_seal_memory(int descriptor);

/// Stores the size of a file in memory, and in `is_fixed` whether its size is sealed. EINVAL: it has no seals.
int platform_inspect_memory(int descriptor, size_t *size, int *is_fixed);

/// Allocates the pages of a range; what can't be had is an errno value, and no SIGBUS later.
///
/// Pages that were allocated already keep what they hold. After a failure some of the range may be allocated.
int platform_allocate_memory(int descriptor, size_t offset, size_t size);

/// Gives whole pages of a range back to the system; they read as zeros from then on.
int platform_release_memory(int descriptor, size_t offset, size_t size);

/// Whether no page of a range is missing: all have been written to, or populated. Returns 1 or 0.
int platform_holds_all(int descriptor, size_t offset, size_t size);

/// Enters the pages of a mapping into the page tables at once: for writing, or else for reading.
///
/// Allocates what is not there. EINVAL before Linux 5.14; EFAULT where touching the pages would have meant SIGBUS.
int platform_populate(void *base, size_t size, int for_writing);

// NUMA nodes, by the kernel's numbers. EPERM: a container forbids the call; ENOSYS: the kernel has no NUMA.

/// Has whole pages that are allocated in a mapping from now on come from `node` while that has memory; -1: from where
/// the thread runs that touches them.
///
/// For a shared mapping of a file this goes for that part of the file, whoever allocates it, by whatever way. EINVAL: the
/// node does not exist, has no memory, or is outside this process's cpuset.
int platform_prefer_node(void *base, size_t size, int node);

/// Stores the node of `platform_prefer_node` at an address, or -1.
int platform_preferred_node(const void *address, int *node);

/// Stores for each of `count` addresses the node of the page there; a negative number where there is none, or this
/// process has not touched it yet.
int platform_page_nodes(const void *const *addresses, size_t count, int *nodes);

#endif

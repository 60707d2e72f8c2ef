#define _GNU_SOURCE
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

// Of the kernel, as in libnuma's numaif.h, which is not needed for three calls.
#define MPOL_DEFAULT 0
#define MPOL_PREFERRED 1
#define MPOL_F_ADDR (1 << 1)
enum { node_count = 1024, word_bits = 8 * sizeof(unsigned long) };

/// fallocate undoes all it did when a signal comes. In pieces it gets on, however often that is.
static const size_t piece = 16 << 20;

int platform_make_memory(const char *name, size_t size, int *descriptor) {
    int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (made < 0 && errno == EINVAL) {
        made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);  // before Linux 6.3
    }
    if (made < 0) {
        return errno;
    }
    // By default anyone who got a descriptor for reading could open it again for writing.
    if (fchmod(made, 0600) != 0 || ftruncate(made, (off_t)size) != 0) {
        int error = errno;
        close(made);
        return error;
    }
    *descriptor = made;
    return 0;
}

int platform_seal_memory(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 ? 0 : errno;
}

int platform_inspect_memory(int descriptor, size_t *size, int *is_fixed) {
    struct stat status;
    int seals = fcntl(descriptor, F_GET_SEALS);
    // In this order: a size that is read after the seals were found can't change.
    if (seals < 0 || fstat(descriptor, &status) != 0) {
        return errno;
    }
    *size = (size_t)status.st_size;
    *is_fixed = (seals & F_SEAL_SHRINK) != 0 && (seals & F_SEAL_GROW) != 0;
    return 0;
}

/// fallocate over a range, piece by piece.
static int change(int descriptor, int mode, size_t offset, size_t size) {
    size_t end = offset + size;
    while (offset < end) {
        size_t count = end - offset < piece ? end - offset : piece;
        if (fallocate(descriptor, mode, (off_t)offset, (off_t)count) == 0) {
            offset += count;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int platform_allocate_memory(int descriptor, size_t offset, size_t size) {
    return change(descriptor, 0, offset, size);
}

int platform_release_memory(int descriptor, size_t offset, size_t size) {
    return change(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
}

int platform_holds_all(int descriptor, size_t offset, size_t size) {
    off_t hole = lseek(descriptor, (off_t)offset, SEEK_HOLE);
    return hole >= 0 && (size_t)hole >= offset + size;
}

int platform_populate(void *base, size_t size, int for_writing) {
    int result;
    do {
        result = madvise(base, size, for_writing ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

int platform_prefer_node(void *base, size_t size, int node) {
    unsigned long mask[node_count / word_bits] = {0};
    if (node >= node_count) {
        return EINVAL;
    }
    if (node >= 0) {
        mask[node / word_bits] = 1UL << (node % word_bits);
    }
    // The kernel takes the count for one more than the bits it may read.
    long result = syscall(
        SYS_mbind, base, size, node < 0 ? MPOL_DEFAULT : MPOL_PREFERRED, node < 0 ? NULL : mask,
        node < 0 ? 0UL : node_count + 1UL, 0U);
    return result == 0 ? 0 : errno;
}

int platform_preferred_node(const void *address, int *node) {
    unsigned long mask[node_count / word_bits] = {0};
    int mode = MPOL_DEFAULT;
    if (syscall(SYS_get_mempolicy, &mode, mask, (unsigned long)node_count, address, (unsigned long)MPOL_F_ADDR) != 0) {
        return errno;
    }
    *node = -1;
    for (int word = 0; mode == MPOL_PREFERRED && *node < 0 && word < node_count / word_bits; word += 1) {
        if (mask[word] != 0) {
            *node = word * word_bits + __builtin_ctzl(mask[word]);
        }
    }
    return 0;
}

int platform_page_nodes(const void *const *addresses, size_t count, int *nodes) {
    return syscall(SYS_move_pages, 0, count, addresses, NULL, nodes, 0) == 0 ? 0 : errno;
}

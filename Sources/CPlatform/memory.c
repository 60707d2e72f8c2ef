#define _GNU_SOURCE
#include "memory.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

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

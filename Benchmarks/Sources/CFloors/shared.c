#define _GNU_SOURCE
#include "floors.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static volatile double sink;

/// Four sums at once, as fast as memory is.
static double sum(const double *values, size_t count) {
    double a = 0, b = 0, c = 0, d = 0;
    for (size_t index = 0; index + 4 <= count; index += 4) {
        a += values[index];
        b += values[index + 1];
        c += values[index + 2];
        d += values[index + 3];
    }
    return a + b + c + d;
}

double floor_shared(size_t size, enum floor_shared_way way) {
    void *source = malloc(size);
    int file = memfd_create("floor", MFD_CLOEXEC);
    if (source == NULL || file < 0 || ftruncate(file, (off_t)size) != 0) {
        free(source);
        close(file);
        return -1;
    }
    memset(source, 1, size);
    // Or the compiler makes the copies what this is: writing ones.
    __asm__ volatile("" : : "r"(source) : "memory");
    int is_read = way >= floor_shared_read_faults;
    char *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *view = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
    double start = -1;
    if (block == MAP_FAILED || view == MAP_FAILED) {
        goto end;
    }
    if (is_read || way == floor_shared_copy_used) {
        memcpy(block, source, size);
    }
    start = floor_seconds();
    switch (way) {
    case floor_shared_copy_populated:
        if (fallocate(file, 0, 0, (off_t)size) != 0 || madvise(block, size, MADV_POPULATE_WRITE) != 0) {
            start = -1;
            goto end;
        }
        memcpy(block, source, size);
        break;
    case floor_shared_copy_faults:
    case floor_shared_copy_used:
        memcpy(block, source, size);
        break;
    case floor_shared_read_populated:
        if (madvise(view, size, MADV_POPULATE_READ) != 0) {
            start = -1;
            goto end;
        }
        sink = sum((const double *)view, size / sizeof(double));
        break;
    case floor_shared_read_faults:
        sink = sum((const double *)view, size / sizeof(double));
        break;
    case floor_shared_read_used:
        sink = sum((const double *)block, size / sizeof(double));
        break;
    }
    start = floor_seconds() - start;
end:
    if (block != MAP_FAILED) {
        munmap(block, size);
    }
    if (view != MAP_FAILED) {
        munmap(view, size);
    }
    free(source);
    close(file);
    return start;
}

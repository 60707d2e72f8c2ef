#include "floors.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

// Stands in front of the C library's allocator and counts. The peers are built with this file too, so that what
// counting costs, an increment, is the same for all.

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static __thread long allocations __attribute__((tls_model("local-exec")));

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    allocations++;
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    allocations++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    allocations++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    allocations++;
    void *start = __libc_memalign(alignment, size);
    if (start == NULL) {
        return ENOMEM;
    }
    *result = start;
    return 0;
}

long floor_allocations(void) { return allocations; }

void floor_keep_memory(void) {
    if (getenv("FRESH_PAGES") != NULL) {
        return;
    }
    // In this order: a fixed threshold also ends glibc's own adjusting of it.
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 2000000000);
    mallopt(M_TOP_PAD, 64 << 20);
}

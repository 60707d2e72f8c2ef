#ifndef C_PLATFORM_FUTEX_H
#define C_PLATFORM_FUTEX_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Waiting for another process through memory that both map, and reading what it may still change.

/// Tells the CPU that this thread looks at memory again and again: it then leaves more to its sibling, and sees a change
/// without undoing work that it did ahead.
static inline void platform_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    // YIELD does nothing on most; ISB waits a little, as PAUSE does.
    __asm__ volatile("isb" ::: "memory");
#endif
}

/// Copies bytes that another process may be changing meanwhile.
///
/// From here on the compiler must take it that they have changed: so it can't fetch again from `from` what the caller
/// reads from `to`, and what was checked in the copy is what is used.
static inline void platform_copy_shared(void *to, const void *from, size_t size) {
    memcpy(to, from, size);
    __asm__ volatile("" ::: "memory");
}

/// Sleeps while `*word` is `expected`, at most `nanoseconds` (negative: without limit). The word may be in memory shared with
/// other processes. Returns 0, or EAGAIN (it was something else), ETIMEDOUT or EINTR; 0 may also come for no reason.
int platform_futex_wait(const void *word, uint32_t expected, int64_t nanoseconds);

/// Wakes at most `count` threads, in any process, that sleep on `word`.
void platform_futex_wake(const void *word, int count);

#endif

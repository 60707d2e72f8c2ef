#define _GNU_SOURCE
#include "throws.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

// What the Swift runtime calls whenever an error is thrown, if it is set: with the error's box, or with a value in place and
// its type. Debuggers and test frameworks use it too, so whoever was there before is called as well.
// Source: swift/stdlib/public/SwiftShims/swift/shims/Visibility.h, runtime/ErrorObjectCommon.cpp.
extern _Atomic(void (*)(void *)) _swift_willThrow;
extern _Atomic(void (*)(void *, const void *, const void *)) _swift_willThrowTypedImpl;
extern void *swift_unownedRetain(void *object);
extern void swift_unownedRelease(void *object);

#define NOTES 64

struct note {
    uintptr_t type;
    int count;
    uintptr_t frames[PLATFORM_THROW_FRAMES];
};

static atomic_int watchers;
static void (*earlier)(void *);
static void (*earlier_typed)(void *, const void *, const void *);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/// The boxes of the notes, apart, because they are searched. Held unowned: the error ends when it would, but its address is
/// not given to another one while it stands here.
static uintptr_t errors[NOTES];
static struct note notes[NOTES];
static int newest = NOTES - 1;

static __thread uintptr_t stack_low, stack_high, noted_base;

static void find_stack(void) {
    pthread_attr_t attributes;
    void *low;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
        stack_low = (uintptr_t)low;
        stack_high = stack_low + size;
    }
    pthread_attr_destroy(&attributes);
}

/// Follows the frame pointers, which Swift keeps in debug and release builds: a hundred times as fast as unwinding by tables.
///
/// Code without them leaves anything in the register: so only addresses in this thread's stack are read, and only upwards.
static inline __attribute__((always_inline)) int walk(uintptr_t frames[PLATFORM_THROW_FRAMES]) {
#if defined(__x86_64__) || defined(__aarch64__)
    if (stack_high == 0) find_stack();
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    int count = 0;
    if (frame < stack_low || frame >= stack_high) return 0;
    while (count < PLATFORM_THROW_FRAMES) {
        const uintptr_t *words = (const uintptr_t *)frame;
        // Bit 60 marks frames of asynchronous functions, where they are marked.
        uintptr_t next = words[0] & ~((uintptr_t)1 << 60);
        if (noted_base != 0 && frame < noted_base && next >= noted_base) break;
        frames[count++] = words[1];
        if (next <= frame || next > stack_high - 2 * sizeof(uintptr_t) || next % sizeof(uintptr_t) != 0) break;
        frame = next;
    }
    return count;
#else
    return 0;
#endif
}

static void add(uintptr_t error, uintptr_t type, const uintptr_t *frames, int count) {
    newest = (newest + 1) % NOTES;
    if (errors[newest] != 0) swift_unownedRelease((void *)errors[newest]);
    errors[newest] = error;
    notes[newest].type = type;
    notes[newest].count = count;
    memcpy(notes[newest].frames, frames, sizeof(uintptr_t) * (size_t)count);
}

static int find(uintptr_t error) {
    for (int index = 0; index < NOTES; index++) {
        if (errors[index] == error) return index;
    }
    return -1;
}

static __attribute__((noinline)) void note_throw(void *error) {
    if (atomic_load_explicit(&watchers, memory_order_relaxed) > 0) {
        uintptr_t frames[PLATFORM_THROW_FRAMES];
        int count = walk(frames);
        pthread_mutex_lock(&lock);
        // One that is thrown on keeps its first place.
        if (find((uintptr_t)error) < 0) {
            swift_unownedRetain(error);
            add((uintptr_t)error, 0, frames, count);
        }
        pthread_mutex_unlock(&lock);
    }
    if (earlier != NULL) earlier(error);
}

static __attribute__((noinline)) void note_typed_throw(void *value, const void *type, const void *conformance) {
    if (atomic_load_explicit(&watchers, memory_order_relaxed) > 0) {
        uintptr_t frames[PLATFORM_THROW_FRAMES];
        int count = walk(frames);
        pthread_mutex_lock(&lock);
        add(0, (uintptr_t)type, frames, count);
        pthread_mutex_unlock(&lock);
    }
    if (earlier_typed != NULL) earlier_typed(value, type, conformance);
}

static void install(void) {
    earlier = atomic_exchange(&_swift_willThrow, note_throw);
    earlier_typed = atomic_exchange(&_swift_willThrowTypedImpl, note_typed_throw);
}

void platform_watch_throws(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    atomic_fetch_add_explicit(&watchers, 1, memory_order_relaxed);
}

void platform_unwatch_throws(void) {
    atomic_fetch_sub_explicit(&watchers, 1, memory_order_relaxed);
}

__attribute__((noinline)) void platform_begin_noted_stack(void) {
    noted_base = *(const uintptr_t *)__builtin_frame_address(0);
}

void platform_end_noted_stack(void) {
    noted_base = 0;
}

int platform_take_throw(uintptr_t error, uintptr_t type, uintptr_t frames[PLATFORM_THROW_FRAMES]) {
    pthread_mutex_lock(&lock);
    int index = error == 0 ? -1 : find(error);
    for (int age = 0; index < 0 && type != 0 && age < NOTES; age++) {
        int candidate = (newest - age + NOTES) % NOTES;
        if (errors[candidate] == 0 && notes[candidate].type == type) index = candidate;
    }
    int count = 0;
    if (index >= 0) {
        count = notes[index].count;
        memcpy(frames, notes[index].frames, sizeof(uintptr_t) * (size_t)count);
        if (errors[index] != 0) swift_unownedRelease((void *)errors[index]);
        errors[index] = 0;
        notes[index].type = 0;
    }
    pthread_mutex_unlock(&lock);
    return count;
}

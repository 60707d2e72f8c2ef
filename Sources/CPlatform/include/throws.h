#ifndef C_PLATFORM_THROWS_H
#define C_PLATFORM_THROWS_H

#include <stddef.h>
#include <stdint.h>

/// Most return addresses that are kept of one throw.
#define PLATFORM_THROW_FRAMES 32

/// Has it noted where Swift errors are thrown in this process, until as many calls of `platform_unwatch_throws`.
///
/// A throw costs some tens of nanoseconds more then. The last 64 are kept.
void platform_watch_throws(void);

/// Takes back one `platform_watch_throws`.
void platform_unwatch_throws(void);

/// Where the interesting part of this thread's stack begins: the caller's frame is the first that is not noted.
void platform_begin_noted_stack(void);

/// All of this thread's stack is noted again.
void platform_end_noted_stack(void);

/// Takes what was noted of an error: the return addresses at the place where it was thrown first, innermost first.
///
/// - error: address of the error's box; it need not be noted, nor alive.
/// - type: address of its type's metadata, for an error that was thrown as a value of that type, without a box: the last
///   that was noted.
///
/// Returns the number of addresses; 0 if nothing was noted.
int platform_take_throw(uintptr_t error, uintptr_t type, uintptr_t frames[PLATFORM_THROW_FRAMES]);

/// The readable form of a Swift symbol, to be freed; NULL if it is none.
///
/// Source: the Swift runtime, `swift_demangle` in stdlib/public/runtime/Demangle.cpp.
char *swift_demangle(const char *name, size_t length, char *output, size_t *output_size, uint32_t flags);

#endif

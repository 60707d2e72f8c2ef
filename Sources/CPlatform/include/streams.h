#ifndef C_PLATFORM_STREAMS_H
#define C_PLATFORM_STREAMS_H
#include <stddef.h>

// C's stdout and stderr are variables, which Swift 6 can't tell to be safe.

/// Writes to stdout (1) or stderr (2), behind what the program has printed there before.
void platform_print(int destination, const void *bytes, size_t count);

/// Hands what stdout holds to the system.
void platform_flush_output(void);

/// Makes stdout hand on each line as it ends, also to a pipe.
void platform_buffer_output_by_line(void);

#endif

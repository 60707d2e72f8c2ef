#ifndef C_PLATFORM_PROCESSES_H
#define C_PLATFORM_PROCESSES_H

/// Closes every descriptor from `first` on; async-signal-safe.
void platform_close_from(unsigned first);

#endif

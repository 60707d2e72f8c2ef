#ifndef C_PLATFORM_BODIES_H
#define C_PLATFORM_BODIES_H

/// Keeps an address for the calling thread: of what describes the body that it runs. NULL when it runs none.
void platform_set_running_body(const void *body);

/// The address that this thread keeps; NULL if it was given none.
const void *platform_running_body(void);

#endif

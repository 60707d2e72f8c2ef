#include "bodies.h"
#include <stddef.h>

// Swift has no variables of a thread.
static __thread const void *running;

void platform_set_running_body(const void *body) {
    running = body;
}

const void *platform_running_body(void) {
    return running;
}

#include "streams.h"
#include <stdio.h>

void platform_print(int destination, const void *bytes, size_t count) {
    fwrite(bytes, 1, count, destination == 2 ? stderr : stdout);
}

void platform_flush_output(void) {
    fflush(NULL);
}

void platform_buffer_output_by_line(void) {
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
}

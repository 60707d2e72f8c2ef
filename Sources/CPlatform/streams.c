#include "streams.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

// A program may be started without descriptors 0, 1 or 2. The next file that is opened would get the number, and what
// is printed would go there: into libdispatch's epoll descriptor, or a link. So the numbers are taken before `main`.
// What is written there still fails, as it should: each is opened for the other direction only.
__attribute__((constructor)) static void reserve_standard_descriptors(void) {
    for (int number = 0; number <= 2; number++) {
        if (fcntl(number, F_GETFD) < 0 && errno == EBADF) {
            // The lowest free number is taken, and those below are in use.
            int opened = open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY);
            (void)opened;
        }
    }
}

void platform_print(int destination, const void *bytes, size_t count) {
    fwrite(bytes, 1, count, destination == 2 ? stderr : stdout);
}

void platform_flush_output(void) {
    fflush(NULL);
}

void platform_buffer_output_by_line(void) {
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
}

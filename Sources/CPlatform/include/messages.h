#ifndef C_PLATFORM_MESSAGES_H
#define C_PLATFORM_MESSAGES_H
#include <stddef.h>

// Messages between two processes over a Unix socket that keeps them apart (SOCK_SEQPACKET), with open files beside the
// bytes. Swift can't import the macros that these take. Neither waits. Both return 0, or an errno value.

/// Most descriptors in a message.
enum { platform_message_descriptors = 8 };

/// A connected pair of such sockets, both close-on-exec.
int platform_message_sockets(int ends[2]);

/// Sends a message: `count` bytes, at least 1, and `descriptor_count` descriptors, which stay the caller's.
///
/// EAGAIN: the other side has not taken enough of what was sent before. EPIPE, without a signal: it is gone.
int platform_send_message(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

/// Receives a message of at most `capacity` bytes, and at most `platform_message_descriptors` descriptors, which are the
/// caller's from now on, and close-on-exec.
///
/// Stores 0 bytes if the other side has ended. EAGAIN: nothing is there. EMSGSIZE: the message is longer, and is lost;
/// EMFILE: there are more descriptors, or this process may have no more: only the bytes are here.
int platform_receive_message(
    int socket, void *bytes, size_t capacity, size_t *count, int *descriptors, size_t *descriptor_count);

/// Whether a descriptor is an eventfd on which nobody ever waits to write. Returns 1 or 0.
int platform_is_event(int descriptor);

/// Whether a descriptor is a Unix socket that keeps messages apart. Returns 1 or 0.
int platform_is_message_socket(int descriptor);

#endif

#define _GNU_SOURCE
#include "messages.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/// Space for one list of descriptors, aligned as the kernel wants it.
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * platform_message_descriptors)];
};

int platform_message_sockets(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
}

int platform_send_message(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    if (count == 0 || descriptor_count > platform_message_descriptors) return EINVAL;
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union control control = {0};
    if (descriptor_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * descriptor_count);
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

int platform_receive_message(
    int socket, void *bytes, size_t capacity, size_t *count, int *descriptors, size_t *descriptor_count) {
    *count = *descriptor_count = 0;
    struct iovec part = {bytes, capacity};
    union control control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t received;
    // What is said to have gone wrong on the other side (ECONNRESET) is said once, before what it sent, and then its end.
    do received = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (received < 0 && (errno == EINTR || errno == ECONNRESET));
    if (received < 0) return errno;
    size_t found = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t length = header->cmsg_len - CMSG_LEN(0);
        // The control bytes have space for no more.
        memcpy(descriptors + found, CMSG_DATA(header), length);
        found += length / sizeof(int);
    }
    int error = message.msg_flags & MSG_TRUNC ? EMSGSIZE : message.msg_flags & MSG_CTRUNC ? EMFILE : 0;
    *count = (size_t)received;
    if (error) {
        for (size_t index = 0; index < found; index++) close(descriptors[index]);
        return error;
    }
    *descriptor_count = found;
    return 0;
}

int platform_is_event(int descriptor) {
    static const char expected[] = "anon_inode:[eventfd]";
    char path[32], target[sizeof expected];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(path, target, sizeof target);
    if (length != sizeof expected - 1 || memcmp(target, expected, sizeof expected - 1) != 0) return 0;
    int flags = fcntl(descriptor, F_GETFL);
    return flags >= 0 && flags & O_NONBLOCK ? 1 : 0;
}

int platform_is_message_socket(int descriptor) {
    int domain = 0, type = 0, listens = 0;
    socklen_t size = sizeof(int);
    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return 0;
    size = sizeof(int);
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return 0;
    size = sizeof(int);
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) return 0;
    return domain == AF_UNIX && type == SOCK_SEQPACKET && !listens;
}

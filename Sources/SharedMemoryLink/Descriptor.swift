import CPlatform
import Glibc

/// A call to the operating system failed.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, in words.
    public let action: String
    /// The `errno` value.
    public let errno: Int32

    /// Names a failed call.
    public init(_ action: String, errno: Int32) {
        self.action = action
        self.errno = errno
    }

    /// "cannot open x: No such file or directory (errno 2)".
    public var description: String {
        let cure = errno == EMFILE || errno == ENFILE ? "; raise the limit on open files (ulimit -n)" : ""
        return "cannot \(action): \(unsafe String(cString: strerror(errno))) (errno \(errno))\(cure)"
    }
}

/// A file descriptor that one value owns, and closes.
package struct Descriptor: ~Copyable, Sendable {
    package let number: CInt

    /// Takes over an open descriptor.
    package init(owning number: CInt) {
        self.number = number
    }

    deinit { close(number) }

    /// Gives the descriptor up to the caller, who closes it.
    package consuming func release() -> CInt {
        let number = self.number
        discard self
        return number
    }

    /// Another number for the same open file, close-on-exec; it belongs to the caller.
    package borrowing func duplicate() -> CInt { fcntl(number, F_DUPFD_CLOEXEC, 0) }

    /// Makes reads and writes return at once.
    package borrowing func setNonBlocking() {
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    }
}

/// Two ends of one stream within a host.
package struct DescriptorPair: ~Copyable, Sendable {
    /// Of sockets: this process's end, non-blocking. Of a pipe: the end to read from, non-blocking.
    private let near: Descriptor
    /// Of sockets: the end for the other process. Of a pipe: the end to write to.
    package let far: Descriptor

    /// Gives the near end to the caller; the far one is closed.
    package consuming func takeNear() -> Descriptor { near }

    private init(_ numbers: [CInt]) {
        near = Descriptor(owning: numbers[0])
        far = Descriptor(owning: numbers[1])
        near.setNonBlocking()
    }

    /// A connected pair of Unix stream sockets, both close-on-exec.
    package static func sockets() throws(SystemError) -> DescriptorPair {
        var numbers: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &numbers) == 0 else {
            throw SystemError("make a pair of sockets", errno: Glibc.errno)
        }
        return DescriptorPair(numbers)
    }

    /// A connected pair of Unix sockets for ``SocketMessage``s, both close-on-exec.
    package static func messageSockets() throws(SystemError) -> DescriptorPair {
        var numbers: [CInt] = [-1, -1]
        let code = unsafe platform_message_sockets(&numbers)
        guard code == 0 else { throw SystemError("make a pair of sockets", errno: code) }
        return DescriptorPair(numbers)
    }

    /// A pipe, both ends close-on-exec.
    package static func pipe() throws(SystemError) -> DescriptorPair {
        var numbers: [CInt] = [-1, -1]
        let code = unsafe platform_pipe(&numbers)
        guard code == 0 else { throw SystemError("make a pipe", errno: code) }
        return DescriptorPair(numbers)
    }
}

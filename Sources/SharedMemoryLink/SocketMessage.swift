import CPlatform
import Glibc

/// A small message that came over a socket between two processes of one host, with the open files that came beside it.
///
/// Files that nobody takes out are closed.
package struct SocketMessage: ~Copyable, Sendable {
    /// What it says; at least one byte.
    package let bytes: [UInt8]
    /// Whether open files came that this process can't have: then it has none of them.
    package let lacksDescriptors: Bool
    /// Those that were not taken, the first last.
    private var descriptors: [CInt]

    /// Most bytes in a message.
    package static let limit = 1 << 12

    private init(bytes: [UInt8], lacksDescriptors: Bool, descriptors: some Sequence<CInt>) {
        self.bytes = bytes
        self.lacksDescriptors = lacksDescriptors
        self.descriptors = descriptors.reversed()
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }

    /// How many open files were not taken.
    package var descriptorCount: Int { descriptors.count }

    /// Those that were not taken, to be passed on; they stay the message's.
    package var descriptorNumbers: [CInt] { descriptors.reversed() }

    /// Takes the first of the open files that are left; nil if there is none.
    package mutating func takeDescriptor() -> Descriptor? {
        descriptors.popLast().map { Descriptor(owning: $0) }
    }
}

extension SocketMessage {
    /// What became of a message that was to be sent.
    package enum Sending: Hashable, Sendable {
        case sent
        /// The other side, or the system, has too much waiting at the moment: for a later try.
        case full
        /// The other side is gone.
        case ended
        case failed(SystemError)
    }

    /// What a socket had.
    package enum Receiving: ~Copyable, Sendable {
        case message(SocketMessage)
        case nothing
        /// The other side has ended, and all it said was received.
        case ended
    }

    /// Sends a message; never waits.
    ///
    /// - Parameters:
    ///   - bytes: At least 1, at most ``limit``.
    ///   - descriptors: Open files that the other side gets too, at most 8; they stay the caller's.
    package static func send(_ bytes: [UInt8], with descriptors: [CInt] = [], to socket: CInt) -> Sending {
        precondition(!bytes.isEmpty && bytes.count <= limit, "a message has 1 to \(limit) bytes")
        // SAFETY: both arrays stay in place during the call, which reads as many of their elements as it is told.
        let code = unsafe platform_send_message(socket, bytes, bytes.count, descriptors, descriptors.count)
        switch code {
        case 0: return .sent
        // The last: of all of this user's processes too many open files are on their way.
        case EAGAIN, ENOBUFS, ETOOMANYREFS: return .full
        case EPIPE, ECONNRESET, ENOTCONN: return .ended
        default: return .failed(SystemError("send a message to another process of this host", errno: code))
        }
    }

    /// Receives what is there; never waits.
    ///
    /// - Throws: Also for a message that is longer than ``limit``.
    package static func receive(from socket: CInt) throws(SystemError) -> Receiving {
        var bytes = [UInt8](repeating: 0, count: limit)
        var descriptors = [CInt](repeating: -1, count: Int(platform_message_descriptors))
        var (count, descriptorCount) = (0, 0)
        // SAFETY: both arrays stay in place during the call, which writes no more than their sizes.
        let code = unsafe platform_receive_message(socket, &bytes, bytes.count, &count, &descriptors, &descriptorCount)
        switch code {
        case 0, EMFILE: break
        case EAGAIN: return .nothing
        default: throw SystemError("receive a message of another process of this host", errno: code)
        }
        let message = SocketMessage(
            bytes: Array(bytes[..<count]), lacksDescriptors: code != 0, descriptors: descriptors[..<descriptorCount])
        if count == 0 { return .ended }
        return .message(message)
    }
}

extension Descriptor {
    /// Whether it is an eventfd on which writing never waits.
    package var isEvent: Bool { platform_is_event(number) != 0 }

    /// Whether ``SocketMessage``s go over it.
    package var isMessageSocket: Bool { platform_is_message_socket(number) != 0 }
}

import Glibc
import Transport

/// How two workers part that both go on.
///
/// What one has lent the other of its memory may be read for long after the link has ended, and until then must not be
/// overwritten. So the end has two parts, in each direction by itself:
///
/// - a message of one byte over the socket: nothing is said any more;
/// - the end of what is sent over the socket: nothing is read any more, and what was lent can be used again. This is
///   sent when the last reference to a `LinkFarewell` goes: the link has one until it ends, and what was received as long
///   as anybody has it.
///
/// When a process ends, however that comes, the system says both.
final class LinkFarewell: Sendable {
    private static let message: [UInt8] = [0]

    private let socket: LinkSocket

    init(_ socket: LinkSocket) {
        self.socket = socket
    }

    deinit { shutdown(socket.number, CInt(SHUT_WR)) }

    /// Says that this side has ended the link; once is enough.
    static func say(over socket: LinkSocket) {
        // It is the first message that goes this way, and finds room; where the other side is gone, that says it too.
        _ = SocketMessage.send(message, to: socket.number)
    }

    /// - Throws: ``LinkError/Code/broken`` if the other side says something else.
    static func hear(_ bytes: [UInt8]) throws(LinkError) {
        guard bytes == message else {
            throw LinkError(
                code: .broken, "the other worker sent \(bytes.count) bytes beside the link, which mean nothing")
        }
    }
}

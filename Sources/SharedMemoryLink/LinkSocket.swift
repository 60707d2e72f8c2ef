import Glibc
package import Transport

/// One end of the socket beside a link, closed with its last user.
final class LinkSocket: Sendable {
    let number: CInt

    init(owning descriptor: consuming Descriptor) {
        descriptor.setNonBlocking()
        number = descriptor.release()
    }

    deinit { close(number) }
}

/// Takes the small messages that come over the socket beside a link.
package protocol SocketListener: AnyObject, Sendable {
    /// Takes one, on the poller's thread; must not block.
    ///
    /// - Throws: If it is none that the other side may send; then the link ends with this.
    func hear(_ message: consuming SocketMessage, from link: RingLink) throws(LinkError)
}

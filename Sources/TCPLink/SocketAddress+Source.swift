import Glibc
import NIOCore

extension SocketAddress {
    /// What counts as one source of connections: an IPv4 address, or an IPv6 network of 64 bits, which is the least that
    /// one host is given.
    var source: String {
        guard let text = ipAddress else { return "this host" }
        guard let bytes = SocketAddress.bytes(ofIPv6: text) else { return text }
        // An IPv4 address in the clothes of IPv6.
        if bytes.starts(with: SocketAddress.mapped) { return bytes[12...].map { String($0) }.joined(separator: ".") }
        return isLoopback ? text : Hexadecimal.text(Array(bytes[..<8])) + "/64"
    }

    /// Whether only processes of this host can be at the other side.
    var isLoopback: Bool {
        guard let text = ipAddress else { return true }
        guard let bytes = SocketAddress.bytes(ofIPv6: text) else { return text.hasPrefix("127.") }
        return bytes == [UInt8](repeating: 0, count: 15) + [1]
            || bytes.starts(with: SocketAddress.mapped) && bytes[12] == 127
    }

    /// What the IPv6 form of an IPv4 address starts with.
    private static let mapped = [UInt8](repeating: 0, count: 10) + [255, 255]

    /// The 16 bytes of an IPv6 address, without its interface; nil if it is none.
    private static func bytes(ofIPv6 text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let number = String(text.prefix { $0 != "%" })
        return unsafe inet_pton(AF_INET6, number, &bytes) == 1 ? bytes : nil
    }
}

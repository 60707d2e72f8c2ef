import NIOCore

extension SocketAddress {
    /// What counts as one source of connections: an IPv4 address, or an IPv6 network of 64 bits, which is the least that
    /// one host is given.
    var source: String {
        guard let text = ipAddress else { return "this host" }
        guard let address = SocketAddress.number(text)?.plain else { return text }
        return address.isIPv6 && !address.isLoopback
            ? Hexadecimal.text(Array(address.bytes[..<8])) + "/64" : address.description
    }

    /// Whether only processes of this host can be at the other side.
    var isLoopback: Bool {
        guard let text = ipAddress else { return true }
        return SocketAddress.number(text)?.isLoopback ?? false
    }

    /// The address without its interface.
    private static func number(_ text: String) -> NumericAddress? { NumericAddress(String(text.prefix { $0 != "%" })) }
}

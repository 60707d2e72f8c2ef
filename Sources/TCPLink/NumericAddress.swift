import Glibc

/// An IPv4 or IPv6 address as a number, without an interface.
package struct NumericAddress: Hashable, Sendable {
    /// 4 bytes or 16, as they go over the network.
    package let bytes: [UInt8]

    /// 127.0.0.1.
    package static let loopback = NumericAddress(unchecked: [127, 0, 0, 1])

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// The address that the bytes are; nil if there are neither 4 nor 16.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads `10.0.0.7` or `fd00::7`; nil if it is neither, so also if there is an interface behind it.
    package init?(_ text: String) {
        // A NUL would end the text for C.
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET6, text, &bytes) == 1 {
            self.bytes = bytes
        } else if unsafe inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes[..<4])
        } else {
            return nil
        }
    }

    /// Whether it has 16 bytes.
    package var isIPv6: Bool { bytes.count == 16 }

    /// What it stands for: an IPv4 address in the clothes of IPv6 (`::ffff:10.0.0.7`) is that IPv4 address.
    package var plain: NumericAddress {
        guard isIPv6, bytes.starts(with: NumericAddress.mapped) else { return self }
        return NumericAddress(bytes: Array(bytes[12...])) ?? self
    }

    /// Whether only processes of this host can be there: `127.0.0.0/8`, `::1`.
    package var isLoopback: Bool {
        let bytes = plain.bytes
        return bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// Whether it is nobody's on the internet: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and fc00::/7.
    ///
    /// Source: RFC 1918, section 3; RFC 4193, section 3.1.
    package var isPrivate: Bool {
        let bytes = plain.bytes
        if bytes.count == 16 { return bytes[0] & 0xfe == 0xfc }
        return switch (bytes[0], bytes[1]) {
        case (10, _), (172, 16...31), (192, 168): true
        default: false
        }
    }

    /// Whether it means something on one cable only, so that an interface would have to be told with it: fe80::/10,
    /// 169.254.0.0/16.
    package var isLinkLocal: Bool {
        let bytes = plain.bytes
        return bytes.count == 16
            ? bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80 : bytes[0] == 169 && bytes[1] == 254
    }

    /// Whether it stands for all of a host: `0.0.0.0`, `::`.
    package var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }

    /// What the IPv6 form of an IPv4 address starts with.
    private static let mapped = [UInt8](repeating: 0, count: 10) + [255, 255]
}

extension NumericAddress: CustomStringConvertible {
    /// The shortest form, as the C library writes it.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv6 ? AF_INET6 : AF_INET
        guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The interfaces through which a host reaches anywhere, read from the kernel's tables of routes.
struct DefaultRoutes: Hashable, Sendable {
    /// Names, the preferred one of IPv4 first, then that of IPv6.
    let interfaces: [String]

    /// - Parameters:
    ///   - ipv4: What `/proc/net/route` says.
    ///   - ipv6: What `/proc/net/ipv6_route` says.
    init(ipv4: String, ipv6: String) {
        let first = DefaultRoutes.preferred(
            in: ipv4, fields: 8, interface: 0, metric: 6, radix: 10, isDefault: { $0[1] == none && $0[7] == none },
            flags: 3)
        let second = DefaultRoutes.preferred(
            in: ipv6, fields: 10, interface: 9, metric: 5, radix: 16,
            isDefault: { $0[0].allSatisfy { $0 == "0" } && $0[1] == "00" }, flags: 8)
        interfaces = [first, second].compactMap { $0 }
    }

    /// Of the default routes that are in use, the one that costs the least.
    private static func preferred(
        in table: String, fields: Int, interface: Int, metric: Int, radix: Int, isDefault: ([Substring]) -> Bool,
        flags: Int
    ) -> String? {
        var best: (name: String, metric: Int)?
        for line in table.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= fields, isDefault(words), let cost = Int(words[metric], radix: radix),
                let state = UInt32(words[flags], radix: 16), state & isUp != 0, state & isRefusing == 0
            else { continue }
            if best.map({ cost < $0.metric }) ?? true { best = (String(words[interface]), cost) }
        }
        return best?.name
    }

    private static let isUp: UInt32 = 1
    /// `RTF_REJECT`: the kernel's way to say that there is no route.
    private static let isRefusing: UInt32 = 0x200
}

/// An IPv4 number of zeros, as `/proc/net/route` writes it.
private let none: Substring = "00000000"

import Glibc

extension HostInterface {
    /// This host's interfaces, as the process sees them now, in the system's order.
    ///
    /// - Throws: ``JoinError/Code/cannotListen`` if the system does not tell.
    package static func all() throws(JoinError) -> [HostInterface] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else {
            throw JoinError(
                .cannotListen,
                """
                can't list this host's network interfaces: \(unsafe String(cString: strerror(errno))); \
                give the address to listen on
                """)
        }
        defer { unsafe freeifaddrs(list) }
        let defaults = DefaultRoutes(
            ipv4: text(of: "/proc/thread-self/net/route"), ipv6: text(of: "/proc/thread-self/net/ipv6_route"))
        var names: [String] = []
        var found: [String: (addresses: [NumericAddress], flags: UInt32)] = [:]
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ifa_next
            // SAFETY: the list's names are C strings, its addresses as long as their families say, until it is freed.
            let name = unsafe String(cString: entry.pointee.ifa_name)
            if found[name] == nil { names.append(name) }
            unsafe found[name, default: ([], 0)].flags |= UInt32(entry.pointee.ifa_flags)
            if let address = unsafe address(at: entry.pointee.ifa_addr) {
                found[name, default: ([], 0)].addresses.append(address)
            }
        }
        return names.map { name in
            let (addresses, flags) = found[name] ?? ([], 0)
            let needed = UInt32(IFF_UP | IFF_RUNNING)
            return HostInterface(
                name, addresses, isUp: flags & needed == needed, isLoopback: flags & UInt32(IFF_LOOPBACK) != 0,
                isDefaultRoute: defaults.interfaces.contains(name))
        }
    }

    private static func address(at start: UnsafeMutablePointer<sockaddr>?) -> NumericAddress? {
        guard let start = unsafe start else { return nil }
        // By place, not by name: which module C's `sockaddr_in` belongs to depends on who else has imported it.
        let (place, count): (Int, Int)
        switch Int32(unsafe start.pointee.sa_family) {
        case AF_INET: (place, count) = (4, 4)
        case AF_INET6: (place, count) = (8, 16)
        default: return nil
        }
        // SAFETY: a structure of the family that it names, which is as long as that says: behind family and port, and for
        // IPv6 the flow, stands the number.
        let number = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(start) + place, count: count)
        return unsafe NumericAddress(bytes: Array(number))
    }

    /// A file of the kernel's; empty if there is none.
    private static func text(of path: String) -> String {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        // A host with a million routes has its default among the first.
        while bytes.count < 1 << 22 {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

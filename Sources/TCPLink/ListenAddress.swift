/// Where a process listens for others.
package enum ListenAddress: Hashable, Sendable {
    /// Processes of this host only, at 127.0.0.1.
    case loopback
    /// The private addresses of one interface, IPv4 and IPv6: of the default route's, if it has any.
    case automatic
    /// All addresses of an interface, by its name.
    case interface(String)
    /// A numeric address, IPv4 or IPv6; `0.0.0.0` and `::` stand for all of the host.
    case address(String)

    /// What somebody wrote: `loopback`, `automatic`, a number, or an interface's name.
    package init(_ text: String) {
        switch text {
        case "loopback": self = .loopback
        case "automatic": self = .automatic
        default:
            // An interface's name has no colon.
            self = NumericAddress(text) != nil || text.contains(":") ? .address(text) : .interface(text)
        }
    }

    /// What is listened on, and what others are told.
    package struct Plan: Hashable, Sendable {
        /// Addresses to listen on, all with one port.
        package var listening: [NumericAddress] = []
        /// Addresses at which others may reach the process, in the order in which they should try.
        package var candidates: [NumericAddress] = []

        /// Adds another plan, without what is there already.
        mutating func add(_ other: Plan) {
            listening += other.listening.filter { !listening.contains($0) }
            candidates += other.candidates.filter { !candidates.contains($0) }
        }
    }

    /// Whether the host's interfaces have to be known.
    var needsInterfaces: Bool {
        switch self {
        case .loopback: false
        case .automatic, .interface: true
        case .address(let text): NumericAddress(text)?.isLoopback != true
        }
    }

    /// Decides.
    ///
    /// - Parameter interfaces: The host's.
    /// - Throws: ``JoinError/Code/cannotListen`` with what there is instead.
    package func plan(on interfaces: [HostInterface]) throws(JoinError) -> Plan {
        switch self {
        case .loopback: return Plan(only: [NumericAddress.loopback])
        case .automatic: return Plan(only: try ListenAddress.privateAddresses(of: interfaces))
        case .interface(let name): return Plan(only: try ListenAddress.addresses(of: name, interfaces))
        case .address(let text): return try ListenAddress.plan(text, interfaces)
        }
    }

    private static func privateAddresses(of interfaces: [HostInterface]) throws(JoinError) -> [NumericAddress] {
        for interface in ordered(interfaces) {
            let addresses = interface.usableAddresses.filter(\.isPrivate)
            if !addresses.isEmpty { return addresses }
        }
        throw JoinError(
            .cannotListen,
            """
            no interface of this host that leads to others has a private address, and one that the whole internet may \
            reach is not taken unasked. There \(list(interfaces)). \
            Name the interface or the address to listen on, or listen on loopback and have a tunnel lead there
            """)
    }

    private static func addresses(
        of name: String, _ interfaces: [HostInterface]
    ) throws(JoinError) -> [NumericAddress] {
        guard let interface = interfaces.first(where: { $0.name == name }) else {
            throw JoinError(
                .cannotListen, "this host has no interface \"\(name)\" to listen on. There \(list(interfaces))")
        }
        guard interface.isUp else {
            throw JoinError(
                .cannotListen,
                "the interface \(name) to listen on is down: switch it on (ip link set \(name) up), or use another one")
        }
        guard !interface.usableAddresses.isEmpty else {
            throw JoinError(
                .cannotListen,
                """
                the interface \(name) to listen on has no address that another host can use without knowing its own \
                interface: give it one, or use another one. There \(list(interfaces))
                """)
        }
        return interface.usableAddresses
    }

    private static func plan(_ text: String, _ interfaces: [HostInterface]) throws(JoinError) -> Plan {
        guard let address = NumericAddress(text) else {
            throw JoinError(
                .cannotListen,
                text.contains("%")
                    ? """
                    can't listen on "\(text)": what stands behind the % is this host's affair, and others could not \
                    reach it; give an address without, or name the interface
                    """
                    : "can't listen on \"\(text)\": it is no numeric address, such as 10.0.0.7 or fd00::7")
        }
        if address.isLoopback { return Plan(only: [address]) }
        if address.isUnspecified {
            let reachable = ordered(interfaces).flatMap(\.usableAddresses)
                .filter { address.isIPv6 || !$0.isIPv6 }
            // Private ones first: a firewall is less likely in between.
            let candidates = reachable.filter(\.isPrivate) + reachable.filter { !$0.isPrivate }
            return Plan(
                listening: [address],
                candidates: candidates.isEmpty ? [.loopback] : Array(candidates.prefix(JoinFile.mostAddresses)))
        }
        guard !address.isLinkLocal else {
            throw JoinError(
                .cannotListen,
                """
                can't listen on \(address): it is good on one cable only, and others would have to know their \
                interface to it. There \(list(interfaces))
                """)
        }
        guard interfaces.contains(where: { $0.addresses.contains(address.plain) }) else {
            throw JoinError(
                .cannotListen,
                "can't listen on \(address): it is not an address of this host. There \(list(interfaces))")
        }
        return Plan(only: [address])
    }

    /// Those that lead to other hosts, the ones of the default route first.
    private static func ordered(_ interfaces: [HostInterface]) -> [HostInterface] {
        let open = interfaces.filter { $0.isUp && !$0.isLoopback && !$0.isForContainers }
        return open.filter(\.isDefaultRoute) + open.filter { !$0.isDefaultRoute }
    }

    private static func list(_ interfaces: [HostInterface]) -> String {
        if interfaces.isEmpty { return "is none" }
        let texts = interfaces.map { interface in
            interface.isForContainers ? "\(interface), of containers" : "\(interface)"
        }
        return (texts.count == 1 ? "is " : "are ") + texts.joined(separator: ", ")
    }
}

extension ListenAddress.Plan {
    /// What is listened on is what others are told.
    fileprivate init(only addresses: [NumericAddress]) {
        self.init(listening: addresses, candidates: addresses)
    }
}

public import Remote
public import Wire

/// Which processes of a cluster have links to each other.
///
/// The driver has one to every worker, whatever the topology: it brings them their work. What differs is who else may be
/// called from where.
public struct ClusterTopology: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case allToAll(isLazy: Bool)
        case driverWorker
        case custom
    }

    package let kind: Kind

    /// Every worker may call every other.
    ///
    /// - Parameter lazy: Whether a link between two workers is made when the first call needs it, and not when they join.
    public static func allToAll(lazy: Bool = true) -> ClusterTopology {
        ClusterTopology(kind: .allToAll(isLazy: lazy))
    }

    /// Workers may call the driver alone: 10,000 of them have 10,000 links.
    public static let driverWorker = ClusterTopology(kind: .driverWorker)

    /// Workers may call the driver, and those that their manager names: see ``LaunchedWorker/connectsTo``.
    public static let custom = ClusterTopology(kind: .custom)

    /// Whether links between workers are made when a call needs them.
    public var isLazy: Bool { kind != .allToAll(isLazy: false) }

    /// What the topology must know of a process.
    public struct Place: Hashable, Sendable {
        /// Its number.
        public let worker: WorkerID
        /// The name that its manager gave it; `nil` if it gave none.
        public let identity: String?
        /// The names of those that it is connected to.
        public let connectsTo: [String]

        /// Collects them; the driver has neither a name nor names.
        public init(_ worker: WorkerID, identity: String? = nil, connectsTo: [String] = []) {
            self.worker = worker
            self.identity = identity
            self.connectsTo = connectsTo
        }
    }

    /// Whether one process may call another: a pure function of what is known of the two.
    ///
    /// Links have two ends: under ``custom``, it is enough that one of the two names the other. Every process may call
    /// itself.
    public func mayCall(from one: Place, to other: Place) -> Bool {
        if one.worker == other.worker || one.worker == .driver || other.worker == .driver { return true }
        return switch kind {
        case .allToAll: true
        case .driverWorker: false
        case .custom: one.names(other) || other.names(one)
        }
    }

    /// Refuses a call that the topology has no link for.
    ///
    /// - Throws: ``ClusterError/Code/notConnected``.
    package func check(from one: Place, to other: Place) throws(ClusterError) {
        guard !mayCall(from: one, to: other) else { return }
        throw .notConnected(one.worker, other.worker, cure)
    }

    private var cure: String {
        switch kind {
        case .custom: "have the manager name one in the other's connectsTo, or give withCluster another topology"
        case .driverWorker, .allToAll:
            "call it from the driver, or give withCluster the topology .allToAll(), which is the usual one"
        }
    }
}

extension ClusterTopology: CustomStringConvertible {
    /// The word for it, as it is written.
    public var description: String {
        switch kind {
        case .allToAll(isLazy: true): ".allToAll()"
        case .allToAll(isLazy: false): ".allToAll(lazy: false)"
        case .driverWorker: ".driverWorker"
        case .custom: ".custom"
        }
    }
}

extension ClusterTopology.Place {
    fileprivate func names(_ other: Self) -> Bool {
        guard let identity = other.identity else { return false }
        return connectsTo.contains(identity)
    }
}

extension ClusterTopology: WireEncodable, WireDecodable {
    /// Writes which it is.
    public func write(to output: inout WireWriter) {
        switch kind {
        case .allToAll(isLazy: true): output.write(UInt8(0))
        case .allToAll(isLazy: false): output.write(UInt8(1))
        case .driverWorker: output.write(UInt8(2))
        case .custom: output.write(UInt8(3))
        }
    }

    /// Reads a topology.
    public init(from input: inout WireReader) throws(WireError) {
        switch try input.read() as UInt8 {
        case 0: self = .allToAll()
        case 1: self = .allToAll(lazy: false)
        case 2: self = .driverWorker
        case 3: self = .custom
        case let tag: throw input.invalid("no topology has tag \(tag)")
        }
    }
}

/// Who may wait at the door, and who has to go: the limits on connections that have not proven themselves yet.
///
/// A value without sockets or a clock. Where there are too many, the one that showed the least goes, and of those the
/// oldest: a stranger that keeps connecting pushes out strangers. A connection that names a launch which is expected
/// keeps its place, and as many more may wait as joins are expected.
package struct UnprovenConnections<ID: Hashable & Sendable>: Sendable {
    /// How many may wait, and for how long.
    package struct Limits: Hashable, Sendable {
        /// Seconds in which a connection has to prove itself; 5 unless told.
        package var seconds = 5.0
        /// Most connections of one source address; 8 unless told.
        package var perSource = 8
        /// Most connections in all; 256 unless told.
        package var total = 256
        /// Most places that are kept for expected joins beyond these, and most connections that keep theirs; 1024 unless
        /// told.
        package var kept = 1024

        /// The limits of the design.
        package init() {}
    }

    private struct Connection {
        let id: ID
        let source: String
        let deadline: Double
        /// What it has shown so far.
        var standing = Standing.silent
    }

    private enum Standing: Comparable {
        /// Nothing that a process of ours would say.
        case silent
        /// The start of a TLS handshake.
        case speaking
        /// A launch that is expected; it keeps its place.
        case named(LaunchIdentity)

        var isNamed: Bool { rank == 2 }

        static func < (left: Standing, right: Standing) -> Bool { left.rank < right.rank }
        private var rank: Int {
            switch self {
            case .silent: 0
            case .speaking: 1
            case .named: 2
            }
        }
    }

    private let limits: Limits
    /// In the order of their arrival, which is that of their deadlines.
    private var connections: [Connection] = []

    /// Nobody waits.
    package init(limits: Limits = Limits()) { self.limits = limits }

    /// Connections that wait.
    package var count: Int { connections.count }

    /// When the next one has waited too long, in seconds of the caller's clock; nil if nobody waits.
    package var nextDeadline: Double? { connections.first?.deadline }

    /// A connection has come.
    ///
    /// - Parameters:
    ///   - source: Its address without the port.
    ///   - expected: Joins that are expected; so many more places there are.
    /// - Returns: Who has to go instead; at most one, never the newcomer.
    package mutating func arrive(_ id: ID, from source: String, expected: Int, at now: Double) -> ID? {
        let kept = min(max(expected, 0), limits.kept)
        var leaving: Int?
        if connections.count(where: { $0.source == source && !$0.standing.isNamed }) >= limits.perSource + kept {
            leaving = weakest { $0.source == source }
        } else if connections.count >= limits.total + kept {
            leaving = weakest { _ in true }
        }
        let left = leaving.map { connections.remove(at: $0).id }
        connections.append(Connection(id: id, source: source, deadline: now + limits.seconds))
        return left
    }

    /// A connection has started a TLS handshake.
    package mutating func spoke(_ id: ID) {
        guard let index = connections.firstIndex(where: { $0.id == id }), connections[index].standing == .silent else {
            return
        }
        connections[index].standing = .speaking
    }

    /// A connection has named a launch that is expected: from now on it keeps its place, if not as many do already.
    ///
    /// The identity can be overheard, so who names it gets no more than a place until its time is up.
    ///
    /// - Parameter joins: Joins that this launch has left.
    package mutating func named(_ id: ID, _ identity: LaunchIdentity, joins: Int) {
        guard connections.count(where: { $0.standing == .named(identity) }) < joins,
            connections.count(where: { $0.standing.isNamed }) < limits.kept,
            let index = connections.firstIndex(where: { $0.id == id })
        else { return }
        connections[index].standing = .named(identity)
    }

    /// A connection has proven itself, or is gone.
    ///
    /// - Returns: Whether it was waiting.
    @discardableResult
    package mutating func leave(_ id: ID) -> Bool {
        guard let index = connections.firstIndex(where: { $0.id == id }) else { return false }
        connections.remove(at: index)
        return true
    }

    /// Takes out those that have waited too long.
    package mutating func overdue(at now: Double) -> [ID] {
        let count = connections.prefix { $0.deadline <= now }.count
        defer { connections.removeFirst(count) }
        return connections[..<count].map(\.id)
    }

    /// Index of the connection to go: the oldest of those that showed the least, named ones excepted.
    private func weakest(where isMeant: (Connection) -> Bool) -> Int? {
        connections.indices
            .filter { isMeant(connections[$0]) && !connections[$0].standing.isNamed }
            .min { (connections[$0].standing, $0) < (connections[$1].standing, $1) }
    }
}

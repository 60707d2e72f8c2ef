/// The launches that are expected: whose key is valid, as what, until when, and for how many.
///
/// A value without a clock of its own. A key is looked up in the handshake, and a join counted only after the proof:
/// the identity crosses the network in the clear, so who has seen it must not be able to use the joins up.
package struct LaunchKeys: Sendable {
    /// What a process needs in order to join, besides addresses.
    package struct Launch: Hashable, Sendable {
        /// Names the key.
        package let identity: LaunchIdentity
        /// Proves the process.
        package let key: LaunchKey
        /// What it may join as.
        package let role: JoinRole

        package init(identity: LaunchIdentity, key: LaunchKey, role: JoinRole) {
            self.identity = identity
            self.key = key
            self.role = role
        }
    }

    /// Why there is no key, or no place for one more. For counting and the log, never for the other side.
    package enum Denial: Hashable, Sendable {
        /// Nothing was launched under this identity.
        case unknown
        /// The launch took longer than it was given.
        case expired
        /// As many have joined as were expected.
        case usedUp
        /// The launch was taken back.
        case revoked
    }

    private struct Entry {
        var launch: Launch
        var expiry: Double
        /// Joins that are still expected; 0 where the launch is over.
        var remaining: Int
        var denial: Denial?
    }

    private var entries: [LaunchIdentity: Entry] = [:]
    /// Identities of launches that are over, oldest first, which are known only to tell their stragglers from strangers.
    private var over: [LaunchIdentity] = []
    /// Launches that are over are remembered up to this number.
    private static let mostOver = 1024

    /// No launch is expected.
    package init() {}

    /// Expects a launch.
    ///
    /// - Parameters:
    ///   - joins: Processes that may join with this key, at least 1.
    ///   - expiry: Time after which they may not, in seconds of the clock that the other calls are given.
    ///   - key: Random unless given.
    ///   - identity: Random unless given; then one that is not expected already.
    package mutating func expect(
        _ role: JoinRole, joins: Int, until expiry: Double, key: LaunchKey = .random(),
        identity: LaunchIdentity = .random()
    ) -> Launch {
        precondition(joins >= 1, "a launch of at least one process")
        precondition(entries[identity].map { $0.denial != nil } ?? true, "an identity names one launch")
        over.removeAll { $0 == identity }
        let launch = Launch(identity: identity, key: key, role: role)
        entries[identity] = Entry(launch: launch, expiry: expiry, remaining: joins)
        return launch
    }

    /// The launch that a connection claims to belong to.
    ///
    /// - Throws: ``Denial``.
    package mutating func launch(_ identity: LaunchIdentity, at now: Double) throws(Denial) -> Launch {
        guard let entry = entries[identity] else { throw .unknown }
        if let denial = entry.denial { throw denial }
        guard now < entry.expiry else {
            end(identity, .expired)
            throw .expired
        }
        return entry.launch
    }

    /// Counts a join of a process that has proven itself.
    ///
    /// - Returns: The number of joins that are still expected.
    /// - Throws: ``Denial``: in the meantime another one may have been the last, or the launch may be over.
    package mutating func join(_ identity: LaunchIdentity, at now: Double) throws(Denial) -> Int {
        _ = try launch(identity, at: now)
        let remaining = entries[identity].map { $0.remaining - 1 } ?? 0
        entries[identity]?.remaining = remaining
        if remaining == 0 { end(identity, .usedUp) }
        return remaining
    }

    /// Joins that a launch has left.
    package func remainingJoins(of identity: LaunchIdentity) -> Int { entries[identity]?.remaining ?? 0 }

    /// Takes a launch back; who has not joined yet can't any more. Nothing happens if there is no such launch.
    package mutating func revoke(_ identity: LaunchIdentity) {
        guard let entry = entries[identity] else { return }
        if entry.denial == nil { end(identity, .revoked) } else { entries[identity]?.denial = .revoked }
    }

    /// Processes that may still join, for whom places are kept.
    ///
    /// - Complexity: O(number of launches).
    package mutating func expectedJoins(at now: Double) -> Int {
        for (identity, entry) in entries where entry.denial == nil && now >= entry.expiry { end(identity, .expired) }
        return entries.values.reduce(0) { $0.addingReportingOverflow($1.remaining).partialValue }
    }

    private mutating func end(_ identity: LaunchIdentity, _ denial: Denial) {
        entries[identity]?.denial = denial
        entries[identity]?.remaining = 0
        over.append(identity)
        if over.count > LaunchKeys.mostOver { entries[over.removeFirst()] = nil }
    }
}

extension LaunchKeys.Denial: Error {}

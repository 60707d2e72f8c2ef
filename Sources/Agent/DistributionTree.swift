/// Decides who sends a block to which host, so that no one sends it more than a few times.
///
/// A value: hosts are numbers, and time does not come into it. The driver sends to the first hosts; each host that has the
/// block, or will have it, passes it on to a few others.
struct DistributionTree: Sendable {
    /// Hosts that anybody sends the block to: more make the tree flatter, and each one's uplink busier.
    static let fanOut = 2

    /// Hosts in the order in which they asked, with how many they pass it on to.
    private var senders: [(host: Int, children: Int)] = []
    private var driversChildren = 0
    private var known: Set<Int> = []

    /// The host that passes the block on to another; `nil` for the driver itself.
    ///
    /// - Parameters:
    ///   - host: Which is told who; each host asks once, until it has left.
    ///   - canPass: Whether a host can reach another at all.
    mutating func sender(for host: Int, canPass: (Int) -> Bool) -> Int? {
        precondition(known.insert(host).inserted, "a host gets a block once")
        defer { senders.append((host, 0)) }
        if driversChildren < DistributionTree.fanOut {
            driversChildren += 1
            return nil
        }
        let index = senders.firstIndex { $0.children < DistributionTree.fanOut && canPass($0.host) }
        guard let index else {
            driversChildren += 1
            return nil
        }
        senders[index].children += 1
        return senders[index].host
    }

    /// A host passes nothing on any more.
    mutating func remove(_ host: Int) {
        known.remove(host)
        senders.removeAll { $0.host == host }
    }

    /// Whether no host has the block.
    var isEmpty: Bool { known.isEmpty }
}

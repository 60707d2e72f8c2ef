import Remote
import Synchronization
import Wire

/// Tells owners who holds references to what they have.
///
/// What is told is gathered first: most references that come are gone again by then, and nothing has to be said. Nothing is
/// done where a reference ends, since that may be anywhere, under any lock.
final class ReferenceCounting: Sendable {
    private struct Holder: Hashable {
        let name: ReferenceName
        let process: Int
    }

    private struct State {
        /// By owner.
        var changes: [WorkerID: [Holder: Int]] = [:]
        var isTelling = false
    }

    private let state = Mutex(State())

    func change(_ id: RemoteReferenceID, of process: Int, by change: Int, in cluster: Cluster) {
        let isFirst = state.withLock { state in
            let holder = Holder(name: id.name, process: process)
            let sum = state.changes[id.where, default: [:]][holder, default: 0] + change
            // One that was told of, and let go: the owner has not heard of it.
            state.changes[id.where, default: [:]][holder] = sum == 0 ? nil : sum
            defer { state.isTelling = true }
            return !state.isTelling
        }
        if isFirst { Task { await self.tellAll(in: cluster) } }
    }

    private func tellAll(in cluster: Cluster) async {
        while let changes = state.withLock({ state -> [WorkerID: [Holder: Int]]? in
            if state.changes.isEmpty { state.isTelling = false }
            defer { state.changes = [:] }
            return state.changes.isEmpty ? nil : state.changes
        }) {
            for (owner, counts) in changes where !counts.isEmpty {
                await cluster.tell(
                    counts.map { ReferenceCount($0.key.name, process: $0.key.process, change: $0.value) }, to: owner)
            }
        }
    }
}

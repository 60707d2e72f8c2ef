import Synchronization

/// On which NUMA nodes of this host shared memory is placed, until it turns out that it can't be.
///
/// One for all links of a process, so that whoever is told of what failed is told once.
package final class NodePlacing: Sendable {
    private struct State {
        /// Found when they are first asked for.
        var nodes: Set<Int>?
        var hasToldOfStrays = false
    }

    private let find: @Sendable () -> Set<Int>
    private let warn: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - nodes: The nodes that this process may have memory from; asked once, when the first memory is to be placed.
    ///   - warn: Told in a sentence why memory does not lie where it should; once for each reason.
    package init(nodes: @escaping @Sendable () -> Set<Int>, warn: @escaping @Sendable (String) -> Void) {
        find = nodes
        self.warn = warn
    }

    /// The nodes to tell apart: none where there is only one, or memory can't be placed.
    package var nodes: Set<Int> {
        state.withLock { state in
            if let nodes = state.nodes { return nodes }
            let found = find()
            let nodes = found.count > 1 ? found : []
            state.nodes = nodes
            return nodes
        }
    }

    /// Notes that memory can't be placed: from now on there are no nodes to tell apart.
    package func giveUp(_ error: SharedMemoryError) {
        let isFirst = state.withLock { state in
            defer { state.nodes = [] }
            return state.nodes != []
        }
        if isFirst { warn("\(error); one copy of captured data serves all nodes") }
    }

    /// Notes how many pages of those that were looked at lie elsewhere than on the node that they were placed on.
    package func strayed(_ count: Int, of total: Int, from node: Int) {
        let isFirst = state.withLock { state in
            defer { state.hasToldOfStrays = true }
            return !state.hasToldOfStrays
        }
        guard isFirst else { return }
        warn(
            """
            NUMA node \(node) is short of memory: of \(total) pages of captured data that should be there, \(count) are \
            elsewhere; capture less, or with one copy for the host
            """)
    }
}

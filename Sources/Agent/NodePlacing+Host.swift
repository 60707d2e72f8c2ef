import Machine
import SharedMemoryLink

extension NodePlacing {
    /// The nodes that this process may have memory from; what can't be had is said on standard error.
    static let ofThisHost = NodePlacing(nodes: { (try? MemoryPolicy.allowedNodes()) ?? [] }, warn: { notice($0) })
}

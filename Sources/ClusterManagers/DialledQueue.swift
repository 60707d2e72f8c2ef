import ClusterRuntime

/// A queue whose agents this process may have to dial, by a way that the queue has.
protocol DialledQueue: JobQueue {
    /// Whether it does; else agents come to an address of this process.
    var isDialled: Bool { get }

    /// What the agents seem to come to.
    func port(for request: JobRequest, on network: any DriverNetwork) -> any DriverPort
}

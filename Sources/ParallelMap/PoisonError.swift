public import ClusterRuntime

/// An element whose workers ended again and again: probably it ends them.
///
/// From its second attempt on it was alone with its worker.
public struct PoisonError: Error, Hashable, Codable, Sendable, CustomStringConvertible {
    /// Place of the element in the input, from 0.
    public let index: Int
    /// How many workers ended while they had it.
    public let workerCount: Int
    /// How the last of them ended.
    public let last: WorkerExited

    package init(index: Int, workerCount: Int, last: WorkerExited) {
        self.index = index
        self.workerCount = workerCount
        self.last = last
    }

    /// The element, the number of workers, and the last one's end.
    public var description: String {
        "\(workerCount) workers ended while they had element \(index), so no other is given it; the last: \(last)"
    }
}

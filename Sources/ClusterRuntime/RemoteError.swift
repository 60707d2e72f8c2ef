public import Remote

/// A body threw an error in a worker.
public struct RemoteError: Error, Sendable, CustomStringConvertible {
    /// The worker that ran the body.
    public let worker: WorkerID
    /// Its host.
    public let host: String
    /// Place of the element in the input, from 0; `nil` if the body was called without one.
    public let index: Int?
    /// Name of the error's type, with its module.
    public let typeName: String
    /// What the error says of itself.
    public let message: String
    /// The error itself, if it is `Codable` and its type can be found by name (it is not private).
    public let underlying: (any Error)?

    package init(worker: WorkerID, host: String, index: Int?, failure: RemoteFailure) {
        self.worker = worker
        self.host = host
        self.index = index
        typeName = failure.typeName
        message = failure.description
        underlying = failure.error
    }

    /// Worker, host, element, type and message in one line.
    public var description: String {
        let element = index.map { ", element \($0)" } ?? ""
        return "worker \(worker) on \(host)\(element): \(typeName): \(message)"
    }
}

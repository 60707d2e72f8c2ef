public import Remote
public import Transport

/// A worker ended while it was needed.
public struct WorkerExited: Error, Hashable, Codable, Sendable, CustomStringConvertible {
    /// The worker.
    public let worker: WorkerID
    /// Its host.
    public let host: String
    /// How it ended, and the last lines it wrote to its standard error.
    public let end: WorkerEnd

    package init(worker: WorkerID, host: String, end: WorkerEnd) {
        self.worker = worker
        self.host = host
        self.end = end
    }

    /// The signal that ended it; `nil` if it was none.
    public var signal: Int32? {
        if case .signalled(let signal) = end.cause { signal } else { nil }
    }

    /// The last lines it wrote to its standard error; 16 KiB at most.
    public var standardErrorTail: String { end.standardErrorTail }

    /// Worker, host and cause in one line; then its last lines.
    public var description: String {
        let text = "worker \(worker) on \(host) \(end.causeInWords)"
        return standardErrorTail.isEmpty ? text : "\(text); the last it wrote to standard error:\n\(standardErrorTail)"
    }
}

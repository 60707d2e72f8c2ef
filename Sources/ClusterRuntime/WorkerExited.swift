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
    /// Where the call was made, or the map begun, that needed it; `nil` if it was none in particular.
    public let callSite: CallSite?

    package init(worker: WorkerID, host: String, end: WorkerEnd, callSite: CallSite? = nil) {
        self.worker = worker
        self.host = host
        self.end = end
        self.callSite = callSite
    }

    /// The same, as whoever called it there is told.
    package func called(at callSite: CallSite) -> WorkerExited {
        WorkerExited(worker: worker, host: host, end: end, callSite: callSite)
    }

    /// The signal that ended it; `nil` if it was none.
    public var signal: Int32? {
        if case .signalled(let signal) = end.cause { signal } else { nil }
    }

    /// The last lines it wrote to its standard error; 16 KiB at most.
    public var standardErrorTail: String { end.standardErrorTail }

    /// Worker, host, cause and the place of the call in one line; then its last lines.
    public var description: String {
        let place = callSite.map { "; called at \($0)" } ?? ""
        let text = "worker \(worker) on \(host) \(end.causeInWords)\(place)"
        return standardErrorTail.isEmpty ? text : "\(text); the last it wrote to standard error:\n\(standardErrorTail)"
    }
}

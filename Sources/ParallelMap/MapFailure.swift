public import Remote

/// One failed attempt at an element of a map, as its handlers see it.
public struct MapFailure: Error, Sendable, CustomStringConvertible {
    /// Place of the element in the input, from 0.
    public let index: Int
    /// Which attempt it was, from 1; an attempt also counts if its worker ended.
    public let attempt: Int
    /// The worker that had the element.
    public let worker: WorkerID
    /// Its host.
    public let host: String
    /// What happened: a ``RemoteError`` if the body threw; ``WorkerExited`` or, if that happened to it more than once,
    /// ``PoisonError`` if the worker ended; or what `onError` threw instead.
    public let error: any Error

    package init(index: Int, attempt: Int, worker: WorkerID, host: String, error: any Error) {
        self.index = index
        self.attempt = attempt
        self.worker = worker
        self.host = host
        self.error = error
    }

    /// The same attempt, with what a handler made of its error.
    public func with(_ error: any Error) -> MapFailure {
        MapFailure(index: index, attempt: attempt, worker: worker, host: host, error: error)
    }

    /// The element, its attempt if it was not the first, and the error.
    public var description: String {
        "element \(index)\(attempt > 1 ? ", attempt \(attempt)" : ""): \(error)"
    }
}

extension MapFailure: FailedCallsError {
    package var failedCalls: [FailedCall] { (error as? any FailedCallsError)?.failedCalls ?? [] }
}

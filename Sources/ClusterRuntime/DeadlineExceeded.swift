public import Remote

/// A call, or an element of a map, was not done in the time that it was given.
///
/// The body was cancelled then; what it has come to in the meantime is lost.
public struct DeadlineExceeded: Error, Hashable, Codable, Sendable, CustomStringConvertible {
    /// The worker that had it.
    public let worker: WorkerID
    /// Its host.
    public let host: String
    /// Place of the element in the input, from 0; `nil` if the body was called without one.
    public let index: Int?
    /// The time that it was given, from the moment that it was sent.
    public let limit: Duration
    /// Where the call was made, or the map begun.
    public let callSite: CallSite

    package init(worker: WorkerID, host: String, index: Int?, limit: Duration, callSite: CallSite) {
        self.worker = worker
        self.host = host
        self.index = index
        self.limit = limit
        self.callSite = callSite
    }

    /// Worker, host, element, the limit and the place of the call in one line.
    public var description: String {
        let element = index.map { ", element \($0)" } ?? ""
        return "worker \(worker) on \(host)\(element): not done within its deadline of \(limit); called at \(callSite)"
    }
}

import Wire

/// A call whose body threw an error, as it travels: what makes a `RemoteError`.
package struct FailedCall: Sendable {
    /// The worker that ran the body, and its host.
    package let worker: WorkerID
    package let host: String
    /// Place of the element in the input; `nil` if there was none.
    package let index: Int?
    /// Where the call was made, or the map begun.
    package let callSite: CallSite
    /// What the body threw.
    package let failure: RemoteFailure

    package init(worker: WorkerID, host: String, index: Int?, callSite: CallSite, failure: RemoteFailure) {
        self.worker = worker
        self.host = host
        self.index = index
        self.callSite = callSite
        self.failure = failure
    }

    /// Most calls in one error that travel; of several at a time, those that come first.
    static let mostCalls = 16
    /// How deep errors of calls may be in each other: a body that called a body that called a body…
    static let mostDepth = 16
}

/// An error that has errors of calls in it.
package protocol FailedCallsError: Error {
    /// The calls, in the order in which the error tells of them.
    var failedCalls: [FailedCall] { get }
}

extension FailedCall {
    func write(to output: inout WireWriter, depth: Int) {
        output.write(worker, host, index, callSite, failure.stack)
        failure.write(withoutStackTo: &output, depth: depth)
    }

    init(from input: inout WireReader, depth: Int) throws(WireError) {
        (worker, host, index, callSite) = try input.read()
        failure = try RemoteFailure(from: &input, depth: depth)
    }
}

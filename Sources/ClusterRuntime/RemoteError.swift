public import Remote

/// A body threw an error in a worker.
///
/// ```swift
/// do {
///     try await cluster.pmap(paths) { try count($0) }
/// } catch let error as MapError {
///     if let remote = error.first.error as? RemoteError { print(remote.stackDescription) }
/// }
/// ```
public struct RemoteError: Error, Sendable, CustomStringConvertible {
    /// The worker that ran the body.
    public let worker: WorkerID
    /// Its host.
    public let host: String
    /// Place of the element in the input, from 0; `nil` if the body was called without one.
    public let index: Int?
    /// Where the call was made, or the map begun.
    public let callSite: CallSite
    /// Name of the error's type, with its module.
    public let typeName: String
    /// What the error says of itself.
    public let message: String
    /// The error itself, if it is `Codable` and its type can be found by name (it is not private), or is a ``RemoteError``.
    public let underlying: (any Error)?
    /// As it came, to travel on.
    private let call: FailedCall

    package init(_ call: FailedCall) {
        self.call = call
        worker = call.worker
        host = call.host
        index = call.index
        callSite = call.callSite
        typeName = call.failure.typeName
        message = call.failure.description
        let isRelayed = typeName == String(reflecting: RemoteError.self)
        underlying = call.failure.error ?? (isRelayed ? call.failure.calls.first.map { RemoteError($0) } : nil)
    }

    package init(worker: WorkerID, host: String, index: Int?, callSite: CallSite, failure: RemoteFailure) {
        self.init(FailedCall(worker: worker, host: host, index: index, callSite: callSite, failure: failure))
    }

    /// The errors of calls and maps that the body made itself, if it ended with them: each followed by those behind it.
    ///
    /// A body on worker 2 calls 3, whose body throws: what 2's caller gets has the error of 3 here. At most 16 for each, and
    /// 16 behind each other.
    public var chain: [RemoteError] {
        call.failure.calls.flatMap { call in
            let error = RemoteError(call)
            return [error] + error.chain
        }
    }

    /// The functions that were being worked on in the worker where the error was thrown first, innermost first, up to the
    /// body; at most 32.
    ///
    /// Found by frame pointers and the program's symbols: functions that the compiler has put into others are not told
    /// apart, nor are those that an asynchronous function returns to. Empty if the error was not thrown by Swift code that
    /// was running for the body, or the program was built without frame pointers.
    public var stack: [StackFrame] { call.failure.stack }

    /// Worker, host, element, type, message and the place of the call in one line.
    public var description: String {
        let element = index.map { ", element \($0)" } ?? ""
        return "worker \(worker) on \(host)\(element): \(typeName): \(message); called at \(callSite)"
    }

    /// The description, the frames of the ``stack``, and the same for the ``chain``: a line each.
    public var stackDescription: String {
        let own = [description] + stack.map { "    at \($0)" }
        return (own + chain.map { "behind it: \($0.description)\($0.stack.map { "\n    at \($0)" }.joined())" })
            .joined(separator: "\n")
    }
}

extension RemoteError: FailedCallsError {
    package var failedCalls: [FailedCall] { [call] }
}

extension CompositeError: FailedCallsError {
    package var failedCalls: [FailedCall] {
        errors.flatMap { ($0 as? any FailedCallsError)?.failedCalls ?? [] }
    }
}

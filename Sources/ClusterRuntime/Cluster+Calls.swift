public import Remote
import Synchronization
import Transport
public import Wire

extension Cluster {
    /// Calls a body in another process and waits for its result.
    ///
    /// ```swift
    /// let host = try await cluster.remoteCallFetch(on: .any) { hostName() }
    /// let six = try await cluster.remoteCallFetch(on: 2, capturing: 3) { x in x * 2 }
    /// ```
    ///
    /// - Parameters:
    ///   - target: A worker, `.any`, or a pool: then a worker of it that is free, which is waited for.
    ///   - captures: What the body needs; given to it in this order.
    ///   - deadline: Time that the call has; when it is over, the call is cancelled, as if this task were. None unless told.
    ///   - body: A closure literal that captures nothing itself.
    /// - Returns: What the body returned: a `WireCodable` value, a tuple of such, or nothing.
    /// - Throws: ``BodyError`` if the body can't travel, ``RemoteError`` if it threw, ``WorkerExited`` if the worker
    ///   ended, ``ClusterError`` if there is no such worker, ``DeadlineExceeded`` if it took too long, `CancellationError` if
    ///   this task was cancelled.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<Target: RemoteTarget, Output: Sendable, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture, deadline: Duration? = nil,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) throws -> Output
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await fetch(function, from: target, deadline, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// Calls an asynchronous body in another process and waits for its result; otherwise like the synchronous form.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<Target: RemoteTarget, Output: Sendable, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture, deadline: Duration? = nil,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) async throws -> Output
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await fetch(function, from: target, deadline, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// Calls a stored body that takes no element.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<Target: RemoteTarget, Output: Sendable>(
        on target: Target = AnyWorker(), deadline: Duration? = nil, file: String = #fileID, line: Int = #line,
        body: RemoteFunction<Void, Output>
    ) async throws -> Output {
        try await fetch(try body.reference, from: target, deadline, CallSite(file: file, line: line)) { output in
            output.writeCall()
        }
    }

    /// Calls a stored body: its element is the first of the captures.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<
        Target: RemoteTarget, First: Sendable, Output: Sendable, each Capture
    >(
        on target: Target = AnyWorker(), capturing first: First, _ captures: repeat each Capture,
        deadline: Duration? = nil, file: String = #fileID, line: Int = #line,
        body: RemoteFunction<First, Output, repeat each Capture>
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await fetch(try body.reference, from: target, deadline, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            ValueCoder<First>().write([first], to: &output)
        }
    }

    /// Calls whoever the target says, and waits for the answer.
    ///
    /// - Parameter write: Writes the captures, then the one element.
    nonisolated(nonsending) func fetch<Output: Sendable>(
        _ function: FunctionReference, from target: some RemoteTarget, _ deadline: Duration?, _ callSite: CallSite,
        _ write: (inout WireWriter) -> Void
    ) async throws -> Output {
        let worker = try await target.acquire(in: self)
        defer { target.release(worker, in: self) }
        return try await fetch(function, from: try await reach(worker), deadline, callSite, write)
    }

    /// Calls one process, and waits for its answer.
    nonisolated(nonsending) func fetch<Output: Sendable>(
        _ function: FunctionReference, from member: Member, _ deadline: Duration?, _ callSite: CallSite,
        _ write: (inout WireWriter) -> Void
    ) async throws -> Output {
        let call = OneCall()
        let number = try member.callOnce(function, of: call, seed: nextCallSeed(), write)
        // A small body's answer is here sooner than this thread could be woken for it.
        member.launched.link.look { call.isAnswered }
        if let answer = call.answer { return try member.result(of: answer, callSite) }
        let timer = deadline.map { limit in
            Task {
                try await Task.sleep(for: max(limit, .zero))
                let error = DeadlineExceeded(
                    worker: member.id, host: member.launched.host, index: nil, limit: limit, callSite: callSite)
                if call.end(.failure(error)) { member.cancel(number) }
            }
        }
        defer { timer?.cancel() }
        await withTaskCancellationHandler {
            await call.wait()
        } onCancel: {
            if call.end(.failure(CancellationError())) { member.cancel(number) }
        }
        guard let answer = call.answer else { preconditionFailure("who waited for an answer has one") }
        return try member.result(of: answer, callSite)
    }
}

/// A call with one result, which is read by whoever waits for it: nothing here has to know its type.
private final class OneCall: CallReceiver {
    private struct State {
        var answer: Result<BatchInput, any Error>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let hasAnswer = Atomic(false)

    var isAnswered: Bool { hasAnswer.load(ordering: .acquiring) }

    var answer: Result<BatchInput, any Error>? { isAnswered ? state.withLock { $0.answer } : nil }

    /// Gives the answer; only the first counts. Returns whether it was this one.
    @discardableResult
    func end(_ answer: Result<BatchInput, any Error>) -> Bool {
        let (isFirst, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard state.answer == nil else { return (false, nil) }
            state.answer = answer
            hasAnswer.store(true, ordering: .releasing)
            return (true, state.waiter.take())
        }
        waiter?.resume()
        return isFirst
    }

    /// Waits for the answer; for one task.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isHere = state.withLock { state in
                if state.answer != nil { return true }
                state.waiter = continuation
                return false
            }
            if isHere { continuation.resume() }
        }
    }

    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member) {
        end(.success(BatchInput(rest: &reply)))
    }

    func fail(_ error: any Error, for batch: Range<Int>, of member: Member) {
        end(.failure(error))
    }
}

extension Member {
    /// The one result of a call.
    ///
    /// - Throws: What kept it from being answered; ``RemoteError`` if the body failed, ``ClusterError`` if it is no such answer.
    fileprivate func result<Output>(
        of answer: Result<BatchInput, any Error>, _ callSite: CallSite
    ) throws -> Output {
        let answer = try answer.mapError { ($0 as? WorkerExited)?.called(at: callSite) ?? $0 }.get()
        var failure: IndexedFailure?
        let output: Output?
        do {
            (output, failure) = try answer.readOne()
        } catch {
            throw ClusterError.refused(by: id, "its answer can't be read: \(error)")
        }
        if let failure {
            throw RemoteError(
                worker: id, host: launched.host, index: nil, callSite: callSite, failure: failure.failure)
        }
        guard let output else { throw ClusterError.refused(by: id, "its answer is empty") }
        return output
    }
}

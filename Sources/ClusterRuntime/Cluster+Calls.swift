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
    ///   - target: A worker, or `.any`.
    ///   - captures: What the body needs; given to it in this order.
    ///   - body: A closure literal that captures nothing itself.
    /// - Returns: What the body returned: a `WireCodable` value, a tuple of such, or nothing.
    /// - Throws: ``BodyError`` if the body can't travel, ``RemoteError`` if it threw, ``WorkerExited`` if the worker
    ///   ended, ``ClusterError`` if there is no such worker, `CancellationError` if this task was cancelled.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<Target: RemoteTarget, Output: Sendable, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) throws -> Output
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        return try await fetch(function, encoded, argument: (), from: target)
    }

    /// Calls an asynchronous body in another process and waits for its result; otherwise like the synchronous form.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<Target: RemoteTarget, Output: Sendable, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) async throws -> Output
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        return try await fetch(function, encoded, argument: (), from: target)
    }

    /// Calls a stored body that takes no element.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<Target: RemoteTarget, Output: Sendable>(
        on target: Target = AnyWorker(), file: String = #fileID, line: Int = #line,
        body: RemoteFunction<Void, Output>
    ) async throws -> Output {
        let encoded = try EncodedCaptures(file: file, line: line)
        return try await fetch(try body.reference, encoded, argument: (), from: target)
    }

    /// Calls a stored body: its element is the first of the captures.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<
        Target: RemoteTarget, First: Sendable, Output: Sendable, each Capture
    >(
        on target: Target = AnyWorker(), capturing first: First, _ captures: repeat each Capture,
        file: String = #fileID, line: Int = #line, body: RemoteFunction<First, Output, repeat each Capture>
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let encoded = try EncodedCaptures(repeat each captures, file: file, line: line)
        return try await fetch(try body.reference, encoded, argument: first, from: target)
    }

    private nonisolated(nonsending) func fetch<Argument, Output: Sendable>(
        _ function: FunctionReference, _ encoded: EncodedCaptures, argument: Argument, from target: some RemoteTarget
    ) async throws -> Output {
        let member = try member(try target.worker(in: self))
        var elements = WireWriter()
        ValueCoder<Argument>().write([argument][...], to: &elements)
        let input = try elements.finish()
        // A call is sent once: its captures are of no use to another. Small ones go along with it.
        let once = !encoded.isEmpty && encoded.bytes.count <= CaptureSet.smallByteCount ? encoded : nil
        let captures = encoded.isEmpty || once != nil ? nil : CaptureSet(encoded)
        defer { captures?.forget() }
        let answer = Eventual<Result<Output, any Error>>()
        let call = member.call(function, captures, input, once: once) { reply in
            answer.fulfil(Result { try member.result(of: reply) })
        } onFailure: { error in
            answer.fulfil(.failure(error))
        }
        // A small body's answer is here sooner than this thread could be woken for it.
        member.launched.link.look { answer.value != nil }
        if let answer = answer.value { return try answer.get() }
        return try await withTaskCancellationHandler {
            try await answer.get().get()
        } onCancel: {
            if answer.fulfil(.failure(CancellationError())), let call { member.cancel(call) }
        }
    }
}

extension Member {
    /// The one result of a call.
    fileprivate func result<Output>(of reply: RawSpan) throws -> Output {
        var reader = WireReader(reply)
        let batch: BatchReply<Output>
        do {
            batch = try BatchReply(from: &reader)
        } catch {
            throw ClusterError.refused(by: id, "its answer can't be read: \(error)")
        }
        if let failed = batch.failures.first {
            throw RemoteError(worker: id, host: launched.host, index: nil, failure: failed.failure)
        }
        guard let output = batch.outputs.first else { throw ClusterError.refused(by: id, "its answer is empty") }
        return output
    }
}

public import Remote
import Transport
public import Wire

extension Cluster {
    /// Calls a body in another process, and waits until it has ended; the result stays there.
    ///
    /// - Parameters:
    ///   - target: A process, `.any`, or a pool: then a worker of it that is free, which is waited for.
    ///   - captures: What the body needs; given to it in this order.
    ///   - body: A closure literal that captures nothing itself.
    /// - Returns: What the body returned, to be fetched.
    /// - Throws: As ``remoteCall(on:capturing:file:line:body:)``; ``RemoteError`` if the body threw, `CancellationError` if this task was
    ///   cancelled, and then the body is as well.
    @discardableResult
    public nonisolated(nonsending) func remoteCallWait<Target: RemoteTarget, Output: Sendable, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) throws -> Output
    ) async throws -> Future<Output> where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await keepAndWait(function, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with an asynchronous body.
    @discardableResult
    public nonisolated(nonsending) func remoteCallWait<Target: RemoteTarget, Output: Sendable, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) async throws -> Output
    ) async throws -> Future<Output> where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await keepAndWait(function, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with a stored body that takes no element.
    @discardableResult
    public nonisolated(nonsending) func remoteCallWait<Target: RemoteTarget, Output: Sendable>(
        on target: Target = AnyWorker(), file: String = #fileID, line: Int = #line,
        body: RemoteFunction<Void, Output>
    ) async throws -> Future<Output> {
        return try await keepAndWait(try body.reference, at: target, CallSite(file: file, line: line)) { output in
            output.writeCall()
        }
    }

    /// The same with a stored body: its element is the first of the captures.
    @discardableResult
    public nonisolated(nonsending) func remoteCallWait<
        Target: RemoteTarget, First: Sendable, Output: Sendable, each Capture
    >(
        on target: Target = AnyWorker(), capturing first: First, _ captures: repeat each Capture,
        file: String = #fileID, line: Int = #line, body: RemoteFunction<First, Output, repeat each Capture>
    ) async throws -> Future<Output> where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        return try await keepAndWait(try body.reference, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            ValueCoder<First>().write([first], to: &output)
        }
    }

    /// - Parameter write: Writes the captures, then the one element.
    private nonisolated(nonsending) func keepAndWait<Output: Sendable>(
        _ function: FunctionReference, at target: some RemoteTarget, _ site: CallSite,
        _ write: (inout WireWriter) -> Void
    ) async throws -> Future<Output> {
        try await ended(try await start(function, at: target, site, write))
    }

    /// Calls a body on the elements of a batch, with captures that several calls have, and waits until it has ended; the result
    /// stays there.
    ///
    /// - Parameters:
    ///   - batch: The places of the elements in the input.
    ///   - write: Writes the elements.
    /// - Throws: ``RemoteError`` if the body threw, with the element's place; ``WorkerExited`` or ``ClusterError`` if the worker is
    ///   gone, `CancellationError` if this task was cancelled.
    package nonisolated(nonsending) func keep<Output: Sendable>(
        _ function: FunctionReference, _ captures: CaptureSet?, for batch: Range<Int>, on worker: WorkerID,
        seed: UInt64, at site: CallSite, _ write: (inout WireWriter) -> Void
    ) async throws -> Future<Output> {
        let member = try await reach(worker)
        let (handle, call) = (
            ReferenceHandle(counted: newReference(on: worker), in: self), FutureCall(at: site, hasIndex: true)
        )
        let number = try member.call(
            function, captures, for: batch, of: call, seed: seed, result: .kept(handle.id.name), write)
        return try await ended((Future(handle, of: call), call, { member.cancel(number) }, member))
    }

    private nonisolated(nonsending) func ended<Output: Sendable>(
        _ kept: (future: Future<Output>, call: FutureCall, cancel: @Sendable () -> Void, member: Member)
    ) async throws -> Future<Output> {
        let (future, call, cancel, member) = kept
        member.launched.link.look { call.progress != nil }
        let progress = await withTaskCancellationHandler {
            await call.end()
        } onCancel: {
            cancel()
            call.fail(CancellationError())
        }
        switch progress {
        case .ready: return future
        case .threw:
            _ = try await future.fetch()
            return future
        case .failed(let error): throw (error as? WorkerExited)?.called(at: call.site) ?? error
        }
    }
}

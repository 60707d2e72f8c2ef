public import Remote
import Synchronization
import Transport
public import Wire

extension Cluster {
    /// Calls a body in another process, and does not wait for its result, which stays there.
    ///
    /// ```swift
    /// let future = try await cluster.remoteCall(on: 2, capturing: 3) { x in x * 2 }
    /// let six = try await future.fetch()
    /// ```
    ///
    /// Returns when the call has been sent. Calls of one task to one process begin in the order in which they were made. The body goes on if
    /// nobody keeps the future; use ``Future/fetch(deadline:file:line:)`` to learn of its errors.
    ///
    /// - Parameters:
    ///   - target: A process, `.any`, or a pool: then a worker of it that is free, which is waited for.
    ///   - captures: What the body needs; given to it in this order.
    ///   - body: A closure literal that captures nothing itself.
    /// - Returns: What the body will return: a `WireCodable` value, a tuple of such, or nothing.
    /// - Throws: ``BodyError`` if the body can't travel, ``WorkerExited`` or ``ClusterError`` if there is no such process.
    public nonisolated(nonsending) func remoteCall<Target: RemoteTarget, Output: Sendable, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) throws -> Output
    ) async throws -> Future<Output> where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await keep(function, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with an asynchronous body.
    public nonisolated(nonsending) func remoteCall<Target: RemoteTarget, Output: Sendable, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) async throws -> Output
    ) async throws -> Future<Output> where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await keep(function, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with a stored body that takes no element.
    public nonisolated(nonsending) func remoteCall<Target: RemoteTarget, Output: Sendable>(
        on target: Target = AnyWorker(), file: String = #fileID, line: Int = #line,
        body: RemoteFunction<Void, Output>
    ) async throws -> Future<Output> {
        return try await keep(try body.reference, at: target, CallSite(file: file, line: line)) { output in
            output.writeCall()
        }
    }

    /// The same with a stored body: its element is the first of the captures.
    public nonisolated(nonsending) func remoteCall<
        Target: RemoteTarget, First: Sendable, Output: Sendable, each Capture
    >(
        on target: Target = AnyWorker(), capturing first: First, _ captures: repeat each Capture,
        file: String = #fileID, line: Int = #line, body: RemoteFunction<First, Output, repeat each Capture>
    ) async throws -> Future<Output> where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        return try await keep(try body.reference, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            ValueCoder<First>().write([first], to: &output)
        }
    }

    /// - Parameter write: Writes the captures, then the one element.
    private nonisolated(nonsending) func keep<Output: Sendable>(
        _ function: FunctionReference, at target: some RemoteTarget, _ site: CallSite,
        _ write: (inout WireWriter) -> Void
    ) async throws -> Future<Output> {
        try await start(function, at: target, site, write).future
    }

    /// Begins a call whose result stays where it is; gives the worker back when the call has ended.
    nonisolated(nonsending) func start<Output: Sendable>(
        _ function: FunctionReference, at target: some RemoteTarget, _ site: CallSite,
        _ write: (inout WireWriter) -> Void
    ) async throws -> (future: Future<Output>, call: FutureCall, cancel: @Sendable () -> Void, member: Member) {
        let worker = try await target.acquire(in: self)
        do {
            let member = try await reach(worker)
            let (handle, call) = (ReferenceHandle(counted: newReference(on: worker), in: self), FutureCall(at: site))
            let name = handle.id.name
            let number = try member.callOnce(function, result: .kept(name), of: call, seed: nextCallSeed(), write)
            call.whenEnded { [self] in target.release(worker, in: self) }
            return (Future(handle, of: call), call, { member.cancel(number) }, member)
        } catch {
            target.release(worker, in: self)
            throw error
        }
    }
}

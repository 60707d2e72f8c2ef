public import Remote
import Transport
public import Wire

extension Cluster {
    /// Has a body run in another process, and forgets it.
    ///
    /// Returns when the call has been sent. What a worker has not begun when `withCluster` is left is not done. What the body throws appears on the standard error of its process, with a mark; where that is
    /// a worker of another host, or of this one, that is this program's standard error, with the worker's number.
    ///
    /// - Parameters:
    ///   - target: A process, `.any`, or a pool: then a worker of it that is free, which is waited for.
    ///   - captures: What the body needs; given to it in this order.
    ///   - body: A closure literal that captures nothing itself.
    /// - Throws: ``BodyError`` if the body can't travel, ``WorkerExited`` or ``ClusterError`` if there is no such process.
    public nonisolated(nonsending) func remoteDo<Target: RemoteTarget, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) throws -> Void
    ) async throws where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try ActionFunction<repeat each Capture>(file: file, line: line, body).reference
        try await drop(function, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with an asynchronous body.
    public nonisolated(nonsending) func remoteDo<Target: RemoteTarget, each Capture>(
        on target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) async throws -> Void
    ) async throws where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try ActionFunction<repeat each Capture>(file: file, line: line, body).reference
        try await drop(function, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with a stored body that takes no element.
    public nonisolated(nonsending) func remoteDo<Target: RemoteTarget>(
        on target: Target = AnyWorker(), file: String = #fileID, line: Int = #line,
        body: RemoteFunction<Void, Void>
    ) async throws {
        try await drop(try body.reference, at: target, CallSite(file: file, line: line)) { output in output.writeCall()
        }
    }

    /// The same with a stored body: its element is the first of the captures.
    public nonisolated(nonsending) func remoteDo<
        Target: RemoteTarget, First: Sendable, each Capture
    >(
        on target: Target = AnyWorker(), capturing first: First, _ captures: repeat each Capture,
        file: String = #fileID, line: Int = #line, body: RemoteFunction<First, Void, repeat each Capture>
    ) async throws where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await drop(try body.reference, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            ValueCoder<First>().write([first], to: &output)
        }
    }

    /// - Parameter write: Writes the captures, then the one element.
    private nonisolated(nonsending) func drop(
        _ function: FunctionReference, at target: some RemoteTarget, _ site: CallSite,
        _ write: (inout WireWriter) -> Void
    ) async throws {
        let worker = try await target.acquire(in: self)
        let call = FutureCall(at: site)
        call.whenEnded { [self] in target.release(worker, in: self) }
        do {
            try await reach(worker).callOnce(function, result: .dropped, of: call, seed: nextCallSeed(), write)
        } catch {
            call.fail(error)
            throw error
        }
    }
}

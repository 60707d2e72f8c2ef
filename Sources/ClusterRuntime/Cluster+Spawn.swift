public import Remote
import Transport
public import Wire

// The names of Julia's macros. What they do is what `remoteCall` and `remoteCallFetch` do.
extension Cluster {
    /// Has a body run in another process, and goes on: the same as ``remoteCall(on:capturing:file:line:body:)``.
    ///
    /// ```swift
    /// let future = try await cluster.spawn(at: 2) { Worker.id }
    /// let somewhere = try await cluster.spawn { hostName() }
    /// ```
    ///
    /// Julia's `@spawnat` and `@spawn`.
    ///
    /// - Parameters:
    ///   - target: A process, `.any`, which it is unless told, or a pool: then a worker of it that is free, which is waited for.
    ///   - captures: What the body needs; given to it in this order.
    ///   - body: A closure literal that captures nothing itself.
    /// - Returns: What the body will return: a `WireCodable` value, a tuple of such, or nothing.
    /// - Throws: ``BodyError`` if the body can't travel, ``WorkerExited`` or ``ClusterError`` if there is no such process.
    public nonisolated(nonsending) func spawn<Target: RemoteTarget, Output: Sendable, each Capture>(
        at target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) throws -> Output
    ) async throws -> Future<Output> where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await start(function, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }.future
    }

    /// The same with an asynchronous body.
    public nonisolated(nonsending) func spawn<Target: RemoteTarget, Output: Sendable, each Capture>(
        at target: Target = AnyWorker(), capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) async throws -> Output
    ) async throws -> Future<Output> where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await start(function, at: target, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }.future
    }

    /// The same with a stored body that takes no element.
    public nonisolated(nonsending) func spawn<Target: RemoteTarget, Output: Sendable>(
        at target: Target = AnyWorker(), file: String = #fileID, line: Int = #line, body: RemoteFunction<Void, Output>
    ) async throws -> Future<Output> {
        try await remoteCall(on: target, file: file, line: line, body: body)
    }

    /// The same with a stored body: its element is the first of the captures.
    public nonisolated(nonsending) func spawn<
        Target: RemoteTarget, First: Sendable, Output: Sendable, each Capture
    >(
        at target: Target = AnyWorker(), capturing first: First, _ captures: repeat each Capture,
        file: String = #fileID, line: Int = #line, body: RemoteFunction<First, Output, repeat each Capture>
    ) async throws -> Future<Output> where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await remoteCall(on: target, capturing: first, repeat each captures, file: file, line: line, body: body)
    }

    /// Has a body run in another process, and waits for its result: the same as
    /// ``remoteCallFetch(on:capturing:deadline:file:line:body:)``.
    ///
    /// ```swift
    /// let two = try await cluster.fetch(from: 2) { Worker.id }
    /// let host = try await cluster.fetch { hostName() }
    /// ```
    ///
    /// Julia's `@fetchfrom` and `@fetch`.
    ///
    /// - Parameters:
    ///   - target: A process, `.any`, which it is unless told, or a pool: then a worker of it that is free, which is waited for.
    ///   - captures: What the body needs; given to it in this order.
    ///   - deadline: Time that the call has; when it is over, the call is cancelled, as if this task were. None unless told.
    ///   - body: A closure literal that captures nothing itself.
    /// - Returns: What the body returned: a `WireCodable` value, a tuple of such, or nothing.
    /// - Throws: ``BodyError`` if the body can't travel, ``RemoteError`` if it threw, ``WorkerExited`` if the worker ended,
    ///   ``ClusterError`` if there is no such worker, ``DeadlineExceeded`` if it took too long, `CancellationError` if this task was
    ///   cancelled.
    @discardableResult
    public nonisolated(nonsending) func fetch<Target: RemoteTarget, Output: Sendable, each Capture>(
        from target: Target = AnyWorker(), capturing captures: repeat each Capture, deadline: Duration? = nil,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) throws -> Output
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await fetch(function, from: target, deadline, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with an asynchronous body.
    @discardableResult
    public nonisolated(nonsending) func fetch<Target: RemoteTarget, Output: Sendable, each Capture>(
        from target: Target = AnyWorker(), capturing captures: repeat each Capture, deadline: Duration? = nil,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) async throws -> Output
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await fetch(function, from: target, deadline, CallSite(file: file, line: line)) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with a stored body that takes no element.
    @discardableResult
    public nonisolated(nonsending) func fetch<Target: RemoteTarget, Output: Sendable>(
        from target: Target = AnyWorker(), deadline: Duration? = nil, file: String = #fileID, line: Int = #line,
        body: RemoteFunction<Void, Output>
    ) async throws -> Output {
        try await remoteCallFetch(on: target, deadline: deadline, file: file, line: line, body: body)
    }

    /// The same with a stored body: its element is the first of the captures.
    @discardableResult
    public nonisolated(nonsending) func fetch<
        Target: RemoteTarget, First: Sendable, Output: Sendable, each Capture
    >(
        from target: Target = AnyWorker(), capturing first: First, _ captures: repeat each Capture,
        deadline: Duration? = nil, file: String = #fileID, line: Int = #line,
        body: RemoteFunction<First, Output, repeat each Capture>
    ) async throws -> Output where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try await remoteCallFetch(
            on: target, capturing: first, repeat each captures, deadline: deadline, file: file, line: line, body: body)
    }
}

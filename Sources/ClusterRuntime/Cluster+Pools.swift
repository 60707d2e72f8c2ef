public import Remote
import Synchronization
public import Wire

extension Cluster {
    /// The pool of maps, and of ``remote(_:file:line:body:)``, that are given none.
    ///
    /// Until it is set, it is a pool of all workers, which follows them as they join and leave; set to that one again, it goes on as
    /// before. Calls on `.any` have nothing to do with it: they go to whoever has the least to do.
    public var defaultPool: any AbstractWorkerPool {
        get { poolOfMaps ?? everyone }
        set { chosenPool.withLock { $0 = newValue === everyone ? nil : newValue } }
    }

    /// What ``defaultPool`` was set to; `nil` for all workers, and those who join.
    package var poolOfMaps: (any AbstractWorkerPool)? { chosenPool.withLock { $0 } }

    /// A function that runs elsewhere whenever it is called: on a worker of the pool that is free, which is waited for.
    ///
    /// ```swift
    /// let square = cluster.remote { (x: Int) in x * x }
    /// let nine = try await square(3)
    /// ```
    ///
    /// - Parameters:
    ///   - pool: Where; the ``defaultPool`` at the time of each call unless told.
    ///   - body: A closure literal that captures nothing. One that captures is refused when the function is called.
    @_disfavoredOverload  // a body without arguments could be one of a `Void`
    public func remote<Element: Sendable, Output: Sendable, each Capture>(
        _ pool: (any AbstractWorkerPool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Element, repeat each Capture) throws -> Output
    ) -> PoolFunction<Element, Output, repeat each Capture>
    where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        remote(pool, body: RemoteFunction(file: file, line: line, body))
    }

    /// The same for an asynchronous body.
    @_disfavoredOverload  // a body without arguments could be one of a `Void`
    public func remote<Element: Sendable, Output: Sendable, each Capture>(
        _ pool: (any AbstractWorkerPool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (Element, repeat each Capture) async throws -> Output
    ) -> PoolFunction<Element, Output, repeat each Capture>
    where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        remote(pool, body: RemoteFunction(file: file, line: line, body))
    }

    /// The same for a body without arguments: `cluster.remote { hostName() }`.
    public func remote<Output: Sendable>(
        _ pool: (any AbstractWorkerPool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable () throws -> Output
    ) -> PoolCall<Output> {
        PoolCall(
            cluster: self, pool: pool,
            function: RemoteFunction(finding: { () throws(BodyError) in
                try CallFunction<Output>(file: file, line: line, body).reference
            }))
    }

    /// The same for an asynchronous body without arguments.
    public func remote<Output: Sendable>(
        _ pool: (any AbstractWorkerPool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable () async throws -> Output
    ) -> PoolCall<Output> {
        PoolCall(
            cluster: self, pool: pool,
            function: RemoteFunction(finding: { () throws(BodyError) in
                try CallFunction<Output>(file: file, line: line, body).reference
            }))
    }

    /// The same for a stored body.
    public func remote<Element: Sendable, Output: Sendable, each Capture>(
        _ pool: (any AbstractWorkerPool)? = nil, body: RemoteFunction<Element, Output, repeat each Capture>
    ) -> PoolFunction<Element, Output, repeat each Capture>
    where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        PoolFunction(cluster: self, pool: pool, function: body)
    }
}

/// A function that runs on a free worker of a pool whenever it is called, see ``Cluster/remote(_:file:line:body:)``.
public struct PoolFunction<Element: Sendable, Output: Sendable, each Capture>: Sendable
where repeat each Capture: WireEncodable & WireDecodable & Sendable {
    let cluster: Cluster
    let pool: (any AbstractWorkerPool)?
    let function: RemoteFunction<Element, Output, repeat each Capture>

    /// Runs the body on a worker of the pool.
    ///
    /// - Throws: As ``Cluster/remoteCallFetch(on:capturing:_:file:line:body:)``.
    @discardableResult
    public nonisolated(nonsending) func callAsFunction(
        _ first: Element, _ others: repeat each Capture
    ) async throws -> Output {
        let pool = pool ?? cluster.defaultPool
        return try await cluster.remoteCallFetch(on: pool, capturing: first, repeat each others, body: function)
    }
}

/// A function without arguments that runs on a free worker of a pool whenever it is called.
public struct PoolCall<Output: Sendable>: Sendable {
    let cluster: Cluster
    let pool: (any AbstractWorkerPool)?
    let function: RemoteFunction<Void, Output>

    /// Runs the body on a worker of the pool.
    ///
    /// - Throws: As ``Cluster/remoteCallFetch(on:file:line:body:)``.
    @discardableResult
    public nonisolated(nonsending) func callAsFunction() async throws -> Output {
        let pool = pool ?? cluster.defaultPool
        return try await cluster.remoteCallFetch(on: pool, body: function)
    }
}

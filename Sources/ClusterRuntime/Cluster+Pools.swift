import Remote
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
    public func remote<Output: Sendable, each Argument>(
        _ pool: (any AbstractWorkerPool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Argument) throws -> Output
    ) -> PoolFunction<Output, repeat each Argument>
    where repeat each Argument: WireEncodable & WireDecodable & Sendable {
        PoolFunction(
            cluster: self, pool: pool,
            function: Result { () throws(BodyError) in
                try CallFunction<Output, repeat each Argument>(file: file, line: line, body).reference
            })
    }

    /// The same for an asynchronous body.
    public func remote<Output: Sendable, each Argument>(
        _ pool: (any AbstractWorkerPool)? = nil, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Argument) async throws -> Output
    ) -> PoolFunction<Output, repeat each Argument>
    where repeat each Argument: WireEncodable & WireDecodable & Sendable {
        PoolFunction(
            cluster: self, pool: pool,
            function: Result { () throws(BodyError) in
                try CallFunction<Output, repeat each Argument>(file: file, line: line, body).reference
            })
    }
}

/// A function that runs on a free worker of a pool whenever it is called, see ``Cluster/remote(_:file:line:body:)``.
public struct PoolFunction<Output: Sendable, each Argument>: Sendable
where repeat each Argument: WireEncodable & WireDecodable & Sendable {
    let cluster: Cluster
    let pool: (any AbstractWorkerPool)?
    let function: Result<FunctionReference, BodyError>

    /// Runs the body on a worker of the pool.
    ///
    /// - Parameters:
    ///   - arguments: What the body takes.
    ///   - deadline: How long to wait for its result, from when it has a worker; for ever unless told.
    /// - Throws: As `remoteCallFetch` does.
    @discardableResult
    public nonisolated(nonsending) func callAsFunction(
        _ arguments: repeat each Argument, deadline: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws -> Output {
        let pool = pool ?? cluster.defaultPool
        return try await cluster.fetch(
            try function.get(), from: pool, deadline, CallSite(file: file, line: line)
        ) { output in
            for argument in repeat each arguments { output.write(argument) }
            output.writeCall()
        }
    }
}

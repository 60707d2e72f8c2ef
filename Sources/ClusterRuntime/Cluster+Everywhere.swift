public import Remote
import Synchronization
import Transport
public import Wire

extension Cluster {
    /// Runs a body once in every process, the driver included, and waits until it has ended in all.
    ///
    /// ```swift
    /// try await cluster.everywhere { setUp() }
    /// try await cluster.everywhere(on: cluster.workers, capturing: level, includingLater: true) { level in log.level = level }
    /// ```
    ///
    /// Julia's `@everywhere`, for what has to be done; globals have the values that the program gives them anyway, and values
    /// that each process is to have for itself are ``WorkerLocal``.
    ///
    /// - Parameters:
    ///   - processes: Where; all processes that there are now unless told.
    ///   - captures: What the body needs; given to it in this order.
    ///   - includingLater: Whether workers that join later run the body as well, before they are given any other work. One in
    ///     which it throws does not join.
    ///   - body: A closure literal that captures nothing itself.
    /// - Throws: ``BodyError`` if the body can't travel; ``CompositeError`` with all that failed, in the order of the processes.
    public nonisolated(nonsending) func everywhere<each Capture>(
        on processes: [WorkerID]? = nil, capturing captures: repeat each Capture, includingLater: Bool = false,
        file: String = #fileID, line: Int = #line, body: @escaping @Sendable (repeat each Capture) throws -> Void
    ) async throws where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try ActionFunction<repeat each Capture>(file: file, line: line, body).reference
        let _: [Void] = try await callAll(processes, function, CallSite(file: file, line: line), includingLater) {
            output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with an asynchronous body.
    public nonisolated(nonsending) func everywhere<each Capture>(
        on processes: [WorkerID]? = nil, capturing captures: repeat each Capture, includingLater: Bool = false,
        file: String = #fileID, line: Int = #line, body: @escaping @Sendable (repeat each Capture) async throws -> Void
    ) async throws where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try ActionFunction<repeat each Capture>(file: file, line: line, body).reference
        let _: [Void] = try await callAll(processes, function, CallSite(file: file, line: line), includingLater) {
            output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// Calls a body in each of several processes at the same time, and waits for all results.
    ///
    /// - Parameters:
    ///   - processes: Where; may be the driver too.
    ///   - captures: What the body needs; given to it in this order.
    ///   - body: A closure literal that captures nothing itself.
    /// - Returns: The results, in the order of the processes.
    /// - Throws: ``BodyError`` if the body can't travel; ``CompositeError`` with all that failed, in the order of the processes.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<Output: Sendable, each Capture>(
        onEach processes: [WorkerID], capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line, body: @escaping @Sendable (repeat each Capture) throws -> Output
    ) async throws -> [Output] where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await callAll(processes, function, CallSite(file: file, line: line), false) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    /// The same with an asynchronous body.
    @discardableResult
    public nonisolated(nonsending) func remoteCallFetch<Output: Sendable, each Capture>(
        onEach processes: [WorkerID], capturing captures: repeat each Capture,
        file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) async throws -> Output
    ) async throws -> [Output] where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try CallFunction<Output, repeat each Capture>(file: file, line: line, body).reference
        return try await callAll(processes, function, CallSite(file: file, line: line), false) { output in
            for capture in repeat each captures { output.write(capture) }
            output.writeCall()
        }
    }

    // MARK: - Values of workers' own

    /// Gives each process a value of its own, which a body makes there.
    ///
    /// - Parameters:
    ///   - local: What the value is known by.
    ///   - processes: Where; all processes that there are now unless told.
    ///   - captures: What the body needs; given to it in this order.
    ///   - includingLater: Whether workers that join later have one as well, before they are given any other work.
    ///   - body: A closure literal that captures nothing itself. Its result stays where it is, and need not be able to travel.
    /// - Throws: ``BodyError`` if the body can't travel; ``CompositeError`` with all that failed, in the order of the processes.
    public nonisolated(nonsending) func define<Value: Sendable, each Capture>(
        _ local: WorkerLocal<Value>, on processes: [WorkerID]? = nil, capturing captures: repeat each Capture,
        includingLater: Bool = false, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) throws -> Value
    ) async throws where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try KeepingFunction<KeptLocal<Value>, repeat each Capture>(
            file: file, line: line, KeptLocal<Value>.self, body
        ).reference
        let _: [Void] = try await callAll(
            processes, function, CallSite(file: file, line: line), includingLater, named: local.name
        ) { output in
            for capture in repeat each captures { output.write(capture) }
            ValueCoder<String>().write([local.name], to: &output)
        }
    }

    /// The same with an asynchronous body.
    public nonisolated(nonsending) func define<Value: Sendable, each Capture>(
        _ local: WorkerLocal<Value>, on processes: [WorkerID]? = nil, capturing captures: repeat each Capture,
        includingLater: Bool = false, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) async throws -> Value
    ) async throws where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        let function = try KeepingFunction<KeptLocal<Value>, repeat each Capture>(
            file: file, line: line, KeptLocal<Value>.self, body
        ).reference
        let _: [Void] = try await callAll(
            processes, function, CallSite(file: file, line: line), includingLater, named: local.name
        ) { output in
            for capture in repeat each captures { output.write(capture) }
            ValueCoder<String>().write([local.name], to: &output)
        }
    }

    /// Takes values from processes that were given them with `define`; workers that join later are not given them any more.
    ///
    /// - Parameter processes: Where; all processes that there are now unless told.
    public nonisolated(nonsending) func clear<Value: Sendable>(
        _ local: WorkerLocal<Value>, on processes: [WorkerID]? = nil
    ) async throws {
        if processes == nil { forgetRites(of: local.name) }
        try await everywhere(on: processes, capturing: local.name) { name in ProcessState.clear(name) }
    }

    // MARK: - Channels of a kind of one's own

    /// Makes a channel of a kind of one's own on a process.
    ///
    /// ```swift
    /// let stack = try await cluster.remoteChannel(on: 2) { Stack<Int>() }
    /// ```
    ///
    /// - Parameters:
    ///   - process: Where it is.
    ///   - captures: What the body needs; given to it in this order.
    ///   - body: Makes the channel there; a closure literal that captures nothing itself.
    /// - Throws: ``BodyError`` if the body can't travel, ``RemoteError`` if it threw; ``WorkerExited`` or ``ClusterError`` if there is
    ///   no such process.
    public nonisolated(nonsending) func remoteChannel<Channel: AbstractChannel, each Capture>(
        on process: WorkerID, capturing captures: repeat each Capture, file: String = #fileID, line: Int = #line,
        body: @escaping @Sendable (repeat each Capture) throws -> Channel
    ) async throws -> RemoteChannel<Channel.Element>
    where repeat each Capture: WireEncodable & WireDecodable & Sendable {
        try checkTravels(Channel.Element.self, file: file, line: line)
        let function = try KeepingFunction<KeptChannel<Channel>, repeat each Capture>(
            file: file, line: line, KeptChannel<Channel>.self, body
        ).reference
        let channel = RemoteChannel<Channel.Element>(ReferenceHandle(counted: newReference(on: process), in: self))
        let site = CallSite(file: file, line: line)
        let _: Void = try await fetch(function, from: try await reach(process), nil, site) { output in
            for capture in repeat each captures { output.write(capture) }
            ValueCoder<ReferenceName>().write([channel.id.name], to: &output)
        }
        return channel
    }

    /// A channel of a kind of one's own that this process has, by its name.
    ///
    /// - Throws: ``ReferenceError/Code/unknown`` if it has none of that name and kind.
    public func channel<Channel: AbstractChannel>(
        _ id: RemoteReferenceID, as type: Channel.Type
    ) throws(ReferenceError) -> Channel {
        guard id.where == myID, id.cluster == identity, let channel = references.ownChannel(id.name, type) else {
            throw .unknown
        }
        return channel
    }

    // MARK: - Calling several

    /// Calls a body in several processes at the same time.
    ///
    /// - Parameter processes: All that there are now if `nil`.
    private nonisolated(nonsending) func callAll<Output: Sendable>(
        _ processes: [WorkerID]?, _ function: FunctionReference, _ site: CallSite, _ includingLater: Bool,
        named name: String? = nil,
        _ write: @escaping @Sendable (inout WireWriter) -> Void
    ) async throws -> [Output] {
        var workers: [WorkerID]?
        if includingLater {
            guard isDriver else { throw ClusterError.notTheDriver }
            workers = addRite(name) { [self] member in
                let _: Output = try await fetch(function, from: member, nil, site, write)
            }
        } else if processes == nil {
            workers = try await reachAll().map(\.id)
        }
        let ids = processes ?? [.driver] + (workers ?? [])
        let results = Mutex([Output?](repeating: nil, count: ids.count))
        try await withCompositeGroup { group in
            for (index, id) in ids.enumerated() {
                group.addTask { [self] in
                    let output: Output = try await fetch(function, from: try await reach(id), nil, site, write)
                    results.withLock { $0[index] = output }
                }
            }
        }
        return results.withLock { $0.compactMap { $0 } }
    }
}

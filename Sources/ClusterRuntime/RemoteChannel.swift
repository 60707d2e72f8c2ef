public import Remote
import Transport
public import Wire

/// A channel that a process has, and any process of the cluster may put into and take from.
///
/// ```swift
/// let numbers = try await cluster.remoteChannel(of: Int.self, capacity: 10, on: 2)
/// try await numbers.put(1)                          // waits while there are 10 in it
/// for try await number in numbers { … }             // until it is closed, and empty
/// ```
///
/// Values leave in the order in which they came in; each is taken once. A channel can be passed to other processes as a
/// future can, and is freed with the last reference; it goes with the process that has it. Values are cheapest to take where
/// the channel is, so it belongs to who takes most.
///
/// Whoever puts many values is allowed some in advance, which go their way without an answer: so it costs a message and
/// not a round trip. They have their place from the beginning: there are never more values in a channel than it holds.
public struct RemoteChannel<Element: Sendable>: Sendable {
    private let reference: Reference

    /// The channel as long as it may be used here.
    private final class Reference: Sendable {
        let handle: ReferenceHandle

        init(_ handle: ReferenceHandle) {
            self.handle = handle
            handle.cluster.channels.open(handle.id.name)
        }

        deinit { handle.cluster.channels.close(handle.id.name) }
    }

    init(_ handle: ReferenceHandle) { reference = Reference(handle) }

    /// The name by which processes know it.
    public var id: RemoteReferenceID { reference.handle.id }
    private var cluster: Cluster { reference.handle.cluster }

    // MARK: - Putting

    /// Puts a value in; waits while the channel is full.
    ///
    /// - Parameter deadline: The longest to wait for a place.
    /// - Throws: ``ReferenceError/Code/closed``, ``DeadlineExceeded``, `CancellationError` if this task was cancelled, ``WorkerExited``
    ///   or ``ClusterError`` if the process that has it is gone; then the value is not in it.
    public nonisolated(nonsending) func put(
        _ value: Element, deadline: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws {
        if id.where != cluster.myID, cluster.channels.use(id.name) {
            do {
                let member = try await cluster.reach(id.where)
                try member.tell(.putAllowed(id.name)) { output in output.writeStored(value) }
                return member.giveBack(cluster.channels.sent(id.name, isUsed: true), of: id.name)
            } catch {
                // Where the owner is gone, nobody waits for it.
                _ = cluster.channels.sent(id.name, isUsed: false)
                throw error
            }
        }
        _ = try await cluster.ask(.putChannel, id, within: deadline, at: CallSite(file: file, line: line)) { output in
            output.writeStored(value)
        }
    }

    /// Accepts no more values. Those that are in it can still be taken.
    public nonisolated(nonsending) func close(file: String = #fileID, line: Int = #line) async throws {
        _ = try await cluster.ask(.closeChannel, id, at: CallSite(file: file, line: line))
    }

    // MARK: - Taking

    /// Takes the first value; waits until there is one.
    ///
    /// - Parameter deadline: The longest to wait.
    /// - Throws: ``ReferenceError/Code/closed`` if it is closed and empty; else as ``put(_:deadline:file:line:)``. A value that is on
    ///   its way when this task is cancelled goes back to the front.
    public nonisolated(nonsending) func take(
        deadline: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws -> Element {
        let values = try await take(upTo: 1, deadline: deadline, file: file, line: line)
        guard let value = values.first else { throw noValue }
        return value
    }

    /// Takes all values that are there, up to a limit, in one message; waits until there is one at least.
    ///
    /// - Parameter limit: At least 1.
    public nonisolated(nonsending) func take(
        upTo limit: Int, deadline: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws -> [Element] {
        precondition(limit >= 1, "nobody takes fewer than one")
        let (cluster, id) = (cluster, id)
        let answer = try await cluster.ask(
            .takeChannel, id, within: deadline, at: CallSite(file: file, line: line)
        ) { output in
            output.write(limit)
        } late: { [handle = reference.handle] answer in
            RemoteChannel.putBack(answer, handle)
        }
        guard case .values(let stored) = answer else { throw noValue }
        return try stored.map(read)
    }

    /// Waits for the first value, and leaves it where it is.
    public nonisolated(nonsending) func fetch(
        deadline: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws -> Element {
        let site = CallSite(file: file, line: line)
        guard case .values(let stored) = try await cluster.ask(.fetchChannel, id, within: deadline, at: site),
            let value = stored.first
        else { throw noValue }
        return try read(value)
    }

    /// Waits until there is a value.
    public nonisolated(nonsending) func wait(
        deadline: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws {
        _ = try await cluster.ask(.waitChannel, id, within: deadline, at: CallSite(file: file, line: line))
    }

    /// Whether there is a value; it may be gone when this is known.
    public var isReady: Bool {
        get async throws {
            let site = CallSite(file: #fileID, line: #line)
            guard case .flag(let isReady) = try await cluster.ask(.isChannelReady, id, at: site) else { throw noValue }
            return isReady
        }
    }

    private var noValue: ClusterError { .refused(by: id.where, "it answered for a channel with no value") }

    private func read(_ stored: StoredValue) throws -> Element {
        let value: Element?
        do {
            (value, _) = try stored.input.readOne()
        } catch {
            throw ClusterError.refused(by: id.where, "a value of a channel can't be read as \(Element.self): \(error)")
        }
        guard let value else { throw noValue }
        return value
    }

    /// Values that nobody waits for any more: they are the first again.
    private static func putBack(_ answer: ReferenceAnswer, _ handle: ReferenceHandle) {
        guard case .values(let values) = answer else { return }
        let (cluster, id) = (handle.cluster, handle.id)
        Task {
            for value in values.reversed() {
                if id.where == cluster.myID {
                    cluster.references.putBack(id.name, value)
                } else {
                    try? await cluster.reach(id.where).putBack(id.name, value)
                }
            }
            _ = handle
        }
    }
}

extension RemoteChannel: AsyncSequence {
    /// Takes values until the channel is closed and empty.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let channel: RemoteChannel

        /// The next value; nil when the channel is closed and empty.
        public nonisolated(nonsending) mutating func next() async throws -> Element? {
            do {
                return try await channel.take()
            } catch let error as ReferenceError where error.code == .closed {
                return nil
            }
        }
    }

    /// Takes values one by one, each when it is asked for.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(channel: self) }
}

extension RemoteChannel: WireEncodable, WireDecodable {
    /// Writes its name. The message keeps the channel, and whoever gets it refers to it as well.
    public func write(to output: inout WireWriter) { reference.handle.write(to: &output) }

    /// Reads a channel.
    ///
    /// - Throws: ``WireError`` where this process is not of the channel's cluster.
    public init(from input: inout WireReader) throws(WireError) {
        self.init(try ReferenceHandle.read(from: &input))
    }
}

extension Cluster {
    /// Makes a channel on a process.
    ///
    /// - Parameters:
    ///   - type: What goes through it.
    ///   - capacity: How many values it holds, at least 0: 1 unless told. With 0, a put waits for its take.
    ///   - process: Where it is; this process unless told.
    /// - Throws: ``BodyError`` if such values can't travel; ``WorkerExited`` or ``ClusterError`` if there is no such process.
    public nonisolated(nonsending) func remoteChannel<Element: Sendable>(
        of type: Element.Type = Element.self, capacity: Int = 1, on process: WorkerID? = nil,
        file: String = #fileID, line: Int = #line
    ) async throws -> RemoteChannel<Element> {
        precondition(capacity >= 0, "a channel has no negative capacity")
        try checkTravels(type, file: file, line: line)
        let channel = RemoteChannel<Element>(
            ReferenceHandle(counted: newReference(on: process ?? myID), in: self))
        _ = try await ask(.makeChannel, channel.id, at: CallSite(file: file, line: line)) { output in
            output.write(capacity)
        }
        return channel
    }

    /// A channel that this process has, by its name.
    ///
    /// - Throws: ``ReferenceError/Code/unknown`` if it has none of that name.
    public func channel<Element: Sendable>(
        _ id: RemoteReferenceID, of type: Element.Type = Element.self
    ) throws(ReferenceError) -> RemoteChannel<Element> {
        guard id.where == myID, id.cluster == identity, references.hasChannel(id.name) else { throw .unknown }
        return RemoteChannel(ReferenceHandle(another: id, in: self))
    }
}

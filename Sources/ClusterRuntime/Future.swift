public import Remote
import Synchronization
import Transport
public import Wire

/// A value that a process has, or will have: of a call that was not waited for, or one that somebody gives it.
///
/// ```swift
/// let future = try await cluster.remoteCall(on: 2, capturing: 3) { x in x * 2 }
/// let six = try await future.fetch()
/// ```
///
/// The value stays where it is until it is fetched, and is kept here from then on. A future is given its value once. It can be passed
/// to any process of the cluster, inside captures, elements, results and other futures' values, and used there; the value
/// is freed when no process refers to it any more. It goes with the process that has it.
public final class Future<Value: Sendable>: Sendable {
    private let handle: ReferenceHandle
    /// The call that makes the value, if this process has made it.
    private let call: FutureCall?
    private let fetched = Mutex<Result<Value, any Error>?>(nil)

    init(_ handle: ReferenceHandle, of call: FutureCall? = nil) {
        self.handle = handle
        self.call = call
    }

    /// The name by which processes know it.
    public var id: RemoteReferenceID { handle.id }
    private var cluster: Cluster { handle.cluster }

    /// The value, once it is there.
    ///
    /// - Parameter deadline: The longest to wait; as long as it takes unless told.
    /// - Throws: ``RemoteError`` if the body threw, ``DeadlineExceeded``, ``WorkerExited`` or ``ClusterError`` if the process that
    ///   has the value is gone, `CancellationError` if this task was cancelled; the body goes on then.
    public nonisolated(nonsending) func fetch(
        deadline: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws -> Value {
        if let known = fetched.withLock({ $0 }) { return try known.get() }
        if let call, case .failed(let error)? = call.progress {
            throw (error as? WorkerExited)?.called(at: call.site) ?? error
        }
        let answer = try await ask(.fetchFuture, within: deadline, at: CallSite(file: file, line: line))
        guard case .value(let stored) = answer else {
            throw ClusterError.refused(by: id.where, "it answered a fetch with no value")
        }
        let site = call?.site ?? CallSite(file: file, line: line)
        let result = try read(stored, site)
        return try fetched.withLock { fetched in
            fetched = fetched ?? result
            return fetched ?? result
        }.get()
    }

    /// Asks the owner. Where the owner's end has failed the call, that is the reason.
    private nonisolated(nonsending) func ask(
        _ verb: ReferenceVerb, within deadline: Duration?, at site: CallSite,
        _ write: (inout WireWriter) -> Void = { _ in }
    ) async throws -> ReferenceAnswer {
        do {
            return try await cluster.ask(verb, id, within: deadline, at: site, write)
        } catch let error as ClusterError where error.code == .noSuchWorker {
            if case .failed(let error)? = call?.progress { throw error }
            throw error
        }
    }

    private func read(_ stored: StoredValue, _ site: CallSite) throws -> Result<Value, any Error> {
        let (value, failure): (Value?, IndexedFailure?)
        do {
            (value, failure) = try stored.input.readOne()
        } catch {
            throw ClusterError.refused(by: id.where, "the value of a future can't be read: \(error)")
        }
        if let value { return .success(value) }
        guard let failure else { throw ClusterError.refused(by: id.where, "the value of a future is empty") }
        let host = cluster.host(of: id.where)
        return .failure(
            RemoteError(
                worker: id.where, host: host, index: call?.hasIndex == true ? failure.index : nil, callSite: site,
                failure: failure.failure))
    }

    /// Waits until the value is there, and leaves it where it is.
    ///
    /// - Throws: As ``fetch(deadline:file:line:)``; not the body's error.
    public nonisolated(nonsending) func wait(
        deadline: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws {
        if fetched.withLock({ $0 != nil }) || call?.progress?.isReady == true { return }
        if case .failed(let error)? = call?.progress { throw error }
        _ = try await ask(.waitFuture, within: deadline, at: CallSite(file: file, line: line))
    }

    /// Whether the value is there. Who has made the call knows that without asking.
    public var isReady: Bool {
        get async throws {
            if fetched.withLock({ $0 != nil }) { return true }
            if let progress = call?.progress { return progress.isReady }
            if call != nil { return false }
            let site = CallSite(file: #fileID, line: #line)
            guard case .flag(let isReady) = try await ask(.isFutureReady, within: nil, at: site) else {
                throw ClusterError.refused(by: id.where, "it did not say whether a future is ready")
            }
            return isReady
        }
    }

    /// Gives the future its value; from any process.
    ///
    /// - Throws: ``ReferenceError/Code/alreadySet`` if it has one; ``WorkerExited`` or ``ClusterError`` if its process is gone.
    public nonisolated(nonsending) func put(
        _ value: Value, file: String = #fileID, line: Int = #line
    ) async throws {
        _ = try await cluster.ask(.putFuture, id, at: CallSite(file: file, line: line)) { output in
            output.writeStored(value)
        }
    }
}

extension Future: WireEncodable, WireDecodable {
    /// Writes its name. The message keeps the value, and whoever gets it refers to it as well.
    public func write(to output: inout WireWriter) { handle.write(to: &output) }

    /// Reads a future.
    ///
    /// - Throws: ``WireError`` where this process is not of the future's cluster.
    public convenience init(from input: inout WireReader) throws(WireError) {
        self.init(try ReferenceHandle.read(from: &input))
    }
}

extension Future: FetchableValue {
    package func fetchValue() async throws -> Value { try await fetch() }
}

/// How far a call is whose result stays where it is.
final class FutureCall: CallReceiver {
    enum Progress: Sendable {
        /// The result is there.
        case ready
        /// The body threw: its error is there.
        case threw
        /// There is no result, and why.
        case failed(any Error)

        var isReady: Bool { if case .failed = self { false } else { true } }
    }

    /// Where it was made.
    let site: CallSite
    /// Whether it is for elements, of which one may have failed.
    let hasIndex: Bool
    private let ended = Eventual<Progress>()

    init(at site: CallSite, hasIndex: Bool = false) {
        self.site = site
        self.hasIndex = hasIndex
    }

    /// nil as long as the body runs.
    var progress: Progress? { ended.value }

    /// Calls `action` when the call has ended, however it did.
    func whenEnded(_ action: @escaping @Sendable () -> Void) { ended.whenHere { _ in action() } }

    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member) {
        ended.fulfil(reply.remainingByteCount == 0 ? .ready : .threw)
    }

    func fail(_ error: any Error, for batch: Range<Int>, of member: Member) { fail(error) }
    func fail(_ error: any Error) { ended.fulfil(.failed(error)) }

    /// Waits for the end.
    func end() async -> Progress { await ended.get() }
}

extension Cluster {
    /// A future that has no value yet, on a process: whoever has it may give it one.
    ///
    /// - Parameters:
    ///   - type: The value's type.
    ///   - process: Where the value will be; this process unless told.
    /// - Throws: ``BodyError`` if such values can't travel, ``ClusterError`` if there is no such process.
    public nonisolated(nonsending) func future<Value: Sendable>(
        of type: Value.Type = Value.self, on process: WorkerID? = nil, file: String = #fileID, line: Int = #line
    ) async throws -> Future<Value> {
        try checkTravels(type, file: file, line: line)
        let owner = process ?? myID
        if owner != myID { _ = try await reach(owner) }
        return Future(ReferenceHandle(counted: newReference(on: owner), in: self))
    }

    /// Name of a process's host, as far as it is known.
    func host(of process: WorkerID) -> String {
        if process == myID { return hostName() }
        if let station { return station.entry(process)?.host ?? "a host unknown" }
        return (try? member(process))?.launched.host ?? "a host unknown"
    }
}

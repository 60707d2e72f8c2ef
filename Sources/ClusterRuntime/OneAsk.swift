import Remote
import Synchronization
import Transport
import Wire

/// Something that is asked of a reference, and the one who waits for the answer.
final class OneAsk: CallReceiver {
    private let answered = Eventual<Result<ReferenceAnswer, any Error>>()
    /// Is given an answer that came when nobody waited for it any more.
    private let late: (@Sendable (ReferenceAnswer) -> Void)?
    /// Why the answer is not wanted any more.
    private let reason = Mutex<(any Error)?>(nil)

    init(late: (@Sendable (ReferenceAnswer) -> Void)? = nil) { self.late = late }

    var answer: Result<ReferenceAnswer, any Error>? { answered.value }

    func get() async -> Result<ReferenceAnswer, any Error> { await answered.get() }

    /// Ends the wait; false if it had ended.
    @discardableResult
    func end(_ result: Result<ReferenceAnswer, any Error>) -> Bool {
        let isFirst: Bool
        if case .success(.failed(.cancelled)) = result, let reason = reason.withLock({ $0 }) {
            isFirst = answered.fulfil(.failure(reason))
        } else {
            isFirst = answered.fulfil(result)
        }
        if !isFirst, case .success(let answer) = result { late?(answer) }
        return isFirst
    }

    /// Ends the wait because the answer is not wanted any more.
    ///
    /// First the owner is told, so that whatever is asked of it next comes behind that: a put that was given up takes no place then.
    func giveUp(_ error: any Error, telling cancel: () -> Void) {
        let isFirst = reason.withLock { reason in
            guard reason == nil else { return false }
            reason = error
            return true
        }
        guard isFirst, answered.value == nil else { return }
        cancel()
        end(.failure(error))
    }

    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member) {
        do {
            end(.success(try ReferenceAnswer(rest: &reply)))
        } catch {
            end(.failure(ClusterError.refused(by: member.id, "its answer can't be read: \(error)")))
        }
    }

    func fail(_ error: any Error, for batch: Range<Int>, of member: Member) { end(.failure(error)) }
}

extension Cluster {
    /// Asks something of a reference, and waits for the answer.
    ///
    /// - Parameters:
    ///   - deadline: The longest to wait.
    ///   - write: Writes what is needed for it.
    ///   - late: Is given an answer that comes though this task was cancelled.
    /// - Throws: ``ReferenceError``, ``DeadlineExceeded``, `CancellationError`; ``WorkerExited`` or ``ClusterError`` where the
    ///   owner is gone.
    nonisolated(nonsending) func ask(
        _ verb: ReferenceVerb, _ id: RemoteReferenceID, within deadline: Duration? = nil, at site: CallSite,
        _ write: (inout WireWriter) -> Void = { _ in }, late: (@Sendable (ReferenceAnswer) -> Void)? = nil
    ) async throws -> ReferenceAnswer {
        let ask = OneAsk(late: late)
        let cancel: @Sendable () -> Void
        var host = hostName()
        if id.where == myID {
            cancel = try serve(verb, id.name, ask, write)
        } else {
            let member = try await reach(id.where)
            host = member.launched.host
            let number = try member.ask(verb, id.name, of: ask, write)
            // An answer that is there is here sooner than this thread could be woken for it.
            member.launched.link.look { ask.answer != nil }
            cancel = { member.cancel(number) }
        }
        if ask.answer == nil {
            let timer = deadline.map { limit in
                let error = DeadlineExceeded(worker: id.where, host: host, index: nil, limit: limit, callSite: site)
                return Task {
                    try await Task.sleep(for: limit)
                    ask.giveUp(error, telling: cancel)
                }
            }
            defer { timer?.cancel() }
            _ = await withTaskCancellationHandler {
                await ask.get()
            } onCancel: {
                ask.giveUp(CancellationError(), telling: cancel)
            }
        }
        let answer: ReferenceAnswer
        do {
            answer = try await ask.get().get()
        } catch let error as WorkerExited {
            throw error.called(at: site)
        }
        if case .failed(let error) = answer { throw error }
        return answer
    }

    /// Asks this process itself; returns what gives up.
    @inline(never)
    private func serve(
        _ verb: ReferenceVerb, _ name: ReferenceName, _ ask: OneAsk, _ write: (inout WireWriter) -> Void
    ) throws -> @Sendable () -> Void {
        var output = WireWriter(reserving: 64, keepingBlocksOf: EncodedCaptures.blockByteCount)
        write(&output)
        let message = try output.finishMessage()
        let (bytes, blocks) = (message.bytes, message.blocks)
        let asker = ReferenceAsker(process: myID.rawValue, call: 0) { ask.end(.success($0)) }
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var reader = WireReader(unsafe bytes.span.bytes, from: 0, blocks: blocks.span)
        reader.attachments = message.attachments
        try references.serve(verb, name, &reader, for: asker)
        return { [references] in references.cancel(name, asker) }
    }
}

extension WireWriter {
    /// Appends a value as an answer of one result.
    mutating func writeStored<Value>(_ value: Value) {
        ValueCoder<Value>().write([value], to: &self)
        IndexedFailure.write([], to: &self)
    }
}

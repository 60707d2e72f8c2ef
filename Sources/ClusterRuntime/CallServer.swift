import Glibc
package import Remote
import Synchronization
package import Transport
package import Wire

/// Serves what another process asks of this one, over the link to it: runs bodies, and gives what this process has for others.
///
/// Synchronous bodies run one after the other, in the order of their calls; asynchronous ones begin in that order.
package final class CallServer: Sendable {
    private struct State {
        var known = KnownBodies()
        /// The last of the synchronous bodies.
        var last: Task<Void, Never>?
        var tasks: [UInt64: Task<Void, Never>] = [:]
        /// Of calls of synchronous bodies.
        var bodies: [UInt64: RunningBody] = [:]
        /// The one of those that runs.
        var current: RunningBody?
        /// Calls of asynchronous bodies.
        var asynchronous: Set<UInt64> = []
        /// What is asked of references, and not answered yet.
        var asking: [UInt64: (name: ReferenceName, asker: ReferenceAsker)] = [:]
        var cluster: Cluster?
        var isEnded = false
    }

    /// Who asks.
    private let caller: Int
    private let link: any Link
    /// Runs work on the thread for synchronous bodies; `nil` where they run in tasks.
    private let bodies: (any BodyThread)?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - cluster: What the process is part of; `nil` as long as that isn't known.
    ///   - link: Where answers go.
    package init(_ cluster: Cluster?, caller: WorkerID, _ link: any Link, bodies: (any BodyThread)? = nil) {
        self.caller = caller.rawValue
        self.link = link
        self.bodies = bodies
        state = Mutex(State(cluster: cluster))
    }

    /// The process belongs to a cluster from now on.
    func belong(to cluster: Cluster) { state.withLock { $0.cluster = cluster } }

    private var cluster: Cluster? { state.withLock { $0.cluster } }

    // MARK: - Hearing

    /// Takes a frame of the link's, whatever is in it.
    ///
    /// - Throws: `WireError` for what no process asks.
    package func receive(_ frame: inout WireReader) throws(WireError) {
        if Message.hasNames(frame.rest) { return try receiveNamed(&frame) }
        let message: Message = try frame.read()
        guard try hear(message, &frame) else { throw frame.invalid("no process asks that") }
    }

    @inline(never)
    private func receiveNamed(_ frame: inout WireReader) throws(WireError) {
        guard let cluster else { throw frame.invalid("references, though this process belongs to no cluster yet") }
        let (bytes, names) = try Message.open(frame.rest)
        let blocks = frame.restOfBlocks
        // SAFETY: every byte of a span of `UInt8` is initialised.
        var input = WireReader(unsafe bytes.span.bytes, from: 0, blocks: blocks.span)
        input.attachments = try cluster.hold(names)
        let message: Message = try input.read()
        guard try hear(message, &input) else { throw input.invalid("no process asks that") }
    }

    /// Does what a message asks for; false if it asks for nothing.
    ///
    /// - Throws: `WireError` for what can't be read.
    @inline(never)
    func hear(_ message: Message, _ input: inout WireReader) throws(WireError) -> Bool {
        switch message {
        case .defineFunction:
            try state.withLock { state throws(WireError) in try state.known.defineFunction(from: &input) }
        case .defineCaptures(let id, let typeName, let isApart): try define(id, typeName, isApart, &input)
        case .forgetCaptures(let id): state.withLock { $0.known.forgetCaptures(id) }
        case .call(let call): begin(call, &input, hasOwnCaptures: false)
        case .callOnce(let call): begin(call, &input, hasOwnCaptures: true)
        case .cancel(let call, _): cancel(call)
        case .interrupt: interrupt()
        case .ask(let call, let verb, let name): try serve(call, verb, name, &input)
        case .counts:
            let counts: [ReferenceCount] = try input.read()
            cluster?.expectEnds(of: counts.map(\.process))
            cluster?.references.change(counts)
        case .putAllowed(let name): cluster?.references.putAllowed(name, StoredValue(rest: &input), from: caller)
        case .giveBack(let name, let places): cluster?.references.giveBack(name, places, from: caller)
        case .putBack(let name): cluster?.references.putBack(name, StoredValue(rest: &input))
        default: return false
        }
        return true
    }

    @inline(never)
    private func define(
        _ id: UInt64, _ typeName: String, _ isApart: Bool, _ input: inout WireReader
    ) throws(WireError) {
        let blocks = isApart ? input.restOfBlocks : []
        try state.withLock { state throws(WireError) in
            if isApart {
                try state.known.defineCaptures(id, typeName: typeName, apartIn: blocks, adopting: AdoptedArrays())
            } else {
                state.known.defineCaptures(id, typeName: typeName, from: &input)
            }
        }
    }

    private func cancel(_ call: UInt64) {
        let (task, asking) = state.withLock { state in
            state.bodies[call]?.isUnwanted = true
            return (state.tasks[call], state.asking[call])
        }
        task?.cancel()
        if let asking { cluster?.references.cancel(asking.name, asking.asker) }
    }

    /// What the bodies that run come to is not wanted; those that wait are.
    ///
    /// - Returns: Whether the synchronous body that ran is still at the same element; `nil` if there was none.
    @discardableResult
    func interrupt() -> (@Sendable () -> Bool)? {
        let (body, tasks) = state.withLock { state in
            (state.current, state.asynchronous.compactMap { state.tasks[$0] })
        }
        for task in tasks { task.cancel() }
        guard let body else { return nil }
        body.interrupt()
        let element = body.begunCount
        return { [self] in state.withLock { $0.current === body } && body.begunCount == element }
    }

    /// Says nothing more, and cancels the bodies that run: what they come to is of no use to anybody.
    func end() {
        let tasks = state.withLock { state in
            state.isEnded = true
            defer { state.asking = [:] }
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }

    // MARK: - Bodies

    @inline(never)
    private func begin(_ call: Call, _ input: inout WireReader, hasOwnCaptures: Bool) {
        let cluster = self.cluster
        if case .kept(let name) = call.result { cluster?.references.expect(name) }
        let ready: Result<(ResolvedFunction, CapturesInWorker), WireError>
        if let cluster, cluster.isOneOfSeveral {
            // Captures may refer to something: that is read as a part of this process.
            ready = Cluster.$ofTask.withValue(cluster) { prepare(call, &input, hasOwnCaptures) }
        } else {
            ready = prepare(call, &input, hasOwnCaptures)
        }
        let batch = BatchInput(rest: &input)
        let isEnded = state.withLock { state in
            guard !state.isEnded else { return true }
            inContext(of: cluster) {
                Worker.$idOfTask.withValue(cluster?.processOfTasks ?? Worker.idOfTask) {
                    begin(call, ready, batch, &state)
                }
            }
            return false
        }
        // Others than the caller may wait for it.
        if isEnded, case .kept(let name) = call.result {
            cluster?.references.lose(name, ReferenceError(.refused, "the body was not run: its caller has ended"))
        }
    }

    /// Where the process is more than one worker, or a driver, tasks of a body know which it is.
    private func inContext(of cluster: Cluster?, _ work: () -> Void) {
        guard let cluster, cluster.isOneOfSeveral else { return work() }
        Cluster.$ofTask.withValue(cluster) {
            ProcessState.$ofTask.withValue(cluster.process, operation: work)
        }
    }

    @inline(never)
    private func prepare(
        _ call: Call, _ input: inout WireReader, _ hasOwnCaptures: Bool
    ) -> Result<(ResolvedFunction, CapturesInWorker), WireError> {
        do throws(WireError) {
            let function = try state.withLock { state throws(WireError) in try state.known.function(call.function) }
            return .success((function, try captures(call, function, &input, hasOwnCaptures)))
        } catch {
            return .failure(error)
        }
    }

    @inline(never)
    private func captures(
        _ call: Call, _ function: ResolvedFunction, _ input: inout WireReader, _ hasOwnCaptures: Bool
    ) throws(WireError) -> CapturesInWorker {
        guard hasOwnCaptures else {
            return try state.withLock { state throws(WireError) in try state.known.captures(call.captures) }
        }
        return try CapturesInWorker(of: function, from: &input)
    }

    private func begin(
        _ call: Call, _ ready: Result<(ResolvedFunction, CapturesInWorker), WireError>, _ input: BatchInput,
        _ state: inout State
    ) {
        guard case .success(let (function, captures)) = ready else {
            guard case .failure(let error) = ready else { return }
            let reason = "\(error)"
            state.tasks[call.id] = Task { self.refuse(call, reason) }
            return
        }
        let body = RunningBody(seed: call.seed, first: call.first, attempt: call.attempt)
        guard function.isAsynchronous else {
            state.bodies[call.id] = body
            if let bodies { return bodies.perform { self.run(function, captures, input, call, body) } }
            let before = state.last
            let task = Task {
                await before?.value
                self.run(function, captures, input, call, body)
            }
            (state.tasks[call.id], state.last) = (task, task)
            return
        }
        state.asynchronous.insert(call.id)
        state.tasks[call.id] = Task {
            var output = Answering(call)
            do throws(WireError) {
                try await function.run(captures, input, &output.writer, as: body)
                try answer(call, &output)
            } catch {
                refuse(call, "\(error)")
            }
        }
    }

    /// What a body's results are written to: behind the head of the answer, where they go to the caller.
    private struct Answering: ~Copyable {
        var writer = WireWriter(reserving: 256, keepingBlocksOf: EncodedCaptures.blockByteCount)

        init(_ call: Call) {
            if call.result == .answered { Message.reply(call: call.id).write(to: &writer) }
        }
    }

    /// Not inlined, as above.
    @inline(never)
    private func run(
        _ function: ResolvedFunction, _ captures: CapturesInWorker, _ input: BatchInput, _ call: Call,
        _ body: RunningBody
    ) {
        state.withLock { $0.current = body }
        defer { leave(body) }
        var output = Answering(call)
        do throws(WireError) {
            let reply = try input.read { reader throws(WireError) in
                var reply = WireWriter(reserving: 256, keepingBlocksOf: EncodedCaptures.blockByteCount)
                try function.run(captures, &reader, &reply, as: body) { body.isUnwanted || Task.isCancelled }
                return try reply.finishMessage()
            }
            leave(body)
            output.writer.append(StoredValue(reply.bytes, blocks: [], attachments: reply.attachments))
            try answer(call, &output, beside: reply.blocks)
        } catch {
            refuse(call, "\(error)")
        }
    }

    /// A body has ended; its answer may take some time yet.
    private func leave(_ body: RunningBody) { state.withLock { if $0.current === body { $0.current = nil } } }

    // MARK: - Answering

    private func answer(
        _ call: Call, _ output: inout Answering, beside blocks: [SharedArray<UInt8>] = []
    ) throws(WireError) {
        try output.writer.check()
        let blocks = blocks + output.writer.blocks
        guard call.result != .answered else { return send(call.id, &output.writer, blocks) }
        let value = StoredValue(
            output.writer.bytes.copyBytes(), blocks: blocks, attachments: output.writer.attachments)
        if case .kept(let name) = call.result { cluster?.references.fulfil(name, value) }
        if call.result == .dropped, let failure = value.failure { CallServer.tell(failure) }
        var reply = WireWriter(reserving: 64)
        Message.reply(call: call.id).write(to: &reply)
        // That the body threw is all that the caller has to know yet.
        if value.failure != nil { reply.write(true) }
        send(call.id, &reply, [])
    }

    /// An error that nobody waits for.
    package static func tell(_ failure: RemoteFailure) {
        let text = Array("muster: worker \(Worker.id): in a body that nobody waits for: \(failure.oneLine)\n".utf8)
        _ = unsafe write(STDERR_FILENO, text, text.count)
    }

    private func refuse(_ call: Call, _ reason: String) {
        if case .kept(let name) = call.result {
            cluster?.references.lose(name, ReferenceError(.refused, "the body could not be run: \(reason)"))
        }
        var output = WireWriter(reserving: 64)
        Message.refusal(call: call.id, reason: reason).write(to: &output)
        send(call.id, &output, [])
    }

    private func send(_ call: UInt64, _ output: inout WireWriter, _ blocks: [SharedArray<UInt8>]) {
        let isEnded = state.withLock { state in
            state.tasks[call] = nil
            state.bodies[call] = nil
            state.asynchronous.remove(call)
            return state.isEnded
        }
        if !isEnded { CallServer.send(call, &output, blocks, over: link, to: caller) }
    }

    /// Sends an answer; or, where it is too large for the link, why there is none.
    private static func send(
        _ call: UInt64, _ output: inout WireWriter, _ blocks: [SharedArray<UInt8>], over link: any Link, to caller: Int
    ) {
        let attachments = output.attachments
        if !attachments.isEmpty { Message.seal(&output) }
        do throws(LinkError) {
            try link.send(output.bytes, blocks)
            attachments.lend(to: caller)
        } catch {
            // A link that has ended says so by itself.
            if error.code != .closed { try? link.send(.refusal(call: call, reason: error.description)) }
        }
    }

    // MARK: - References

    @inline(never)
    private func serve(
        _ call: UInt64, _ verb: UInt8, _ name: ReferenceName, _ input: inout WireReader
    ) throws(WireError) {
        guard let verb = ReferenceVerb(rawValue: verb), let cluster else {
            throw input.invalid("nothing is asked by \(verb)")
        }
        let (link, caller) = (link, caller)
        let asker = ReferenceAsker(process: caller, call: call) { name, places in
            try? link.send(.allow(name, places: places))
        } answer: { [self] answer in
            state.withLock { _ = $0.asking.removeValue(forKey: call) }
            var output = WireWriter(reserving: 64)
            Message.reply(call: call).write(to: &output)
            answer.write(to: &output)
            CallServer.send(call, &output, answer.blocks, over: link, to: caller)
        }
        // Before it is served: it may be answered at once.
        state.withLock { $0.asking[call] = (name, asker) }
        try cluster.references.serve(verb, name, &input, for: asker)
    }
}

/// The thread that runs synchronous bodies of a worker, one after the other.
package protocol BodyThread: Sendable {
    /// Runs work after what there is.
    func perform(_ work: @escaping @Sendable () -> Void)
}

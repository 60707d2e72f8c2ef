import Glibc
package import Placement
package import Remote
import Synchronization
package import Transport
package import Wire

/// A worker that is no process: it runs bodies in tasks of this one.
///
/// For maps that are not to be distributed, and for processes that join a driver while they do something else. It is told
/// what other workers are told, so that such a map has the same results and fails in the same way.
package final class InProcessWorker: LaunchedWorker, Link {
    private struct State {
        /// What its bodies take for their process's number; the process's own if `nil`.
        var id: WorkerID?
        var known = KnownBodies()
        var deliver: (@Sendable (inout WireReader) -> Void)?
        /// The last of the synchronous bodies, which run one after the other.
        var last: Task<Void, Never>?
        var tasks: [UInt64: Task<Void, Never>] = [:]
    }

    private let state = Mutex(State())
    private let ending = Eventual<WorkerEnd>()

    package let host = "this process"
    package let process = Int(getpid())
    package let placement: PlacementPlan.Worker? = nil
    package let warnings: [String] = []
    package var link: any Link { self }
    package var lastHeard: Double { monotonicSeconds() }

    package init() {}

    /// As many as there are CPUs to run on, ready to be called.
    static func members() -> [Member] {
        (0..<max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))).map { _ in
            let worker = InProcessWorker()
            let member = Member(id: WorkerID(1), launched: worker)
            worker.state.withLock { $0.deliver = { reply in member.receive(&reply) } }
            return member
        }
    }

    package func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        state.withLock { $0.id = id }
        start(onFrame: onFrame, onEnd: onEnd)
    }

    package func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        state.withLock { $0.deliver = onFrame }
    }

    package func end() async -> WorkerEnd { await ending.get() }
    package func kill() { finish(WorkerEnd(cause: .removed)) }
    package func close() { kill() }

    /// Says nothing more, and cancels the bodies that run: what they come to is of no use to anybody.
    package func finish(_ how: WorkerEnd) {
        let tasks = state.withLock { state in
            state.deliver = nil
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
        ending.fulfil(how)
    }

    // MARK: - What it is told

    package func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        do {
            try hear(bytes, blocks)
        } catch {
            throw LinkError(code: .broken, "\(error)")
        }
    }

    /// Not inlined: see what `WholeValues.swift` says of task-local values.
    @inline(never)
    private func hear(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(WireError) {
        var reader = WireReader(bytes, from: 0, blocks: blocks.span)
        let message: Message = try reader.read()
        switch message {
        case .defineFunction:
            try state.withLock { state throws(WireError) in try state.known.defineFunction(from: &reader) }
        case .defineCaptures(let id, let typeName, isApart: false):
            state.withLock { $0.known.defineCaptures(id, typeName: typeName, from: &reader) }
        case .defineCaptures(let id, let typeName, isApart: true):
            try state.withLock { state throws(WireError) in
                try state.known.defineCaptures(id, typeName: typeName, apartIn: blocks, adopting: AdoptedArrays())
            }
        case .forgetCaptures(let id): state.withLock { $0.known.forgetCaptures(id) }
        case .call(let call): begin(call, &reader, bytes, blocks, hasOwnCaptures: false)
        case .callOnce(let call): begin(call, &reader, bytes, blocks, hasOwnCaptures: true)
        case .cancel(let call): state.withLock { $0.tasks[call] }?.cancel()
        case .shutdown: kill()
        default: return
        }
    }

    @inline(never)
    private func begin(
        _ call: Call, _ reader: inout WireReader, _ bytes: RawSpan, _ blocks: [SharedArray<UInt8>], hasOwnCaptures: Bool
    ) {
        let ready: Result<(ResolvedFunction, CapturesInWorker), WireError>
        do throws(WireError) {
            let function = try state.withLock { state throws(WireError) in try state.known.function(call.function) }
            let captures =
                if hasOwnCaptures {
                    try CapturesInWorker(of: function, from: &reader)
                } else {
                    try state.withLock { state throws(WireError) in try state.known.captures(call.captures) }
                }
            ready = .success((function, captures))
        } catch {
            ready = .failure(error)
        }
        let input = BatchInput(
            bytes.copyBytes(), from: reader.offset, blocks: Array(blocks.dropFirst(reader.blockOffset)))
        state.withLock { state in
            Worker.$idOfTask.withValue(state.id ?? Worker.idOfTask) { begin(call, ready, input, &state) }
        }
    }

    private func begin(
        _ call: Call, _ ready: Result<(ResolvedFunction, CapturesInWorker), WireError>, _ input: BatchInput,
        _ state: inout State
    ) {
        guard case .success(let (function, captures)) = ready else {
            guard case .failure(let error) = ready else { return }
            let reason = "\(error)"
            state.tasks[call.id] = Task { self.answer(call.id, .refusal(call: call.id, reason: reason)) }
            return
        }
        let before = function.isAsynchronous ? nil : state.last
        let task = Task {
            await before?.value
            var output = WireWriter(reserving: 256, keepingBlocksOf: EncodedCaptures.blockByteCount)
            Message.reply(call: call.id).write(to: &output)
            do throws(WireError) {
                if function.isAsynchronous {
                    try await function.run(captures, input, &output)
                } else {
                    try InProcessWorker.run(function, captures, input, &output)
                }
                try output.check()
                answer(call.id, &output)
            } catch {
                answer(call.id, .refusal(call: call.id, reason: "\(error)"))
            }
        }
        state.tasks[call.id] = task
        if !function.isAsynchronous { state.last = task }
    }

    /// Not inlined, as above.
    @inline(never)
    private static func run(
        _ function: ResolvedFunction, _ captures: CapturesInWorker, _ input: BatchInput, _ output: inout WireWriter
    ) throws(WireError) {
        let reply = try input.read { reader throws(WireError) in
            var reply = WireWriter(reserving: 256, keepingBlocksOf: EncodedCaptures.blockByteCount)
            try function.run(captures, &reader, &reply) { Task.isCancelled }
            return try reply.finish()
        }
        output.append(bytes: reply.span)
    }

    private func answer(_ call: UInt64, _ message: Message) {
        var output = WireWriter(reserving: 64)
        message.write(to: &output)
        answer(call, &output)
    }

    private func answer(_ call: UInt64, _ output: inout WireWriter) {
        let deliver = state.withLock { state in
            state.tasks[call] = nil
            return state.deliver
        }
        let blocks = output.blocks
        var reader = WireReader(output.bytes, from: 0, blocks: blocks.span)
        deliver?(&reader)
    }
}

import Glibc
import Placement
import Remote
import Synchronization
import Transport
import Wire

/// A worker that is no process: it runs bodies in tasks of this one.
///
/// For maps that are not to be distributed. It is told what other workers are told, so that such a map has the same
/// results and fails in the same way.
final class InProcessWorker: LaunchedWorker, Link {
    private struct State {
        var known = KnownBodies()
        var deliver: (@Sendable (inout WireReader) -> Void)?
        /// The last of the synchronous bodies, which run one after the other.
        var last: Task<Void, Never>?
        var tasks: [UInt64: Task<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    let host = "this process"
    let process = Int(getpid())
    let placement: PlacementPlan.Worker? = nil
    let warnings: [String] = []
    var link: any Link { self }
    var lastHeard: Double { monotonicSeconds() }

    /// As many as there are CPUs to run on, ready to be called.
    static func members() -> [Member] {
        (0..<max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))).map { _ in
            let worker = InProcessWorker()
            let member = Member(id: WorkerID(1), launched: worker)
            worker.state.withLock { $0.deliver = { reply in member.receive(&reply) } }
            return member
        }
    }

    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {
        start(onFrame: onFrame, onEnd: onEnd)
    }

    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {
        state.withLock { $0.deliver = onFrame }
    }

    func end() async -> WorkerEnd { WorkerEnd(cause: .removed) }
    func kill() { close() }

    func close() {
        let tasks = state.withLock { state in
            state.deliver = nil
            return state.tasks.values
        }
        for task in tasks { task.cancel() }
    }

    // MARK: - What it is told

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
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
        case .call(let call):
            let input = BatchInput(bytes.copyBytes(), from: reader.offset, blocks: blocks)
            state.withLock { begin(call, input, &$0) }
        case .cancel(let call): state.withLock { $0.tasks[call] }?.cancel()
        default: return
        }
    }

    private func begin(_ call: Call, _ input: BatchInput, _ state: inout State) {
        let function: ResolvedFunction
        let captures: CapturesInWorker
        do throws(WireError) {
            function = try state.known.function(call.function)
            captures = try state.known.captures(call.captures)
        } catch {
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

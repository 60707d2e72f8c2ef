import Glibc
import Placement
import Remote
import Synchronization
import Testing
import Transport
import Wire

@testable import ClusterRuntime

/// A link that keeps what is sent, and refuses it if told to.
private final class FakeLink: Link {
    private struct State {
        var messages: [Message] = []
        var refusal: LinkError?
    }

    private let state = Mutex(State())
    var messages: [Message] { state.withLock { $0.messages } }
    let lastHeard = 0.0

    func refuse(with error: LinkError?) { state.withLock { $0.refusal = error } }
    func start(onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void)
    {}
    func close() {}

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
        var reader = WireReader(bytes)
        guard let message = try? reader.read() as Message else { throw .closed }
        state.withLock { $0.messages.append(message) }
    }
}

private final class FakeWorker: LaunchedWorker {
    let fake = FakeLink()
    let killed = Atomic(0)
    var link: any Link { fake }
    let host = "n"
    let process = 1
    let placement: PlacementPlan.Worker? = nil
    let warnings: [String] = []

    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {}
    func end() async -> WorkerEnd { WorkerEnd(cause: .removed) }
    func kill() { killed.add(1, ordering: .relaxed) }
    private let causes = Mutex<[WorkerEnd.Cause]>([])
    var killCauses: [WorkerEnd.Cause] { causes.withLock { $0 } }
    func kill(because cause: WorkerEnd.Cause) { causes.withLock { $0.append(cause) } }
}

/// How the calls of a test ended.
private final class Outcomes: CallReceiver {
    private let texts = Mutex<[String]>([])
    var all: [String] { texts.withLock { $0 } }
    func add(_ text: String) { texts.withLock { $0.append(text) } }

    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member) {
        add("reply of \(reply.remainingByteCount) to \(batch)")
    }

    func fail(_ error: any Error, for batch: Range<Int>, of member: Member) { add("\(error)") }
}

@Suite("Member")
struct MemberTests {
    private let worker = FakeWorker()
    private let outcomes = Outcomes()

    private func call(_ member: Member, _ captures: CaptureSet? = nil) throws -> UInt64 {
        let function = try RemoteFunction { (x: Int) in x }.reference
        return try member.call(function, captures, for: 5..<7, of: outcomes) { _ in }
    }

    private func receive(_ message: Message, _ body: [UInt8] = [], at member: Member) throws {
        let bytes = try message.wireBytes() + body
        var reader = WireReader(bytes.span)
        member.receive(&reader)
    }

    @Test("a body and its captures are defined once, before the call that needs them")
    func definitions() throws {
        let member = Member(id: 2, launched: worker)
        let captures = try CaptureSet(EncodedCaptures(5, file: "f", line: 1))
        _ = try call(member, captures)
        _ = try call(member, captures)
        captures.forget()
        let kinds = worker.fake.messages.map { message in
            switch message {
            case .defineFunction: "function"
            case .defineCaptures: "captures"
            case .call: "call"
            case .forgetCaptures: "forget"
            default: "other"
            }
        }
        #expect(kinds == ["function", "captures", "call", "call", "forget"])
    }

    @Test("captures that could not be sent are sent again by the next call")
    func refusedCaptures() throws {
        let member = Member(id: 2, launched: worker)
        _ = try call(member)
        let captures = try CaptureSet(EncodedCaptures(5, file: "f", line: 1))
        worker.fake.refuse(with: LinkError(code: .tooMuchWaiting, "full"))
        #expect(throws: LinkError(code: .tooMuchWaiting, "full")) { try call(member, captures) }
        #expect(outcomes.all.isEmpty && member.pendingCount == 1)
        worker.fake.refuse(with: nil)
        _ = try call(member, captures)
        let defined = worker.fake.messages.contains { if case .defineCaptures = $0 { true } else { false } }
        #expect(defined)
    }

    @Test("a call is answered once; an answer nobody waits for is dropped")
    func answers() throws {
        let member = Member(id: 2, launched: worker)
        let number = try call(member)
        try receive(.reply(call: 99), at: member)
        try receive(.heartbeat, at: member)
        try receive(.reply(call: number), [1, 2, 3], at: member)
        try receive(.reply(call: number), at: member)
        try receive(.refusal(call: number, reason: "late"), at: member)
        #expect(outcomes.all == ["reply of 3 to 5..<7"] && member.pendingCount == 0)
    }

    @Test("a worker that talks nonsense is ended, and its calls fail")
    func nonsense() throws {
        let member = Member(id: 2, launched: worker)
        _ = try call(member)
        let nonsense: [UInt8] = [0xff, 1]
        var reader = WireReader(nonsense.span)
        member.receive(&reader)
        #expect(worker.killed.load(ordering: .relaxed) == 1)
        #expect(outcomes.all.count == 1 && outcomes.all[0].contains("worker 2 sent what is no message"))
        #expect(throws: ClusterError.self) { try call(member) }
        #expect(outcomes.all.count == 1)
    }

    @Test("a worker that says that it is held up by a body that was cancelled is ended for that")
    func unresponsive() throws {
        let member = Member(id: 2, launched: worker, cancellationGrace: .milliseconds(250))
        let number = try call(member)
        member.cancel(number)
        member.interrupt()
        #expect(
            worker.fake.messages.suffix(2)
                == [.cancel(call: number, graceSeconds: 0.25), .interrupt(graceSeconds: 0.25)])
        try receive(.unresponsive(graceSeconds: 0.25), at: member)
        #expect(worker.killCauses == [.unresponsive(seconds: 0.25)] && worker.killed.load(ordering: .relaxed) == 0)
        #expect(member.pendingCount == 1)
    }

    @Test("a call whose link has just ended waits for the reason")
    func closedLink() throws {
        let member = Member(id: 2, launched: worker)
        worker.fake.refuse(with: .closed)
        _ = try call(member)
        #expect(outcomes.all.isEmpty)
        member.fail(WorkerExited(worker: 2, host: "n", end: WorkerEnd(cause: .exited(status: 1))))
        #expect(outcomes.all == ["worker 2 on n exited with status 1"])
    }

    @Test("a member that drains refuses calls, and is done when the last is answered")
    func drains() async throws {
        let member = Member(id: 2, launched: worker)
        let number = try call(member)
        async let drained: Void = member.drain()
        while (try? call(member)) != nil { await Task.yield() }
        let error = #expect(throws: ClusterError.self) { try call(member) }
        #expect(error?.code == .noSuchWorker)
        for call in number...number + 100_000 where member.pendingCount > 0 {
            try receive(.reply(call: call), at: member)
        }
        await drained
        await member.drain()
    }

    @Test("whoever waits for the calls under way is told when the last of them could not be sent")
    func unsentLastCall() async throws {
        let member = Member(id: 2, launched: worker)
        let function = try RemoteFunction { (x: Int) in x }.reference
        let drained = Eventual<Bool>()
        #expect(throws: WireError.self) {
            try member.call(function, nil, for: 0..<1, of: outcomes) { output in
                // The worker is removed while the elements are written, which they can't be. The task begins here, and
                // waits: one that begins on another thread would have to be waited for, by a thread of the same pool.
                Task.immediate {
                    await member.drain()
                    drained.fulfil(true)
                }
                #expect(!member.takesCalls && drained.value == nil)
                output.fail("not to be written")
            }
        }
        Task {
            try await Task.sleep(for: .seconds(5))
            drained.fulfil(false)
        }
        #expect(await drained.get())
    }
}

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
    func start(onFrame: @escaping @Sendable (RawSpan) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void) {}
    func close() {}

    func send(_ head: RawSpan, _ body: RawSpan) throws(LinkError) {
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
        let bytes = head.copyBytes()
        guard let message = try? Message(wireBytes: bytes) else { throw .closed }
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
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (RawSpan) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {}
    func end() async -> WorkerEnd { WorkerEnd(cause: .removed) }
    func kill() { killed.add(1, ordering: .relaxed) }
}

/// How the calls of a test ended.
private final class Outcomes: Sendable {
    private let texts = Mutex<[String]>([])
    var all: [String] { texts.withLock { $0 } }
    func add(_ text: String) { texts.withLock { $0.append(text) } }
}

@Suite("Member")
struct MemberTests {
    private let worker = FakeWorker()
    private let outcomes = Outcomes()

    private func call(_ member: Member, _ captures: CaptureSet? = nil) throws -> UInt64? {
        let function = try RemoteFunction { (x: Int) in x }.reference
        return member.call(function, captures, []) { [outcomes] reply in
            outcomes.add("reply of \(reply.byteCount)")
        } onFailure: { [outcomes] error in
            outcomes.add("\(error)")
        }
    }

    private func receive(_ message: Message, _ body: [UInt8] = [], at member: Member) throws {
        let bytes = try message.wireBytes() + body
        member.receive(unsafe bytes.span.bytes)
    }

    @Test("a body and its captures are defined once, before the call that needs them")
    func definitions() throws {
        let member = Member(id: 2, launched: worker)
        let captures = CaptureSet(try EncodedCaptures(5, file: "f", line: 1))
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
        let captures = CaptureSet(try EncodedCaptures(5, file: "f", line: 1))
        worker.fake.refuse(with: LinkError(code: .tooMuchWaiting, "full"))
        #expect(try call(member, captures) == nil)
        #expect(outcomes.all == ["full"] && member.pendingCount == 1)
        worker.fake.refuse(with: nil)
        _ = try call(member, captures)
        let defined = worker.fake.messages.contains { if case .defineCaptures = $0 { true } else { false } }
        #expect(defined)
    }

    @Test("a call is answered once; an answer nobody waits for is dropped")
    func answers() throws {
        let member = Member(id: 2, launched: worker)
        let number = try #require(try call(member))
        try receive(.reply(call: 99), at: member)
        try receive(.heartbeat, at: member)
        try receive(.reply(call: number), [1, 2, 3], at: member)
        try receive(.reply(call: number), at: member)
        try receive(.refusal(call: number, reason: "late"), at: member)
        #expect(outcomes.all == ["reply of 3"] && member.pendingCount == 0)
    }

    @Test("a worker that talks nonsense is ended, and its calls fail")
    func nonsense() throws {
        let member = Member(id: 2, launched: worker)
        _ = try call(member)
        member.receive(unsafe ([0xff, 1] as [UInt8]).span.bytes)
        #expect(worker.killed.load(ordering: .relaxed) == 1)
        #expect(outcomes.all.count == 1 && outcomes.all[0].contains("worker 2 sent what is no message"))
        _ = try call(member)
        #expect(outcomes.all.count == 2)
    }

    @Test("a call whose link has just ended waits for the reason")
    func closedLink() throws {
        let member = Member(id: 2, launched: worker)
        worker.fake.refuse(with: .closed)
        #expect(try call(member) != nil)
        #expect(outcomes.all.isEmpty)
        member.fail(WorkerExited(worker: 2, host: "n", end: WorkerEnd(cause: .exited(status: 1))))
        #expect(outcomes.all == ["worker 2 on n exited with status 1"])
    }

    @Test("a member that drains refuses calls, and is done when the last is answered")
    func drains() async throws {
        let member = Member(id: 2, launched: worker)
        let number = try #require(try call(member))
        async let drained: Void = member.drain()
        while try call(member) != nil { await Task.yield() }
        #expect(outcomes.all.last?.contains("there is no worker 2") == true)
        for call in number...number + 100_000 where member.pendingCount > 0 {
            try receive(.reply(call: call), at: member)
        }
        await drained
        await member.drain()
    }
}

import Placement
import Remote
import Synchronization
import Testing
import Transport
import Wire

@testable import ClusterRuntime

/// A worker that notes what it is told, and answers nothing.
private final class MuteWorker: LaunchedWorker, Link {
    let host = "here"
    let process = 1
    let placement: PlacementPlan.Worker? = nil
    let warnings: [String] = []
    let lastHeard = 0.0
    var link: any Link { self }
    private let told = Mutex<[Message]>([])

    /// What was said about captures, in order.
    var captures: [String] {
        told.withLock { told in
            told.compactMap { message in
                switch message {
                case .defineCaptures: "define"
                case .call(let call): call.captures == nil ? nil : "call"
                case .forgetCaptures: "forget"
                default: nil
                }
            }
        }
    }

    func send(_ head: RawSpan, _ body: RawSpan) throws(LinkError) {
        do {
            try Message.read(head) { message, _ in told.withLock { $0.append(message) } }
        } catch {
            Issue.record(error)
        }
    }

    func start(
        onFrame: @escaping @Sendable (RawSpan) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {}
    func close() {}
    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (RawSpan) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {}
    func end() async -> WorkerEnd { WorkerEnd(cause: .removed) }
    func kill() {}
}

@Suite("Captures in workers")
struct CaptureSetTests {
    private let worker = MuteWorker()
    private let member: Member
    private let captures: CaptureSet
    private let function: FunctionReference

    init() throws {
        member = Member(id: 2, launched: worker)
        captures = CaptureSet(try EncodedCaptures([1, 2, 3], file: #fileID, line: #line))
        function = try RemoteFunction { (x: Int, table: [Int]) in x + table.count }.reference
    }

    private func call() {
        member.call(function, captures, []) { _ in
        } onFailure: { _ in
        }
    }

    @Test("they are sent before the first call that needs them, and freed at the end")
    func usual() {
        call()
        call()
        captures.forget()
        #expect(worker.captures == ["define", "call", "call", "forget"])
    }

    @Test("a call that is sent after the end frees them itself")
    func late() {
        captures.forget()
        call()
        #expect(worker.captures == ["define", "call", "forget"])
    }
}

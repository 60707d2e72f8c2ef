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

    func send(_ bytes: RawSpan, _ blocks: [SharedArray<UInt8>]) throws(LinkError) {
        var reader = WireReader(bytes)
        do {
            let message: Message = try reader.read()
            told.withLock { $0.append(message) }
        } catch {
            Issue.record(error)
        }
    }

    func start(
        onFrame: @escaping @Sendable (inout WireReader) -> Void, onEnd: @escaping @Sendable (LinkError?) -> Void
    ) {}
    func close() {}
    func adopt(
        as id: WorkerID, heartbeatLimit: Duration, onFrame: @escaping @Sendable (inout WireReader) -> Void,
        onEnd: @escaping @Sendable (LinkError?) -> Void
    ) async {}
    func end() async -> WorkerEnd { WorkerEnd(cause: .removed) }
    func kill() {}
}

/// Waits for nothing.
private final class Deaf: CallReceiver {
    func receive(_ reply: inout WireReader, for batch: Range<Int>, from member: Member) {}
    func fail(_ error: any Error, for batch: Range<Int>, of member: Member) {}
}

@Suite("Captures in workers")
struct CaptureSetTests {
    private let worker = MuteWorker()
    private let member: Member
    private let captures: CaptureSet
    private let function: FunctionReference

    init() throws {
        member = Member(id: 2, launched: worker)
        captures = try CaptureSet(EncodedCaptures([1, 2, 3], file: #fileID, line: #line))
        function = try RemoteFunction { (x: Int, table: [Int]) in x + table.count }.reference
    }

    private func call() throws {
        try member.call(function, captures, for: 0..<1, of: Deaf()) { _ in }
    }

    @Test("they are sent before the first call that needs them, and freed at the end")
    func usual() throws {
        try call()
        try call()
        captures.forget()
        #expect(worker.captures == ["define", "call", "call", "forget"])
    }

    @Test("a call that is sent after the end frees them itself")
    func late() throws {
        captures.forget()
        try call()
        #expect(worker.captures == ["define", "call", "forget"])
    }
}

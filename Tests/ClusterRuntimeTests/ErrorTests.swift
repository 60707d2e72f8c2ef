import Glibc
import Remote
import Testing
import Transport

@testable import ClusterRuntime

struct Jammed: Error, Codable {
    var tray: Int
}

@Suite("Errors of a cluster")
struct ErrorTests {
    @Test(
        "what a worker's end says",
        arguments: [
            (WorkerEnd.Cause.exited(status: 3), "worker 2 on n exited with status 3"),
            (.signalled(SIGSEGV), "worker 2 on n was ended by signal 11 (Segmentation fault)"),
            (.silent(seconds: 15.4), "worker 2 on n was ended: nothing was heard of it for 15 s"),
            (.lost("the host is off"), "worker 2 on n is lost: the host is off"),
            (.removed, "worker 2 on n was removed from the cluster"),
        ])
    func exits(cause: WorkerEnd.Cause, text: String) {
        #expect(WorkerExited(worker: 2, host: "n", end: WorkerEnd(cause: cause)).description == text)
        let last = WorkerExited(worker: 2, host: "n", end: WorkerEnd(cause: cause, standardErrorTail: "oh"))
        #expect(last.description == "\(text); the last it wrote to standard error:\noh")
    }

    @Test("only a signal's end has a signal")
    func signals() {
        #expect(WorkerExited(worker: 2, host: "", end: WorkerEnd(cause: .signalled(9))).signal == 9)
        #expect(WorkerExited(worker: 2, host: "", end: WorkerEnd(cause: .exited(status: 9))).signal == nil)
    }

    @Test("what a body's error says, with the element if there was one")
    func remoteErrors() {
        let failure = RemoteFailure(Jammed(tray: 1))
        let indexed = RemoteError(worker: 3, host: "n", index: 7, failure: failure)
        #expect(indexed.description == "worker 3 on n, element 7: ClusterRuntimeTests.Jammed: Jammed(tray: 1)")
        #expect((indexed.underlying as? Jammed)?.tray == 1)
        let plain = RemoteError(worker: 3, host: "n", index: nil, failure: failure)
        #expect(plain.description == "worker 3 on n: ClusterRuntimeTests.Jammed: Jammed(tray: 1)")
    }
}

import Glibc
import Remote
import Testing
import Transport
import Wire

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
            (.unresponsive(seconds: 5), "worker 2 on n was ended: its body was cancelled, and went on for 5 s"),
            (.lost("the host is off"), "worker 2 on n is lost: the host is off"),
            (.removed, "worker 2 on n was removed from the cluster"),
        ])
    func exits(cause: WorkerEnd.Cause, text: String) {
        #expect(WorkerExited(worker: 2, host: "n", end: WorkerEnd(cause: cause)).description == text)
        let last = WorkerExited(worker: 2, host: "n", end: WorkerEnd(cause: cause, standardErrorTail: "oh"))
        #expect(last.description == "\(text); the last it wrote to standard error:\noh")
        #expect(
            last.called(at: site).description
                == "\(text); called at Print/Jobs.swift:12; the last it wrote to standard error:\noh")
    }

    @Test("only a signal's end has a signal")
    func signals() {
        #expect(WorkerExited(worker: 2, host: "", end: WorkerEnd(cause: .signalled(9))).signal == 9)
        #expect(WorkerExited(worker: 2, host: "", end: WorkerEnd(cause: .exited(status: 9))).signal == nil)
    }

    private let site = CallSite(file: "Print/Jobs.swift", line: 12)

    @Test("what a body's error says, with the element if there was one")
    func remoteErrors() {
        let failure = RemoteFailure(Jammed(tray: 1))
        let indexed = RemoteError(worker: 3, host: "n", index: 7, callSite: site, failure: failure)
        #expect(
            indexed.description
                == """
                worker 3 on n, element 7: ClusterRuntimeTests.Jammed: Jammed(tray: 1); called at Print/Jobs.swift:12
                """)
        #expect((indexed.underlying as? Jammed)?.tray == 1 && indexed.chain.isEmpty)
        let plain = RemoteError(worker: 3, host: "n", index: nil, callSite: site, failure: failure)
        #expect(
            plain.description
                == "worker 3 on n: ClusterRuntimeTests.Jammed: Jammed(tray: 1); called at Print/Jobs.swift:12")
    }

    /// An error as it is in the process that a body threw it to.
    private func relayed(_ error: any Error, by worker: WorkerID) throws -> RemoteError {
        let failure = try RemoteFailure(wireBytes: RemoteFailure(error).wireBytes())
        return RemoteError(worker: worker, host: "h\(worker)", index: nil, callSite: site, failure: failure)
    }

    @Test("an error of a call in an error of a call travels whole, and so on")
    func chains() throws {
        let third = try relayed(relayed(relayed(Jammed(tray: 4), by: 4), by: 3), by: 2)
        #expect(third.typeName == "ClusterRuntime.RemoteError" && third.chain.map(\.worker) == [3, 4])
        #expect(third.chain.map(\.host) == ["h3", "h4"] && third.chain.allSatisfy { $0.callSite == site })
        #expect((third.chain.last?.underlying as? Jammed)?.tray == 4)
        let second = try #require(third.underlying as? RemoteError)
        #expect(second.worker == 3 && (second.underlying as? RemoteError)?.worker == 4)
        #expect(third.message == third.chain[0].description)
        #expect(third.stackDescription.contains("\nbehind it: worker 4 on h4: ClusterRuntimeTests.Jammed: "))
    }

    @Test("of several errors of calls in one, all are told, each followed by those behind it")
    func trees() throws {
        let several = CompositeError([
            try relayed(relayed(Jammed(tray: 4), by: 4), by: 3), Jammed(tray: 0), try relayed(Jammed(tray: 5), by: 5),
        ])
        let error = try relayed(several, by: 2)
        #expect(error.chain.map(\.worker) == [3, 4, 5] && error.underlying == nil)
    }

    @Test("errors in errors are cut off where there are too many")
    func depth() throws {
        var error = try relayed(Jammed(tray: 1), by: 2)
        for worker in 3..<40 { error = try relayed(error, by: WorkerID(worker)) }
        #expect(error.worker == 39 && error.chain.map(\.worker.rawValue) == Array((23..<39).reversed()))
        let wide = try relayed(CompositeError((0..<100).map { _ in error.chain[15] }), by: 2)
        #expect(wide.chain.count == 16)
    }

    @Test("damaged bytes of an error with others in it are an error or another one")
    func damaged() throws {
        let bytes = try RemoteFailure(relayed(relayed(Jammed(tray: 1), by: 3), by: 2)).wireBytes()
        for bit in 0..<8 * bytes.count {
            var other = bytes
            other[bit / 8] ^= 1 << (bit % 8)
            _ = try? RemoteFailure(wireBytes: other)
        }
    }

    @Test("errors of workers and clusters that a body ends with keep what they know")
    func wholeErrors() throws {
        let exited = WorkerExited(worker: 7, host: "n", end: WorkerEnd(cause: .signalled(9), standardErrorTail: "oh"))
        #expect(try relayed(exited, by: 2).underlying as? WorkerExited == exited)
        #expect(try relayed(ClusterError.noWorkers, by: 2).underlying as? ClusterError == .noWorkers)
        let late = DeadlineExceeded(worker: 3, host: "n", index: 1, limit: .milliseconds(3), callSite: site)
        #expect(try relayed(late, by: 2).underlying as? DeadlineExceeded == late)
    }
}

import Agent
import Foundation
import Synchronization
import Testing
import Transport

@testable import ClusterManagers

@Suite("CommandSession")
struct CommandSessionTests {
    private func words(_ script: String) -> [[UInt8]] { ["/bin/sh", "-c", script].map { Array($0.utf8) } }

    @Test("lines come apart, tails and the status at the end")
    func lines() async throws {
        let heard = Mutex<[String]>([])
        let session = try await CommandSession.start(words("echo one; echo two >&2; printf three; exit 7")) {
            source, line in
            heard.withLock { $0.append("\(source) \(String(decoding: line, as: UTF8.self))") }
        }
        let end = await session.end()
        #expect(heard.withLock { Set($0) } == ["output one", "error two", "output three"])
        #expect(
            end == CommandSession.End(cause: nil, program: .exited(status: 7), output: "one\nthree", error: "two\n"))
    }

    @Test("much input goes through, and much output comes back")
    func volume() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let got = try await run(["/bin/sh", "-c", "cat | wc -c; head -c 3000000 /dev/zero | tr '\\0' x"], input: bytes)
        #expect(got.lines.first.map { String(decoding: $0, as: UTF8.self) } == "3000000")
        #expect(got.lines.dropFirst().joined().count == 3_000_000)
        #expect(got.end.output.utf8.count == Tail.limit && got.end.program == .exited(status: 0))
    }

    @Test("input that nobody reads is no signal, and no hang")
    func unreadInput() async throws {
        let got = try await run(["/bin/sh", "-c", "exec <&-; echo ok"], input: [UInt8](repeating: 0, count: 1 << 22))
        #expect(got.text == "ok" && got.end.program == .exited(status: 0))
    }

    @Test("its time ends it, with all that it started")
    func expires() async throws {
        let session = try await CommandSession.start(words("sleep 1000 & sleep 1000"))
        session.expire(after: 0.2)
        let end = await session.end()
        #expect(end.cause == .expired(seconds: 0.2) && end.program == .signalled(SIGTERM))
    }

    @Test("one that ignores the end is ended all the same")
    func stubborn() async throws {
        let ready = Eventual<Void>()
        let session = try await CommandSession.start(words("trap '' TERM; echo ready; while :; do sleep 1; done")) {
            _, _ in
            ready.fulfil(())
        }
        await ready.get()
        session.kill()
        let end = await session.end()
        #expect(end.cause == .cancelled && end.program == .signalled(SIGKILL))
    }

    @Test("a task that is cancelled ends it")
    func cancellation() async throws {
        let session = try await CommandSession.start(words("sleep 1000"))
        let task = Task { await session.end() }
        task.cancel()
        #expect(await task.value.cause == .cancelled)
    }

    @Test("what it leaves behind with its output open holds nothing up")
    func leftover() async throws {
        let ready = Eventual<Int32>()
        let session = try await CommandSession.start(words("setsid sleep 1000 & echo $!")) { _, line in
            ready.fulfil(Int32(String(decoding: line, as: UTF8.self)) ?? 0)
        }
        let end = await session.end()
        #expect(end.program == .exited(status: 0))
        let sleeper = await ready.get()
        #expect(sleeper > 1)
        if sleeper > 1 { kill(sleeper, SIGKILL) }
    }

    @Test("a program that is missing is named, with the cure")
    func missing() async throws {
        let error = await #expect(throws: LaunchError.self) {
            _ = try await CommandSession.start([Array("no-such-ssh".utf8)])
        }
        #expect(
            error?.description.contains("no-such-ssh") == true && error?.description.contains("openssh-client") == true)
    }

    @Test("many at once")
    func many() async throws {
        try await withThrowingTaskGroup { group in
            for index in 0..<40 {
                group.addTask {
                    let got = try await run(
                        ["/bin/sh", "-c", "cat; exit \(index)"], input: Array("input \(index)\n".utf8))
                    #expect(got.text == "input \(index)" && got.end.program == .exited(status: Int32(index)))
                }
            }
            try await group.waitForAll()
        }
    }
}

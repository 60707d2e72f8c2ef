import Foundation
import Testing

@Suite("Output of workers", .serialized)
struct OutputTests {
    @Test("lines come under the worker's number, whole and in order, whatever their bytes")
    func prints() async throws {
        let run = try await drive("prints")
        #expect(run.status == 0, "\(run)")
        #expect(run.lines.filter { $0 == "before the first withCluster" }.count == 1, "the workers' are held back")
        #expect(run.lines.contains("From worker 2: to output"))
        #expect(run.lines.contains("From worker 2: half a line"))
        #expect(run.errors.contains("From worker 3: to error\n"))
        #expect(!run.errors.contains("before the first"))
        let counted = run.lines.filter { $0.hasPrefix("From worker 2: line ") }
        #expect(counted.map(String.init) == (0..<1000).map { "From worker 2: line \($0)" })
        // 2^20 bytes without an end come in pieces of 2^16.
        let long = "From worker 3: " + String(repeating: "x", count: 1 << 16)
        #expect(run.lines.count { $0 == long } == 16)
        // Bytes that are no text are passed on as they are.
        #expect(run.bytes.range(of: Data("From worker 3: ".utf8) + [0, 255, 254, 10]) != nil)
    }

    @Test(
        "a driver without standard streams works as any other",
        arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full"])
    func closedStreams(redirection: String) async throws {
        let run = try await drive("trap", shell: #"exec "$@" \#(redirection)"#)
        #expect(run.status == 0 && run.leftovers.isEmpty, "\(run)")
    }

    @Test("a driver whose reader has gone ends by SIGPIPE, and its workers with it")
    func readerGone() async throws {
        let run = try await drive("floods", shell: #"{ "$@"; echo "status $?" >&2; } | head -c 1000"#)
        #expect(run.errors.contains("status \(128 + SIGPIPE)"), "\(run)")
        #expect(run.leftovers.isEmpty, "\(run)")
    }

    @Test("a driver whose reader has fallen asleep still heeds SIGTERM")
    func readerAsleep() async throws {
        // The driver is the shell's process; the reader reads one line, and then no more.
        let reader = #"(read line; rm "$f"; echo "$line" >&2; exec sleep 1000) < "$f""#
        let driver = try Driver(
            ["floods"], shell: #"f=$(mktemp -u); mkfifo "$f"; { \#(reader) & }; exec "$@" > "$f""#)
        try await driver.poll { driver.errors.contains("before the first") }
        try await Task.sleep(for: .milliseconds(300))  // the pipe fills: nothing tells when
        driver.signal(SIGTERM)
        let run = try await driver.end(expecting: ["sleep 1000"])
        #expect(run.signal == SIGTERM, "\(run)")
        #expect(!run.leftovers.contains { $0.contains("floods") }, "\(run)")
    }

    @Test("a process that outlives its worker and prints without end is not waited for")
    func endlessWriter() async throws {
        let run = try await drive("leaves-a-writer")
        #expect(
            run.value("ended")?.hasPrefix("WorkerExited worker=2 host=true cause=exited(status: 4)") == true, "\(run)")
        #expect(run.status == 0, "\(run)")
    }
}

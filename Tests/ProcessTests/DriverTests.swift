import Foundation
import Testing

/// What the tests of this and other targets rely on where they start programs.
@Suite("Programs that tests start")
struct DriverTests {
    @Test("they have no descriptor of the tests', so nobody waits for the wrong program to close one")
    func descriptors() async throws {
        let pipe = Pipe()  // inherited by whatever does not close it
        let run = try await drive("/proc/self/fd", executable: URL(filePath: "/bin/ls"))
        #expect(run.lines == ["0", "1", "2", "3"], "the last is the directory: \(run)")
        withExtendedLifetime(pipe) {}
    }

    @Test("they read what they are given")
    func input() async throws {
        let run = try await Driver([], input: "a\nb", executable: URL(filePath: "/bin/cat")).end()
        #expect(run.output == "a\nb")
        #expect(try await drive(executable: URL(filePath: "/bin/cat")).output.isEmpty)
    }

    @Test("one that hangs is ended, and where it and those it started stood is said")
    func hangs() async throws {
        let program = try Driver(
            ["-c", "echo begun; sleep 1000; :"], limit: 0.2, executable: URL(filePath: "/bin/sh"))
        let run = try await program.end(mayHang: true)
        #expect(run.signal == SIGKILL && run.output == "begun\n", "\(run)")
        let hang = try #require(run.hang)
        for part in ["/bin/sh -c echo begun", "wait", "sleep 1000", "nanosleep"] {
            #expect(hang.contains(part), "\(run)")
        }
    }

    @Test("one that its test leaves behind is ended and collected")
    func leftBehind() async throws {
        let process = try Driver(["1000"], executable: URL(filePath: "/bin/sleep")).process
        #expect(kill(process, 0) == -1 && errno == ESRCH)
    }
}

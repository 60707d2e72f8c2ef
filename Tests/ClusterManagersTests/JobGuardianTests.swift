import Agent
import Foundation
import Testing

@testable import ClusterManagers

/// The guardian's script over stand-ins for a queue's commands: programs of the shell.
@Suite("JobGuardian")
struct JobGuardianTests {
    private func script(_ submission: JobSubmission, cancel: [String] = ["echo"], files: [String] = ["/nowhere/at/all"])
        -> String
    {
        JobGuardian.script(
            for: submission, identifierPattern: "Submitted batch job ([0-9]+)( on cluster .*)?", cancelCommand: cancel,
            files: files)
    }

    /// A new directory, and a stand-in that notes the number it is given there.
    private func place() throws -> (directory: URL, cancel: [String]) {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return (directory, ["/bin/sh", "-c", "echo \"$1\" >\(directory.path)/cancelled", "cancel"])
    }

    @Test("submits the script as it is, cancels the number that it was told, and removes the files")
    func submits() async throws {
        let (directory, cancel) = try place()
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "it's a join file")
        try Data().write(to: file)
        let submission = JobSubmission(
            command: ["/bin/sh", "-c", "cat; echo hello 5; echo Submitted batch job 18 on cluster 7; echo noise >&2"],
            script: "#!/bin/sh\necho '$x' \\n\n")
        let got = try await run(["/bin/sh", "-c", script(submission, cancel: cancel, files: [file.path])])
        #expect(
            got.text
                == "#!/bin/sh\necho '$x' \\n\nhello 5\nSubmitted batch job 18 on cluster 7\nmuster-guardian: submitted 0"
        )
        #expect(got.end.program == .exited(status: 0) && got.end.error == "noise\n")
        #expect(try String(contentsOf: directory.appending(path: "cancelled"), encoding: .utf8) == "18\n")
        #expect(!FileManager.default.fileExists(atPath: file.path))
    }

    @Test("a queue that does not answer is asked again")
    func again() async throws {
        let (directory, _) = try place()
        defer { try? FileManager.default.removeItem(at: directory) }
        let cancel = [
            "/bin/sh", "-c", "echo \"$1\" >>\(directory.path)/asked; [ $(wc -l <\(directory.path)/asked) = 2 ]",
            "cancel",
        ]
        let submission = JobSubmission(command: ["echo", "Submitted batch job 18"])
        let got = try await run(["/bin/sh", "-c", script(submission, cancel: cancel)])
        #expect(got.end.program == .exited(status: 0))
        #expect(try String(contentsOf: directory.appending(path: "asked"), encoding: .utf8) == "18\n18\n")
    }

    @Test("cancels nothing where the job was refused, or has no number", arguments: [("exit 7", 7), ("echo job", 65)])
    func refused(command: String, status: Int32) async throws {
        let (directory, cancel) = try place()
        defer { try? FileManager.default.removeItem(at: directory) }
        let submission = JobSubmission(command: ["/bin/sh", "-c", command])
        let got = try await run(["/bin/sh", "-c", script(submission, cancel: cancel)])
        #expect(got.end.program == .exited(status: status))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test(
        "cancels by its name, if it has one, what was refused or has no number: it may be in the queue all the same",
        arguments: [("exit 7", 7), ("echo job", 65)])
    func refusedWithName(command: String, status: Int32) async throws {
        let (directory, cancel) = try place()
        defer { try? FileManager.default.removeItem(at: directory) }
        let submission = JobSubmission(command: ["/bin/sh", "-c", command], jobName: "muster-7")
        let got = try await run(["/bin/sh", "-c", script(submission, cancel: cancel)])
        #expect(got.end.program == .exited(status: status))
        #expect(try String(contentsOf: directory.appending(path: "cancelled"), encoding: .utf8) == "muster-7\n")
    }

    @Test("a command that is the job is ended when the input is; one that ends by itself gives the guardian its status")
    func attached() async throws {
        let job = JobSubmission(command: ["/bin/sh", "-c", "exec sleep 1000"], isAttached: true)
        let got = try await run(["/bin/sh", "-c", script(job)])
        #expect(got.end.program == .exited(status: 0))
        let short = JobSubmission(command: ["/bin/sh", "-c", "exit 3"], isAttached: true)
        let session = try await CommandSession.start(["/bin/sh", "-c", script(short)].map { Array($0.utf8) })
        #expect(await session.end().program == .exited(status: 3))
    }

    @Test("a command that stays and does not end is killed, and its job cancelled by name")
    func stubborn() async throws {
        let (directory, cancel) = try place()
        defer { try? FileManager.default.removeItem(at: directory) }
        let job = JobSubmission(
            command: ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"], isAttached: true, jobName: "it's me")
        let got = try await run(["/bin/sh", "-c", script(job, cancel: cancel)])
        #expect(got.end.program == .exited(status: 0))
        #expect(try String(contentsOf: directory.appending(path: "cancelled"), encoding: .utf8) == "it's me\n")
    }

    @Test("what goes to a command's input is in no environment, not even where a variable has the shell's name for it")
    func input() async throws {
        let job = JobSubmission(command: ["/bin/sh", "-c", "cat; env | grep -e key -e back"], isAttached: true)
        let text = JobGuardian.script(
            for: job, identifierPattern: "", cancelCommand: [], files: [], hasInput: true)
        let session = try await CommandSession.start(
            ["/usr/bin/env", "input=before", "line=before", "/bin/sh", "-c", text].map { Array($0.utf8) })
        session.expire(after: 60)
        // The end of its input is not to come before it has read this.
        session.send(Array("key  \\n 'x'\n%s \\\n.\n".utf8))
        let end = await session.end()
        #expect(end.output == "key  \\n 'x'\n%s \\\n" && end.error == "")
        // There was nothing to be found.
        #expect(end.program == .exited(status: 1))
    }

    @Test("nothing is started where the driver has ended before all of the input was there")
    func cutInput() async throws {
        let job = JobSubmission(command: ["echo", "started"], isAttached: true)
        let text = JobGuardian.script(
            for: job, identifierPattern: "", cancelCommand: [], files: [], hasInput: true)
        let got = try await run(["/bin/sh", "-c", text], input: Array("key\n".utf8))
        #expect(got.text == "" && got.end.program == .exited(status: 1))
    }
}

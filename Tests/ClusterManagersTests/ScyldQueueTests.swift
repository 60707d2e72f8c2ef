import Agent
import Foundation
import Testing

@testable import ClusterManagers

@Suite("ScyldQueue")
struct ScyldQueueTests {
    private func submission(_ queue: ScyldQueue = ScyldQueue(), workersPerTask: Int = 1) throws -> JobSubmission {
        try queue.submission(
            for: JobRequest(
                name: "muster-1-a", tasks: 5, workersPerTask: workersPerTask, outputFile: "/home/me/.muster/1.out",
                exports: ["HOME"], program: ["/usr/bin/printf", "%s\\n", "it's", "$(x)"],
                environment: [.init(name: "MUSTER_ROLE", value: "agent:file:/home/me/.muster/join-1")]))
    }

    private let bpsh = """
        node=$1
        shift
        [ "$SECRET" ] && echo 'the environment went along'
        echo "$node $5" $("$@")
        """

    @Test("one agent on each node that the map names, with as many workers as it is named")
    func nodes() async throws {
        let commands = try FakeCommands([
            "beomap": "[ \"$*\" = '--np 5 --no-local --exclude 7' ] && echo 12:3:12:3:12", "bpsh": bpsh,
        ])
        let submission = try submission(ScyldQueue(flags: ["--exclude", "7"]), workersPerTask: 2)
        #expect(submission.isAttached && submission.script.isEmpty && submission.program == "beomap")
        let got = try await run(commands.finding(["/usr/bin/env", "SECRET=x", "HOME=/root"] + submission.command))
        #expect(got.end.program == .exited(status: 0))
        #expect(got.text.split(separator: "\n").sorted() == ["12 6 it's $(x)", "3 4 it's $(x)"])
    }

    @Test("what names no nodes is not taken for any", arguments: ["echo no nodes are up", "echo", "exit 3"])
    func noNodes(beomap: String) async throws {
        let commands = try FakeCommands(["beomap": beomap, "bpsh": bpsh])
        let got = try await run(commands.finding(try submission().command))
        #expect(got.end.program == .exited(status: beomap == "exit 3" ? 3 : 65) && got.text == "")
    }

    @Test("its end is that of the agents, and told to end, it ends them")
    func end() async throws {
        let commands = try FakeCommands(["beomap": "echo 0:1", "bpsh": "[ $1 = 0 ] || exit 7; exec /bin/sleep 1000"])
        let words = commands.finding(try submission().command).map { Array($0.utf8) }
        let session = try await CommandSession.start(words)
        session.kill()
        #expect(await session.end().program != .exited(status: 0))
    }

    @Test("what would change the number of agents is refused")
    func refusals() {
        for flag in ["--np", "-np", "--map"] {
            #expect(throws: (any Error).self) { try submission(ScyldQueue(flags: [flag, "3"])) }
        }
        #expect(ScyldQueue([("exclude", "0"), ("all-nodes", "")]).flags == ["--exclude", "0", "--all-nodes"])
    }

    @Test("what would be submitted can be seen beforehand, by the name of the kind too")
    func dryRun() throws {
        let text = try JobQueueKind.scyld.manager(count: 4, flags: [("exclude", "3")]).dryRun()
        #expect(text.contains("--np 4 --no-local --exclude 3") && text.contains("MUSTER_ROLE=agent:"))
    }
}

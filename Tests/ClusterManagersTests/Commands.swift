import Synchronization

@testable import ClusterManagers

/// What a command printed, and how it ended.
struct CommandRun {
    var lines: [[UInt8]]
    var end: CommandSession.End

    var text: String { lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n") }
}

/// Runs a command as ssh is run, with all its input at once; it has a minute.
func run(_ words: [[UInt8]], input: [UInt8] = []) async throws -> CommandRun {
    let lines = Lines()
    let session = try await CommandSession.start(words) { source, line in
        if source == .output { lines.all.withLock { $0.append(line) } }
    }
    session.expire(after: 60)
    session.send(input)
    session.finishInput()
    let end = await session.end()
    return CommandRun(lines: lines.all.withLock { $0 }, end: end)
}

func run(_ words: [String], input: [UInt8] = []) async throws -> CommandRun {
    try await run(words.map { Array($0.utf8) }, input: input)
}

final class Lines: Sendable {
    let all = Mutex<[[UInt8]]>([])
}

/// Says aloud that something is not tested here.
func skip(_ reason: String) { print("skipped: \(reason)") }

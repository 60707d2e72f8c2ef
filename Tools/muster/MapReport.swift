import Muster

/// What a map shows: the output of its commands in the order of the arguments, as early as that order allows, and how
/// far it is.
actor MapReport {
    /// Failures that are named; the rest is only counted.
    private static let namedFailures = 3

    private let started = ContinuousClock.now
    private var order = InOrder<CommandResult>()
    private var progress: Progress
    private var line = TerminalLine()
    private var failures: [(place: Int, end: CommandResult.End)] = []

    init(total: Int) {
        progress = Progress(total: total)
    }

    /// Takes the result of the command for argument `place`, from 0.
    func add(_ result: CommandResult, at place: Int) throws {
        progress.ended(successfully: result.hasSucceeded)
        let ready = order.add(result, at: place)
        let hasText = ready.contains { !$0.value.output.isEmpty || !$0.value.errors.isEmpty }
        if hasText { line?.clear() }
        for (place, result) in ready {
            if !result.hasSucceeded { failures.append((place, result.end)) }
            try FileOutput.standardOutput.write(result.output)
            try FileOutput.standardError.write(result.errors)
        }
        draw()
    }

    /// Shows how far it is, again and again until the task is cancelled or the report is finished.
    func drawRepeatedly() async {
        while line != nil, (try? await Task.sleep(for: .milliseconds(200))) != nil { draw() }
    }

    private func draw() {
        let (seconds, attoseconds) = (ContinuousClock.now - started).components
        let elapsed = Double(seconds) + Double(attoseconds) * 1e-18
        line?.show { progress.line(width: $0, elapsed: elapsed) }
    }

    /// Leaves the terminal as it was found, for good.
    func finish() {
        line?.clear()
        line = nil
    }

    /// What is to be said about the commands that failed; `nil` if none did.
    func failure(of command: [UInt8], _ arguments: [[UInt8]]) -> String? {
        guard !failures.isEmpty else { return nil }
        let command = Self.shown(command)
        var named = failures.prefix(Self.namedFailures).map { place, end in
            "'\(command)' \(end) (argument \(place + 1): \(Self.shown(arguments[place])))"
        }
        if failures.count > named.count { named.append("…") }
        let noun = progress.total == 1 ? "command" : "commands"
        return "\(failures.count) of \(progress.total) \(noun) failed: \(named.joined(separator: ", "))"
    }

    /// Bytes as text that fits into a line.
    private static func shown(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self).map { character in
            character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f } ? "?" : character
        }
        return text.count > 60 ? String(text.prefix(59)) + "…" : String(text)
    }
}

import Agent

/// Workers could not be started on a host, or not be kept there.
public struct SSHFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The host, as it was given: user, name, port.
    public let host: String
    /// ssh's exit status: that of the program on the host, or 255 if ssh itself failed; `nil` if a signal ended it.
    public let status: Int32?
    /// The last lines of what ssh and the program wrote to standard error.
    public let standardErrorTail: String
    /// What most likely helps; `nil` if nothing is known.
    public let cure: String?
    /// What was run, where, how it ended, what it said, and the likely cure.
    public let description: String

    /// What was being done.
    enum Step: Hashable, Sendable {
        /// The program was brought to the host, of which the script there said this last.
        case staging(StagingScript.Reply?, machine: String)
        /// The program was started there as an agent, at this path.
        case agent(executable: String, isStaged: Bool)
    }

    init(_ step: Step, _ command: SSHCommand, _ end: CommandSession.End, limit: Double) {
        host = command.host.destination
        standardErrorTail = end.error
        status = if case .exited(let status) = end.program { status } else { nil }
        let found = Diagnosis(step, command.host, status: status, error: end.error)
        let hint = "see whether `\(command) true` comes back soon; if the host is slow, raise startLimit"
        cure =
            switch (end.cause, step) {
            case (nil, _): found.cure
            case (.cancelled, _): nil
            case (.expired, .staging): hint
            case (.expired, .agent): hint + "; if it can't reach this host, set tunnel: true"
            }
        let (deed, program) =
            switch step {
            case .staging: ("bring the program to", "a script that looks for it")
            case .agent(let executable, _): ("start workers on", executable)
            }
        let outcome =
            switch end.cause {
            case .expired: "nothing moved for \(Int(limit.rounded(.up))) s, and it was ended"
            case .cancelled: "it was ended from here"
            case nil: found.problem ?? "it \(end.program)"
            }
        let exit = end.cause == nil && found.problem != nil ? " (it \(end.program))" : ""
        var text = "could not \(deed) \(host): \(outcome)\(exit). It was: \(command) \(program)"
        let said = SSHFailure.trimmed(end.error.isEmpty ? end.output : end.error)
        text += said.isEmpty ? "\nIt said nothing." : "\nIt said:\n\(said)"
        if end.cause == .expired(seconds: limit), found.cure == nil {
            text +=
                "\nThe likely cure: see whether `\(command) true` comes back soon; if the host is slow, raise startLimit."
        } else if let cure = found.cure {
            text += "\nThe likely cure: \(cure)"
        }
        description = text
    }

    /// Lines as ssh writes them end with CR LF.
    private static func trimmed(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }.joined(separator: "\n")
    }
}

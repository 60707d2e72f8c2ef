import Agent

/// The shell that a host's SSH server hands commands to: the user's login shell there.
public struct RemoteShell: Hashable, Sendable {
    private enum Kind { case posix, csh, windowsCmd }
    private let kind: Kind

    /// sh, dash, bash, ksh, zsh, busybox; fish too.
    public static let posix = RemoteShell(kind: .posix)
    /// csh and tcsh.
    public static let csh = RemoteShell(kind: .csh)
    /// cmd.exe, which Windows' own SSH server uses.
    public static let windowsCmd = RemoteShell(kind: .windowsCmd)

    /// Whether it is cmd.exe, which has no descriptors but the first three, and runs no scripts of ours.
    var isWindows: Bool { kind == .windowsCmd }

    /// The descriptor that the program finds its standard input at: another one, where the shell can see to it that what
    /// the program does before its first `withCluster` does not eat what comes there.
    var inputDescriptor: Int { isWindows ? 0 : 3 }

    /// Writes a word so that the shell takes it for this one word, byte for byte.
    ///
    /// - Throws: ``LaunchError`` for what can't be written: a zero byte anywhere, and a line's end for cmd.exe.
    func quote(_ word: [UInt8]) throws(LaunchError) -> [UInt8] {
        guard !word.contains(0) else { throw RemoteShell.refusal(word, "a zero byte") }
        switch kind {
        case .posix: return RemoteShell.quotePosix(word)
        case .csh: return RemoteShell.quoteCsh(word)
        case .windowsCmd: return try RemoteShell.quoteWindows(word)
        }
    }

    /// The command line that goes to its directory, sets the variables, and becomes the program.
    ///
    /// - Throws: ``LaunchError`` for what can't be written, and for names that are none of a variable.
    func commandLine(for command: RemoteCommand) throws(LaunchError) -> [UInt8] {
        for variable in command.environment where !variable.hasValidName {
            throw LaunchError(
                """
                \(variable.name.debugDescription) is no name of an environment variable; they are made of letters, digits and \
                underscores, and don't begin with a digit
                """)
        }
        switch kind {
        case .posix: return try RemoteShell.posixLine(command)
        case .csh: return try RemoteShell.cshLine(running: RemoteShell.posixLine(command))
        case .windowsCmd: return try RemoteShell.windowsLine(command)
        }
    }

    /// The command line that runs a script of POSIX sh with arguments.
    ///
    /// - Throws: ``LaunchError`` for cmd.exe, which has no sh.
    func commandLine(script: String, arguments: [[UInt8]]) throws(LaunchError) -> [UInt8] {
        guard !isWindows else { throw LaunchError("cmd.exe can't run a script for sh") }
        var words: [[UInt8]] = []
        for word in [Array(script.utf8)] + arguments { words.append(try quote(word)) }
        return Array("exec sh -c ".utf8) + Array(words.joined(separator: [UInt8(ascii: " ")]))
    }

    static func refusal(_ word: [UInt8], _ what: String) -> LaunchError {
        let text = String(decoding: word, as: UTF8.self).debugDescription
        return LaunchError("\(what) can't be part of a command line, but is of \(text)")
    }
}

extension RemoteShell: CustomStringConvertible {
    /// "posix", "csh" or "windowsCmd".
    public var description: String { "\(kind)" }
}

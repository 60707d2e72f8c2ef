import Agent

/// What ssh is run with: a value, made of a host and options.
struct SSHCommand: Hashable, Sendable {
    /// Where to.
    let host: SSHHost
    /// OpenSSH's client.
    let program: String
    /// The arguments in front of the command.
    let arguments: [String]

    /// Most bytes that Linux lets one argument of a program have, with the zero at its end.
    static let mostBytes = 128 << 10

    /// Writes the arguments.
    ///
    /// ssh takes the first of several values for an option, so the user's flags stand in front of what is only a default
    /// here; the host's own port and user, which name the host, in front of these.
    ///
    /// - Parameters:
    ///   - controlPath: Where the shared connection's socket is; `nil` for none but what ssh's configuration says.
    ///   - tunnelTo: The port on this host that a tunnel leads to; `nil` for no tunnel.
    init(host: SSHHost, options: SSHOptions, controlPath: String? = nil, tunnelTo port: Int? = nil) {
        var words = ["-T"]
        if let port = host.port { words += ["-p", "\(port)"] }
        if let user = host.user { words += ["-l", user] }
        words += options.sshFlags
        // There is nobody to answer.
        words += ["-o", "BatchMode=yes"]
        words += ["-o", "ConnectTimeout=\(SSHCommand.connectSeconds(options.startLimit))"]
        if let controlPath {
            words += ["-o", "ControlMaster=auto", "-o", "ControlPath=\(controlPath)", "-o", "ControlPersist=60"]
        }
        if let port {
            let end = SSHHost.text(host.bindAddress ?? "127.0.0.1", host.bindPort ?? 0)
            words += ["-o", "ExitOnForwardFailure=yes", "-R", "\(end):127.0.0.1:\(port)"]
            // Over a connection that is shared already, the port that was free is told at this level only.
            if host.bindPort == nil { words += ["-o", "LogLevel=VERBOSE"] }
        }
        self.host = host
        program = options.sshCommand
        arguments = words + ["--", host.name]
    }

    /// Less than the whole limit, so that ssh's own words about it are heard.
    private static func connectSeconds(_ limit: Duration) -> Int64 {
        max(limit.components.seconds * 3 / 4, 1)
    }

    /// All words of the command, the program's name first.
    ///
    /// - Throws: ``LaunchError`` if the system would not take so long a line.
    func words(running line: [UInt8]) throws(LaunchError) -> [[UInt8]] {
        guard line.count < SSHCommand.mostBytes else {
            throw LaunchError(
                """
                the command line for \(host.destination) has \(line.count) bytes, but Linux takes less than \
                \(SSHCommand.mostBytes): the program there gets the same arguments as this one, so give it fewer, \
                or have it read them from a file
                """)
        }
        return ([program] + arguments).map { Array($0.utf8) } + [line]
    }
}

extension SSHCommand: CustomStringConvertible {
    /// The command in front of what runs on the host, as one would type it.
    var description: String {
        ([program] + arguments).map(ShellWord.quoted).joined(separator: " ")
    }
}

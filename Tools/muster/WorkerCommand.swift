import Agent
import ArgumentParser
import Glibc
import Muster

/// `muster worker`: this host's workers for a driver that listens.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Joins a running 'muster map --on elastic' with this host's workers.",
        discussion: """
            The driver prints the whole command, with the join file that it has written. The file holds the key by which \
            both prove themselves to each other: it has to be yours and closed to others, on this host as on the \
            driver's; where the hosts share no files, copy it there with mode 600 into a directory with mode 700, or pipe \
            it in. Both sides run the same build of muster. A program of your own that listens is joined by that program \
            itself: MUSTER_JOIN=FILE program….

            The command ends with the driver: at once when the driver can't be reached any more, and within 20 s when \
            nothing is heard of it. A driver that does not answer, and a file that does not come on standard input, are \
            given up after MUSTER_WORKER_TIMEOUT seconds, 60 unless set; a refused connection or an unknown name at once.

            Exit code: 0 if the driver ended it, 1 if it could not join or lost the driver, 64 for a mistake in the \
            command line.

            EXAMPLES:
              muster worker --join /run/user/1000/muster/join-4711-9009
              ssh driver cat /run/user/1000/muster/join-4711-9009 | muster worker --join - --workers 8
              muster worker --join-secret /var/run/secrets/muster/join
            """)

    @Option(
        help: ArgumentHelp("The driver's join file; '-' to read its text from standard input.", valueName: "file"))
    var join: String?

    @Option(
        help: ArgumentHelp(
            "The same as a file that was mounted for this process: root's, perhaps behind links.", valueName: "file"))
    var joinSecret: String?

    @OptionGroup var places: WorkerOptions

    @OptionGroup var refused: RefusedSecrets

    func run() async throws {
        try refused.check()
        let source: JoinSource
        switch (join, joinSecret) {
        case ("-", nil):
            guard isatty(STDIN_FILENO) == 0 else {
                throw UsageError(message: "standard input is a terminal, on which a key would be seen; pipe it in")
            }
            source = .descriptor(STDIN_FILENO)
        case (let path?, nil) where !path.isEmpty: source = .file(path)
        case (nil, let path?) where !path.isEmpty: source = .secret(path)
        default:
            throw UsageError(
                message: "give one of --join FILE and --join-secret FILE; the driver prints the command with its file")
        }
        // As a map on this host starts workers again, but not over and over.
        var offer = HostRequest.ofHost()
        offer.places = .planned(try places.request())
        try await serveAsAgent(source, offer: offer)
    }
}

/// Options by which a secret would be given on the command line.
struct RefusedSecrets: ParsableArguments {
    @Option(name: [.customLong("key"), .customLong("cookie"), .customLong("secret")], help: .hidden)
    var secrets: [String] = []

    /// - Throws: ``UsageError`` if there are any; not with what they are.
    func check() throws {
        guard secrets.isEmpty else {
            throw UsageError(
                message: """
                    a key on the command line is refused: every user of this host can read it there, and shells write it \
                    down. It is known now, so make another one. Without one each driver makes its own, and writes it into \
                    the join file; to set one: --key-file FILE, which has to be yours and closed to others (chmod 600)
                    """)
        }
    }
}

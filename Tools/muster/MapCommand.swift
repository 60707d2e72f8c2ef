import ArgumentParser
import Glibc
import Muster
import Synchronization

/// `muster map`: a command per argument.
struct MapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        abstract: "Runs a command per argument over pinned workers.",
        discussion: """
            The arguments stand behind ':::', or one per line on standard input. A command of one word is a line for \
            /bin/sh, in which each {} becomes the argument, quoted for the shell (do not quote it again); without {} \
            the argument comes last. A command of several words is a program and its arguments, and needs no quoting.

            What the commands write comes out in the order of the arguments, each one's standard output and then its \
            standard error. Their standard input is empty; MUSTER_WORKER (a number of its own for each worker) \
            and MUSTER_INDEX (number of the argument, from 1) are set. A command is over when it exits: what it leaves \
            running in the background ends with its worker, unless it made a session of its own (setsid, daemons), and \
            is not waited for.

            With '--on elastic' the commands run wherever workers join, at any time: the command that joins is printed, \
            and goes on any host that reaches this one. The loopback address is listened on, port 9009, unless told: \
            --on elastic:address=eth0,port=0 (an interface, a numeric address, or 'automatic' for this host's private \
            ones; port 0 for any that is free). Commands run in the directory in which their worker was started, with \
            its environment. One whose worker is lost runs again on another, three times in all.

            With '--on slurm:4,partition=debug,t=00:05:00' a job of 4 tasks is submitted, whose workers take part as soon as \
            they are up; what follows the number goes to sbatch: one letter becomes -t 00:05:00, more --partition=debug, and \
            a word without a value stands alone. 'address=' is where this process listens, as above ('automatic' unless \
            told), 'directory=' one that the job's hosts share (~/.muster unless told), \
            'workers-per-job=' how many workers a task has (one unless told), 'start-limit=' how many seconds the job may wait \
            (a week unless told), and 'executable=' where the program is on the job's hosts. Two commas in a row are one that belongs to an option. '--dry-run' prints the submission.

            Exit code: 0 if all commands succeeded, 1 if one failed or no worker is left, 64 for a mistake in the command line.

            EXAMPLES:
              muster map --workers 2 'wc -w < {}' ::: *.txt
              muster map gzip -9 ::: *.log
              find . -name '*.wav' | muster map --threads 2 'lame {} {}.mp3'
              muster map --on elastic:address=automatic 'make -C {}' ::: project*
              muster map --on slurm:8,partition=debug,t=00:10:00 'make -C {}' ::: project*
            """)

    @Option(help: ArgumentHelp("Where the workers are: local, elastic, or a job queue.", valueName: "where"))
    var on = "local"

    @Option(
        help: ArgumentHelp(
            "With elastic: where to write the join file; in your runtime directory unless told.", valueName: "file"))
    var joinFile: String?

    @Option(
        help: ArgumentHelp(
            "With elastic: a file of yours with a key, in place of a random one.", valueName: "file"))
    var keyFile: String?

    @Flag(help: "With a job queue: print what would be submitted, and do nothing.")
    var dryRun = false

    @OptionGroup var places: WorkerOptions

    @OptionGroup var refused: RefusedSecrets

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command, then ':::' and the arguments.", valueName: "command ::: argument"))
    var words: [String] = []

    func run() async throws {
        try refused.check()
        let choice = try ManagerChoice(on)
        for (option, path) in [("--join-file", joinFile), ("--key-file", keyFile)] where path == "" {
            throw UsageError(message: "\(option) names no file; write one, or leave it out")
        }
        let command = try RawArguments.ofProcess.command(words, of: self)
        guard let template = CommandTemplate(command) else {
            throw UsageError(message: "no command; write one, such as: muster map 'wc -w < {}' ::: *.txt")
        }
        if case .queue(let place) = choice {
            guard places.isEmpty, joinFile == nil, keyFile == nil else {
                throw UsageError(
                    message:
                        "with --on \(place.kind.rawValue) the job says where its workers are, and join files are made for it: leave "
                        + "these options out")
            }
            return try await run(template, command, place)
        }
        guard !dryRun else {
            throw UsageError(message: "--dry-run is for what is submitted to a queue, as with --on slurm:2")
        }
        if case .elastic(let place) = choice {
            guard places.isEmpty else {
                throw UsageError(
                    message:
                        "with --on elastic it is who joins that says how many workers there are, and where; give these "
                        + "options to 'muster worker'")
            }
            return try await run(template, command, place)
        }
        guard joinFile == nil, keyFile == nil else {
            throw UsageError(
                message: "--join-file and --key-file are for --on elastic: local workers inherit their links")
        }
        var request = try places.request()
        let workers = try places.plan(on: .discover(), occupied: CPUReservation.occupations()).workers.count
        let arguments = try RawArguments.ofProcess.listed ?? readArguments()
        guard !arguments.isEmpty else { return }
        if workers > arguments.count { request.limit(to: arguments.count) }

        try await report(on: command, arguments) { [request] cluster, report in
            try await map(template, arguments, on: LocalAffinityManager(request: request), of: cluster, report)
        }
    }

    private func run(
        _ template: CommandTemplate, _ command: [[UInt8]], _ place: ManagerChoice.ElasticPlace
    ) async throws {
        let arguments = try RawArguments.ofProcess.listed ?? readArguments()
        guard !arguments.isEmpty else { return }
        let manager = try ElasticManager(place, keyFile: keyFile, joinFile: joinFile)
        try await report(on: command, arguments) { cluster, report in
            try await map(template, arguments, on: manager, of: cluster, report) {
                FileOutput.standardError.write("muster: waiting for workers; to join: \(manager.joinCommand ?? "")\n")
            }
        }
    }

    private func run(
        _ template: CommandTemplate, _ command: [[UInt8]], _ place: ManagerChoice.QueuePlace
    ) async throws {
        var options = JobOptions()
        // Workers have commands as they come.
        options.minimum = 0
        let manager = try place.manager(options)
        if dryRun { return FileOutput.standardOutput.write(try manager.dryRun() + "\n") }
        let arguments = try RawArguments.ofProcess.listed ?? readArguments()
        guard !arguments.isEmpty else { return }
        try await report(on: command, arguments) { cluster, report in
            try await map(template, arguments, on: manager, of: cluster, report) {}
        }
    }

    /// Runs the commands by `work`, and says what became of them.
    private func report(
        on command: [[UInt8]], _ arguments: [[UInt8]], _ work: (Cluster, MapReport) async throws -> Void
    ) async throws {
        let report = MapReport(total: arguments.count)
        try await withCluster { cluster in
            do {
                try await work(cluster, report)
            } catch {
                await report.finish()
                throw error
            }
        }
        await report.finish()
        if let failure = await report.failure(of: Array(command.joined(separator: [UInt8(ascii: " ")])), arguments) {
            throw WorkFailed(description: failure)
        }
    }

    private func readArguments() throws -> [[UInt8]] {
        guard isatty(STDIN_FILENO) == 0 else {
            throw UsageError(
                message: "no arguments; write them behind ':::', or give one per line on standard input")
        }
        let lines = try RawArguments.lines(from: STDIN_FILENO)
        if let index = lines.firstIndex(where: { $0.contains(0) }) {
            throw UsageError(
                message: "argument \(index + 1) on standard input holds a zero byte, which no argument can; give text")
        }
        return lines
    }

    /// Runs the commands, each worker the next one as soon as it is free.
    private func map(
        _ template: CommandTemplate, _ arguments: [[UInt8]], on manager: LocalAffinityManager, of cluster: Cluster,
        _ report: MapReport
    ) async throws {
        let workers = try await cluster.addWorkers(manager)
        let queue = ArgumentQueue(count: arguments.count)
        let drawing = Task { await report.drawRepeatedly() }
        defer { drawing.cancel() }
        try await withThrowingTaskGroup { group in
            for (index, worker) in workers.enumerated() {
                group.addTask {
                    var slot = try MapSlot(number: index + 1, worker: worker, of: cluster, manager.request)
                    while let place = queue.next() {
                        let result = try await slot.run(template.line(for: arguments[place]), index: place + 1)
                        try await report.add(result, at: place)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

extension PlacementRequest {
    /// Asks for fewer workers: the first ones of a list, or a spread of as many.
    mutating func limit(to workers: Int) {
        self.workers = workers
        cpus = cpus.map { Array($0.prefix(workers * (threads ?? 1))) }
    }
}

/// The places of the arguments that no worker has taken yet.
private final class ArgumentQueue: Sendable {
    private let places: Mutex<Range<Int>>

    init(count: Int) {
        places = Mutex(0..<count)
    }

    func next() -> Int? { places.withLock { $0.popFirst() } }
}

/// Work failed: printed as one line, exit code 1.
struct WorkFailed: Error, CustomStringConvertible {
    let description: String
}

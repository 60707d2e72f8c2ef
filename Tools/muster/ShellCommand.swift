import Agent
import Glibc
import SharedMemoryLink

/// A line for `/bin/sh`, run in the process that this is called in: a worker.
struct ShellCommand {
    /// The line; it need not be UTF-8.
    let line: [UInt8]
    /// Variables to set for it.
    let environment: [String: String]

    /// Runs it to its end, and collects what it wrote.
    ///
    /// It is over when the shell has ended: what the shell left running in the background neither holds the result up
    /// nor adds to it, and lives until the worker ends, whose process group it is in.
    func run() -> CommandResult {
        do {
            let output = try DescriptorPair.pipe()
            let errors = try DescriptorPair.pipe()
            let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard nothing >= 0 else { throw SystemError("open /dev/null", errno: errno) }
            defer { close(nothing) }
            var launch = ProgramLaunch(
                executable: Array("/bin/sh".utf8), arguments: [Array("sh".utf8), Array("-c".utf8), line])
            launch.descriptors = [nothing, output.far.number, errors.far.number]
            launch.environment = environment
            launch.group = .shared
            let program = try launch.start()
            // The other ends are closed here, so that only the command's are left.
            let outputEnd = output.takeNear()
            let errorsEnd = errors.takeNear()
            var result = CommandResult(end: .exited(status: 0))
            gather(until: program.watch, [outputEnd.number, errorsEnd.number], &result)
            result.end = CommandResult.End(program.collect())
            return result
        } catch {
            return CommandResult(end: .lost("could not be run: \(error)"))
        }
    }

    /// Reads both streams until the descriptor `end` is readable, and then what is left in them.
    private func gather(until end: CInt, _ streams: [CInt], _ result: inout CommandResult) {
        var watched = ([end] + streams).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while watched[0].revents == 0 {
            guard unsafe poll(&watched, nfds_t(watched.count), -1) >= 0 else { continue }
            let hasEnded = watched[0].revents != 0
            for index in 1...2 where hasEnded || watched[index].revents != 0 {
                // After the end no more than a pipe can hold: the background may go on writing.
                for _ in 0..<(hasEnded ? 16 : 1) {
                    let count = unsafe read(watched[index].fd, &chunk, chunk.count)
                    if count == 0 { watched[index].fd = -1 }  // closed: do not report it for ever
                    guard count > 0 else { break }
                    if index == 1 { result.output += chunk[..<count] } else { result.errors += chunk[..<count] }
                }
            }
        }
    }
}

extension CommandResult.End {
    init(_ end: RunningProgram.End) {
        self =
            switch end {
            case .exited(let status): .exited(status: status)
            case .signalled(let signal): .signalled(signal)
            case .unknown: .lost(end.description)
            }
    }
}

import Agent
import Glibc
import SharedMemoryLink
import Synchronization
import Transport

/// One run of a command, such as ssh: what goes to its standard input, the lines that come, and its end.
///
/// It ends with this process, however that ends, unless it is to outlive it. No thread waits for it: one poller serves all.
final class CommandSession: Sendable {
    /// Where a line came from.
    enum Source: Hashable, Sendable {
        case output, error
    }

    /// How a run ended.
    struct End: Hashable, Sendable {
        /// Why it was ended from here; `nil` if it ended by itself.
        var cause: Cause?
        /// What became of the command.
        var program: RunningProgram.End
        /// The last 16 KiB of its standard output.
        var output: String
        /// The last 16 KiB of its standard error: of ssh, what it has to say itself, and what the program there printed.
        var error: String
    }

    /// Why a run is ended from here.
    enum Cause: Hashable, Sendable {
        case expired(seconds: Double)
        case cancelled
    }

    /// What is still to go to standard input.
    private enum Input {
        case bytes(ArraySlice<UInt8>)
        /// A part of a file.
        case file(ProgramFile, Range<Int>)
    }

    private struct Reading {
        let descriptor: CInt
        let source: Source
        var lines = LineSplitter()
        var tail = Tail()
        var token: Poller.Token?
    }

    private struct State {
        /// The socket that is its standard input; `nil` once it is closed.
        var input: CInt?
        var inputToken: Poller.Token?
        var queue: [Input] = []
        var isInputFinished = false
        var readings: [Reading]
        var watch: Poller.Token?
        var deadline: Poller.Token?
        /// Whether input went since the deadline was set.
        var hasProgressed = false
        var cause: Cause?
        var hasEnded = false
    }

    /// Lines may be many, and handling them may take a while: workers' links don't wait for that.
    private static let poller = Poller(named: "muster-commands")
    /// Seconds that it has to end by itself: ssh removes its sockets then.
    private static let grace = 2.0
    /// Most bytes that Linux lets a pipe of an ordinary user hold.
    private static let largestPipe = 1 << 20

    private let program: RunningProgram
    private let onLine: @Sendable (Source, [UInt8]) -> Void
    private let state: Mutex<State>
    private let whenEnded = Eventual<End>()

    // MARK: - Starting

    /// Starts a command.
    ///
    /// - Parameters:
    ///   - words: The command, its name first; PATH is searched for it.
    ///   - environment: Variables to set besides those of this process.
    ///   - outlivesThisProcess: Whether it goes on when this process has ended; its standard input is closed then.
    ///   - cure: What to do where there is no such program.
    ///   - onLine: Takes each line as it comes, without its end; on the poller's thread, so it must not block.
    /// - Throws: ``LaunchError`` if there is no such program; `SpawnError`, `SystemError`.
    static func start(
        _ words: [[UInt8]], environment: [String: String] = [:], outlivesThisProcess: Bool = false,
        cure: String = "install OpenSSH's client (openssh-client), or give its path as sshCommand",
        onLine: @escaping @Sendable (Source, [UInt8]) -> Void = { _, _ in }
    ) async throws -> CommandSession {
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) }
        guard let executable = ExecutableSearch(path: path).file(for: words[0]) else {
            throw LaunchError("there is no program \(String(decoding: words[0], as: UTF8.self)) here; \(cure)")
        }
        // A socket, not a pipe: a write to it after the program's end is an error that can be had without a signal.
        let input = try DescriptorPair.sockets()
        let output = try DescriptorPair.pipe()
        let error = try DescriptorPair.pipe()
        var launch = ProgramLaunch(executable: executable, arguments: words)
        launch.environment = environment
        // A connection that is to be kept for others may run through processes of its own: jump hosts.
        launch.group = .ownLeft
        launch.outlivesThisProcess = outlivesThisProcess
        launch.descriptors = [input.far.number, output.far.number, error.far.number]
        let program = try await launch.startInPlace()
        let session = CommandSession(
            program, input: input.takeNear().release(), output: output.takeNear().release(),
            error: error.takeNear().release(), onLine)
        try session.begin()
        return session
    }

    private init(
        _ program: RunningProgram, input: CInt, output: CInt, error: CInt,
        _ onLine: @escaping @Sendable (Source, [UInt8]) -> Void
    ) {
        self.program = program
        self.onLine = onLine
        state = Mutex(
            State(
                input: input,
                readings: [
                    Reading(descriptor: output, source: .output), Reading(descriptor: error, source: .error),
                ]))
    }

    private func begin() throws {
        do {
            try state.withLock { state throws(SystemError) in
                let poller = CommandSession.poller
                if let input = state.input {
                    state.inputToken = try poller.watch(input, for: []) { [self] in inputIsReady($0) }
                }
                for index in state.readings.indices {
                    state.readings[index].token = try poller.watch(
                        state.readings[index].descriptor, for: .readable
                    ) { [self] _ in read(index, most: 1 << 16) }
                }
                state.watch = try poller.watch(program.watch, for: .readable) { [self] _ in programEnded() }
            }
        } catch {
            program.signal(SIGKILL)
            CommandSession.poller.perform { [self] in programEnded() }
            throw error
        }
    }

    // MARK: - Ending

    /// Waits for its end; a cancelled task ends it.
    func end() async -> End {
        await withTaskCancellationHandler {
            await whenEnded.get()
        } onCancel: {
            kill(because: .cancelled)
        }
    }

    /// The last of what has come on its standard error up to now.
    var errorTail: String { state.withLock { $0.readings[1].tail.text } }

    /// Calls `action` when it has ended, at once if it has.
    func whenEnded(_ action: @escaping @Sendable (End) -> Void) { whenEnded.whenHere(action) }

    /// Ends it after this many seconds in which none of its input went, unless it has ended by then, or this is called again.
    ///
    /// - Parameter seconds: `nil` for no limit.
    func expire(after seconds: Double?) {
        let old = state.withLock { state -> Poller.Token? in
            guard !state.hasEnded else { return nil }
            state.hasProgressed = false
            let deadline = seconds.map { seconds in
                CommandSession.poller.after(seconds: seconds) { [self] in deadlinePassed(seconds) }
            }
            defer { state.deadline = deadline }
            return state.deadline
        }
        if let old { CommandSession.poller.cancel(old) }
    }

    private func deadlinePassed(_ seconds: Double) {
        if state.withLock({ $0.hasProgressed }) {
            expire(after: seconds)
        } else {
            kill(because: .expired(seconds: seconds))
        }
    }

    /// Ends it; ``end()`` tells when that is done.
    func kill(because cause: Cause = .cancelled) {
        let isFirst = state.withLock { state in
            guard !state.hasEnded, state.cause == nil else { return false }
            state.cause = cause
            return true
        }
        guard isFirst else { return }
        program.signal(SIGTERM)
        CommandSession.poller.after(seconds: CommandSession.grace) { [program] in program.signal(SIGKILL) }
    }

    /// Runs on the poller's thread.
    private func programEnded() {
        guard !state.withLock({ $0.hasEnded }) else { return }
        let end = program.collect()
        // What was there at its end: a shared connection that it leaves behind may hold the other ends for long.
        for index in 0..<2 { read(index, most: CommandSession.largestPipe) }
        let (lines, tokens, result) = state.withLock { state in
            state.hasEnded = true
            closeInput(&state)
            var lines: [(Source, [UInt8])] = []
            var tokens = [state.deadline]
            for index in state.readings.indices {
                let source = state.readings[index].source
                state.readings[index].lines.finish { lines.append((source, $0)) }
                stopReading(index, &state)
                close(state.readings[index].descriptor)
            }
            if let watch = state.watch.take() { CommandSession.poller.remove(watch, program.watch) }
            tokens.removeAll { $0 == nil }
            let result = End(
                cause: state.cause, program: end, output: state.readings[0].tail.text,
                error: state.readings[1].tail.text)
            return (lines, tokens, result)
        }
        for token in tokens { if let token { CommandSession.poller.cancel(token) } }
        for (source, line) in lines { onLine(source, line) }
        whenEnded.fulfil(result)
    }

    // MARK: - Standard input

    /// Sends bytes behind those that are on their way; nothing happens after its end.
    func send(_ bytes: [UInt8]) { enqueue(.bytes(bytes[...])) }

    /// Sends a file behind that.
    func send(_ file: ProgramFile) { enqueue(.file(file, 0..<file.byteCount)) }

    /// Closes its standard input when all is sent.
    func finishInput() {
        state.withLock { $0.isInputFinished = true }
        CommandSession.poller.perform { [self] in write() }
    }

    private func enqueue(_ input: Input) {
        state.withLock { state in
            if state.input != nil { state.queue.append(input) }
        }
        CommandSession.poller.perform { [self] in write() }
    }

    private func inputIsReady(_ readiness: Poller.Readiness) {
        // Nobody reads any more; why, its end tells.
        if !readiness.isDisjoint(with: .ended) { return state.withLock { closeInput(&$0) } }
        write()
    }

    /// Sends as much as goes without waiting. Runs on the poller's thread.
    private func write() {
        state.withLock { state in
            guard let input = state.input else { return }
            while let next = state.queue.first {
                guard let (bytes, rest) = CommandSession.firstPiece(of: next) else {
                    state.queue.removeFirst()
                    continue
                }
                let count = unsafe bytes.withUnsafeBytes {
                    unsafe Glibc.send(input, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
                }
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN {
                    if let token = state.inputToken { CommandSession.poller.update(token, input, for: .writable) }
                    return
                }
                guard count > 0 else { return closeInput(&state) }
                state.hasProgressed = true
                state.queue[0] = rest(count)
            }
            if state.isInputFinished {
                closeInput(&state)
            } else if let token = state.inputToken {
                CommandSession.poller.update(token, input, for: [])
            }
        }
    }

    /// The next bytes, and what is left when some of them are sent; `nil` if there are none, or the file can't be read: what
    /// comes out too short is noticed on the other side.
    private static func firstPiece(of input: Input) -> (ArraySlice<UInt8>, rest: (Int) -> Input)? {
        switch input {
        case .bytes(let bytes):
            return bytes.isEmpty ? nil : (bytes, { .bytes(bytes.dropFirst($0)) })
        case .file(let file, let range):
            guard !range.isEmpty else { return nil }
            var chunk = [UInt8](repeating: 0, count: min(range.count, 1 << 17))
            let count = unsafe pread(file.descriptor, &chunk, chunk.count, off_t(range.lowerBound))
            guard count > 0 else { return nil }
            return (chunk[..<count], { .file(file, range.dropFirst($0)) })
        }
    }

    private func closeInput(_ state: inout State) {
        guard let input = state.input.take() else { return }
        if let token = state.inputToken.take() { CommandSession.poller.remove(token, input) }
        close(input)
        state.queue = []
    }

    // MARK: - What comes

    /// Reads at most so many bytes of what is there. Runs on the poller's thread.
    private func read(_ index: Int, most: Int) {
        let lines = state.withLock { state in
            var lines: [(Source, [UInt8])] = []
            guard !state.hasEnded, state.readings[index].token != nil else { return lines }
            let (descriptor, source) = (state.readings[index].descriptor, state.readings[index].source)
            var chunk = [UInt8](repeating: 0, count: 1 << 15)
            for _ in 0..<(most / chunk.count) {
                let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                // Ended: it would be reported for ever.
                if count == 0 { stopReading(index, &state) }
                guard count > 0 else { break }
                state.readings[index].tail.add(chunk[..<count])
                state.readings[index].lines.add(chunk[..<count]) { lines.append((source, $0)) }
            }
            return lines
        }
        for (source, line) in lines { onLine(source, line) }
    }

    private func stopReading(_ index: Int, _ state: inout State) {
        if let token = state.readings[index].token.take() {
            CommandSession.poller.remove(token, state.readings[index].descriptor)
        }
    }
}

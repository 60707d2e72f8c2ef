import CPlatform
import Foundation
import Testing

/// What a run of the test program left behind.
struct DriverRun: CustomStringConvertible {
    let arguments: [String]
    /// Its exit status; `nil` if a signal ended it.
    let status: Int32?
    /// The signal that ended it.
    let signal: Int32?
    /// All it printed, as it came.
    let bytes: Data
    let errors: String
    /// Processes that it started, directly or not, and that were there a second after its end.
    let leftovers: [String]
    /// Where it stood when its time was up; `nil` if it ended before.
    let hang: String?

    var output: String { String(decoding: bytes, as: UTF8.self) }
    var lines: [Substring] { output.split(separator: "\n") }

    /// What follows `name` and a space in the line that starts so.
    func value(_ name: String) -> String? {
        lines.first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// Shown when an expectation fails.
    var description: String {
        """
        \(arguments.joined(separator: " ")): status \(status ?? -1), signal \(signal ?? 0), left \(leftovers)
        --- output
        \(output.prefix(4000))
        --- errors
        \(errors.prefix(4000))
        ---\(hang ?? "")
        """
    }
}

/// The test program as a user's program that runs: the driver, with everything that it starts.
///
/// Its output goes to files: a process left behind could hold a pipe open for ever. What it starts is found by a
/// variable of its own in the environment, which all of it inherits. Foundation's `Process` is of no use here: neither
/// its pipes nor the socket that tells it of the end are closed in what others start meanwhile, and then it waits for
/// those as well; so two tests can wait for each other.
///
/// The tests of the tool have this file too.
final class Driver {
    let process: pid_t
    private var waitStatus: Int32?
    private let token = "MUSTER_TEST_TOKEN=\(UUID().uuidString)"
    private let directory: URL
    private let arguments: [String]
    private let limit: Duration

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - limit: Seconds that a test waits for it at a time; then it counts as hanging, and is killed.
    ///   - input: What it reads from its standard input.
    ///   - shell: A shell's command line that runs the program as `"$@"`.
    init(
        _ arguments: [String], limit: Double = 120, environment: [String: String] = [:], input: String = "",
        shell: String? = nil, executable: URL? = nil
    ) throws {
        let program = try #require(executable ?? builtProducts?.appending(path: "muster-test-program"))
        directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        self.arguments = arguments
        self.limit = .seconds(limit)
        let words = shell.map { ["/bin/sh", "-c", $0, "sh", program.path] } ?? [program.path]
        var variables = ProcessInfo.processInfo.environment
        variables["SWIFT_BACKTRACE"] = "enable=no"
        // Tests run at the same time, and each is to have all CPUs.
        variables["XDG_RUNTIME_DIR"] = directory.path
        for name in variables.keys where name.hasSuffix("_NUM_THREADS") { variables[name] = nil }
        variables["MUSTER_TEST_TOKEN"] = String(token.dropFirst("MUSTER_TEST_TOKEN=".count))
        variables.merge(environment) { $1 }
        let inputFile = directory.appending(path: "input")
        try Data(input.utf8).write(to: inputFile)
        process = try spawn(
            words + arguments, environment: variables.filter { !$0.value.isEmpty },
            input: input.isEmpty ? "/dev/null" : inputFile.path, output: directory.appending(path: "output").path,
            errors: directory.appending(path: "errors").path)
    }

    /// Whether the program has not ended.
    var isRunning: Bool {
        guard waitStatus == nil else { return false }
        var status: Int32 = 0
        switch unsafe waitpid(process, &status, WNOHANG) {
        case 0: return true
        case process: waitStatus = status
        default: waitStatus = 0xff00  // not to be known, where whoever started the tests ignores SIGCHLD
        }
        return false
    }

    deinit {
        if isRunning {
            signal(SIGKILL)
            // An ended process that nobody collects would keep the exit tests of this one from seeing theirs end.
            waitpid(process, nil, 0)
        }
        for process in descendants() { kill(process, SIGKILL) }
        try? FileManager.default.removeItem(at: directory)
    }

    /// What the program has printed up to now.
    var output: String { String(decoding: read("output"), as: UTF8.self) }
    /// What the program has printed to its standard error up to now.
    var errors: String { String(decoding: read("errors"), as: UTF8.self) }

    /// All that lies in its directory: its runtime directory, and what it has printed.
    func files() -> [(name: String, data: Data)] {
        let names = FileManager.default.enumerator(atPath: directory.path)?.compactMap { $0 as? String } ?? []
        return names.compactMap { name in
            (try? Data(contentsOf: directory.appending(path: name))).map { (name, $0) }
        }
    }

    private func read(_ name: String) -> Data {
        (try? Data(contentsOf: directory.appending(path: name))) ?? Data()
    }

    /// Waits until the program has printed a line that starts with `text`; returns the line.
    @discardableResult
    func line(startingWith text: String) async throws -> String {
        var found: String?
        try await poll {
            found = output.split(separator: "\n").first { $0.hasPrefix(text) }.map(String.init)
            return found != nil || !isRunning
        }
        if found == nil, isRunning {
            Issue.record("it hangs: \(arguments)\(await whereabouts())")
        }
        return try #require(found, "it never said \"\(text)\": \(output) \(errors)")
    }

    /// Sends a signal to the program itself.
    func signal(_ number: Int32) {
        if isRunning { kill(process, number) }
    }

    /// Waits until `condition` holds, or the time is up: that of this wait, since on a busy machine the test may have had
    /// to wait for its own turn before.
    func poll(_ condition: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try !condition() {
            guard ContinuousClock.now < deadline else { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits for the program's end. A program that does not end in time is killed.
    ///
    /// - Parameters:
    ///   - expected: Ends of command lines that may stay behind: the test's own.
    ///   - mayHang: Whether it is no issue that the program does not end in time.
    func end(expecting expected: [String] = [], mayHang: Bool = false) async throws -> DriverRun {
        try await poll { !isRunning }
        let hang = isRunning ? await whereabouts() : nil
        signal(SIGKILL)
        let last = ContinuousClock.now + .seconds(10)
        while isRunning {
            try #require(ContinuousClock.now < last, "\(arguments) can't be ended: \(hang ?? "")")
            try await Task.sleep(for: .milliseconds(1))
        }
        let ended = ContinuousClock.now
        func leftovers() -> [String] {
            descendants().map { "\($0) \(commandLine(of: $0))" }.filter { line in
                !expected.contains { line.hasSuffix($0 + " ") }
            }
        }
        var left = leftovers()
        while !left.isEmpty, ContinuousClock.now < ended + .seconds(1) {
            try await Task.sleep(for: .milliseconds(5))
            left = leftovers()
        }
        let status = waitStatus ?? 0
        let signal = status & 0x7f  // as WTERMSIG says, a macro
        let run = DriverRun(
            arguments: arguments, status: signal == 0 ? status >> 8 & 0xff : nil,
            signal: signal == 0 ? nil : signal, bytes: read("output"), errors: errors,
            leftovers: left, hang: hang)
        #expect(hang == nil || mayHang, "it hangs: \(run)")
        return run
    }

    /// Where the program and what it has started stand now, as far as can be seen.
    private func whereabouts() async -> String {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Tools/whereabouts")
        let numbers = ([process] + descendants().prefix(7)).map(String.init)
        guard let teller = try? Driver(numbers, limit: 60, executable: script) else { return "" }
        try? await teller.poll { !teller.isRunning }
        return teller.output
    }

    /// The numbers of all processes that carry this driver's variable; those that have ended have none.
    func descendants() -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let mark = Data(token.utf8)
        return names.compactMap { Int32($0) }.filter { number in
            number != process
                && (try? Data(contentsOf: URL(filePath: "/proc/\(number)/environ")))?.range(of: mark) != nil
        }
    }

    /// The command lines of those.
    func commands() -> [String] { descendants().map { commandLine(of: $0) } }

    private func commandLine(of process: Int32) -> String {
        let data = (try? Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline"))) ?? Data()
        return String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
    }
}

/// Starts a program with its input and output in files, no other descriptor, and all signals as usual.
private func spawn(
    _ words: [String], environment: [String: String], input: String, output: String, errors: String
) throws -> pid_t {
    let creating = O_WRONLY | O_CREAT | O_CLOEXEC
    let descriptors = unsafe [
        open(input, O_RDONLY | O_CLOEXEC), open(output, creating, 0o600), open(errors, creating, 0o600),
    ]
    defer { for descriptor in descriptors { close(descriptor) } }
    var (process, watch, step): (pid_t, CInt, CInt) = (0, -1, 0)
    let code = unsafe withCStrings(words) { words in
        unsafe withCStrings(environment.map { "\($0)=\($1)" }) { environment in
            unsafe descriptors.withUnsafeBufferPointer { descriptors in
                var request = unsafe platform_spawn_request(
                    executable: words[0], arguments: words, environment: environment, directory: nil,
                    descriptors: descriptors.baseAddress, descriptor_count: descriptors.count, parent_death_signal: 0,
                    group: getpgrp(), open_file_limit: 0, binding: nil)
                return unsafe platform_spawn(&request, &process, &watch, &step)
            }
        }
    }
    try #require(code == 0, "cannot start \(words[0]): errno \(code)")
    close(watch)
    return process
}

private func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
    let copies = unsafe strings.map { unsafe strdup($0) }
    defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
    return unsafe (copies + [nil]).withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
}

/// Runs the program to its end.
func drive(
    _ arguments: String..., limit: Double = 120, environment: [String: String] = [:], shell: String? = nil,
    executable: URL? = nil
) async throws -> DriverRun {
    let driver = try Driver(
        arguments, limit: limit, environment: environment, shell: shell, executable: executable)
    return try await driver.end()
}

/// The directory of the running test bundle, which is an executable, and of the programs beside it.
let builtProducts = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    .map { URL(filePath: $0).deletingLastPathComponent() }

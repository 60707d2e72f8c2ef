import Glibc
import SharedMemoryLink
import Muster

/// Prints a line at once, also into a file or a pipe.
func say(_ items: Any...) {
    print(items.map { "\($0)" }.joined(separator: " "))
    _ = fflush(nil)
}

/// Ends the process, by the function that Glibc names like that.
func quit(_ status: Int32) -> Never {
    exit(status)
}

/// An error in one line of `name=value` pairs, for the tests to look for.
func account(of error: any Error) -> String {
    switch error {
    case let error as RemoteError:
        let index = error.index.map(String.init) ?? "none"
        let typed = error.underlying.map { "\(type(of: $0)) \($0)" } ?? "none"
        return "RemoteError worker=\(error.worker) host=\(error.host == hostName()) index=\(index) "
            + "type=\(error.typeName) message=\(error.message) underlying=\(typed)"
    case let error as WorkerExited:
        return "WorkerExited worker=\(error.worker) host=\(error.host == hostName()) cause=\(error.end.cause) "
            + "signal=\(error.signal ?? 0) tail=\(error.standardErrorTail)"
    case let error as MapError:
        return "MapError \(error.indices) of \(error.count): \(account(of: error.first.error))"
    case let error as WorkerStartError:
        return "WorkerStartError \(error)"
    case let error as SystemError:
        return "SystemError errno=\(error.errno) \(error)"
    default:
        return "\(type(of: error)) \(error)"
    }
}

/// Runs something that is to fail, and says how; "no error" if it doesn't.
func sayFailure<Result>(_ name: String, _ work: () async throws -> Result) async {
    do {
        _ = try await work()
        say(name, "no error")
    } catch {
        say(name, account(of: error))
    }
}

/// Polls until `condition` holds; false after `seconds`.
func eventually(within seconds: Double = 30, _ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// Keeps this thread busy for a while, without suspending or sleeping.
func spin(seconds: Double) {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {}
}

/// Starts another program as a child of this process, with its output and its group; returns its number.
@discardableResult
func start(_ path: String, _ words: String...) -> Int32 {
    var process: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = unsafe []
    for word in words { unsafe arguments.append(strdup(word)) }
    unsafe arguments.append(nil)
    unsafe posix_spawn(&process, path, nil, nil, arguments, environ)
    for index in unsafe arguments.indices { unsafe free(arguments[index]) }
    return process
}

/// The names in a directory; empty if there is none.
func names(in directory: String) -> [String] {
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

/// The text of a file; empty if it can't be read.
func text(of path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while true {
        let count = unsafe read(descriptor, &chunk, chunk.count)
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
}

/// What a symbolic link points to; empty if it can't be read.
func target(of path: String) -> String {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink(path, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A line of `/proc/self/status`, without its name.
func status(_ name: String, of task: String = "/proc/self") -> String {
    let line = text(of: task + "/status").split(separator: "\n").first { $0.hasPrefix("\(name):") }
    return line.map { String($0.dropFirst(name.count + 1).drop { $0 == "\t" || $0 == " " }) } ?? ""
}

/// The CPUs that the calling thread may run on, as the kernel writes them.
func threadMask() -> String { status("Cpus_allowed_list", of: "/proc/thread-self") }

/// A thread that binds itself to a CPU, and then does nothing.
struct BoundThread {
    private let directory: String

    init(to cpu: Int) {
        let started = Mailbox<String>()
        SystemThread.start(named: "bound") {
            do { try bindCurrentThread(to: [cpu]) } catch { say("not bound:", error) }
            started.put("/proc/self/task/" + (target(of: "/proc/thread-self").split(separator: "/").last ?? ""))
            while true { pause() }
        }
        directory = started.take()
    }

    /// The CPUs that it may run on.
    func mask() -> String { status("Cpus_allowed_list", of: directory) }
}

import CFloors
import Glibc
import Muster

/// Where the numbers come from, and who sits where.
struct Host {
    let model: String
    let kernel: String
    /// CPUs that this process may use.
    let cpus: [Int]
    /// Processes that ran or wanted to in the last minute, when this one started.
    let load: Double

    static var current: Host {
        var names = utsname()
        unsafe uname(&names)
        let kernel = unsafe withUnsafeBytes(of: names.release) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let model = contents(of: "/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        let load = contents(of: "/proc/loadavg").split(separator: " ").first.flatMap { Double($0) }
        return Host(
            model: model.flatMap { $0.split(separator: ":").last }.map { $0.trimmingPrefix(" ").description }
                ?? "unknown",
            kernel: kernel, cpus: (try? Topology.discover()).map { Array($0.allowed) } ?? [0], load: load ?? .nan)
    }

    var lines: [String] {
        [
            model,
            "CPUs \(cpus.map(String.init).joined(separator: ",")), Linux \(kernel), load \(load)",
            "Driver on CPU \(driver) where a line says so, else on any; workers on CPUs \(worker) and \(second).",
            cpus.count < 3 ? "No CPU is spare: with two workers the driver takes its time from theirs." : "",
        ].filter { !$0.isEmpty }
    }

    /// Where the driver sits while a round trip is measured.
    var driver: Int { cpus[0] }
    /// Where the first worker sits.
    var worker: Int { cpus[1 % cpus.count] }
    /// Where the second worker sits: with the driver, if there are but two CPUs.
    var second: Int { cpus[2 % cpus.count] }

    /// Runs `work` with all threads of this process on some CPUs.
    nonisolated(nonsending) func bound<R>(to cpus: [Int], _ work: () async throws -> R) async throws -> R {
        bind(cpus)
        defer { bind(self.cpus) }
        return try await work()
    }

    private func bind(_ cpus: [Int]) {
        let wanted = cpus.map { CInt($0) }
        let code = unsafe floor_bind_process(wanted, wanted.count)
        precondition(code == 0, "this process can't be bound to CPUs \(cpus) (errno \(code))")
    }
}

/// What is in a small file, of /proc say; nothing if it can't be read.
func contents(of path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 12)
    while true {
        let count = unsafe read(descriptor, &chunk, chunk.count)
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
}

/// How long something takes, in seconds.
nonisolated(nonsending) func seconds(_ work: () async throws -> Void) async rethrows -> Double {
    let start = floor_seconds()
    try await work()
    return floor_seconds() - start
}

import Glibc
import Muster

/// The soft limit on open files.
func openFileLimit() -> Int {
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
}

/// CPU time in seconds that a process has used up to now.
private func cpuSeconds(of process: Int) -> Double {
    var clock = clockid_t()
    var time = timespec()
    guard unsafe clock_getcpuclockid(pid_t(process), &clock) == 0, unsafe clock_gettime(clock, &time) == 0 else {
        return .nan
    }
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

private func describe(_ time: Duration) -> String { "\(time / .milliseconds(1)) ms" }

let many: [String: Program.Scenario] = [
    "many": { arguments in
        let count = Int(arguments[0]) ?? 256
        if arguments.contains("affinity") {
            try await use(.localAffinity(count: count), count, arguments)
        } else {
            try await use(.local(count), count, arguments)
        }
        say("processes", children())
    }
]

private func use(_ manager: some ClusterManager, _ count: Int, _ arguments: [String]) async throws {
    let clock = ContinuousClock()
    let (filesBefore, limitBefore) = (names(in: "/proc/self/fd").count, openFileLimit())
    let start = clock.now
    var leaving = start
    try await withCluster(manager) { cluster in
        say("workers", cluster.workers.count, "after", describe(clock.now - start))
        let told = try await withThrowingTaskGroup(of: (WorkerID, Int32, Int).self) { group in
            for worker in cluster.workers {
                group.addTask {
                    try await cluster.remoteCallFetch(on: worker) { (Worker.id, getpid(), openFileLimit()) }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        say("answers", Set(told.map(\.0)).count, "of", Set(told.map(\.1)).count, "processes")
        say("after", describe(clock.now - start))
        say("limits of workers as before", told.allSatisfy { $0.2 == limitBefore })
        if arguments.contains("lingers") {
            say("ready")
            try await Task.sleep(for: .seconds(1000))
        }
        let mapping = clock.now
        let squares = try await cluster.pmap(0..<5_000) { $0 * $0 }
        say("squares", squares == (0..<5_000).map { $0 * $0 })
        say("map took", describe(clock.now - mapping))
        let used = names(in: "/proc/self/fd").count - filesBefore
        say("each takes", used / count, "descriptors, limit raised", openFileLimit() > limitBefore)
        let own = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        say("the program's next descriptor below its limit", own >= 0 && own < limitBefore)
        close(own)
        if let seconds = arguments.dropFirst().compactMap({ Double($0) }).first {
            say("idle")
            let before = (cpuSeconds(of: processID()), told.map { cpuSeconds(of: Int($0.1)) }.reduce(0, +))
            try await Task.sleep(for: .seconds(seconds))
            let after = (cpuSeconds(of: processID()), told.map { cpuSeconds(of: Int($0.1)) }.reduce(0, +))
            say("driver", (after.0 - before.0) / seconds * 100, "% of a CPU")
            say("all workers", (after.1 - before.1) / seconds * 100, "% of a CPU")
        }
        leaving = clock.now
    }
    say("closed in", describe(clock.now - leaving))
    let settled = await eventually(within: 2) { names(in: "/proc/self/fd").count < filesBefore + 16 }
    say("descriptors", settled ? "as before" : "\(filesBefore) then \(names(in: "/proc/self/fd").count)")
}

import Glibc
import Muster

struct Farewell: Error {}

/// Starts `sleep 1000` as a child of this process, and returns its number.
@discardableResult
func startSleeping() -> Int32 {
    start("/bin/sleep", "sleep", "1000")
}

/// The children of this process that have ended and were not collected.
func zombies() -> Int {
    let me = "\(getpid())"
    return names(in: "/proc").count { name in
        guard name.allSatisfy(\.isNumber) else { return false }
        let fields = text(of: "/proc/\(name)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 1 && fields[0] == "Z" && fields[1] == me
    }
}

let lifetimes: [String: Program.Scenario] = [
    "leaves": { arguments in
        let how = arguments[0]
        let task = Task {
            try await withCluster(.local(2)) { cluster in
                try await cluster.pmap(0..<2, batchSize: 1) { _ in startSleeping() }
                say("ready")
                switch how {
                case "throw": throw Farewell()
                case "cancel":
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                    try await cluster.pmap(0..<10) { _ in spin(seconds: 20) }
                case "busy":
                    Task { try await cluster.pmap(0..<10) { _ in spin(seconds: 20) } }
                    _ = await eventually { await isBusy(cluster) }
                default: break
                }
            }
        }
        await sayFailure("left by \(how)") { try await task.value }
    },
    "lingers": { arguments in
        let stubborn = arguments.contains("stubborn")
        try await withCluster(.local(2), heartbeatLimit: .seconds(60)) { cluster in
            try await cluster.pmap(0..<2, batchSize: 1) { _ in startSleeping() }
            if arguments.contains("stopped") {
                for worker in cluster.workers {
                    let process = try await cluster.remoteCallFetch(on: worker) { processID() }
                    kill(pid_t(process), SIGSTOP)
                    // The kernel wakes those that have stopped, not those about to, when their parent ends: with all
                    // their threads, of which /proc/<process>/stat shows the first.
                    let threads = "/proc/\(process)/task"
                    _ = await eventually {
                        names(in: threads).allSatisfy { text(of: "\(threads)/\($0)/stat").contains(") T ") }
                    }
                }
            }
            say("ready", processID())
            while stubborn { try? await Task.sleep(for: .seconds(1)) }
            try await Task.sleep(for: .seconds(1000))
        }
    },
    "signalled-at-its-end": { _ in
        // Another thread takes the signal, about when this one leaves.
        try await withCluster { _ in _ = kill(getpid(), SIGTERM) }
        try await Task.sleep(for: .seconds(2))
        say("went on")
    },
    "cancelled-map": { _ in
        try await withCluster(.local(2)) { cluster in
            let early = Task {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return try await cluster.pmap(0..<4) { $0 }
            }
            await sayFailure("already cancelled") { _ = try await early.value }
            let busy = Task { try await cluster.pmap(0..<100, batchSize: 1) { _ in spin(seconds: 2) } }
            _ = await eventually { await isBusy(cluster) }
            let start = ContinuousClock.now
            busy.cancel()
            await sayFailure("in the middle") { _ = try await busy.value }
            say("promptly", ContinuousClock.now - start < .milliseconds(500))
            let suspended = Task {
                try await cluster.pmap(0..<4, batchSize: 2) { _ in
                    do { try await Task.sleep(for: .seconds(1000)) } catch { say("body cancelled") }
                }
            }
            try await Task.sleep(for: .milliseconds(100))
            suspended.cancel()
            await sayFailure("asynchronous") { _ = try await suspended.value }
            say("afterwards", try await cluster.pmap(1...3) { $0 })
        }
    },
    "clusters": { arguments in
        let count = Int(arguments[0]) ?? 100
        try await withCluster(.local(1)) { cluster in _ = try await cluster.pmap([1]) { $0 } }
        let before = names(in: "/proc/self/fd").count
        let memory = residentKilobytes()
        for _ in 0..<count {
            try await withCluster(.local(1)) { cluster in
                _ = try await cluster.pmap(1...3, capturing: [1, 2, 3]) { $0 + $1[0] }
            }
        }
        // The system's own libraries open a few more when they first need them (a timer's), not one for each cluster.
        let settled = await eventually(within: 2) { names(in: "/proc/self/fd").count < before + count / 10 }
        say("descriptors", settled ? "as before" : "\(before) then \(names(in: "/proc/self/fd").count)")
        say("zombies", zombies())
        say("threads", names(in: "/proc/self/task").count < 20)
        say("memory grown by", residentKilobytes() - memory, "kB")
    },
    "two-clusters": { _ in
        @Sendable func one(_ factor: Int) async throws -> [Int] {
            try await withCluster(.local(2)) { cluster in
                try await cluster.pmap(1...3, capturing: factor) { $0 * $1 }
            }
        }
        async let first = one(10)
        async let second = one(100)
        say("at once", try await first, try await second)
        let inside = try await withCluster(.local(1)) { outer in
            let factor = try await outer.remoteCallFetch { 7 }
            let inner = try await withCluster(.local(1)) { inner in
                try await inner.pmap(1...2, capturing: factor) { $0 * $1 }
            }
            return inner + (try await outer.pmap([5]) { $0 })
        }
        say("nested", inside)
        say("one after the other", try await one(2))
    },
    "cluster-in-worker": { _ in
        try await withCluster(.local(1)) { cluster in
            let inner = try await cluster.remoteCallFetch {
                try await withCluster(.local(1)) { try await $0.pmap(1...3) { "\($0) in \(Worker.id)" } }
            }
            say("inner", inner)
            say("outer", try await cluster.pmap([1]) { ($0, Worker.id) })
        }
    },
]

private func isBusy(_ cluster: Cluster) async -> Bool {
    cluster.workers.allSatisfy { ((try? cluster.member($0).pendingCount) ?? 0) > 0 }
}

func residentKilobytes() -> Int {
    Int(status("VmRSS").prefix { $0.isNumber }) ?? 0
}

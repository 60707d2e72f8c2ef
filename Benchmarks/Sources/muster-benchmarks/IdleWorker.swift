import CFloors
import Glibc
import Muster

/// What a worker costs that has run one body and waits for the next.
struct IdleWorker: Benchmark {
    let name = "idle-worker"
    let title = "Memory of a worker that waits: its share (PSS), 16 of them"
    let unit = Unit.mebibytes

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.local(16)) { cluster in
            var processes: [Int] = []
            for worker in cluster.workers {
                processes.append(Int(try await cluster.remoteCallFetch(on: worker) { processID() }))
            }
            return try await alternate(
                repeats: 3,
                [
                    Lane(key: "worker", label: "Muster: a worker, mean of 16") {
                        let sizes = processes.map { share(ofProcess: "\($0)", "Pss") }
                        return sizes.reduce(0, +) / Double(sizes.count)
                    },
                    Lane(key: "worker.private", label: "Muster: of that, what it shares with nobody") {
                        let sizes = processes.map { share(ofProcess: "\($0)", "Pss_Anon") }
                        return sizes.reduce(0, +) / Double(sizes.count)
                    },
                    Lane(key: "driver", label: "Muster: the driver") { share(ofProcess: "self", "Pss") },
                ])
        }
    }
}

/// What workers cost that have nothing to do: they say that they are there, and the driver hears it.
struct IdleCPU: Benchmark {
    let name = "idle-cpu"
    let title = "CPU time while 256 workers wait, over 4 s"
    let unit = Unit.percent
    let isSlow = true

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.local(256)) { cluster in
            var processes: [Int] = []
            for worker in cluster.workers {
                processes.append(Int(try await cluster.remoteCallFetch(on: worker) { processID() }))
            }
            // What a start leaves behind: threads of pools that end, and bodies' threads that stop looking.
            try await Task.sleep(for: .seconds(1))
            return try await alternate(
                repeats: 1,
                [
                    Lane(key: "driver", label: "Muster: the driver, of one CPU") {
                        try await share(of: [Int(processID())])
                    },
                    Lane(key: "workers", label: "Muster: the workers, all together, of one CPU") { [processes] in
                        try await share(of: processes)
                    },
                ])
        }
    }

    /// Percent of a CPU that processes take.
    private func share(of processes: [Int]) async throws -> Double {
        let (before, start) = (cpuSeconds(of: processes), floor_seconds())
        try await Task.sleep(for: .seconds(4))
        return (cpuSeconds(of: processes) - before) / (floor_seconds() - start) * 100
    }

    private func cpuSeconds(of processes: [Int]) -> Double {
        processes.reduce(0) { sum, process in
            var (clock, time) = (clockid_t(), timespec())
            guard unsafe clock_getcpuclockid(pid_t(process), &clock) == 0, unsafe clock_gettime(clock, &time) == 0
            else { return .nan }
            return sum + Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
    }
}

/// What a large capture costs in memory, all processes together.
struct CapturedMemory: Benchmark {
    let name = "captured-memory"
    let title = "Memory for pmap(1...100, capturing: 80 MB), 2 workers: all shares (PSS) together"
    let unit = Unit.mebibytes

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.localAffinity(cpus: [host.second, host.worker])) { cluster in
            let memory = try await memory(of: cluster)
            let idle = memory()
            let array = [Double](repeating: 1, count: 10_000_000)
            _ = try await mapInLanes(array, cluster, CachingPool(cluster.workers))
            let all = memory()
            return try await alternate(
                repeats: 1,
                [
                    Lane(key: "all", label: "Muster: driver and workers") { all },
                    Lane(key: "more", label: "Muster: of that, for an Array and its copy in shared memory") {
                        all - idle
                    },
                ])
        }
    }
}

/// The same for an array that is in shared memory from the start.
struct CapturedSharedArray: Benchmark {
    let name = "captured-shared"
    let title = "Memory for pmap(1...100, capturing: a SharedArray of 80 MB), 2 workers"
    let unit = Unit.mebibytes

    func run(_ host: Host) async throws -> [Series] {
        try await withCluster(.localAffinity(cpus: [host.second, host.worker])) { cluster in
            let memory = try await memory(of: cluster)
            let idle = memory()
            let shared = try SharedArray<Double>(count: 10_000_000, in: .shared) { span in
                for index in span.indices { span[index] = 1 }
            }
            _ = try await cluster.pmap(1...100, capturing: shared) { i, x in x.reduce(0, +) + Double(i) }
            let all = memory()
            return try await alternate(
                repeats: 1, [Lane(key: "more", label: "Muster: driver and workers, more than idle") { all - idle }])
        }
    }
}

/// How much memory driver and workers have, shares of what they have in common (PSS) added up, in MiB.
private nonisolated(nonsending) func memory(of cluster: Cluster) async throws -> () -> Double {
    var processes = ["self"]
    for worker in cluster.workers {
        processes.append("\(try await cluster.remoteCallFetch(on: worker) { processID() })")
    }
    let all = processes
    return { all.map { share(ofProcess: $0, "Pss") }.reduce(0, +) }
}

/// Mebibytes of a process, by the name of a line of `smaps_rollup`; see proc(5).
private func share(ofProcess process: String, _ name: String) -> Double {
    let lines = contents(of: "/proc/\(process)/smaps_rollup").split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix(name + ":") }) else { return .nan }
    return line.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 } ?? .nan
}

import Glibc
import Muster

/// The sockets that this process has open, by inode.
private func socketInodes() -> Set<String> {
    Set(
        names(in: "/proc/self/fd").map { target(of: "/proc/self/fd/\($0)") }.filter { $0.hasPrefix("socket:[") }
            .map { String($0.dropFirst(8).dropLast()) })
}

/// The inodes of all TCP and UDP sockets of the host.
private func networkInodes() -> Set<String> {
    let tables = ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"]
    return Set(
        tables.flatMap { table in
            text(of: "/proc/net/\(table)").split(separator: "\n").dropFirst().compactMap { line in
                let fields = line.split(separator: " ")
                return fields.count > 9 ? String(fields[9]) : nil
            }
        })
}

private let threadVariables = [
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
]

private func variable(_ name: String) -> String {
    guard let value = unsafe getenv(name) else { return "unset" }
    return unsafe String(cString: value)
}

private func describe(_ values: [String]) -> String { values.joined(separator: ",") }

let local: [String: Program.Scenario] = [
    "sockets": { _ in
        let inherited = socketInodes()
        try await withCluster(.local(2)) { cluster in
            let workers = try await cluster.pmap(0..<2, batchSize: 1) { _ in
                (socketInodes().count, socketInodes().isDisjoint(with: networkInodes()))
            }
            say("workers' sockets", workers.map(\.0), "none on the network", workers.map(\.1))
            let ours = socketInodes().subtracting(inherited)
            say("driver's sockets", ours.count, "none on the network", ours.isDisjoint(with: networkInodes()))
        }
        await sayFailure("restrict: false") { try await withCluster(.local(1, restrict: false)) { _ in } }
    },
    "default-count": { _ in
        try await withCluster(.local()) { cluster in
            say("workers", cluster.workers.count, "usable", try Topology.discover().allowed.count)
        }
    },
    "options": { arguments in
        let manager: LocalManager = .local(
            1, directory: "/proc", executable: nil, flags: ["--colour", "äöü"],
            environment: ["MUSTER_TEST_COLOUR": "red = blue"])
        try await withCluster(manager) { cluster in
            say("directory", try await cluster.remoteCallFetch { target(of: "/proc/self/cwd") })
            say(
                "arguments",
                try await cluster.remoteCallFetch { CommandLine.arguments.suffix(2).joined(separator: ",") })
            say("variable", try await cluster.remoteCallFetch { variable("MUSTER_TEST_COLOUR") })
            say("inherited", try await cluster.remoteCallFetch { variable("MUSTER_TEST_INHERITED") })
            say("role", try await cluster.remoteCallFetch { variable("MUSTER_ROLE") })
            say("threads", try await cluster.remoteCallFetch { describe(threadVariables.map(variable)) })
            say("input", try await cluster.remoteCallFetch { target(of: "/proc/self/fd/0") })
            say("group", try await cluster.remoteCallFetch { getpgrp() == getpid() })
        }
        try await withCluster(.local(1, setsThreadVariables: false)) { cluster in
            say("threads off", try await cluster.remoteCallFetch { describe(threadVariables.map(variable)) })
        }
        try await withCluster(.local(1, environment: ["MKL_NUM_THREADS": "5"])) { cluster in
            say("threads given", try await cluster.remoteCallFetch { variable("MKL_NUM_THREADS") })
        }
    },
    "executable": { arguments in
        let path = arguments[0]
        let limit = arguments.count > 1 ? Double(arguments[1]) ?? 60 : 60
        let options = LocalOptions(executable: path, startLimit: .seconds(limit))
        try await withCluster(.local(2, options: options)) { cluster in
            say("sum", try await cluster.pmap(1...3) { $0 })
        }
    },
    "relative-executable": { _ in
        let path = target(of: "/proc/self/exe")
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        if variable("MUSTER_ROLE") == "unset" { _ = unsafe chdir(String(path.dropLast(name.count))) }
        try await withCluster(.local(1, directory: "/", executable: "./\(name)")) { cluster in
            say("directory", try await cluster.remoteCallFetch { target(of: "/proc/self/cwd") })
        }
    },
    "directory": { arguments in
        try await withCluster(.local(2, directory: arguments[0])) { _ in }
    },
    "count": { arguments in
        try await withCluster(.local(Int(arguments[0]) ?? 0)) { _ in }
    },
    "slow-start": { arguments in
        // The worker takes too long; one of two only, if told so.
        if variable("MUSTER_ROLE") != "unset", arguments.count < 2 || getpid() % 2 == 0 {
            say("the worker dawdles")
            sleep(1000)
        }
        let limit = Duration.seconds(Double(arguments[0]) ?? 1)
        try await withCluster(.local(4, options: LocalOptions(startLimit: limit))) { _ in say("up") }
    },
    "cancelled-start": { _ in
        if variable("MUSTER_ROLE") != "unset" {
            startSleeping()
            sleep(1000)
        }
        let start = Task { try await withCluster(.local(3)) { _ in say("up") } }
        _ = await eventually { children() == 3 }
        start.cancel()
        await sayFailure("cancelled") { try await start.value }
        say("processes", children())
    },
    "early-death": { _ in
        if variable("MUSTER_ROLE") != "unset" { fatalError("no licence found") }
        try await withCluster(.local(2)) { _ in say("up") }
    },
    "one-fails": { arguments in
        // One worker ends before it is one; the others must not stay behind.
        if variable("MUSTER_ROLE") != "unset", unsafe mkdir(arguments[0], 0o700) == 0 {
            spin(seconds: 0.1)  // the others come up meanwhile
            quit(9)
        }
        await sayFailure("first") { try await withCluster(.local(6)) { _ in say("up") } }
        say("processes", children())
    },
    "affinity": { arguments in
        let cpus = arguments[0].split(separator: ",").compactMap { Int($0) }
        try await withCluster(.localAffinity(cpus: cpus)) { cluster in
            for worker in cluster.workers {
                let (allowed, memory) = try await cluster.remoteCallFetch(on: worker) {
                    (status("Cpus_allowed_list"), variable("OMP_NUM_THREADS"))
                }
                let placement = try cluster.member(worker).launched.placement
                say(
                    "worker", worker, "on", allowed, "threads", memory, "planned", placement?.worker ?? 0,
                    placement?.cpus ?? [])
            }
        }
        say("driver on", status("Cpus_allowed_list"))
    },
    "driver-threads": { arguments in
        say("given", status("Cpus_allowed_list"))
        let cpu = Int(arguments[0]) ?? 0
        let bound = BoundThread(to: cpu)
        try await withCluster(.localAffinity(cpus: [cpu])) { cluster in
            // The threads are moved before the workers are started.
            say("during", status("Cpus_allowed_list"))
            say("thread", await Task.detached { threadMask() }.value)
            say("bound", bound.mask())
            let free = try await cluster.addWorkers(.local(1))
            say("free worker", try await cluster.remoteCallFetch(on: free[0]) { status("Cpus_allowed_list") })
        }
        say("given back", status("Cpus_allowed_list"))
    },
    "placement": { arguments in
        try await withCluster(.localAffinity(cpus: [Int(arguments[0]) ?? 0])) { cluster in
            try await cluster.addWorkers(.local(1))
            for worker in cluster.placement { say(worker) }
            say("policy", try await cluster.remoteCallFetch(on: 2) { "\(try MemoryPolicy.ofCurrentThread())" })
        }
    },
    "topology-of-worker": { arguments in
        // A worker that explores the machine itself finds another one, which is an error.
        let options = LocalOptions(environment: ["HWLOC_SYNTHETIC": "core:3 pu:1"])
        try await withCluster { cluster in
            let here = arguments.isEmpty ? nil : try Topology.discover()
            try await cluster.addWorkers(.local(1, options: options))
            say(
                "explored",
                try await cluster.remoteCallFetch(on: 2) { (try? Topology.discover()) == nil ? "wrong" : "no" })
            let told = try? await cluster.remoteCallFetch(on: 2) { try Topology.discover().pus.map(\.osIndex) }
            say("same", told == here?.pus.map(\.osIndex) ? "yes" : "no")
            let near = try await cluster.addWorkers(.localAffinity(cpus: [Int(arguments.first ?? "") ?? 0]))
            say(
                "allowed", try await cluster.remoteCallFetch(on: near[0]) { "\(try Topology.discover().allowed)" })
        }
    },
    "hold-cpus": { arguments in
        try await withCluster(.localAffinity(count: Int(arguments[0]), mode: .compact)) { cluster in
            for worker in cluster.workers {
                say("held", try await cluster.remoteCallFetch(on: worker) { status("Cpus_allowed_list") })
            }
            try await Task.sleep(for: .seconds(3600))
        }
    },
    "affinity-count": { arguments in
        let count = Int(arguments[0]) ?? 1
        try await withCluster(.localAffinity(count: count, mode: arguments[1] == "compact" ? .compact : .balanced)) {
            cluster in
            for worker in cluster.workers {
                say(
                    "worker", worker, "on",
                    try await cluster.remoteCallFetch(on: worker) { status("Cpus_allowed_list") })
            }
        }
    },
    "prints": { arguments in
        try await withCluster(.local(2)) { cluster in
            try await cluster.remoteCallFetch(on: 2) {
                print("to output")
                say("half a ", terminator: "line\n")
            }
            try await cluster.remoteCallFetch(on: 3) { complain("to error") }
            try await cluster.remoteCallFetch(on: 2) {
                for line in 0..<1000 { print("line \(line)") }
            }
            try await cluster.remoteCallFetch(on: 3) {
                writeBytes([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20))
            }
            try await cluster.remoteCallFetch(on: 3) { writeBytes([10, 0, 255, 254, 10, 128]) }
        }
    },
    "floods": { _ in
        try await withCluster(.local(1)) { cluster in
            say("ready")
            try await cluster.remoteCallFetch {
                while true { writeBytes([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16) + [10]) }
            }
        }
    },
    "leaves-a-writer": { _ in
        try await withCluster(.local(1)) { cluster in
            // In a session of its own the writer outlives the worker's group, and fills its output for ever.
            let writer = try await cluster.remoteCallFetch {
                start("/usr/bin/setsid", "setsid", "yes", "out of reach")
            }
            say("writer", writer)
            await sayFailure("ended") { try await cluster.remoteCallFetch { () -> Void in quit(4) } }
            kill(writer, SIGKILL)
        }
    },
]

func say(_ text: String, terminator: String) {
    print(text, terminator: terminator)
    _ = fflush(nil)
}

/// Prints a line to standard error.
func complain(_ text: String) {
    let bytes = Array("\(text)\n".utf8)
    _ = unsafe write(2, bytes, bytes.count)
}

/// Writes to standard output, past the C library.
func writeBytes(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}

/// The number of this process's children that run.
func children() -> Int {
    text(of: "/proc/self/task/\(getpid())/children").split(separator: " ").count
}

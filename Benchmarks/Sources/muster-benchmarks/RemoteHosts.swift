import CFloors
import Glibc
import Muster

/// This host as another one: an agent over loopback, with TLS, and its workers.
struct RemoteHost {
    /// Gives `body` a cluster to which an agent on this host has brought two workers.
    static func with(_ body: (Cluster) async throws -> [Series]) async throws -> [Series] {
        let manager = ElasticManager(port: 0)
        return try await withCluster(manager) { cluster in
            guard let command = manager.joinCommand else { fatalError("an elastic manager says how to join") }
            start("exec env MUSTER_WORKERS=2 \(command)")
            while cluster.workers.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
            return try await body(cluster)
        }
    }

    private static func start(_ command: String) {
        var process: pid_t = 0
        var words = unsafe [strdup("/bin/sh"), strdup("-c"), strdup(command), nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        guard unsafe posix_spawn(&process, "/bin/sh", nil, nil, &words, environ) == 0 else {
            fatalError("no agent could be started")
        }
    }
}

/// A call to a worker of another host: over TCP and TLS to its agent, and from there through a ring.
struct RemoteRoundTrip: Benchmark {
    let name = "remote-round-trip"
    let title = "remoteCallFetch(capturing: x) { x in x &+ 1 } to a worker behind an agent, loopback, 3,000 calls"
    let unit = Unit.microseconds
    private static let calls = 3_000

    func run(_ host: Host) async throws -> [Series] {
        let (first, second) = (CInt(host.driver), CInt(host.worker))
        return try await RemoteHost.with { cluster in
            let worker = cluster.workers[0]
            return try await alternate(
                repeats: 7,
                [
                    Lane(key: "c.tcp", label: "C: ping-pong over TCP_NODELAY, CPUs \(first) and \(second)") {
                        floor_tcp_round_trip(first, second, RemoteRoundTrip.calls)
                    },
                    Lane(key: "muster", label: "Muster: driver, agent and worker", floor: "c.tcp") {
                        try await seconds {
                            for value in 0..<RemoteRoundTrip.calls {
                                let next = try await cluster.remoteCallFetch(on: worker, capturing: value) { $0 &+ 1 }
                                precondition(next == value + 1)
                            }
                        } / Double(RemoteRoundTrip.calls) * 1e6
                    },
                ])
        }
    }
}

/// A map whose body costs nothing, over workers of another host.
struct RemoteMap: Benchmark {
    let name = "remote-map"
    let title = "pmap { $0 &+ 1 } over 100,000 Ints, 2 workers behind an agent, loopback"
    let unit = Unit.millionPerSecond

    func run(_ host: Host) async throws -> [Series] {
        let elements = Array(0..<100_000)
        return try await RemoteHost.with { cluster in
            try await alternate(
                repeats: 5,
                [
                    Lane(key: "muster.one", label: "Muster: batches of 1") {
                        try await map(elements, cluster, batchSize: 1)
                    },
                    Lane(key: "muster.automatic", label: "Muster: automatic batches") {
                        try await map(elements, cluster, batchSize: .automatic)
                    },
                ])
        }
    }
}

/// Large data to another host and back.
struct RemoteBulk: Benchmark {
    let name = "remote-bulk"
    let title = "80 MB to a worker behind an agent, or back, loopback, TLS"
    let unit = Unit.gigabytesPerSecond

    func run(_ host: Host) async throws -> [Series] {
        let array = [Double](repeating: 1, count: 10_000_000)
        return try await RemoteHost.with { cluster in
            let worker = cluster.workers[0]
            return try await alternate(
                repeats: 7,
                [
                    Lane(key: "muster.there", label: "Muster: captured") {
                        let seconds = try await seconds {
                            let count = try await cluster.remoteCallFetch(on: worker, capturing: array) { $0.count }
                            precondition(count == array.count)
                        }
                        return 0.08 / seconds
                    },
                    Lane(key: "muster.back", label: "Muster: returned") {
                        let seconds = try await seconds {
                            let array = try await cluster.remoteCallFetch(on: worker) {
                                [Double](repeating: 2, count: 10_000_000)
                            }
                            precondition(array.count == 10_000_000)
                        }
                        return 0.08 / seconds
                    },
                ])
        }
    }
}

import CFloors
import Muster

/// The smallest call there is, one after the other: what a wake-up costs, and what we add to it.
struct RoundTrip: Benchmark {
    let name = "round-trip"
    let title = "remoteCallFetch(capturing: x) { x in x &+ 1 }, 10,000 calls one after the other"
    let unit = Unit.microseconds

    private static let calls = 10_000

    func run(_ host: Host) async throws -> [Series] {
        let (here, there) = (host.driver, host.worker)
        let (first, second) = (CInt(here), CInt(there))
        return try await withCluster { cluster in
            let apart = try await cluster.addWorkers(.localAffinity(cpus: [there]))[0]
            let together = try await cluster.addWorkers(.localAffinity(cpus: [here]))[0]
            let free = try await cluster.addWorkers(.local(1))[0]
            return try await alternate(
                repeats: 5,
                [
                    Lane(key: "socketpair.apart", label: "C: socketpair, CPUs \(here) and \(there)") {
                        floor_socket_round_trip(first, second, RoundTrip.calls)
                    },
                    Lane(
                        key: "muster.apart", label: "Muster: driver on CPU \(here), worker on \(there)",
                        floor: "socketpair.apart"
                    ) {
                        try await host.bound(to: [here]) { try await RoundTrip.call(cluster, apart) }
                    },
                    Lane(key: "socketpair.together", label: "C: socketpair, both on CPU \(here)") {
                        floor_socket_round_trip(first, first, RoundTrip.calls)
                    },
                    Lane(
                        key: "muster.together", label: "Muster: driver and worker on CPU \(here)",
                        floor: "socketpair.together"
                    ) {
                        try await host.bound(to: [here]) { try await RoundTrip.call(cluster, together) }
                    },
                    Lane(
                        key: "muster.free", label: "Muster: .local(1), driver and worker anywhere",
                        floor: "socketpair.apart"
                    ) {
                        try await RoundTrip.call(cluster, free)
                    },
                    Lane(key: "ring.apart", label: "C: ring, 2,000 spins, then futex, CPUs \(here) and \(there)") {
                        floor_ring_round_trip(first, second, RoundTrip.calls, 2_000)
                    },
                ])
        }
    }

    private nonisolated(nonsending) static func call(_ cluster: Cluster, _ worker: WorkerID) async throws -> Double {
        let seconds = try await seconds {
            for value in 0..<calls {
                let next = try await cluster.remoteCallFetch(on: worker, capturing: value) { x in x &+ 1 }
                precondition(next == value + 1)
            }
        }
        return seconds / Double(calls) * 1e6
    }
}

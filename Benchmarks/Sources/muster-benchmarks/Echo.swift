import CFloors
import Muster

/// A large argument and the same as the result.
struct Echo: Benchmark {
    let name = "echo"
    let title = "remoteCallFetch(capturing: 80 MB) { $0 }; bytes there and back"
    let unit = Unit.gigabytesPerSecond

    func run(_ host: Host) async throws -> [Series] {
        let array = [Double](repeating: 1, count: 10_000_000)
        let shared = try SharedArray<Double>(copying: array.span, in: .shared)
        let byteCount = 80_000_000
        return try await withCluster(.localAffinity(cpus: [host.worker])) { cluster in
            try await alternate(
                repeats: 3,
                [
                    Lane(key: "copy.warm", label: "C: memcpy of 80 MB into pages the process has") {
                        Double(byteCount) / floor_copy(byteCount, 0) / 1e9
                    },
                    Lane(key: "copy.fresh", label: "C: memcpy of 80 MB into new pages") {
                        Double(byteCount) / floor_copy(byteCount, 1) / 1e9
                    },
                    Lane(key: "copy.four", label: "C: there and back by shared memory, four copies, nothing new") {
                        2 * Double(byteCount) / floor_four_copies(byteCount) / 1e9
                    },
                    Lane(key: "muster.echo", label: "Muster: worker on CPU \(host.worker)", floor: "copy.four") {
                        let seconds = try await seconds {
                            let back = try await cluster.remoteCallFetch(capturing: array) { x in x }
                            precondition(back.count == array.count)
                        }
                        return 2 * Double(byteCount) / seconds / 1e9
                    },
                    Lane(key: "muster.shared", label: "Muster: the same as a SharedArray", floor: "copy.four") {
                        let seconds = try await seconds {
                            let back = try await cluster.remoteCallFetch(capturing: shared) { x in x }
                            precondition(back.count == shared.count)
                        }
                        return 2 * Double(byteCount) / seconds / 1e9
                    },
                ])
        }
    }
}

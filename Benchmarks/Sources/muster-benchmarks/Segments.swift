import CFloors
import Muster

/// A large block brought into shared memory, and read there for the first time.
struct Segments: Benchmark {
    let name = "segments"
    let title = "80 MB into shared memory, and out of it"
    let unit = Unit.milliseconds

    private static let count = 10_000_000

    func run(_ host: Host) async throws -> [Series] {
        let array = [Double](repeating: 1, count: Segments.count)
        let byteCount = 8 * Segments.count
        let arena = try SegmentArena(limit: 4 * byteCount, keptLimit: 2 * byteCount)
        func shared(_ way: floor_shared_way) -> Double { floor_shared(byteCount, way) * 1e3 }
        return try await alternate(
            repeats: 9,
            [
                Lane(key: "copy.warm", label: "C: memcpy into pages the process has") {
                    floor_copy(byteCount, 0) * 1e3
                },
                Lane(key: "copy.fresh", label: "C: memcpy into a fresh block of malloc's") {
                    floor_copy(byteCount, 1) * 1e3
                },
                Lane(key: "shared.faults", label: "C: memcpy into new shared pages, fault by fault") {
                    shared(floor_shared_copy_faults)
                },
                Lane(key: "shared.populated", label: "C: fallocate, populate and memcpy into shared pages") {
                    shared(floor_shared_copy_populated)
                },
                Lane(key: "shared.used", label: "C: memcpy into shared pages that were used before") {
                    shared(floor_shared_copy_used)
                },
                Lane(key: "muster.copy.fresh", label: "Muster: copied into a new segment", floor: "shared.populated") {
                    arena.releaseUnused()
                    return try copied(array, arena)
                },
                Lane(key: "muster.copy.again", label: "Muster: into its pages, the second time", floor: "shared.used") {
                    arena.releaseUnused()
                    _ = try copied(array, arena)
                    return try copied(array, arena)
                },
                Lane(key: "muster.copy.used", label: "Muster: into its pages, from then on", floor: "shared.used") {
                    arena.releaseUnused()
                    for _ in 0..<2 { _ = try copied(array, arena) }
                    return try copied(array, arena)
                },
                Lane(key: "muster.fill.fresh", label: "Muster: filled in place, new", floor: "shared.populated") {
                    arena.releaseUnused()
                    return try filled(arena)
                },
                Lane(key: "muster.fill.used", label: "Muster: filled in place, used before", floor: "shared.used") {
                    _ = try filled(arena)
                    return try filled(arena)
                },
                Lane(key: "read.used", label: "C: sum of shared pages that were read before") {
                    shared(floor_shared_read_used)
                },
                Lane(key: "read.faults", label: "C: first sum in a new mapping, with its faults", floor: "read.used") {
                    shared(floor_shared_read_faults)
                },
                Lane(key: "read.populated", label: "C: first sum, entered in bulk", floor: "read.used") {
                    shared(floor_shared_read_populated)
                },
            ])
    }

    private func copied(_ array: [Double], _ arena: SegmentArena) throws -> Double {
        let start = floor_seconds()
        let shared = try SharedArray(copying: array.span, in: arena)
        let end = floor_seconds()
        precondition(shared[Segments.count - 1] == 1)
        return (end - start) * 1e3
    }

    private func filled(_ arena: SegmentArena) throws -> Double {
        let start = floor_seconds()
        let shared = try SharedArray<Double>(count: Segments.count, in: arena) { span in
            for index in span.indices { span[index] = 1 }
        }
        let end = floor_seconds()
        precondition(shared[Segments.count - 1] == 1)
        return (end - start) * 1e3
    }
}

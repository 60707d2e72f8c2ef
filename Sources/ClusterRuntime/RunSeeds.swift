import Synchronization

/// Seeds for the maps and calls of a cluster, one after the other: the same in every program that does the same, and no two alike.
final class RunSeeds: Sendable {
    private let maps: UInt64
    private let calls: UInt64
    private let mapCount = Atomic<UInt64>(0)
    private let callCount = Atomic<UInt64>(0)

    /// - Parameter seed: The cluster's.
    init(_ seed: UInt64) {
        // Far from each other, so that maps and calls do not draw the same numbers.
        maps = RunSeeds.mix(seed &+ 1)
        calls = RunSeeds.mix(seed ^ 0x6361_6c6c_7321_3f00)
    }

    func nextOfMaps() -> UInt64 { RunSeeds.seed(maps, number: mapCount.add(1, ordering: .relaxed).oldValue) }
    func nextOfCalls() -> UInt64 { RunSeeds.seed(calls, number: callCount.add(1, ordering: .relaxed).oldValue) }

    /// Another for each number: both steps can be undone.
    private static func seed(_ base: UInt64, number: UInt64) -> UInt64 {
        mix(base &+ number &* 0x9e37_79b9_7f4a_7c15)
    }

    /// Source: Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (OOPSLA 2014), SplitMix64.
    private static func mix(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

import Placement

/// Machines made at random, as hwloc describes made-up ones.
enum RandomMachine {
    /// One to three packages, one to three NUMA nodes inside (or outside), one to three L3 caches, one to five cores,
    /// SMT of 1, 2, 4 or 8, and the kernel's numbers in one of three orders.
    static func description(_ random: inout SeededGenerator) -> String {
        func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        var levels: [String] = []
        let numa = ["numa:\(number(1...3))", "", "[numa]"].randomElement(using: &random) ?? ""
        let package = "pack:\(number(1...3))"
        levels += numa.hasPrefix("numa") && number(0...1) == 0 ? [numa, package] : [package, numa]
        if number(0...2) == 0 { levels.append("group:\(number(1...2))") }
        if number(0...1) == 0 { levels.append("l3:\(number(1...3))") }
        if number(0...3) == 0 { levels.append("l2:\(number(1...2))") }
        let threads = [1, 1, 2, 2, 4, 8].randomElement(using: &random) ?? 1
        let cores = number(1...5)
        let order = ["", "(indexes=pu:core)", "(indexes=core:pack)"].randomElement(using: &random) ?? ""
        levels.append("core:\(cores)")
        levels.append("pu:\(threads)\(threads > 1 && cores > 1 ? order : "")")
        return levels.filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// A part of a set that is not empty: each CPU with a chance of one to three quarters.
    static func part(of set: CPUSet, _ random: inout SeededGenerator) -> CPUSet {
        let chance = Int.random(in: 1...3, using: &random)
        let part = CPUSet(set.filter { _ in Int.random(in: 0..<4, using: &random) < chance })
        return part.isEmpty ? set : part
    }
}

/// Numbers that are the same for the same seed: xorshift64*, by S. Vigna, "An experimental exploration of Marsaglia's
/// xorshift generators, scrambled".
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

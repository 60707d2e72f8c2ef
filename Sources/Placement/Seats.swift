/// What one worker can be given: as many usable CPUs as it has threads.
struct Seat {
    /// Positions of its CPUs among the usable ones, in topological order but where CPUs are shared.
    let positions: [Int]
    /// The seats of a lower tier are taken first.
    var tier: Int

    /// Where in the machine it counts.
    var position: Int { positions[0] }
}

/// The seats of a machine for workers of a given size, in tiers: all of one tier are taken before one of the next.
///
/// A seat is made of CPUs that follow one another inside the smallest domain that holds them, so that a worker of two
/// threads has a core to itself where cores have two CPUs. Seats that begin with a core's first CPU come first, those of
/// the most capable kind of core before the others; then those that begin with a core's second CPU, and so on, so that
/// no core is doubled while another idles; then seats made of what is left over between all those. Last come, in the same
/// way, CPUs that workers of others have.
struct Seats {
    /// Seats by tier, each in topological order; together they use no CPU twice.
    let tiers: [[Seat]]
    /// CPUs that no seat uses, fewer than a worker needs.
    let left: [Int]
    /// The tiers whose seats are made of CPUs that don't follow one another.
    let scatteredTiers: Set<Int>
    private let threads: Int
    private let cpuCount: Int

    /// - Parameter coresFirst: Whether all cores come before a second thread of one; else threads come in order.
    init(of usable: UsableCPUs, threads: Int, coresFirst: Bool = true) {
        self.threads = threads
        cpuCount = usable.cpus.count
        var tiers: [[[Int]]] = []
        var scatteredTiers: Set<Int> = []
        var rest: [Int] = []
        func add(_ tier: [[Int]], isScattered: Bool) {
            guard !tier.isEmpty else { return }
            if isScattered { scatteredTiers.insert(tiers.count) }
            tiers.append(tier)
        }
        for isOccupied in [false, true] {
            var adjacent: [[[Int]]] = []
            var scattered: [[[Int]]] = []
            for kind in usable.kinds {
                let alike = usable.cpus.indices.filter {
                    usable.cpus[$0].kind == kind && usable.cpus[$0].isOccupied == isOccupied
                }
                let (blocks, left) = Self.blocks(of: threads, from: alike[...], in: usable.nearest)
                var order = [Int](repeating: 0, count: usable.cpus.count)
                for (index, position) in alike.enumerated() { order[position] = index }
                let isAdjacent = { (block: [Int]) in order[block[block.count - 1]] - order[block[0]] == threads - 1 }
                adjacent.append(blocks.filter(isAdjacent))
                scattered.append(blocks.filter { !isAdjacent($0) })
                rest += left
            }
            let (mixed, left) = Self.blocks(of: threads, from: rest.sorted()[...], in: usable.nearest)
            scattered.append(mixed)
            rest = left
            // Seats that begin a core come before those that begin at its second CPU, and so on.
            let last = usable.cpus.lazy.map(\.thread).max() ?? 0
            for thread in 0...(coresFirst ? last : 0) {
                for blocks in adjacent {
                    add(coresFirst ? blocks.filter { usable.cpus[$0[0]].thread == thread } : blocks, isScattered: false)
                }
            }
            for blocks in scattered { add(blocks, isScattered: true) }
        }
        left = rest
        self.scatteredTiers = scatteredTiers
        self.tiers = tiers.enumerated().map { tier, blocks in
            blocks.map { Seat(positions: $0, tier: tier) }.sorted { $0.position < $1.position }
        }
    }

    /// Seats that are given, tier by tier, for one worker each.
    init(_ tiers: [[[Int]]], of usable: UsableCPUs) {
        self.tiers = tiers.enumerated().map { tier, blocks in
            blocks.map { Seat(positions: $0, tier: tier) }.sorted { $0.position < $1.position }
        }
        left = []
        scatteredTiers = []
        threads = 1
        cpuCount = usable.cpus.count
    }

    /// The tiers that `count` workers sit on, the last one as a whole even if it is too large.
    ///
    /// Where there are more workers than seats, seats are given out again, so that no CPU has two workers more than
    /// another: whole tiers again if seats use every CPU; otherwise what is left over and then CPUs in the same order.
    func tiers(for count: Int) -> [[Seat]] {
        var taken: [[Seat]] = []
        var missing = count
        func take(_ tier: [Seat]) {
            taken.append(tier.map { Seat(positions: $0.positions, tier: taken.count) })
            missing -= tier.count
        }
        for tier in tiers where missing > 0 { take(tier) }
        let order = tiers.joined().flatMap(\.positions) + left
        var next = order.count - left.count
        while missing > 0 {
            if left.isEmpty {
                for tier in tiers where missing > 0 { take(tier) }
            } else {
                take([Seat(positions: (0..<threads).map { order[(next + $0) % cpuCount] }, tier: 0)])
                next += threads
            }
        }
        return taken
    }

    /// Cuts blocks of `size` out of positions, the smallest domains first, and says which positions are left.
    private static func blocks(
        of size: Int, from positions: ArraySlice<Int>, in domain: Domain
    ) -> (blocks: [[Int]], left: [Int]) {
        var blocks: [[Int]] = []
        var left: [Int] = []
        var rest = positions
        if domain.parts.isEmpty {
            left = Array(rest)
        }
        for part in domain.parts {
            let end = rest.firstIndex { $0 >= part.range.upperBound } ?? rest.endIndex
            let (inner, over) = self.blocks(of: size, from: rest[..<end], in: part)
            blocks += inner
            left += over
            rest = rest[end...]
        }
        var start = 0
        while left.count - start >= size {
            blocks.append(Array(left[start..<(start + size)]))
            start += size
        }
        return (blocks, Array(left[start...]))
    }
}

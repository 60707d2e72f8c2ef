/// Shares `count` out in proportion to `weights`: each gets the floor or the ceiling of its share.
///
/// What the floors leave goes to those that have none yet, so that as many as possible are used; then to those where one
/// more can go to a part of its own; then to the others. Among equals the largest remainder comes first, then the first. No
/// share exceeds its weight as long as `count` doesn't exceed their sum.
///
/// - Parameters:
///   - weights: At least 0, not all 0.
///   - parts: How many parts with room each has.
///   - servesFirst: Whether the first weight above 0 gets one in any case (if `count` does), so that worker 1 is on the
///     first core even where that core's package is small.
func shares(of count: Int, weights: [Int], parts: [Int], servesFirst: Bool) -> [Int] {
    let sum = weights.reduce(0, +)
    var shares = weights.map { count * $0 / sum }
    var order = weights.indices.filter { count * weights[$0] % sum > 0 }
    order.sort { one, other in
        func urgency(_ index: Int) -> Int { shares[index] == 0 ? 0 : shares[index] < parts[index] ? 1 : 2 }
        return (urgency(one), count * weights[other] % sum, one) < (urgency(other), count * weights[one] % sum, other)
    }
    if servesFirst, let first = weights.firstIndex(where: { $0 > 0 }), shares[first] == 0,
        let place = order.firstIndex(of: first)
    {
        order.insert(order.remove(at: place), at: 0)
    }
    for index in order.prefix(count - shares.reduce(0, +)) { shares[index] += 1 }
    return shares
}

extension Domain {
    /// Chooses `count` of `seats` in proportion, part by part; in a leaf the first ones.
    ///
    /// - Parameter seats: In order of position, at least `count`.
    func spread(_ count: Int, over seats: ArraySlice<Seat>, servesFirst: Bool = true) -> [Seat] {
        guard !parts.isEmpty, count > 0, count < seats.count else { return Array(seats.prefix(count)) }
        let groups = divide(seats)
        let inner = parts.indices.map { index in
            max(1, parts[index].divide(groups[index]).count { !$0.isEmpty })
        }
        let shares = shares(of: count, weights: groups.map(\.count), parts: inner, servesFirst: servesFirst)
        let first = groups.firstIndex { !$0.isEmpty }
        return parts.indices.flatMap { index in
            parts[index].spread(shares[index], over: groups[index], servesFirst: servesFirst && index == first)
        }
    }

    /// Orders seats so that those of a part follow one another: parts by their best seat, in a leaf the best first.
    ///
    /// - Parameter seats: In order of position.
    func together(_ seats: ArraySlice<Seat>) -> [Seat] {
        guard !parts.isEmpty else { return seats.sorted { ($0.tier, $0.position) < ($1.tier, $1.position) } }
        let groups = divide(seats).enumerated().compactMap { index, group in
            group.lazy.map(\.tier).min().map { (tier: $0, index: index, seats: group) }
        }
        return groups.sorted { ($0.tier, $0.index) < ($1.tier, $1.index) }.flatMap {
            parts[$0.index].together($0.seats)
        }
    }

    private func divide(_ seats: ArraySlice<Seat>) -> [ArraySlice<Seat>] {
        var rest = seats
        return parts.map { part in
            let end = rest.firstIndex { $0.position >= part.range.upperBound } ?? rest.endIndex
            defer { rest = rest[end...] }
            return rest[..<end]
        }
    }
}

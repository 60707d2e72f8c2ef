/// Puts values that arrive in any order back into the order of their places.
struct InOrder<Value> {
    private var waiting: [Int: Value] = [:]
    /// Place of the value that comes next, from 0.
    private(set) var next = 0

    /// Takes the value of a place, once for each place.
    ///
    /// - Returns: The values that can go on now, in order: none while an earlier one is missing.
    mutating func add(_ value: Value, at place: Int) -> [(place: Int, value: Value)] {
        precondition(place >= next && waiting[place] == nil, "place \(place) has been taken")
        waiting[place] = value
        var ready: [(place: Int, value: Value)] = []
        while let value = waiting.removeValue(forKey: next) {
            ready.append((next, value))
            next += 1
        }
        return ready
    }
}

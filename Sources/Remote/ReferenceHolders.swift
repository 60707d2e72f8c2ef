/// The processes that hold references to something, and how many each.
///
/// Whoever passes a reference on tells the owner for the receiver, before it lets go of its own; the receiver tells when it
/// lets go. These may arrive the other way round, over links of different processes: so counts may be negative for a
/// while, and what is held by nobody is what has no count other than zero.
struct ReferenceHolders: Hashable, Sendable {
    /// Most are held by one process: no dictionary for those.
    private var first: (process: Int, count: Int)?
    private var others: [Int: Int]?

    /// Nobody.
    init() {}

    /// One process, once.
    init(_ process: Int) { first = (process, 1) }

    /// Whether nobody holds any.
    var isEmpty: Bool { first == nil && others == nil }

    mutating func change(_ process: Int, by change: Int) {
        guard change != 0 else { return }
        if let known = first, known.process == process {
            // Wraps: what no honest process says is to do no harm.
            first = known.count &+ change == 0 ? nil : (process, known.count &+ change)
        } else if first == nil, others == nil {
            first = (process, change)
        } else {
            var rest = others ?? [:]
            let count = rest[process, default: 0] &+ change
            rest[process] = count == 0 ? nil : count
            others = rest.isEmpty ? nil : rest
        }
    }

    /// A process has ended.
    mutating func forget(_ process: Int) {
        if first?.process == process { first = nil }
        if others?.removeValue(forKey: process) != nil, others?.isEmpty == true { others = nil }
    }

    /// Whether a process holds any.
    func contains(_ process: Int) -> Bool { first?.process == process || others?[process] != nil }

    static func == (left: ReferenceHolders, right: ReferenceHolders) -> Bool { left.all == right.all }
    func hash(into hasher: inout Hasher) { hasher.combine(all) }

    private var all: [Int: Int] {
        var all = others ?? [:]
        if let first { all[first.process, default: 0] &+= first.count }
        return all
    }
}

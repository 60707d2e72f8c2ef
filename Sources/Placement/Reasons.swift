/// Why each worker is where it is, and what the user should be told about the whole.
struct Reasons {
    private let request: PlacementRequest
    private let topology: Topology
    private let usable: UsableCPUs
    private let count: Int

    init(_ request: PlacementRequest, _ topology: Topology, _ usable: UsableCPUs, _ seats: [Seat]) {
        self.request = request
        self.topology = topology
        self.usable = usable
        count = seats.count
    }

    /// Whether a CPU has more than one worker.
    var isOversubscribed: Bool { count * request.threads > usable.cpus.count }

    /// What the user should be told.
    var notes: [String] {
        guard isOversubscribed else { return [] }
        return ["\(count) workers on \(usable.cpus.count) CPUs: CPUs are shared"]
    }

    /// Why the worker at `index` got `seat`.
    func reason(for seat: Seat, at index: Int) -> String {
        let cpu = usable.cpus[seat.position]
        let core = topology.cores[cpu.core]
        let place = core.package.map { " of package \(topology.packages[$0].osIndex)" } ?? ""
        return "core \(core.osIndex)\(place), \(index == 0 ? "first" : "next") in topological order"
    }
}

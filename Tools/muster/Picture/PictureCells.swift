import Muster

/// What a picture says about each CPU: its number, whether it may be used, and the workers on it.
struct PictureCells {
    /// Whether workers are shown.
    let hasWorkers: Bool
    /// Whether a CPU's number stands above its worker.
    let isNumbered: Bool
    private let allowed: CPUSet
    private let workers: [Int: [Int]]
    private let prefix: String

    /// - Parameters:
    ///   - isNumbered: Whether there is room for two lines per CPU where workers are shown.
    ///   - prefix: What stands before the number of a worker.
    init(_ topology: Topology, plan: PlacementPlan?, isNumbered: Bool, prefix: String) {
        var workers: [Int: [Int]] = [:]
        for worker in plan?.workers ?? [] {
            for cpu in worker.cpus { workers[cpu, default: []].append(worker.worker) }
        }
        self.workers = workers
        self.prefix = prefix
        hasWorkers = plan != nil
        self.isNumbered = isNumbered && plan != nil
        allowed = topology.allowed
    }

    /// The workers on a CPU, in rising order.
    func workers(on cpu: Int) -> [Int] { workers[cpu] ?? [] }

    /// Whether a CPU may be used.
    func isUsable(_ cpu: Int) -> Bool { allowed.contains(cpu) }

    /// What stands on a CPU, in one line or two.
    func lines(_ cpu: Int) -> [String] {
        guard hasWorkers else { return [isUsable(cpu) ? "\(cpu)" : "x\(cpu)"] }
        return (isNumbered ? ["\(cpu)"] : []) + [mark(cpu)]
    }

    /// The workers of a CPU in few characters: `3`, `1,5`, or `1+7` for worker 1 and seven more.
    func mark(_ cpu: Int) -> String {
        let on = workers(on: cpu)
        switch on.count {
        case 0: return isUsable(cpu) ? "·" : "x"
        case 1: return "\(prefix)\(on[0])"
        case 2 where on[1] < 100: return "\(prefix)\(on[0]),\(on[1])"
        default: return "\(prefix)\(on[0])+\(on.count - 1)"
        }
    }

    /// The colour of a worker, on which black is legible; neighbours differ, and none is near the black or white of
    /// a terminal.
    static func color(of worker: Int) -> (terminal: Int, drawing: String) {
        palette[(worker - 1) % palette.count]
    }

    /// From xterm's 256 colours, so that a terminal and a drawing show the same.
    private static let palette: [(terminal: Int, drawing: String)] = [
        (75, "#5fafff"), (215, "#ffaf5f"), (114, "#87d787"), (176, "#d787d7"), (186, "#d7d787"), (80, "#5fd7d7"),
        (210, "#ff8787"), (147, "#afafff"), (179, "#d7af5f"), (149, "#afd75f"), (218, "#ffafd7"), (109, "#87afaf"),
    ]
}

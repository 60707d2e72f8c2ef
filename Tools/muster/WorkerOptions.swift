public import ArgumentParser
public import Muster

/// How many workers a command has, and where they go.
struct WorkerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Number of workers; one per usable core unless told.", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("How to spread them; balanced unless told.", valueName: "mode"))
    var mode: Mode?

    @Option(
        help: ArgumentHelp(
            "Spread them over parts of one kind, compact inside each.", valueName: "part"))
    var spread: PlacementDomain?

    @Option(
        help: ArgumentHelp(
            "One worker per part of this kind, with all its CPUs or --threads of them.", valueName: "part"))
    var per: PlacementDomain?

    @Option(help: ArgumentHelp("Threads, and so CPUs, of each worker; 1 unless told.", valueName: "t"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "CPUs in place of a mode, such as 0-3,8: one per worker in this order, or --threads of them.",
            valueName: "list"))
    var cpus: String?

    @Option(help: ArgumentHelp("CPUs that no worker gets, such as 0-1.", valueName: "list"))
    var reserve: String?

    @Option(help: ArgumentHelp("Only cores of this kind: P, E, 0 (the most capable), 1, or a name.", valueName: "kind"))
    var coreKind: String?

    @Option(
        help: ArgumentHelp("Only CPUs near it: a name, a PCI address, gpu0, nic0.", valueName: "device"))
    var near: String?

    @Option(
        help: ArgumentHelp(
            "Memory from the CPUs' node only, from there while it has some, from all workers' nodes in turn, or as it comes.",
            valueName: "memory"))
    var memory: MemoryMode = .preferred

    @Option(help: ArgumentHelp("The kind of memory, such as HBM or CXL.", valueName: "kind"))
    var memoryTier: String?

    /// The modes that have a name.
    enum Mode: String, ExpressibleByArgument, CaseIterable { case compact, balanced }

    /// The plan for a machine.
    ///
    /// - Parameter occupied: CPUs that workers of others have there.
    /// - Throws: ``UsageError`` for a request that can't be met there.
    func plan(
        on topology: @autoclosure () throws -> Topology, occupied: @autoclosure () -> [Occupation] = []
    ) throws -> PlacementPlan {
        var request = try request()
        let topology = try topology()
        request.occupied = occupied()
        return try usage { () throws(PlacementError) in try PlacementPlan(request, on: topology) }
    }

    /// What `work` returns; a request that can't be met is a mistake of who made it, but for a machine without CPUs.
    func usage<R>(_ work: () throws(PlacementError) -> R) throws -> R {
        do throws(PlacementError) {
            return try work()
        } catch  where error.code != .noUsableCPU {
            throw UsageError(message: error.description)
        }
    }

    /// What is asked of the planner.
    func request() throws -> PlacementRequest {
        try checkWays()
        do throws(CPUListError) {
            var request = PlacementRequest(workers: workers, mode: placementMode, threads: threads)
            request.cpus = try cpus.map { list throws(CPUListError) in try CPUSet.list(parsing: list).map { [$0] } }
            request.per = per
            if let reserve { request.reserved = try CPUSet(parsing: reserve) }
            request.coreKind = coreKind
            request.near = near
            request.memory = memory
            request.memoryTier = memoryTier
            return request
        } catch {
            throw UsageError(message: error.description)
        }
    }

    /// Whether anything is said about workers.
    var isEmpty: Bool {
        workers == nil && mode == nil && spread == nil && per == nil && threads == nil && cpus == nil && reserve == nil
            && coreKind == nil && near == nil && memory == .preferred && memoryTier == nil
    }

    private var placementMode: PlacementMode { spread.map { .spread($0) } ?? (mode == .compact ? .compact : .balanced) }

    /// Refuses options that exclude one another.
    private func checkWays() throws {
        let ways = [("--cpus", cpus != nil), ("--mode", mode != nil), ("--spread", spread != nil)].filter(\.1)
        if ways.count > 1 {
            throw UsageError(message: "\(ways[0].0) says where each worker goes; leave \(ways[1].0) out")
        }
        if cpus != nil, per != nil {
            throw UsageError(message: "--cpus says where each worker goes; leave --per out")
        }
    }
}

extension PlacementDomain: ExpressibleByArgument {}
extension MemoryMode: ExpressibleByArgument {}

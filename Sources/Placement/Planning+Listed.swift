extension Planning {
    /// Seats on the CPUs that the caller lists, in that order, or which of them can't be had.
    static func seats(
        listed entries: [[Int]], _ request: PlacementRequest, on topology: Topology, _ usable: UsableCPUs
    ) throws(PlacementError) -> [Seat] {
        func failure(_ code: PlacementError.Code, _ cpu: Int? = nil, _ problem: String, _ cure: String)
            -> PlacementError
        {
            PlacementError(code: code, cpu: cpu, allowed: topology.allowed, problem: problem, cure: cure)
        }
        let threads = request.threads ?? 1
        guard !entries.isEmpty, entries.allSatisfy({ !$0.isEmpty }) else {
            throw failure(.mismatch, nil, "a worker has no CPU in the list", "list at least one CPU for each worker")
        }
        guard entries.count % threads == 0 else {
            throw failure(
                .mismatch, nil, "\(entries.count) CPUs don't make workers of \(threads) threads",
                "list a multiple of \(threads) CPUs")
        }
        let count = entries.count / threads
        if let workers = request.workers, workers != count {
            throw failure(
                .mismatch, nil, "the list has CPUs for \(count) workers, not for \(workers)",
                "list \(threads) for each worker, or leave the number of workers out")
        }
        guard count <= PlacementRequest.largestWorkerCount else {
            throw failure(.invalidCount, nil, "\(count) workers can't be placed", "list fewer CPUs")
        }
        var seen: CPUSet = []
        for cpu in entries.joined() {
            guard topology.complete.contains(cpu) else {
                throw failure(.absent, cpu, "CPU \(cpu) is not there", "list CPUs of this machine")
            }
            guard topology.online.contains(cpu) else {
                throw failure(.offline, cpu, "CPU \(cpu) is offline or outside the cpuset", "list another one")
            }
            guard topology.allowed.contains(cpu) else {
                throw failure(.notAllowed, cpu, "CPU \(cpu) is not allowed", "list others, or widen the mask or cpuset")
            }
            guard !request.reserved.contains(cpu) else {
                throw failure(.reserved, cpu, "CPU \(cpu) is reserved", "list others, or reserve fewer")
            }
            guard usable.positions[cpu] != nil else {
                throw failure(
                    .mismatch, cpu, "CPU \(cpu) is not of the kind of core, or not near the device, that was asked for",
                    "list others, or leave that out")
            }
            guard !seen.contains(cpu) else {
                throw failure(.repeated, cpu, "CPU \(cpu) is listed twice", "list each CPU once")
            }
            seen.insert(cpu)
        }
        return (0..<count).map { index in
            let cpus = entries[(index * threads)..<((index + 1) * threads)].joined()
            return Seat(positions: cpus.compactMap { usable.positions[$0] }.sorted(), tier: 0)
        }
    }
}

package import Placement

/// How many workers have each CPU.
package struct CPUTally: Sendable {
    private var counts: [Int: Int] = [:]

    /// Counts the CPUs of workers.
    package init(_ workers: [CPUSet] = []) {
        for cpus in workers { insert(cpus) }
    }

    /// Counts the CPUs of one more worker.
    package mutating func insert(_ cpus: CPUSet) {
        for cpu in cpus { counts[cpu, default: 0] += 1 }
    }

    /// Counts the CPUs of one worker less; those that none has stay so.
    package mutating func remove(_ cpus: CPUSet) {
        for cpu in cpus {
            guard let count = counts[cpu] else { continue }
            counts[cpu] = count > 1 ? count - 1 : nil
        }
    }

    /// The CPUs that a worker has.
    package var cpus: CPUSet { CPUSet(counts.keys) }
}

/// What `condor_q -better-analyze` says of a job that found no machine, in one line.
struct HTCondorAnalysis: CustomStringConvertible {
    let description: String

    /// Reads the analysis of one job: a table of conditions, with the number of machines that meet each, and a summary.
    ///
    /// ```
    /// [5]           1  TARGET.Memory >= RequestMemory
    /// [7]           0  TARGET.Cpus >= RequestCpus
    /// …
    /// 008.000:  Run analysis summary ignoring user priority.  Of 1 machines,
    ///       1 are rejected by your job's requirements
    ///       0 reject your job because of their own requirements
    /// ```
    ///
    /// - Returns: `nil` if the lines have none.
    init?(of lines: [Substring]) {
        var conditions: [Substring: String] = [:]
        var unmet: [String] = []
        for line in lines {
            guard let step = line.wholeMatch(of: #/(\[[0-9]+\])\s+([0-9]+)\s+(\S.*)/#) else { continue }
            // Later steps join earlier ones: `[5] && [7]`.
            let condition = String(step.3).replacing(#/\[[0-9]+\]/#) { conditions[$0.0] ?? String($0.0) }
            conditions[step.1] = condition
            if step.2 == "0" { unmet.append(condition) }
        }
        if !unmet.isEmpty {
            description = "no machine meets " + unmet.joined(separator: ", nor ")
            return
        }
        guard let start = lines.firstIndex(where: { $0.contains("Run analysis summary") }) else { return nil }
        let counts = lines[(start + 1)...].prefix { $0.hasPrefix("  ") }
            .map { $0.split(separator: " ").joined(separator: " ") }.filter { !$0.hasPrefix("0 ") }
        guard !counts.isEmpty else { return nil }
        description = "of the machines, " + counts.joined(separator: ", ")
    }
}

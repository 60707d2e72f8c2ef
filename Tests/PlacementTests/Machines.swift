import Machine
import Placement

/// A machine to plan for: a synthetic description, or the name of a file in Topologies.
func machine(_ name: String) throws -> Topology {
    guard name.hasSuffix(".xml") else { return try Topology(synthetic: name) }
    return try Topology(xmlFile: "\(testDirectory)/Topologies/\(name)")
}

/// The directory of these tests.
let testDirectory = #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined()

extension PlacementPlan {
    /// The CPUs of each worker.
    var cpus: [[Int]] { workers.map { Array($0.cpus) } }
}

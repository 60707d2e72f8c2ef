/// Why a topology could not be had.
public struct TopologyError: Error, Hashable {
    /// The kind of failure; compare it with the static members. New kinds may be added.
    public struct Code: Hashable, Sendable {
        private enum Kind { case unreadable, notTopology, wrongVersion, badDescription, discovery, otherMachine }
        private let kind: Kind
        /// The file is missing or can't be read.
        public static let unreadable = Code(kind: .unreadable)
        /// The file holds no topology that hwloc understands.
        public static let notTopology = Code(kind: .notTopology)
        /// The file is of a version of hwloc's format that is not supported.
        public static let wrongVersion = Code(kind: .wrongVersion)
        /// The synthetic description is malformed.
        public static let badDescription = Code(kind: .badDescription)
        /// hwloc failed to look at this machine.
        public static let discovery = Code(kind: .discovery)
        /// Environment variables of hwloc put another machine in this one's place.
        public static let otherMachine = Code(kind: .otherMachine)
    }

    /// The kind of failure.
    public let code: Code
    /// What could not be read: a file, a description, or this machine.
    public let source: String
    /// What is wrong with it.
    public let problem: String
    /// How to mend it.
    public let cure: String
}

extension TopologyError: CustomStringConvertible {
    /// What failed, why, and how to mend it, in one line.
    public var description: String { "\(source) \(problem); \(cure)" }
}

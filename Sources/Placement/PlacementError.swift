/// A request that this machine can't meet.
public struct PlacementError: Error, Hashable {
    /// The kind of failure; compare it with the static members. New kinds may be added.
    public struct Code: Hashable, Sendable {
        private enum Kind {
            case noUsableCPU, invalidCount, absent, offline, notAllowed, repeated, mismatch, reserved, noSuchKind
            case noSuchDevice, noSuchMemory, noSuchPart
        }
        private let kind: Kind
        /// The machine has no CPU that may be used here.
        public static let noUsableCPU = Code(kind: .noUsableCPU)
        /// The number of workers or threads is out of range.
        public static let invalidCount = Code(kind: .invalidCount)
        /// The machine has no such CPU.
        public static let absent = Code(kind: .absent)
        /// The CPU is there but offline.
        public static let offline = Code(kind: .offline)
        /// The CPU is there but this process may not use it.
        public static let notAllowed = Code(kind: .notAllowed)
        /// The CPU is listed twice.
        public static let repeated = Code(kind: .repeated)
        /// The list doesn't fit the number of workers or threads.
        public static let mismatch = Code(kind: .mismatch)
        /// The CPU is reserved, or all are.
        public static let reserved = Code(kind: .reserved)
        /// No core is of the kind asked for.
        public static let noSuchKind = Code(kind: .noSuchKind)
        /// The machine has no such device.
        public static let noSuchDevice = Code(kind: .noSuchDevice)
        /// The machine has no memory of the kind asked for.
        public static let noSuchMemory = Code(kind: .noSuchMemory)
        /// The machine has no parts of the kind asked for.
        public static let noSuchPart = Code(kind: .noSuchPart)
    }

    /// The kind of failure.
    public let code: Code
    /// The CPU it is about, if it is about one.
    public let cpu: Int?
    /// The CPUs that may be used.
    public let allowed: CPUSet
    /// What is wrong.
    public let problem: String
    /// How to mend it.
    public let cure: String
}

extension PlacementError: CustomStringConvertible {
    /// What is wrong, what may be used, and how to mend it, in one line.
    public var description: String {
        "\(problem); \(allowed.isEmpty ? "no CPU is usable here" : "usable here: \(allowed)"); \(cure)"
    }
}

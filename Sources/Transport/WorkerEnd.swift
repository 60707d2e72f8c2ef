import Glibc
package import Wire

/// How and why a worker ended, as far as it is known.
public struct WorkerEnd: Hashable, Codable, Sendable {
    /// What ended a worker.
    public enum Cause: Hashable, Codable, Sendable {
        /// It exited by itself with this status.
        case exited(status: Int32)
        /// This signal ended it; a trap is SIGILL or SIGTRAP, an overflowed stack SIGSEGV.
        case signalled(Int32)
        /// Nothing was heard of it for this many seconds, so it was killed.
        case silent(seconds: Double)
        /// Its body was cancelled or interrupted and went on for this many seconds, so it was killed.
        case unresponsive(seconds: Double)
        /// The link to it ended; nothing more is known.
        case lost(String)
        /// The cluster ended it.
        case removed
    }

    /// What ended it, as the end of a sentence about the worker.
    package var causeInWords: String {
        switch cause {
        case .exited(let status): "exited with status \(status)"
        case .signalled(let signal):
            "was ended by signal \(signal) (\(unsafe String(cString: strsignal(signal))))"
        case .silent(let seconds): "was ended: nothing was heard of it for \(Int(seconds.rounded())) s"
        case .unresponsive(let seconds):
            "was ended: its body was cancelled, and went on for \(Int(seconds.rounded())) s"
        case .lost(let reason): "is lost: \(reason)"
        case .removed: "was removed from the cluster"
        }
    }

    /// Whether nothing was wrong: it was told to go, or went by its own will.
    package var isOrderly: Bool { cause == .removed || cause == .exited(status: 0) }

    /// What ended it.
    public let cause: Cause
    /// The last lines it wrote to its standard error; 16 KiB at most.
    public let standardErrorTail: String

    /// Describes an end.
    public init(cause: Cause, standardErrorTail: String = "") {
        self.cause = cause
        self.standardErrorTail = standardErrorTail
    }
}

extension WorkerEnd: WireCodable {
    package func write(to output: inout WireWriter) {
        switch cause {
        case .exited(let status): output.write(UInt8(1), status)
        case .signalled(let signal): output.write(UInt8(2), signal)
        case .silent(let seconds): output.write(UInt8(3), seconds)
        case .lost(let reason): output.write(UInt8(4), reason)
        case .removed: output.write(UInt8(5))
        case .unresponsive(let seconds): output.write(UInt8(6), seconds)
        }
        output.write(standardErrorTail)
    }

    package init(from input: inout WireReader) throws(WireError) {
        let cause: Cause =
            switch try input.read() as UInt8 {
            case 1: .exited(status: try input.read())
            case 2: .signalled(try input.read())
            case 3: .silent(seconds: try WorkerEnd.silence(from: &input))
            case 4: .lost(try input.read())
            case 5: .removed
            case 6: .unresponsive(seconds: try WorkerEnd.silence(from: &input))
            case let tag: throw input.invalid("no end of a worker has tag \(tag)")
            }
        self.init(cause: cause, standardErrorTail: try input.read())
    }

    private static func silence(from input: inout WireReader) throws(WireError) -> Double {
        let seconds: Double = try input.read()
        guard seconds >= 0, seconds <= 1e9 else { throw input.invalid("a silence of \(seconds) s") }
        return seconds
    }
}

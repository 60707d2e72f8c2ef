import Glibc
import Muster

/// What became of one command.
struct CommandResult: Hashable, Sendable {
    /// How a command ended.
    enum End: Hashable, Sendable {
        case exited(status: Int32)
        case signalled(Int32)
        /// It was not started, or could not be watched, for this reason.
        case lost(String)
    }

    /// How it ended.
    var end: End
    /// What it wrote to standard output.
    var output: [UInt8] = []
    /// What it wrote to standard error.
    var errors: [UInt8] = []

    /// Whether it ended as a command that did its work does.
    var hasSucceeded: Bool { end == .exited(status: 0) }
}

extension CommandResult.End: CustomStringConvertible {
    /// What happened, as the end of a sentence about the command.
    var description: String {
        switch self {
        case .exited(let status): "exited with \(status)"
        case .signalled(let signal): "was ended by signal \(signal) (\(unsafe String(cString: strsignal(signal))))"
        case .lost(let reason): reason
        }
    }
}

extension CommandResult: WireEncodable, WireDecodable {
    /// Writes the parts in order.
    func write(to output: inout WireWriter) {
        switch end {
        case .exited(let status): output.write(0 as UInt8, status, "")
        case .signalled(let signal): output.write(1 as UInt8, signal, "")
        case .lost(let reason): output.write(2 as UInt8, 0 as Int32, reason)
        }
        output.write(self.output, errors)
    }

    /// Reads the parts in order.
    init(from input: inout WireReader) throws(WireError) {
        let offset = input.offset
        let (kind, number, reason): (UInt8, Int32, String) = try input.read()
        switch kind {
        case 0: end = .exited(status: number)
        case 1: end = .signalled(number)
        case 2: end = .lost(reason)
        default: throw WireError(code: .invalidTag, offset: offset, detail: "a command does not end in way \(kind)")
        }
        (output, errors) = try input.read()
    }
}

import ArgumentParser
import Glibc
import SharedMemoryLink

/// Words of the command line, and lines of input, as the bytes they are: names of files need not be UTF-8, and a
/// `String` would change such bytes.
enum RawArguments {
    /// The last `count` words of the command line.
    static func last(_ count: Int) -> [[UInt8]] {
        let total = Int(CommandLine.argc)
        return (max(total - count, 0)..<total).map { index in
            guard let word = unsafe CommandLine.unsafeArgv[index] else { return [] }
            // SAFETY: the argument vector holds `argc` strings that end with zero and live as long as the process.
            return unsafe [UInt8](UnsafeRawBufferPointer(start: word, count: strlen(word)))
        }
    }

    /// The bytes of `words`, which are all that the parser left of the command line, without a leading `--`.
    ///
    /// The parser leaves what it does not know, also `--help` and misspelt options.
    static func command<Command: ParsableCommand>(_ words: [String], of command: Command) throws -> [[UInt8]] {
        switch words.first {
        case "--": return last(words.count - 1)
        case "--help", "-h": throw CleanExit.helpRequest(command)
        case let option? where option.hasPrefix("-") && option != "-":
            throw UsageError(message: "Unknown option '\(option)'; options stand before the command, see --help")
        default: return last(words.count)
        }
    }

    /// The lines that `descriptor` has until its end, without empty ones.
    static func lines(from descriptor: CInt) throws -> [[UInt8]] {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read the arguments from standard input", errno: errno) }
            if count == 0 { break }
            text += chunk[..<count]
        }
        return text.split(separator: UInt8(ascii: "\n")).map { Array($0) }
    }
}

import ArgumentParser
import Glibc
import SharedMemoryLink

/// The command line in the bytes it was given in: names of files need not be UTF-8, and a `String` would change such
/// bytes. And there may be hundreds of thousands, which the parser has no need to see.
struct RawArguments {
    /// What the parser gets.
    let parsed: [[UInt8]]
    /// What stands behind the `:::` of `muster map`; `nil` if there is none.
    let listed: [[UInt8]]?

    /// Those of this process.
    static let ofProcess = RawArguments(
        (1..<max(Int(CommandLine.argc), 1)).compactMap { index in
            guard let word = unsafe CommandLine.unsafeArgv[index] else { return nil }
            // SAFETY: the argument vector holds `argc` strings that end with zero and live as long as the process.
            return unsafe [UInt8](UnsafeRawBufferPointer(start: word, count: strlen(word)))
        })

    /// Takes the words of a command line apart, without the program's name.
    init(_ words: [[UInt8]]) {
        let mark = words.first == Array("map".utf8) ? words.firstIndex(of: Array(":::".utf8)) : nil
        parsed = Array(words[..<(mark ?? words.count)])
        listed = mark.map { Array(words[($0 + 1)...]) }
    }

    /// What the parser gets, as text.
    var text: [String] { parsed.map { String(decoding: $0, as: UTF8.self) } }

    /// The bytes of `words`, which the parser left behind the options, without a leading `--`.
    ///
    /// The parser leaves all from the first word on that it does not know, be it `--help` or a misspelt option.
    func command<Command: ParsableCommand>(_ words: [String], of command: Command) throws -> [[UInt8]] {
        switch words.first {
        case "--": return parsed.suffix(words.count - 1)
        case "--help", "-h": throw CleanExit.helpRequest(command)
        case let option? where option.hasPrefix("-") && option != "-":
            throw UsageError(message: "Unknown option '\(option)'; options stand before the command, see --help")
        default: return parsed.suffix(words.count)
        }
    }
}

extension RawArguments {
    /// The lines that `descriptor` has until its end, without empty ones.
    static func lines(from descriptor: CInt) throws(SystemError) -> [[UInt8]] {
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

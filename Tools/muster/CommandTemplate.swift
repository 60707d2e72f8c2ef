/// A command with a place for an argument, as it is given to `muster map`.
///
/// One word is a line for the shell. Several are a program and its arguments, which the shell takes as they are.
struct CommandTemplate: Hashable {
    private static let placeholder = Array("{}".utf8)

    /// The line for the shell, cut at each place for the argument; one piece if there is none.
    private let pieces: [[UInt8]]

    /// Reads a command; `nil` if there are no words, or only an empty one.
    init?(_ words: [[UInt8]]) {
        guard words.contains(where: { !$0.isEmpty }) else { return nil }
        if words.count == 1 {
            pieces = Self.cut(words[0])
        } else {
            // The quotes are around the pieces; an argument brings its own.
            var pieces: [[UInt8]] = [[]]
            for (index, word) in words.enumerated() {
                if index > 0 { pieces[pieces.count - 1].append(UInt8(ascii: " ")) }
                let cuts = Self.cut(word)
                pieces[pieces.count - 1] += Self.quoted(cuts[0])
                pieces += cuts.dropFirst().map(Self.quoted)
            }
            self.pieces = pieces
        }
    }

    /// The line for the shell with `argument` in its places, or behind it if it has none.
    func line(for argument: [UInt8]) -> [UInt8] {
        let argument = Self.quoted(argument)
        if pieces.count == 1 { return pieces[0] + [UInt8(ascii: " ")] + argument }
        return Array(pieces.joined(separator: argument))
    }

    private static func cut(_ word: [UInt8]) -> [[UInt8]] {
        word.split(separator: placeholder, omittingEmptySubsequences: false).map { Array($0) }
    }

    /// The bytes in single quotes, in which only a single quote means something to the shell.
    static func quoted(_ bytes: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "'")
        return [quote] + bytes.flatMap { $0 == quote ? Array(#"'\''"#.utf8) : [$0] } + [quote]
    }
}

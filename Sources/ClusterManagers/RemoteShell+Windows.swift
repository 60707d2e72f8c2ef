import Agent

// What cmd.exe takes, and then the program's own reading of its command line.

extension RemoteShell {
    /// Writes a word twice over: for the program, whose C library cuts its command line into words, and for cmd.exe, which
    /// reads the line before.
    ///
    /// Every character that means something to cmd.exe gets a caret, the quotes too, so that it is never inside quotes,
    /// where carets would stay. `%A^%` names a variable `A^`, which there is none of, so it stays as it is, and loses its
    /// caret then.
    ///
    /// Source: Microsoft, `CommandLineToArgvW`, and "Everyone quotes command line arguments the wrong way".
    static func quoteWindows(_ word: [UInt8]) throws(LaunchError) -> [UInt8] {
        caret(try forProgram(word))
    }

    /// Backslashes count only in front of a quote; there each is doubled.
    private static func forProgram(_ word: [UInt8]) throws(LaunchError) -> [UInt8] {
        if word.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            throw refusal(word, "a line's end")
        }
        let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        let needsQuotes = word.isEmpty || word.contains { [quote, UInt8(ascii: " "), UInt8(ascii: "\t")].contains($0) }
        guard needsQuotes else { return word }
        var text = [quote]
        var backslashes = 0
        for byte in word {
            if byte == quote { text += [UInt8](repeating: backslash, count: backslashes + 1) }
            backslashes = byte == backslash ? backslashes + 1 : 0
            text.append(byte)
        }
        return text + [UInt8](repeating: backslash, count: backslashes) + [quote]
    }

    private static func caret(_ text: [UInt8]) -> [UInt8] {
        let special = "()%!^\"<>&|".utf8
        return text.flatMap { special.contains($0) ? [UInt8(ascii: "^"), $0] : [$0] }
    }

    /// `cd /d "DIR"&& set A=B&& "PROGRAM" ARG…`
    static func windowsLine(_ command: RemoteCommand) throws(LaunchError) -> [UInt8] {
        var line: [UInt8] = []
        if case .at(let path) = command.directory {
            line += Array("cd /d ".utf8) + (try nameInQuotes(Array(path.utf8))) + Array("&& ".utf8)
        }
        for variable in command.environment {
            guard !variable.value.isEmpty else {
                throw LaunchError("cmd.exe has no variables without a value; leave \(variable.name) out")
            }
            if variable.value.contains(where: { [0, UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains($0) }) {
                throw refusal(variable.value, "a line's end or a zero byte")
            }
            // No space before &&: it would be part of the value.
            line += Array("set \(variable.name)=".utf8) + caret(variable.value) + Array("&& ".utf8)
        }
        line += try nameInQuotes(command.executable)
        for argument in command.arguments { line += [UInt8(ascii: " ")] + (try windowsCmd.quote(argument)) }
        return line
    }

    /// A file's name, which cmd.exe itself looks at: in quotes, in which nothing can be made harmless.
    private static func nameInQuotes(_ name: [UInt8]) throws(LaunchError) -> [UInt8] {
        let refused: [UInt8] = [0, UInt8(ascii: "\""), UInt8(ascii: "%"), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        if name.contains(where: refused.contains) { throw refusal(name, "a quote, % or a line's end") }
        return [UInt8(ascii: "\"")] + name + [UInt8(ascii: "\"")]
    }
}

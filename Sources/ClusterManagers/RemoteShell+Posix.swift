import Agent

// What sh takes, and csh in front of it.

extension RemoteShell {
    /// Nothing is special in single quotes but their end; backslashes stand outside, since in fish they are special there.
    static func quotePosix(_ word: [UInt8]) -> [UInt8] {
        if !word.isEmpty, word.allSatisfy(isPlain) { return word }
        let (quote, backslash) = (UInt8(ascii: "'"), UInt8(ascii: "\\"))
        var text: [UInt8] = []
        var isQuoted = false
        for byte in word {
            let isSpecial = byte == quote || byte == backslash
            if isSpecial == isQuoted {
                text.append(quote)
                isQuoted.toggle()
            }
            if isSpecial { text.append(backslash) }
            text.append(byte)
        }
        if isQuoted { text.append(quote) }
        return word.isEmpty ? [quote, quote] : text
    }

    /// In csh the history's `!` is special even in single quotes, and a line's end too; a backslash makes each harmless.
    static func quoteCsh(_ word: [UInt8]) -> [UInt8] {
        if !word.isEmpty, word.allSatisfy(isPlain) { return word }
        var text = [UInt8(ascii: "'")]
        for byte in word {
            switch byte {
            case UInt8(ascii: "'"): text += Array("'\\''".utf8)
            case UInt8(ascii: "!"), UInt8(ascii: "\n"): text += [UInt8(ascii: "\\"), byte]
            default: text.append(byte)
            }
        }
        return text + [UInt8(ascii: "'")]
    }

    /// `=` is none: zsh looks for a command behind it.
    static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "/"), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "+"):
            true
        default: false
        }
    }

    /// `cd DIR && exec env A=B PROGRAM ARG… 3<&0 </dev/null`
    static func posixLine(_ command: RemoteCommand) throws(LaunchError) -> [UInt8] {
        var words: [[UInt8]] = []
        switch command.directory {
        case .at(let path): words += [try directoryChange(path), Array("&&".utf8)]
        // && and || bind alike in sh, from the left; without braces fish takes it as well.
        case .ifThere(let path): words += [try directoryChange(path), Array("2>/dev/null || cd &&".utf8)]
        case .home: break
        }
        words.append(Array("exec".utf8))
        if !command.environment.isEmpty {
            words.append(Array("env".utf8))
            for variable in command.environment {
                words.append(try posix.quote(Array(variable.name.utf8) + [UInt8(ascii: "=")] + variable.value))
            }
            // env would take such a path for one more variable.
            if command.executable.contains(UInt8(ascii: "=")) {
                words.append(Array("sh -c 'exec \"$0\" \"$@\"'".utf8))
            }
        }
        for word in [command.executable] + command.arguments { words.append(try posix.quote(word)) }
        words.append(Array("\(posix.inputDescriptor)<&0 </dev/null".utf8))
        return Array(words.joined(separator: [UInt8(ascii: " ")]))
    }

    /// Has csh become sh, which does the rest.
    static func cshLine(running line: [UInt8]) throws(LaunchError) -> [UInt8] {
        Array("exec sh -c ".utf8) + (try csh.quote(line))
    }

    private static func directoryChange(_ path: String) throws(LaunchError) -> [UInt8] {
        guard !path.isEmpty else { throw LaunchError("a directory's name can't be empty; leave it out for this one's") }
        // The home directory is the host's to know, so this stands outside of quotes.
        if path == "~" { return Array("cd".utf8) }
        if path.hasPrefix("~/") { return Array("cd ~/".utf8) + (try posix.quote(Array("./\(path.dropFirst(2))".utf8))) }
        // Else `-` would be the directory before, and CDPATH would be searched.
        return Array("cd ".utf8) + (try posix.quote(Array((path.hasPrefix("/") ? path : "./" + path).utf8)))
    }
}

/// Words of a command for a POSIX shell.
package enum ShellWord {
    /// A word as the shell takes it for itself, and as people write it: `--option=value` needs no quotes.
    package static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.utf8.allSatisfy { $0 == UInt8(ascii: "=") || RemoteShell.isPlain($0) }
        return isPlain ? word : String(decoding: RemoteShell.quotePosix(Array(word.utf8)), as: UTF8.self)
    }
}

import Agent
import Foundation
import Testing

@testable import ClusterManagers

@Suite("RemoteShell")
struct RemoteShellTests {
    /// Shells of this host that take words quoted for a kind.
    private static let shells: [(path: String, kind: RemoteShell)] = [
        ("/bin/sh", .posix), ("/bin/dash", .posix), ("/bin/bash", .posix), ("/bin/busybox", .posix),
        ("/bin/ksh", .posix), ("/bin/zsh", .posix), ("/usr/bin/fish", .posix), ("/bin/tcsh", .csh),
        ("/bin/bsd-csh", .csh),
        ("/bin/csh", .csh),
    ]

    private func words(_ shell: String, _ line: [UInt8]) -> [[UInt8]] {
        let name = shell.hasSuffix("busybox") ? [shell, "sh"] : [shell]
        // Start-up files of whoever tests may print.
        let quiet = shell.hasSuffix("csh") ? ["-f"] : []
        return (name + quiet + ["-c"]).map { Array($0.utf8) } + [line]
    }

    private static func isInstalled(_ shell: String) -> Bool {
        if FileManager.default.isExecutableFile(atPath: shell) { return true }
        skip("no \(shell)")
        return false
    }

    @Test("any bytes come through a real shell as they are", arguments: shells.map(\.path))
    func anyBytes(shell: String) async throws {
        guard RemoteShellTests.isInstalled(shell) else { return }
        let kind = try #require(RemoteShellTests.shells.first { $0.path == shell }).kind
        let special = Array("'\"\\!$`%^&|<>(){}[]*?~#;= \t\n\r\u{1b}-a1é".utf8) + [0x80, 0xff]
        var samples: [[UInt8]] = [[], Array("-n".utf8), Array("\\!".utf8), Array("a\\".utf8), Array("!!\n\n!".utf8)]
        samples += special.map { [$0] }
        samples += (0..<150).map { _ in (0..<Int.random(in: 1...20)).map { _ in special.randomElement()! } }
        samples += (0..<20).map { _ in (0..<40).map { _ in UInt8.random(in: 1...255) } }
        // Bytes that are no text of the locale's encoding may be lost in tcsh and in no shell that counts.
        if kind == .csh || shell.hasSuffix("fish") {
            samples = samples.filter { String(validating: $0, as: UTF8.self) != nil }
        }
        for start in stride(from: 0, to: samples.count, by: 50) {
            let piece = samples[start..<min(start + 50, samples.count)]
            var line = Array("/usr/bin/env printf '%s\\0'".utf8)
            for sample in piece { line += Array(" ".utf8) + (try kind.quote(sample)) }
            line += Array(" | od -An -v -tx1".utf8)
            let got = try await run(words(shell, line))
            let bytes = got.text.split { $0.isWhitespace }.compactMap { UInt8($0, radix: 16) }
            let expected = Array(piece.joined(separator: [0])) + [0]
            #expect(bytes == expected, "\(shell) \(got.end)")
        }
    }

    @Test("the line goes to its directory, sets variables, and hides the input", arguments: shells.map(\.path))
    func line(shell: String) async throws {
        guard RemoteShellTests.isInstalled(shell) else { return }
        let kind = try #require(RemoteShellTests.shells.first { $0.path == shell }).kind
        let directory = FileManager.default.temporaryDirectory.appending(path: "a 'b' \(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var command = RemoteCommand(executable: Array("/bin/sh".utf8))
        command.directory = .at(directory.path)
        command.environment = [.init("GREETING", "it's\n100% \\!"), .init("EMPTY", "")]
        let script = """
            pwd; printf '%s|%s|%s' "$GREETING" "${EMPTY-unset}" "$1"; echo; read -r eaten; echo "eaten: $eaten"; cat <&3
            """
        command.arguments = ["-c", script, "me", "x y!"].map { Array($0.utf8) }
        let got = try await run(words(shell, kind.commandLine(for: command)), input: Array("secret\n".utf8))
        #expect(
            got.text == "\(directory.path)\nit's\n100% \\!||x y!\neaten: \nsecret", "\(shell): \(got.end)")
        #expect(got.end.program == .exited(status: 0))
    }

    @Test("a directory that is not there ends the line, unless it need not be there")
    func directories() async throws {
        var command = RemoteCommand(executable: Array("/bin/pwd".utf8))
        command.directory = .at("/nowhere/at all")
        let refused = try await run(words("/bin/sh", RemoteShell.posix.commandLine(for: command)))
        #expect(refused.text == "" && refused.end.program != .exited(status: 0) && refused.end.error.contains("cd"))
        command.directory = .ifThere("/nowhere/at all")
        let home = try await run(words("/bin/sh", RemoteShell.posix.commandLine(for: command)))
        let expected = try await run(["/bin/sh", "-c", "cd; pwd"])
        #expect(home.text == expected.text && home.end.error == "")
        command.directory = .at("~/")
        #expect(try await run(words("/bin/sh", RemoteShell.posix.commandLine(for: command))).text == expected.text)
        command.directory = .ifThere("/")
        #expect(try await run(words("/bin/sh", RemoteShell.posix.commandLine(for: command))).text == "/")
    }

    @Test("a program whose path looks like a variable is run")
    func equalsSign() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "a=\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let link = directory.appending(path: "echo")
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "/bin/echo")
        var command = RemoteCommand(executable: Array(link.path.utf8), arguments: [Array("$0 b".utf8)])
        command.environment = [.init("A", "b")]
        #expect(try await run(words("/bin/sh", RemoteShell.posix.commandLine(for: command))).text == "$0 b")
    }

    @Test("names that are none of a variable are refused", arguments: ["", "1A", "A-B", "A=B", "Ä", "A B", "A\n"])
    func variableNames(name: String) {
        var command = RemoteCommand(executable: Array("/bin/true".utf8))
        command.environment = [.init(name, "x")]
        for shell in [RemoteShell.posix, .csh, .windowsCmd] {
            #expect(throws: LaunchError.self) { try shell.commandLine(for: command) }
        }
    }

    @Test("a zero byte is refused by all, a line's end by cmd.exe")
    func impossible() {
        for shell in [RemoteShell.posix, .csh, .windowsCmd] {
            #expect(throws: LaunchError.self) { try shell.quote([65, 0]) }
        }
        #expect(throws: LaunchError.self) { try RemoteShell.windowsCmd.quote(Array("a\nb".utf8)) }
        #expect(throws: LaunchError.self) { try RemoteShell.windowsCmd.commandLine(script: "true", arguments: []) }
    }
}

/// cmd.exe and a program's C library, as far as they read what is written here: there is no Windows to ask.
@Suite("RemoteShell for cmd.exe")
struct WindowsShellTests {
    /// The line's words as the program gets them; `nil` if cmd.exe would do something else with it.
    private func words(_ line: [UInt8]) -> [[UInt8]]? {
        var passed: [UInt8] = []
        var isQuoted = false
        var index = 0
        while index < line.count {
            let byte = line[index]
            if byte == UInt8(ascii: "%"), index == 0 || line[index - 1] != UInt8(ascii: "^") { return nil }
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted, byte == UInt8(ascii: "^") {
                index += 1
                guard index < line.count else { return nil }
                passed.append(line[index])
            } else if !isQuoted, "<>&|()".utf8.contains(byte) {
                return nil
            } else {
                passed.append(byte)
            }
            index += 1
        }
        return isQuoted ? nil : WindowsShellTests.cut(passed)
    }

    /// Source: Microsoft, "Parsing C command-line arguments".
    private static func cut(_ line: [UInt8]) -> [[UInt8]] {
        let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var isQuoted = false
        var index = 0
        while index < line.count {
            var count = 0
            while index < line.count, line[index] == backslash { (count, index) = (count + 1, index + 1) }
            if index < line.count, line[index] == quote {
                word = (word ?? []) + [UInt8](repeating: backslash, count: count / 2)
                if count % 2 == 1 { word?.append(quote) } else { isQuoted.toggle() }
                index += 1
                continue
            }
            if count > 0 { word = (word ?? []) + [UInt8](repeating: backslash, count: count) }
            guard index < line.count else { break }
            if !isQuoted, [UInt8(ascii: " "), UInt8(ascii: "\t")].contains(line[index]) {
                if let done = word.take() { words.append(done) }
            } else {
                word = (word ?? []) + [line[index]]
            }
            index += 1
        }
        if let word { words.append(word) }
        return words
    }

    @Test("any words come through")
    func anyWords() throws {
        let alphabet = Array("a \"\\%^&|<>()!'=é\t".utf8)
        for _ in 0..<2000 {
            let sample = (0..<3).map { _ in (0..<Int.random(in: 0...8)).map { _ in alphabet.randomElement()! } }
            var line = Array("x".utf8)
            for word in sample { line += [UInt8(ascii: " ")] + (try RemoteShell.windowsCmd.quote(word)) }
            #expect(words(line) == [Array("x".utf8)] + sample, "\(String(decoding: line, as: UTF8.self))")
        }
    }

    @Test("the whole line")
    func line() throws {
        var command = RemoteCommand(
            executable: Array(#"C:\Program Files\sim.exe"#.utf8), arguments: [Array("a b%".utf8)])
        command.directory = .at(#"D:\data & more"#)
        command.environment = [.init("A", "x&y z")]
        let line = try RemoteShell.windowsCmd.commandLine(for: command)
        #expect(
            String(decoding: line, as: UTF8.self)
                == #"cd /d "D:\data & more"&& set A=x^&y z&& "C:\Program Files\sim.exe" ^"a b^%^""#)
        command.environment = [.init("A", "")]
        #expect(throws: LaunchError.self) { try RemoteShell.windowsCmd.commandLine(for: command) }
        command.environment = []
        command.executable = Array("%PATH%".utf8)
        #expect(throws: LaunchError.self) { try RemoteShell.windowsCmd.commandLine(for: command) }
    }
}

import Foundation

/// A directory of commands that tests write, gone with it.
final class FakeCommands {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)

    /// - Parameter scripts: What each does, for a POSIX shell.
    init(_ scripts: [String: String]) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for (name, script) in scripts {
            let file = directory.appending(path: name)
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        }
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// A command that runs another with no variables but these, and finds the commands first.
    func finding(_ command: [String], _ variables: String...) -> [String] {
        ["/usr/bin/env", "-i", "PATH=\(directory.path):/usr/bin:/bin"] + variables + command
    }
}

import Glibc

/// Where a command's program is, as a shell looks for it.
package struct ExecutableSearch: Sendable {
    /// The directories, in order.
    package let directories: [String]

    /// Reads a PATH variable; an empty piece is the working directory.
    package init(path: String?) {
        directories = (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "." : String($0) }
    }

    /// The file to run for `name`: itself if it has a slash, else the first program of that name.
    package func file(for name: [UInt8]) -> [UInt8]? {
        let slash = UInt8(ascii: "/")
        let candidates = name.contains(slash) ? [name] : directories.map { Array($0.utf8) + [slash] + name }
        return candidates.first(where: isProgram)
    }

    private func isProgram(_ file: [UInt8]) -> Bool {
        let path = file.map(CChar.init(bitPattern:)) + [0]
        var status = stat()
        // SAFETY: the path ends with zero; both calls read it and keep no pointer.
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}

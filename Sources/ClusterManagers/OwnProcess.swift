import Glibc

/// What another host's processes take over from this one.
enum OwnProcess {
    /// Its arguments behind its name, byte for byte.
    static var arguments: [[UInt8]] {
        var all: [[UInt8]] = []
        var index = 1
        while index < CommandLine.argc, let argument = unsafe CommandLine.unsafeArgv[index] {
            // SAFETY: the argument vector lives as long as the process, and its strings end with zero.
            unsafe all.append((0..<strlen(argument)).map { UInt8(bitPattern: unsafe argument[$0]) })
            index += 1
        }
        return all
    }

    /// Its working directory; `nil` if it is gone.
    static var directory: String? {
        guard let path = unsafe getcwd(nil, 0) else { return nil }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}

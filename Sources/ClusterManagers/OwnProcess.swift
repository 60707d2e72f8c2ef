import Glibc
import Remote

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

    /// The command, for a shell, by which this program with its arguments joins a driver.
    static func joinCommand(_ joinFile: String, isPathAbsolute: Bool = true) -> String {
        let arguments = CommandLine.arguments
        let program = isPathAbsolute ? ProgramPath.current ?? arguments[0] : arguments[0]
        let words = ["MUSTER_JOIN=" + ShellWord.quoted(joinFile), ShellWord.quoted(program)]
        return (words + arguments.dropFirst().map(ShellWord.quoted)).joined(separator: " ")
    }

    /// A path from the root; as it is if it names nothing, or the working directory is gone.
    static func absolute(_ path: String) -> String {
        guard !path.isEmpty, !path.utf8.starts(with: "/".utf8), let directory else { return path }
        return directory == "/" ? "/\(path)" : "\(directory)/\(path)"
    }

    /// Its working directory; `nil` if it is gone.
    static var directory: String? {
        guard let path = unsafe getcwd(nil, 0) else { return nil }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}

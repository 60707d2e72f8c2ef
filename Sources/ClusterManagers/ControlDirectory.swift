import Agent
import Glibc
import SharedMemoryLink

/// Where sockets of shared SSH connections are: in a directory of this user's, closed to others.
enum ControlDirectory {
    /// Bytes that ssh puts behind the directory: a slash, `%C` in 40 digits, and 17 for the name it has at first.
    private static let addedByteCount = 58
    /// Bytes that a Unix socket's path may have on all systems.
    private static let mostBytes = 104

    /// The directory that is wanted for a user whose XDG_RUNTIME_DIR is this.
    static func path(runtimeDirectory: String?, user: UInt32) -> String {
        if let runtimeDirectory, runtimeDirectory.hasPrefix("/") {
            let path = runtimeDirectory + "/muster"
            if path.utf8.count + addedByteCount < mostBytes { return path }
        }
        return "/tmp/muster-\(user)"
    }

    /// The path for ssh, whose `%C` stands for the connection; the directory is made if there is none.
    ///
    /// - Throws: ``LaunchError`` if the directory is somebody else's, or open to others.
    static func controlPath(
        runtimeDirectory: String? = unsafe getenv("XDG_RUNTIME_DIR").map { unsafe String(cString: $0) }
    ) throws(LaunchError) -> String {
        let directory = path(runtimeDirectory: runtimeDirectory, user: geteuid())
        try make(directory)
        return directory.replacing("%", with: "%%") + "/%C"
    }

    /// Makes a directory for this user alone, or checks that it is one.
    static func make(_ directory: String) throws(LaunchError) {
        if unsafe mkdir(directory, 0o700) != 0, errno != EEXIST {
            throw LaunchError(
                "\(SystemError("make the directory \(directory)", errno: errno)); or set multiplex: false")
        }
        var status = stat()
        guard unsafe lstat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
            status.st_mode & 0o077 == 0
        else {
            throw LaunchError(
                """
                \(directory), where shared SSH connections have their sockets, has to be a directory of yours that is \
                closed to others: remove it, or chmod 700 it, or set multiplex: false
                """)
        }
    }
}

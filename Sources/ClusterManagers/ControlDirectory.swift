import Agent
import Glibc
import Machine
import SharedMemoryLink

/// Where sockets of shared SSH connections are: in a directory of this user's, closed to others.
enum ControlDirectory {
    /// Bytes that ssh puts behind the directory: a slash, `%C` in 40 digits, and 17 for the name it has at first.
    private static let addedByteCount = 58
    /// Bytes that a Unix socket's path may have on all systems.
    private static let mostBytes = 104

    /// The directory that is wanted, if it leaves room for a socket's path.
    static func path(_ wanted: String, user: UInt32) -> String {
        wanted.utf8.count + addedByteCount < mostBytes ? wanted : "/tmp/muster-\(user)"
    }

    /// The path for ssh, whose `%C` stands for the connection; the directory is made if there is none.
    ///
    /// - Throws: ``LaunchError`` if the directory is somebody else's, or open to others.
    static func controlPath(in wanted: String = RuntimeDirectory.path) throws(LaunchError) -> String {
        let directory = path(wanted, user: geteuid())
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
